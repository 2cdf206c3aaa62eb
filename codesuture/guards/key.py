"""key_guard: a key that a mapping does not have."""

from __future__ import annotations

from codesuture.diagnosis.expression import Subscript
from codesuture.guards.guard import Guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class KeyGuard(Guard):
    name = "key_guard"
    operations = frozenset({"subscript", "delete_subscript"})
    exceptions = (KeyError,)
    reaches_library = True
    meaning = (
        "A key is read from or deleted in a mapping that does not have it: the value is supplied, "
        "and nothing is deleted."
    )
    examples = ('config["port"]', 'del config["port"]')

    def recognises(self, crash: Crash) -> bool:
        # A KeyError of the instruction itself is the mapping's answer, whatever its type.
        return True

    def target(self, crash: Crash) -> str:
        return subscript_text(crash)

    def advice(self, target: str, operation: str = "") -> str:
        if operation == "delete_subscript":
            return f"Test that the key is there before `del {target}`, or use `.pop(key, None)`."
        return f"Read `{target}` with `.get(key, default)`, or make sure that the key is there."


def subscript_text(crash: Crash) -> str:
    """``data['user']`` for a subscript that is read, stored or deleted."""
    container, key = crash.operands[-2:]
    return Subscript(container, key).text()
