"""Library functions written in Python whose failure counts as the failure of the call itself.

``Fraction("x")``, ``Path.read_text`` and ``os.environ["HOME"]`` are a conversion, a file access
and a look-up like ``int("x")``, ``open`` and ``{}["x"]``, but their exceptions come out of frames
of the standard library. Code that uses one of these names has pads at its calls and subscripts
that such exceptions enter.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType

#: The names under which code reaches those functions.
LIBRARY_NAMES: frozenset[str] = frozenset({
    "Fraction", "UUID", "environ", "fromisoformat", "ip_address", "ip_interface", "ip_network",
    "open",
    "read_bytes", "read_text", "strptime",
})  # fmt: skip

_LIBRARY = os.path.dirname(os.__file__) + os.sep
_SITE_PACKAGES = (_LIBRARY + "site-packages" + os.sep, _LIBRARY + "dist-packages" + os.sep)


def raised_in_library(trace: TracebackType) -> bool:
    """Whether an exception was in frames of the standard library only, from ``trace`` on."""
    at: TracebackType | None = trace
    while at is not None:
        if not is_of_library(at.tb_frame.f_code):
            return False
        at = at.tb_next
    return True


def is_of_library(code: CodeType) -> bool:
    """Whether it is code of the standard library."""
    name = code.co_filename
    return name.startswith((_LIBRARY, "<frozen ")) and not name.startswith(_SITE_PACKAGES)
