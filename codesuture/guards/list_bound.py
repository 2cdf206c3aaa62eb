"""list_bound_guard: constant indices and unpacking, where the sequence is too short or too long."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.evidence import operand_value
from codesuture.guards.exact import is_exactly
from codesuture.guards.guard import NOTHING, Guard
from codesuture.guards.index import INDEX_OPERATIONS, has_literal_index
from codesuture.guards.key import subscript_text
from codesuture.guards.messages import says
from codesuture.guards.shaping import spread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

_PLAIN = (list, tuple, str, bytes, range, dict)


class ListBoundGuard(Guard):
    name = "list_bound_guard"
    operations = INDEX_OPERATIONS | {"unpack"}
    exceptions = (IndexError, ValueError)
    meaning = (
        "A sequence is shorter than a constant index asks for, or has fewer or more values than "
        "are unpacked: values that are there keep their places, missing ones are supplied, "
        "surplus ones are left out."
    )
    supplies = "`None`; for each missing value that is unpacked"
    examples = ("sys.argv[1]", "rows[0]", "host, port = parts")

    def recognises(self, crash: Crash) -> bool:
        if crash.operation == "unpack":
            return says(crash.exception, "too few", "too many")
        return issubclass(type(crash.exception), IndexError) and has_literal_index(crash)

    def target(self, crash: Crash) -> str:
        return super().target(crash) if crash.operation == "unpack" else subscript_text(crash)

    def default(self, crash: Crash) -> Recipe:
        return Recipe.sequence(crash.site.values) if crash.operation == "unpack" else NOTHING

    def value(self, crash: Crash, recipe: Recipe) -> object:
        if crash.operation == "unpack":
            sequence = operand_value(crash, 0)
            # What an iterator has yielded is gone, and user classes are not asked.
            if is_exactly(sequence, _PLAIN):
                rest = recipe.inner if recipe.kind == "sequence" and recipe.inner else recipe
                return spread(crash.site, list(sequence), rest)  # type: ignore[call-overload]
        return super().value(crash, recipe)

    def advice(self, target: str, operation: str = "") -> str:
        if operation == "unpack":
            return (
                f"Test how many values `{target}` has before unpacking it, or take the rest with a "
                "starred name."
            )
        return f"Test the length before `{target}`, where the sequence may be too short."
