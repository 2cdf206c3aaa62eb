"""Which types the operands of a crash had: kept in its patch, for who mends the source later."""

from __future__ import annotations

from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.callee import callee, is_c_type, type_name, type_of
from codesuture.guards.known import known_value
from codesuture.guards.messages import NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash
    from codesuture.diagnosis.expression import Expression

#: What stands for a type that is not certain, or is the program's own.
UNKNOWN = "?"
_MOST = 12


def seen(crash: Crash) -> str:
    """The names of the built-in types of the crash's operands, such as ``dict, str``.

    The deepest first; what is called has the function's name (``list.index``). Never raises.
    """
    try:
        found = [_type(crash, operand) for operand in crash.operands[:_MOST]]
        if crash.operation == "call" and found:
            found[0] = callee(crash) or found[0]
        return ", ".join(found)
    except Exception:  # diagnosis must not be what a program dies of
        return ""


def _type(crash: Crash, operand: Expression) -> str:
    value = known_value(crash, operand)
    if value is None:
        return NONE
    if value is MISSING:
        return type_of(crash, operand) or UNKNOWN
    kind = type(value)
    return (type_name(kind) if is_c_type(kind) else "") or UNKNOWN
