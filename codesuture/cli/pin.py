"""`codesuture pin`: a patch that is meant to stay never expires."""

from __future__ import annotations

from dataclasses import replace

from codesuture.cli.changing import Request, change, chosen_by, later, parser_for
from codesuture.cli.patches import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.cli.changing import Change
    from codesuture.store import Patch

_EXAMPLES = """\
  codesuture pin get_bio            it never expires, and counts as approved
  codesuture pin get_bio --off      it expires again, `ttl` days from now
"""


def execute(words: list[str]) -> int:
    """Pin patches; 1 when there is nothing of that name, 2 when it is ambiguous."""
    parser = parser_for(
        "pin",
        "Let patches never expire: for a default that is to stay. That approves them as well.",
        "[--off] ",
        _EXAMPLES,
    )
    parser.add_argument("--off", action="store_true", help="let them expire again")
    asked = parser.parse(words)

    def new(request: Request, entry: Entry) -> Change:
        if asked.off:
            until = later(request, request.config.ttl)
            return lambda patch: request.advanced(
                patch, patch.state, "no longer pinned", pinned=False, expires=until
            )

        def pinned(patch: Patch) -> Patch:
            if not patch.is_reviewed:
                reason = f"{request.by} pinned it on {request.now:%Y-%m-%d}."
                default = entry.choice.recipe
                patch = replace(patch, rung="approved", reason=reason, default=default)
            return request.advanced(patch, "reviewed", "pinned", pinned=True)

        return pinned

    def refusal(entry: Entry) -> str:
        if asked.off:
            return "" if entry.patch.pinned else "it is not pinned"
        if entry.state in ("stale", "fixed"):
            return "its code has changed, so it is not applied any more"
        if not entry.patch.is_applied:
            return f"it is {entry.state}, not applied (see `approve`)"
        return "it is pinned already" if entry.patch.pinned else ""

    return change(chosen_by(parser, asked), asked, "Unpinned" if asked.off else "Pinned", new,
                  refusal)
