"""lookup_guard: something that a C function looks for and does not find."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.expression import Call
from codesuture.guards.callee import callee
from codesuture.guards.guard import Guard
from codesuture.guards.messages import says
from codesuture.guards.results import LOOKUPS
from codesuture.guards.typed import NONE_VALUE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

_Row = tuple[type[Exception], Recipe]

#: Methods by their names alone, for objects that cannot be looked at again. Only names that mean
#: the same in every built-in type.
_METHODS: dict[str, tuple[_Row, ...]] = {}
for _name, _row in LOOKUPS.items():
    if "." in _name and not _name.startswith(("operator.", "heapq.", "unicodedata.")):
        _METHODS.setdefault(_name.rpartition(".")[2], ())
        _METHODS[_name.rpartition(".")[2]] += (_row,)


class LookupGuard(Guard):
    name = "lookup_guard"
    operations = frozenset({"call"})
    exceptions = (LookupError, ValueError, AttributeError)
    meaning = (
        "A built-in function or method does not find what it is asked for (`dict.pop`, "
        "`list.remove`, `list.index`, `str.index`, `deque.popleft`, `min(())`, `getattr`, …): "
        "`None`, or -1 for a position."
    )
    supplies = "`None`; `-1` for a position"
    examples = ('options.pop("depth")', "names.remove(name)", "text.index(mark)", "max(scores)")

    def recognises(self, crash: Crash) -> bool:
        return self._row(crash) is not None

    def _row(self, crash: Crash) -> _Row | None:
        name = callee(crash)
        rows = _METHODS.get(name[2:], ()) if name.startswith("?.") else ()
        if name in LOOKUPS:
            rows = (LOOKUPS[name],)
        kind = type(crash.exception)
        if name in ("min", "max") and not says(crash.exception, "empty"):
            return None
        return next((row for row in rows if issubclass(kind, row[0])), None)

    def target(self, crash: Crash) -> str:
        return Call(crash.operands[0], crash.operands[1:], crash.keywords).text()

    def default(self, crash: Crash) -> Recipe:
        row = self._row(crash)
        return NONE_VALUE if row is None else row[1]

    def advice(self, target: str, operation: str = "") -> str:
        name = target.partition("(")[0].rpartition(".")[2]
        return f"{_ADVICE.get(name, 'Test that there is something to find')}: `{target}`."


_ADVICE = {
    "min": "Give it a `default=` for the case that there are no items",
    "max": "Give it a `default=` for the case that there are no items",
    "pop": "Give it a default where it takes one, or test that there is something to take",
    "getattr": "Give it a third argument as the default",
    "remove": "Test with `in` that the item is there before it is removed",
    "index": "Test with `in` that the item is there before asking for its position",
}
