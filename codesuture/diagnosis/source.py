"""The source text of an instruction's expression, from the code's positions."""

from __future__ import annotations

import linecache
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType


def segment(code: CodeType, offset: int) -> str:
    """The text of the expression at the byte ``offset``, on one line; ``""`` if unreadable.

    Reads files through ``linecache``; never asks a loader, which may be the program's own.
    """
    try:
        return _segment(code, offset)
    except Exception:  # an unreadable or changed file must not matter
        return ""


def _segment(code: CodeType, offset: int) -> str:
    unknown = (None, None, None, None)
    first, last, start, stop = next(islice(code.co_positions(), offset // 2, None), unknown)
    if first is None or last is None or start is None or stop is None:
        return ""
    lines = [linecache.getline(code.co_filename, number) for number in range(first, last + 1)]
    if not all(lines):
        return ""
    # Columns count bytes of UTF-8.
    encoded = [line.encode() for line in lines]
    encoded[-1] = encoded[-1][:stop]
    encoded[0] = encoded[0][start:]
    return " ".join(piece.decode(errors="replace").strip() for piece in encoded)
