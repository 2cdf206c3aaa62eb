"""await_guard: awaiting None."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import Guard
from codesuture.guards.messages import blames_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class AwaitGuard(Guard):
    name = "await_guard"
    operations = frozenset({"await"})
    exceptions = (TypeError,)
    meaning = (
        "`None` is awaited, often the result of a function that is not `async`: it is given back "
        "at once."
    )
    examples = ("await send(message)",)

    def recognises(self, crash: Crash) -> bool:
        return blames_none(crash.exception, "await") and may_be_none(crash, 0)

    def default(self, crash: Crash) -> Recipe:
        return Recipe.awaitable()

    def advice(self, target: str, operation: str = "") -> str:
        return f"Take away the `await` if `{target}` is not asynchronous, or make it awaitable."
