"""`codesuture approve`: somebody has looked at a patch, and its default may stay."""

from __future__ import annotations

from dataclasses import replace

from codesuture.cli.changing import Request, change, chosen_by, parser_for
from codesuture.cli.failure import Failure
from codesuture.cli.patches import Entry, Listing
from codesuture.defaults.recipe import Recipe, RecipeError
from codesuture.store import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.cli.changing import Change
    from codesuture.store import Patch

_EXAMPLES = """\
  codesuture approve get_bio                     the default of each of its patches may stay
  codesuture approve get_bio --default '""'      with another default
  codesuture approve --all --reason "release 4"  everything that is applied today
  codesuture approve 0f3c1a2b4d5e                one patch, by its id; also one that was rejected
"""


def execute(words: list[str]) -> int:
    """Approve patches; 1 when there is nothing of that name, 2 when it is ambiguous."""
    parser = parser_for(
        "approve",
        "Say that a patch has been looked at. From then on its default stands on the rung "
        "`approved`, its\nprobation is over, and if it was rejected, withdrawn or disarmed it is "
        "applied again.",
        "[--default VALUE] ",
        _EXAMPLES,
    )
    parser.add_argument("--default", metavar="VALUE", help="another default, as a Python literal")
    asked = parser.parse(words)
    if asked.all and asked.default is not None:
        parser.error("--default is for the patches of one name, not for --all")
    recipe = None if asked.default is None else _recipe(asked.default)

    def new(request: Request, entry: Entry) -> Change:
        default = recipe or entry.choice.recipe

        def approved(patch: Patch) -> Patch:
            changed = replace(patch, default=default, rung="approved", reason=_reason(request))
            note = "" if default == patch.default else f"the default is {default.describe()} now"
            return request.advanced(changed, "reviewed", note)

        return approved

    def refusal(entry: Entry) -> str:
        return _why_not(entry, everything=asked.all)

    chosen = chosen_by(parser, asked)
    for entry in chosen.entries:
        if entry.patch.state == "disarmed" and not refusal(entry):
            _forgive(chosen, entry)
    return change(chosen, asked, "Approved", new, refusal)


def _forgive(chosen: Listing, entry: Entry) -> None:
    """What it has healed so far counts no longer for its budget."""
    try:
        chosen.store.forgive(entry.patch.id)
    except StoreError as problem:
        raise Failure(str(problem)) from None


def _recipe(text: str) -> Recipe:
    try:
        return Recipe.parse(text)
    except RecipeError as error:
        raise Failure(f"the value for --default: {error}", code=2) from None


def _reason(request: Request) -> str:
    return f"{request.by} approved it on {request.now:%Y-%m-%d}."


def _why_not(entry: Entry, everything: bool) -> str:
    if entry.state in ("stale", "fixed"):
        return "its code has changed, so it is not applied any more"
    if everything and not entry.patch.is_applied:
        return f"it is {entry.state}; name it, if it is to be applied again"
    return ""
