"""Whether what a remembered answer relied on in a frame is the same in another one."""

from __future__ import annotations

from codesuture.fate.scope import Scope
from codesuture.fate.verdict import Notes
from codesuture.frames import local_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.fate.verdict import Held


def holds(frame: FrameType, held: list[Held]) -> bool:
    """Whether the frame holds objects of these types, or like these, and is the same boundary."""
    for symbol, expected in held:
        if symbol is not None and symbol[0] == "boundary":
            if symbol[1].judge(frame, symbol[2])[0] != expected:  # type: ignore[attr-defined]
                return False
            continue
        if symbol is not None and symbol[0] in ("local", "free"):
            value = local_variables(frame).get(str(symbol[1]))
        else:
            value = Scope.of_frame(frame, Notes()).value(symbol)
        if isinstance(expected, type):
            if type(value) is not expected:
                return False
        elif not expected(value):  # type: ignore[operator]
            return False
    return True
