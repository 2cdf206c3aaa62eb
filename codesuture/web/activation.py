"""Switching codesuture on in a program that is already running, for those who start it by hand.

Functions that exist already get armed code by assignment (``live.replacing``); CPython runs such
functions a few percent slower than those that were armed as they were imported (see
docs/benchmarks.md). What is running at this moment goes on as it is.
"""

from __future__ import annotations

from codesuture import importhook
from codesuture.live.replacing import Swap
from codesuture.surgery.arming import is_armed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FunctionType


def activate() -> bool:
    """Begin a session, arm the program's own functions, and arm what it will import.

    Where codesuture is active already nothing is done. False where it is not to be active: switched
    off, or of no use here, which one line has told.
    """
    from codesuture_agent import boot  # type: ignore[import-untyped]

    if boot.is_active():
        return True
    if not boot.activate():
        return False
    arm_functions()
    return True


def arm_functions() -> None:
    """Arm the functions of the program's own code."""
    Swap(_armed).run(lambda code: not is_armed(code), lambda code: False)


def _armed(function: FunctionType, code: CodeType) -> CodeType:
    return importhook.arm_function(function.__module__, code)
