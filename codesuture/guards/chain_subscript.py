"""chain_subscript_guard: a missing or empty link in a chain such as data["user"]["name"]."""

from __future__ import annotations

from codesuture.diagnosis.crash import Crash
from codesuture.diagnosis.expression import Attribute, Subscript
from codesuture.guards.evidence import attribute_owner
from codesuture.guards.guard import Guard
from codesuture.guards.key import subscript_text
from codesuture.guards.messages import says
from codesuture.surgery.sites import sites_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.expression import Expression


class ChainSubscriptGuard(Guard):
    name = "chain_subscript_guard"
    operations = frozenset({"subscript", "load_attribute"})
    exceptions = (LookupError, TypeError, AttributeError)
    whole_chain = True
    budget = 96  # two ways back: behind the link and behind the chain
    meaning = (
        "A link in a chain of subscripts is missing, `None` or of another type: one value is "
        "supplied for the whole chain, so there is one patch and not one for each link."
    )
    supplies = "`None`, for the whole chain"
    examples = ('data["user"]["name"]', 'data["rows"][0]["id"]', 'data["user"].name')

    def recognises(self, crash: Crash) -> bool:
        if len(crash.site.chain) < 2 or not self._is_of_subscripts(crash):
            return False
        exception = crash.exception
        if crash.operation == "load_attribute":
            return attribute_owner(crash) == "none"
        if isinstance(exception, KeyError | IndexError):
            return True
        return says(exception, "subscript", "index type")

    def _is_of_subscripts(self, crash: Crash) -> bool:
        """Two subscripts, or one with links behind it: else the guard of the single link does."""
        here = 1 if crash.operation == "subscript" else 0
        before = _subscripts_in(crash.operands[0]) if crash.operands else 0
        is_last = crash.site.ordinal == crash.site.chain[-1]
        return here + before >= (2 if is_last else 1)

    def target(self, crash: Crash) -> str:
        last = crash.site.chain[-1]
        site = next(site for site in sites_of(crash.code) if site.ordinal == last)
        whole = Crash(crash.exception, crash.frame, crash.code, site)
        if whole.name is not None:
            return Attribute(whole.operands[0], whole.name).text()
        return subscript_text(whole)

    def advice(self, target: str, operation: str = "") -> str:
        return (
            f"Check the data where it comes in, before `{target}` is read, or read each link with "
            "`.get(key, {})` and the like."
        )


def _subscripts_in(expression: Expression) -> int:
    count = 0
    while isinstance(expression, Attribute | Subscript):
        count += isinstance(expression, Subscript)
        expression = expression.object
    return count
