"""null_guard: attributes and methods of None."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.evidence import attribute_owner
from codesuture.guards.guard import NOTHING, Guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

ATTRIBUTE_OPERATIONS = frozenset({
    "load_attribute", "load_method", "load_super_attribute", "store_attribute", "delete_attribute",
})  # fmt: skip


def attribute_default(crash: Crash) -> Recipe:
    """None, or for a method a callable that returns it."""
    return Recipe.callable() if crash.site.shape == "method" else NOTHING


class NullGuard(Guard):
    name = "null_guard"
    operations = ATTRIBUTE_OPERATIONS - {"load_super_attribute"}
    exceptions = (AttributeError,)
    meaning = (
        "An attribute or method of `None` is read, set or deleted: the attribute is supplied, a "
        "method accepts any arguments, and nothing is set or deleted."
    )
    supplies = "`None`; for a method, a callable that returns it"
    examples = ("profile.bio", "profile.save()", "profile.bio = text", "del profile.bio")

    def recognises(self, crash: Crash) -> bool:
        return attribute_owner(crash) == "none"

    def subject(self, crash: Crash) -> int:
        return 1 if crash.operation == "store_attribute" else 0

    def default(self, crash: Crash) -> Recipe:
        return attribute_default(crash)

    def advice(self, target: str, operation: str = "") -> str:
        return f"Find out why `{target}` is None here, or test `if {target} is not None:` first."
