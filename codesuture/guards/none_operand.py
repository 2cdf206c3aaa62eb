"""none_operand_guard: None in arithmetic and comparison."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import Guard
from codesuture.guards.messages import NONE
from codesuture.guards.neutral import default_without, left_out, value_without
from codesuture.guards.typed import FALSE, ZERO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

ARITHMETIC = frozenset({"binary", "compare", "negate", "positive", "invert"})


class NoneOperandGuard(Guard):
    name = "none_operand_guard"
    operations = ARITHMETIC
    exceptions = (TypeError,)
    fixed = True
    meaning = (
        "`None` is an operand of arithmetic or of a comparison: it counts as zero or empty, so "
        "that the other operand stands, and an ordering comparison is false."
    )
    supplies = "the other operand, zero, or `False` for a comparison"
    examples = ("total + price", "-balance", "age < limit")

    def recognises(self, crash: Crash) -> bool:
        return self._none(crash) is not None

    def _none(self, crash: Crash) -> int | None:
        """Which operand is None, as the message says and the operands do not deny."""
        return left_out(crash, lambda kind, number: kind == NONE and may_be_none(crash, number))

    def subject(self, crash: Crash) -> int:
        return self._none(crash) or 0

    def default(self, crash: Crash) -> Recipe:
        if crash.operation == "compare":
            return FALSE
        if crash.operation != "binary":
            return ZERO
        return default_without(crash, self.subject(crash))

    def value(self, crash: Crash, recipe: Recipe) -> object:
        if recipe.kind == "compute":
            return value_without(crash, self.subject(crash))
        return super().value(crash, recipe)

    def advice(self, target: str, operation: str = "") -> str:
        return f"Find out why `{target}` is None here, or give it a value such as 0 from the start."
