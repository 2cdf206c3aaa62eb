"""What a crash shows for certain, asked without running user code."""

from __future__ import annotations

from codesuture.diagnosis.expression import Constant, Unary
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.known import known_value
from codesuture.guards.messages import NONE, types_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash
    from codesuture.diagnosis.expression import Expression


def operand_value(crash: Crash, number: int) -> object:
    """The operand's value now, or MISSING."""
    if number >= len(crash.operands):
        return MISSING
    return known_value(crash, crash.operands[number])


def may_be_none(crash: Crash, number: int) -> bool:
    """Whether the operand is None, or cannot be looked at again."""
    value = operand_value(crash, number)
    return value is None or value is MISSING


def attribute_owner(crash: Crash) -> str:
    """Whose attribute is missing: "none", "object", or "" where that is not certain.

    The exception carries object and name since 3.10, but for stores and deletions only since 3.13
    (``Objects/object.c``), and not from every type; then its text tells.
    """
    exception = crash.exception
    if type(exception) is not AttributeError:
        return ""
    if crash.operation.startswith("load"):
        if exception.name is None or exception.name != crash.name:
            return ""
        return "none" if exception.obj is None else "object"
    named = types_in(exception, "attribute")
    if named is None or named["name"] != crash.name:
        return ""
    return "none" if named["left"] == NONE else "object"


def literal_key(expression: Expression) -> bool:
    """Whether the expression is a constant integer, as in ``rows[0]`` or ``rows[-1]``."""
    if isinstance(expression, Unary):
        expression = expression.operand
    return isinstance(expression, Constant) and type(expression.value) is int
