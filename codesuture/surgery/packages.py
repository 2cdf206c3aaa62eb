"""Frames of installed packages, and exceptions that their instructions raise.

What a package raises by ``raise`` is what it has to say. What an instruction of it raises, because
a value is not what it was made for, is a crash, and may end at the program's call of the package.
"""

from __future__ import annotations

import os

from codesuture.surgery.library import is_of_library
from codesuture.surgery.opcodes import NAMES
from codesuture.surgery.sealing import sealed_pads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType

#: Folders that packages are installed into, as they stand in a path.
_FOLDERS = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_SPEAKING = frozenset({"RAISE_VARARGS", "RERAISE"})


def package_of(filename: str) -> tuple[str, str]:
    """The top package (or module) that an installed file belongs to, and its path in the folder."""
    for folder in _FOLDERS:
        _, found, inside = filename.rpartition(folder)
        if found:
            return inside.partition(os.sep)[0].removesuffix(".py"), inside
    return "", filename


def is_of_package(code: CodeType) -> bool:
    """Whether it is code of an installed package, and not armed."""
    name = code.co_filename
    return any(folder in name for folder in _FOLDERS) and sealed_pads(code) is None


def raised_in_package(trace: TracebackType) -> bool:
    """Whether an exception crashed in a package and came through nothing else, from ``trace`` on.

    Frames of the standard library may lie between: a package called them, or was called by them at
    the program's wish (``functools.partial``, an executor). One frame of a package there must be,
    and none of a module that is being imported: it would stay behind half-made.
    """
    at: TracebackType | None = trace
    innermost, found = trace, False
    while at is not None:
        code = at.tb_frame.f_code
        if is_of_package(code):
            found = True
        elif not is_of_library(code):
            return False
        if code.co_name == "<module>":
            return False
        innermost, at = at, at.tb_next
    return found and not spoke(innermost)


def spoke(trace: TracebackType) -> bool:
    """Whether the frame's instruction is a ``raise``, or raises again what it had caught."""
    return NAMES[trace.tb_frame.f_code.co_code[trace.tb_lasti]] in _SPEAKING
