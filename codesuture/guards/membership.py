"""membership_guard: looking for something in None."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import Guard
from codesuture.guards.messages import blames_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class MembershipGuard(Guard):
    name = "membership_guard"
    operations = frozenset({"contains"})
    exceptions = (TypeError,)
    fixed = True
    meaning = "`in` or `not in` asks whether `None` contains something: it does not."
    supplies = "`False` for `in`, `True` for `not in`"
    examples = ("name in names", "name not in names")

    def recognises(self, crash: Crash) -> bool:
        return blames_none(crash.exception, "contains") and may_be_none(crash, 1)

    def subject(self, crash: Crash) -> int:
        return 1

    def default(self, crash: Crash) -> Recipe:
        return Recipe.constant(crash.sign == "not in")

    def advice(self, target: str, operation: str = "") -> str:
        return f"Find out why `{target}` is None here, or use `in ({target} or ())`."
