"""attribute_guard: an attribute that an object does not have."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.expression import Attribute
from codesuture.guards.evidence import attribute_owner
from codesuture.guards.guard import Guard
from codesuture.guards.null import ATTRIBUTE_OPERATIONS, attribute_default

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class AttributeGuard(Guard):
    name = "attribute_guard"
    operations = ATTRIBUTE_OPERATIONS
    exceptions = (AttributeError,)
    meaning = (
        "An attribute or method that an object, class or module does not have is read, deleted, or "
        "set where it cannot be: it is supplied, and nothing is set or deleted. Attributes that "
        "are read-only on purpose are left alone."
    )
    supplies = "`None`; for a method, a callable that returns it"
    examples = ("order.discount", "order.cancel()", "settings.DEBUG", "del order.note")

    def recognises(self, crash: Crash) -> bool:
        return attribute_owner(crash) == "object"

    def subject(self, crash: Crash) -> int:
        return 1 if crash.operation == "store_attribute" else 0

    def target(self, crash: Crash) -> str:
        if crash.operation == "load_super_attribute":
            return f"super().{crash.name}"
        return Attribute(crash.operands[self.subject(crash)], crash.name or "").text()

    def default(self, crash: Crash) -> Recipe:
        return attribute_default(crash)

    def advice(self, target: str, operation: str = "") -> str:
        return (
            f"Give the object the attribute in every case, in its class or `__init__`, correct the "
            f"name in `{target}`, or read it with `getattr` and a default."
        )
