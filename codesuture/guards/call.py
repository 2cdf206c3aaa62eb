"""call_guard: a crash inside an installed package that the program calls."""

from __future__ import annotations

from codesuture.diagnosis.declared import result_of
from codesuture.guards.callee import callee
from codesuture.guards.guard import NOTHING, Guard
from codesuture.guards.messages import says
from codesuture.guards.results import RESULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.defaults.recipe import Recipe
    from codesuture.diagnosis.crash import Crash


class CallGuard(Guard):
    name = "call_guard"
    operations = frozenset({
        "await", "binary", "call", "compare", "contains", "delete_attribute", "delete_subscript",
        "enter", "enter_async", "extend", "format", "invert", "iterate", "iterate_async",
        "load_attribute", "load_method", "load_super_attribute", "merge", "negate", "next",
        "positive", "send", "slice", "store_attribute", "store_slice", "store_subscript",
        "subscript", "unpack",
    })  # fmt: skip
    exceptions = (AttributeError, TypeError, LookupError, ArithmeticError, ValueError)
    reaches_library = True
    meaning = (
        "An instruction crashes inside an installed package that your code calls: the call's "
        "result is supplied. Only for the distributions that `library_calls` names (by default "
        "none); what a package raises by `raise` is left alone."
    )
    supplies = "`None`; only for packages that `library_calls` names"
    examples = ("tabulate(rows)", "await client.fetch(url)", "for entry in feed.parse(text):")

    def recognises(self, crash: Crash) -> bool:
        return crash.passage is not None and not says(crash.exception, "signature")

    def target(self, crash: Crash) -> str:
        found = result_of(crash)
        return found.text() if found is not None else crash.source or super().target(crash)

    def default(self, crash: Crash) -> Recipe:
        """What a function of C gives for no input, such as ``list(parse(text))``; else None."""
        if crash.operation != "call":
            return NOTHING
        return RESULTS.get(callee(crash), NOTHING)

    def advice(self, target: str, operation: str = "") -> str:
        return (
            f"Find out which value `{target}` cannot work with, and test for it before; or put the "
            "call into a `try` with the `except` that suits."
        )
