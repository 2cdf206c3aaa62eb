"""operand_guard: an operand of the wrong type, where it is not None."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.expression import Binary
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.guard import Guard
from codesuture.guards.iteration import is_spread, no_items, spread_argument
from codesuture.guards.key import subscript_text
from codesuture.guards.messages import types_in
from codesuture.guards.neutral import default_without, left_out, value_without
from codesuture.guards.none_operand import ARITHMETIC
from codesuture.guards.typed import FALSE, ZERO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

_INDEXING = ("index type", "unhashable")
#: By operation: the faults of an operand that is of the wrong type.
_FAULTS: dict[str, tuple[str, ...]] = {
    "binary": ("binary", "concatenate", "repeat", "time zones"),
    "compare": ("compare", "time zones"),
    "negate": ("unary",),
    "positive": ("unary",),
    "invert": ("unary",),
    "subscript": ("subscript", *_INDEXING),
    "slice": ("subscript", *_INDEXING),
    "store_subscript": ("store item", "store slice", *_INDEXING),
    "store_slice": ("store item", "store slice", *_INDEXING),
    "delete_subscript": ("delete item", *_INDEXING),
    "contains": ("contains", "contained", "unhashable"),
    "iterate": ("iterate",),
    "iterate_async": ("iterate",),
    "extend": ("spread", "iterate"),
    "merge": ("spread", "iterate"),
    "unpack": ("unpack",),
    "enter": ("enter",),
    "enter_async": ("enter",),
    "await": ("await",),
    "call": ("call",),
}


class OperandGuard(Guard):
    name = "operand_guard"
    operations = frozenset(_FAULTS)
    exceptions = (TypeError,)
    meaning = (
        "An operand has a type that the operation does not take, and is not `None`: a list indexed "
        "with text, a number iterated or called, a set added to a list. Arithmetic keeps its left "
        "operand, a comparison or `in` is false, everything else gives what is supplied."
    )
    supplies = "the left operand, `False` for a comparison, no items, else `None`"
    examples = ('rows["id"]', "1 < name", "[1] + (2,)", "for digit in 5:", "settings(key)")

    def recognises(self, crash: Crash) -> bool:
        if crash.operation == "call":
            named = types_in(crash.exception, "call")
            return is_spread(crash) or (named is not None and _calls(crash, named["left"]))
        named = types_in(crash.exception, *_FAULTS[crash.operation])
        if named is not None:
            return named.get("left") != "mappingproxy"  # it is read-only on purpose
        return crash.operation == "binary" and left_out(crash, lambda kind, number: True) == 1

    def subject(self, crash: Crash) -> int:
        if crash.operation.startswith("store"):
            return 1
        if crash.operation == "call":
            return spread_argument(crash) if is_spread(crash) else 0
        return 1 if crash.operation in ("contains", "extend", "merge") else 0

    def target(self, crash: Crash) -> str:
        number = min(self.subject(crash), len(crash.operands) - 1)
        if crash.operation in ("binary", "compare", "contains") and len(crash.operands) == 2:
            return Binary(crash.sign or "?", *crash.operands).text()
        if "subscript" in crash.operation or "slice" in crash.operation:
            return subscript_text(crash)
        return crash.text(crash.operands[number])

    def default(self, crash: Crash) -> Recipe:
        if crash.operation == "compare":
            return FALSE
        if crash.operation == "contains":
            return Recipe.constant(crash.sign == "not in")
        if crash.operation == "binary":
            return default_without(crash, 1)
        if crash.operation in ARITHMETIC:
            return ZERO
        return _SHAPES.get(crash.operation) or no_items(crash)

    def value(self, crash: Crash, recipe: Recipe) -> object:
        if recipe.kind == "compute":
            return value_without(crash, 1)
        return super().value(crash, recipe)

    def advice(self, target: str, operation: str = "") -> str:
        return f"Find out where the wrong type in `{target}` comes from, or convert it there."


def _calls(crash: Crash, named: str | None) -> bool:
    """Whether it is the called object itself that is not callable."""
    called = crash.called
    if called is MISSING:
        return True
    return called is not None and type.__dict__["__name__"].__get__(type(called)) == named


#: The forms that operations need where the operand gives none.
_SHAPES = {
    "enter": Recipe.context_manager(),
    "enter_async": Recipe.context_manager(),
    "await": Recipe.awaitable(),
}
