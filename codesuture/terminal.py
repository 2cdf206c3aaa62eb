"""Whether a stream is to be coloured."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


def wants_color(stream: TextIO, setting: str) -> bool:
    """Whether to write colours to ``stream``; ``setting`` is ``auto``, ``always`` or ``never``.

    ``auto`` follows ``NO_COLOR`` (no-color.org) and ``FORCE_COLOR``, then asks for a terminal.
    """
    if setting != "auto":
        return setting == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and bool(isatty()) and os.environ.get("TERM") != "dumb"
