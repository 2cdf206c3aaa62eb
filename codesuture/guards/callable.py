"""callable_guard: calling None."""

from __future__ import annotations

from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import Guard
from codesuture.guards.messages import blames_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class CallableGuard(Guard):
    name = "callable_guard"
    operations = frozenset({"call"})
    exceptions = (TypeError,)
    meaning = "`None` is called: its arguments have been evaluated, and the result is supplied."
    examples = ("callback(event)",)

    def recognises(self, crash: Crash) -> bool:
        return blames_none(crash.exception, "call") and may_be_none(crash, 0)

    def advice(self, target: str, operation: str = "") -> str:
        return f"Find out why `{target}` is None here, or test it for None before it is called."
