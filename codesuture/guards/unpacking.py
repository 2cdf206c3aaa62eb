"""unpack_guard: unpacking None."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import Guard
from codesuture.guards.messages import blames_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class UnpackGuard(Guard):
    name = "unpack_guard"
    operations = frozenset({"unpack"})
    exceptions = (TypeError,)
    meaning = "`None` is unpacked: each name gets the value that is supplied, a starred one a list."
    supplies = "`None` for each name"
    examples = ("host, port = address",)

    def recognises(self, crash: Crash) -> bool:
        return blames_none(crash.exception, "unpack") and may_be_none(crash, 0)

    def default(self, crash: Crash) -> Recipe:
        return Recipe.sequence(crash.site.values)

    def advice(self, target: str, operation: str = "") -> str:
        return (
            f"Make `{target}` give a tuple in every case, also where it has nothing to "
            "give, or test it for None before unpacking."
        )
