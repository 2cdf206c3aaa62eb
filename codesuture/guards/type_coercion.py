"""type_coercion_guard: conversions of bad input."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.callee import callee, method_name
from codesuture.guards.division import is_invalid_operation
from codesuture.guards.guard import Guard
from codesuture.guards.messages import says
from codesuture.guards.typed import (
    EMPTY_BYTES,
    FALSE,
    NONE_VALUE,
    ZERO,
    ZERO_COMPLEX,
    ZERO_DECIMAL,
    ZERO_FLOAT,
    ZERO_FRACTION,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

#: What converts, and the empty value of what it gives.
COERCIONS: dict[str, Recipe] = {
    "int": ZERO,
    "float": ZERO_FLOAT,
    "complex": ZERO_COMPLEX,
    "bool": FALSE,
    "decimal.Decimal": ZERO_DECIMAL,
    "fractions.Fraction": ZERO_FRACTION,
    "int.from_bytes": ZERO,
    "float.fromhex": ZERO_FLOAT,
    "bytes.fromhex": EMPTY_BYTES,
    "binascii.unhexlify": EMPTY_BYTES,
    "binascii.a2b_hex": EMPTY_BYTES,
    "binascii.a2b_base64": EMPTY_BYTES,
    "datetime.datetime": NONE_VALUE,
    "datetime.date": NONE_VALUE,
    "datetime.time": NONE_VALUE,
    "datetime.timedelta": NONE_VALUE,
    "datetime.datetime.fromisoformat": NONE_VALUE,
    "datetime.date.fromisoformat": NONE_VALUE,
    "datetime.time.fromisoformat": NONE_VALUE,
    "datetime.datetime.strptime": NONE_VALUE,
    "datetime.datetime.fromtimestamp": NONE_VALUE,
    "datetime.datetime.utcfromtimestamp": NONE_VALUE,
    "datetime.date.fromtimestamp": NONE_VALUE,
    "datetime.date.fromordinal": NONE_VALUE,
    "datetime.date.fromisocalendar": NONE_VALUE,
    "datetime.datetime.replace": NONE_VALUE,
    "datetime.date.replace": NONE_VALUE,
    "time.strptime": NONE_VALUE,
    "uuid.UUID": NONE_VALUE,
    "ipaddress.ip_address": NONE_VALUE,
    "ipaddress.ip_network": NONE_VALUE,
}
#: Methods that are conversions whatever they belong to.
_METHODS = frozenset({"fromisoformat", "strptime", "fromtimestamp", "fromhex"})


class TypeCoercionGuard(Guard):
    name = "type_coercion_guard"
    operations = frozenset({"call"})
    exceptions = (ValueError, TypeError, ArithmeticError)
    reaches_library = True
    meaning = (
        "Input that is not what a conversion takes (`int`, `float`, `complex`, `Decimal`, "
        "`datetime.fromisoformat`, …): the empty value of the type, or `None` for a date."
    )
    supplies = "the type's zero or empty value; `None` for dates"
    examples = ('int("12 apples")', "float(None)", 'Decimal("n/a")', 'date.fromisoformat("soon")')

    def recognises(self, crash: Crash) -> bool:
        exception = crash.exception
        if issubclass(type(exception), ArithmeticError) and not (
            type(exception) is OverflowError or is_invalid_operation(exception)
        ):
            return False
        return self._recipe(crash) is not None and not says(exception, "signature")

    def _recipe(self, crash: Crash) -> Recipe | None:
        name = callee(crash)
        if name.startswith("?."):
            return NONE_VALUE if method_name(name) in _METHODS else None
        return COERCIONS.get(name)

    def target(self, crash: Crash) -> str:
        return crash.text(crash.operands[1]) if len(crash.operands) > 1 else super().target(crash)

    def default(self, crash: Crash) -> Recipe:
        return self._recipe(crash) or NONE_VALUE

    def advice(self, target: str, operation: str = "") -> str:
        return (
            f"Check `{target}` before it is converted, or catch ValueError there and say what bad "
            "input means."
        )
