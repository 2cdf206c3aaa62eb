"""iteration_guard: iterating or spreading None."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.expression import Unary
from codesuture.guards.evidence import may_be_none
from codesuture.guards.guard import NOTHING, Guard
from codesuture.guards.messages import blames_none, text_of, types_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash


class IterationGuard(Guard):
    name = "iteration_guard"
    operations = frozenset({"iterate", "iterate_async", "extend", "merge", "call"})
    exceptions = (TypeError,)
    meaning = (
        "`None` is iterated (loops, comprehensions, `yield from`, `async for`) or spread with `*` "
        "or `**`: there are no items. A call whose only argument list is `*None` is left out and "
        "its result supplied."
    )
    supplies = "no items"
    examples = (
        "for row in rows:",
        "[*rows]",
        "{**options}",
        "print(*rows)",
        "async for x in rows:",
    )

    def recognises(self, crash: Crash) -> bool:
        if crash.operation == "call":
            # Only the interpreter's own sentence about the spread argument, not the callable's.
            return is_spread(crash) and blames_none(crash.exception, "spread")
        faults = ("iterate",) if crash.operation.startswith("iterate") else ("spread", "iterate")
        return blames_none(crash.exception, *faults) and may_be_none(crash, self.subject(crash))

    def subject(self, crash: Crash) -> int:
        if crash.operation != "call":
            return len(crash.operands) - 1
        return spread_argument(crash)

    def default(self, crash: Crash) -> Recipe:
        return no_items(crash)

    def advice(self, target: str, operation: str = "") -> str:
        name = target.lstrip("*")
        empty = "{}" if target.startswith("**") or operation == "merge" else "()"
        return f"Find out why `{name}` is None here, or use `({name} or {empty})`."


def no_items(crash: Crash) -> Recipe:
    """What an iteration at this operation needs to find nothing."""
    if crash.operation == "iterate":
        return Recipe.iterator()
    return Recipe.async_iterator() if crash.operation == "iterate_async" else NOTHING


def spread_argument(crash: Crash) -> int:
    """The number of the call's first operand that is spread with ``*`` or ``**``."""
    for number, operand in enumerate(crash.operands):
        if isinstance(operand, Unary) and operand.sign in ("*", "**"):
            return number
    return 0


def is_spread(crash: Crash) -> bool:
    """Whether the message is about an argument after ``*`` or ``**``."""
    text = text_of(crash.exception)
    return "after *" in text and types_in(crash.exception, "spread") is not None
