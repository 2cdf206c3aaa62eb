"""division_guard: division by zero."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.callee import callee
from codesuture.guards.evidence import operand_value
from codesuture.guards.exact import is_exactly
from codesuture.guards.guard import Guard
from codesuture.guards.messages import text_of
from codesuture.guards.typed import NONE_VALUE, ZERO, ZERO_COMPLEX, ZERO_DECIMAL, ZERO_FLOAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

#: C functions that divide, and the sign of what they do.
_DIVIDERS = {
    "divmod": "divmod",
    "pow": "**",
    "operator.truediv": "/",
    "operator.floordiv": "//",
    "operator.mod": "%",
    "operator.itruediv": "/",
    "operator.ifloordiv": "//",
    "operator.imod": "%",
    "operator.pow": "**",
}
_SIGNS = ("/", "//", "%")


class DivisionGuard(Guard):
    name = "division_guard"
    operations = frozenset({"binary", "call"})
    exceptions = (ArithmeticError,)
    meaning = (
        "A number is divided by zero (`/`, `//`, `%`, `divmod`, in-place forms, zero to a negative "
        "power): the result is zero, of the type that the division has."
    )
    supplies = "zero, of the type of the operands; two zeros for `divmod`"
    examples = ("total / count", "total // count", "total %= count", "divmod(total, count)")

    def recognises(self, crash: Crash) -> bool:
        sign = self._sign(crash)
        if issubclass(type(crash.exception), ZeroDivisionError):
            return bool(sign)
        # 0 / 0, x % 0 and divmod(x, 0) of Decimals are InvalidOperation (Modules/_decimal).
        if not is_invalid_operation(crash.exception) or sign not in (*_SIGNS, "divmod"):
            return False
        divisor = operand_value(crash, self.subject(crash))
        return divisor is MISSING or (is_exactly(divisor, (int, Decimal)) and not divisor)

    def _sign(self, crash: Crash) -> str:
        if crash.operation == "binary":
            return (crash.sign or "").removesuffix("=")
        return _DIVIDERS.get(callee(crash), "")

    def subject(self, crash: Crash) -> int:
        return len(crash.operands) - 1

    def default(self, crash: Crash) -> Recipe:
        sign = self._sign(crash)
        zero = self._zero(crash, sign)
        return Recipe.sequence(2, zero) if sign == "divmod" else zero

    def _zero(self, crash: Crash, sign: str) -> Recipe:
        dividend, divisor = (operand_value(crash, self.subject(crash) - back) for back in (1, 0))
        if is_decimal(crash.exception) or _either(Decimal, dividend, divisor):
            return ZERO_DECIMAL
        text = text_of(crash.exception)  # up to 3.13 it says whose division it was
        if _either(complex, dividend, divisor) or text.startswith("complex"):
            return ZERO_COMPLEX
        if type(dividend) is timedelta and type(divisor) is not timedelta:
            return NONE_VALUE
        if _either(float, dividend, divisor) or text.startswith("float") or sign in ("/", "**"):
            return ZERO_FLOAT
        return ZERO

    def advice(self, target: str, operation: str = "") -> str:
        return f"Test `if {target}:` before dividing, and decide what the result is without it."


def _either(kind: type, dividend: object, divisor: object) -> bool:
    return type(dividend) is kind or type(divisor) is kind


def is_decimal(exception: BaseException) -> bool:
    """Whether the decimal module raised it."""
    return bool(type.__dict__["__module__"].__get__(type(exception)) == "decimal")


def is_invalid_operation(exception: BaseException) -> bool:
    """Whether it is ``decimal.InvalidOperation``, without importing decimal for it."""
    return is_decimal(exception) and type(exception).__name__ == "InvalidOperation"
