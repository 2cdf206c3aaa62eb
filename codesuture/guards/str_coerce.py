"""str_coerce_guard: text and something that is not text, put together with ``+``."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.expression import Binary, Collection
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.guard import Guard
from codesuture.guards.known import known_value
from codesuture.guards.messages import types_in
from codesuture.guards.plain_text import plain_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash
    from codesuture.diagnosis.expression import Expression


class StrCoerceGuard(Guard):
    name = "str_coerce_guard"
    operations = frozenset({"binary"})
    exceptions = (TypeError,)
    fixed = True
    meaning = (
        "Text is added to something that is not text, on either side: the other operand becomes "
        "text as `str` would make it, `None` becomes nothing, bytes are decoded. An operand that "
        "is gone or whose text only user code knows is left out."
    )
    supplies = "both operands as text, concatenated"
    examples = ('"age: " + 25', '25 + " years"', "line += number")

    def recognises(self, crash: Crash) -> bool:
        if crash.sign not in ("+", "+="):
            return False
        named = types_in(crash.exception, "concatenate", "binary")
        return named is not None and "str" in (named["left"], named["right"])

    def subject(self, crash: Crash) -> int:
        named = types_in(crash.exception, "concatenate", "binary") or {}
        return 1 if named.get("left") == "str" else 0

    def default(self, crash: Crash) -> Recipe:
        return Recipe.compute("concatenate")

    def value(self, crash: Crash, recipe: Recipe) -> object:
        if recipe.kind != "compute":
            return super().value(crash, recipe)
        text = "".join(_text(crash, operand) for operand in crash.operands)
        named = types_in(crash.exception, "concatenate", "binary") or {}
        return text.encode() if named.get("left") == "bytes" else text

    def advice(self, target: str, operation: str = "") -> str:
        return f"Write an f-string, or convert with `str({target})`."


def _text(crash: Crash, operand: Expression) -> str:
    """The operand as text, as much of it as is known without running user code."""
    value = known_value(crash, operand)
    if value is not MISSING:
        return plain_text(value)
    if isinstance(operand, Binary) and operand.operator == "+":
        return _text(crash, operand.left) + _text(crash, operand.right)
    if isinstance(operand, Collection) and operand.kind == "fstring":
        return "".join(_text(crash, item) for item in operand.items)
    return ""
