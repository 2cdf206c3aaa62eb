"""`codesuture reject`: a patch is not wanted; the crash happens, and is not healed again."""

from __future__ import annotations

from codesuture.cli.changing import Request, change, chosen_by, parser_for
from codesuture.cli.patches import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.cli.changing import Change

_EXAMPLES = """\
  codesuture reject Shop.total --reason "a wrong total is worse than none"
  codesuture reject 0f3c1a2b4d5e            one patch, by its id
  codesuture approve Shop.total             it is wanted after all
  codesuture rollback Shop.total            forget the rejection: the next crash decides anew
"""


def execute(words: list[str]) -> int:
    """Reject patches; 1 when there is nothing of that name, 2 when it is ambiguous."""
    parser = parser_for(
        "reject",
        "Stop applying a patch, and never make it again: not for this expression of this function, "
        "\nwhatever becomes of its code. (`rollback` only removes: the next crash may be healed "
        "again.)",
        "",
        _EXAMPLES,
    )
    asked = parser.parse(words)

    def new(request: Request, entry: Entry) -> Change:
        return lambda patch: request.advanced(patch, "rejected", pinned=False)

    def refusal(entry: Entry) -> str:
        return "it is rejected already" if entry.state == "rejected" else ""

    return change(chosen_by(parser, asked), asked, "Rejected", new, refusal)
