"""context_manager_guard: entering None with a ``with`` statement."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import Guard
from codesuture.guards.messages import blames_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class ContextManagerGuard(Guard):
    name = "context_manager_guard"
    operations = frozenset({"enter", "enter_async"})
    exceptions = (TypeError,)
    meaning = (
        "`with` or `async with` is given `None`: a context manager that does nothing is entered, "
        "and lets every exception through."
    )
    fixed = True
    supplies = "a context manager that enters `None`"
    examples = ("with lock:", "async with session:")

    def recognises(self, crash: Crash) -> bool:
        return blames_none(crash.exception, "enter") and may_be_none(crash, 0)

    def default(self, crash: Crash) -> Recipe:
        return Recipe.context_manager()

    def advice(self, target: str, operation: str = "") -> str:
        return f"Find out why `{target}` is None here, or use `contextlib.nullcontext()`."
