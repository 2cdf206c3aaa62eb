"""length_guard: len(None)."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.callee import callee
from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import Guard
from codesuture.guards.messages import blames_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class LengthGuard(Guard):
    name = "length_guard"
    operations = frozenset({"call"})
    exceptions = (TypeError,)
    fixed = True
    meaning = "The length of `None` is asked for: it is 0."
    supplies = "`0`"
    examples = ("len(rows)",)

    def recognises(self, crash: Crash) -> bool:
        return (
            blames_none(crash.exception, "length")
            and callee(crash) == "len"
            and may_be_none(crash, 1)
        )

    def subject(self, crash: Crash) -> int:
        return 1

    def default(self, crash: Crash) -> Recipe:
        return Recipe.constant(0)

    def advice(self, target: str, operation: str = "") -> str:
        return f"Find out why `{target}` is None here, or use `len({target} or ())`."
