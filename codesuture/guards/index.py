"""index_guard and list_bound_guard: positions that a sequence does not have."""

from __future__ import annotations

from codesuture.guards.evidence import literal_key
from codesuture.guards.guard import Guard
from codesuture.guards.key import subscript_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

INDEX_OPERATIONS = frozenset({"subscript", "store_subscript", "delete_subscript"})


def has_literal_index(crash: Crash) -> bool:
    """Whether the index is written in the source as a number."""
    return bool(crash.operands) and literal_key(crash.operands[-1])


class IndexGuard(Guard):
    name = "index_guard"
    operations = INDEX_OPERATIONS
    exceptions = (IndexError,)
    meaning = (
        "A computed index lies outside a sequence: the value is supplied, and nothing is assigned "
        "or deleted."
    )
    examples = ("rows[i]", "rows[i] = x", "del rows[i]")

    def recognises(self, crash: Crash) -> bool:
        return not has_literal_index(crash)

    def target(self, crash: Crash) -> str:
        return subscript_text(crash)

    def advice(self, target: str, operation: str = "") -> str:
        return f"Test the length before `{target}`, or loop over the items themselves."
