"""argument_guard: a C function that is given an argument of the wrong type or value."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.expression import Call
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.callee import callee
from codesuture.guards.guard import Guard
from codesuture.guards.messages import says
from codesuture.guards.results import RESULTS
from codesuture.guards.salvage import SALVAGED, salvage
from codesuture.guards.typed import EMPTY_LIST, EMPTY_TEXT, FALSE, NONE_VALUE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

#: Methods by their names alone, for objects that cannot be looked at again: those that mean the
#: same in every built-in type.
_METHODS = {
    **dict.fromkeys(("startswith", "endswith", "isdisjoint", "issubset", "issuperset"), FALSE),
    **dict.fromkeys(("append", "extend", "insert", "update", "add", "discard", "sort"), NONE_VALUE),
    **dict.fromkeys(("get", "setdefault", "match", "search", "fullmatch"), NONE_VALUE),
    **dict.fromkeys(("strftime", "zfill", "ljust", "rjust", "center"), EMPTY_TEXT),
    **dict.fromkeys(("splitlines", "findall"), EMPTY_LIST),
    **dict.fromkeys(("find", "rfind"), Recipe.constant(-1)),
}
#: Faults of a call that a value would only hide: a wrong number or name of arguments.
_NEVER = ("signature",)


class ArgumentGuard(Guard):
    name = "argument_guard"
    operations = frozenset({"call"})
    exceptions = (TypeError, ValueError)
    fixed = True
    meaning = (
        "A built-in function or method is given an argument of the wrong type or value (`len(5)`, "
        '`sum(None)`, `range("3")`, `math.sqrt(-1)`, …): it gives what it would for no input. Of '
        "items that can be looked at again, `sorted` keeps all in the order that they have, "
        "`str.join` makes text of each, `sum`, `min` and `max` leave out what does not fit. A "
        "wrong number of arguments is left alone."
    )
    supplies = "what the function gives for the items that fit, or for no input"
    examples = ("sorted(rows)", '", ".join(ids)', "range(count)", "math.sqrt(x)")

    def recognises(self, crash: Crash) -> bool:
        if issubclass(type(crash.exception), UnicodeError):
            return False
        return self._recipe(crash) is not None and not says(crash.exception, *_NEVER)

    def _recipe(self, crash: Crash) -> Recipe | None:
        name = callee(crash)
        if name.startswith("?.") and issubclass(type(crash.exception), TypeError):
            return _METHODS.get(name[2:])
        return RESULTS.get(name)

    def target(self, crash: Crash) -> str:
        return Call(crash.operands[0], crash.operands[1:], crash.keywords).text()

    def default(self, crash: Crash) -> Recipe:
        return SALVAGED.get(callee(crash)) or self._recipe(crash) or NONE_VALUE

    def value(self, crash: Crash, recipe: Recipe) -> object:
        if recipe.kind == "compute":
            salvaged = salvage(crash)
            if salvaged is not MISSING:
                return salvaged
            recipe = self._recipe(crash) or NONE_VALUE
        return super().value(crash, recipe)

    def advice(self, target: str, operation: str = "") -> str:
        return f"Make sure that the arguments of `{target}` are of the types that it takes."
