"""subscript_guard: subscripts, item assignment and item deletion on None."""

from __future__ import annotations

from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import Guard
from codesuture.guards.messages import blames_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

SUBSCRIPT_OPERATIONS = frozenset({
    "subscript", "slice", "store_subscript", "store_slice", "delete_subscript",
})  # fmt: skip


class SubscriptGuard(Guard):
    name = "subscript_guard"
    operations = SUBSCRIPT_OPERATIONS
    exceptions = (TypeError,)
    meaning = (
        "An item or slice of `None` is read, assigned or deleted: the value is supplied, and "
        "nothing is assigned or deleted."
    )
    examples = ('row["id"]', "row[1:]", 'row["id"] = 1', 'del row["id"]')

    def recognises(self, crash: Crash) -> bool:
        return blames_none(
            crash.exception, "subscript", "store item", "delete item"
        ) and may_be_none(crash, self.subject(crash))

    def subject(self, crash: Crash) -> int:
        return 1 if crash.operation.startswith("store") else 0

    def advice(self, target: str, operation: str = "") -> str:
        return f"Find out why `{target}` is None here, or test it for None before that."
