"""`codesuture explain`: what a patch does, and why, in plain language."""

from __future__ import annotations

import json
import sys
from textwrap import wrap

from codesuture.cli.advice import advice_for
from codesuture.cli.ahead import ahead, callers, change_of, reach_of
from codesuture.cli.failure import Parser
from codesuture.cli.patches import Aged, Entry, Listing, ProofEntry, read, span
from codesuture.cli.source import excerpt_of, path_of
from codesuture.cli.terminal import Screen, plain, width
from codesuture.store.patch import NOT_APPLIED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.store.shadow import Shadow

_RUNGS = {
    "configured": "the configuration names it for this place",
    "approved": "somebody approved it for this place",
    "observed": "values of that type were seen here when nothing crashed",
    "fingerprint": "the fingerprint registry knows the pattern of this site",
    "annotation": "the type annotation asks for it",
    "consumer": "it is what the code that uses the value needs",
    "guard": "it is the guard's own default, as nothing better is known",
}

_WIDTH = 92


def configure(parser: Parser) -> None:
    """Add the arguments of `explain`."""
    parser.add_argument(
        "name", nargs="?", help="a function (bare, qualified or module:qualname) or an id"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(words: list[str]) -> int:
    """Explain the patches of a function, or all; 1 when there is none, 2 when it is ambiguous."""
    parser = Parser(
        prog="codesuture explain",
        usage="codesuture explain [NAME] [--json]",
        description="Say in plain language what a patch does and why. Without a name: every patch.",
    )
    configure(parser)
    asked = parser.parse(words)
    listing = read()
    chosen = listing.only(asked.name) if asked.name else listing
    if asked.json:
        print(json.dumps(_as_json(chosen), indent=2))
    else:
        _print(chosen)
    return chosen.report_problems()


def _as_json(listing: Listing) -> dict[str, object]:
    patches = []
    for entry in listing.entries:
        excerpt = excerpt_of(entry.patch, listing.config.root)
        patches.append(
            {
                **entry.to_json(),
                "source": excerpt.line if excerpt else None,
                "columns": [excerpt.start, excerpt.end] if excerpt else None,
                "following": [list(line) for line in excerpt.following] if excerpt else [],
                "rung_meaning": _RUNGS.get(entry.choice.rung, ""),
                "advice": advice_for(entry.patch),
                **ahead(entry, listing.config.root),
            }
        )
    return {
        "store": listing.config.store,
        "patches": patches,
        "proofs": [{**entry.to_json(), "functions": entry.chain} for entry in listing.proofs],
        "problems": listing.problems,
    }


def _print(listing: Listing) -> None:
    screen = Screen(sys.stdout, listing.config.color)
    for number, entry in enumerate(listing.entries):
        if number:
            screen.line()
        _explain(screen, entry, listing)
    for number, proved in enumerate(listing.proofs, len(listing.entries)):
        if number:
            screen.line()
        _explain_proof(screen, proved, listing.config.on_expiry)
    if not listing.entries and not listing.proofs:
        screen.line(f"Nothing to explain: there is no patch in {listing.config.store}")


def _explain(screen: Screen, entry: Entry, listing: Listing) -> None:
    patch, choice = entry.patch, entry.choice
    screen.line(screen.paint(plain(f"{patch.name}  ({patch.guard}, patch {patch.id})"), "BRIGHT"))
    inside = [f"Inside the call, at {patch.library}."] if patch.library else []
    _part(screen, "What crashed", f"{patch.exception}: {patch.message}", *inside)
    _source(screen, entry, listing)
    _part(
        screen,
        "What happens instead",
        f"The failing expression gives {choice.recipe.describe()} ({patch.guard} on "
        f"`{patch.target}`), and execution goes on in place; nothing is executed twice.",
    )
    rung = f"Rung of the ladder: {choice.rung} ({_RUNGS.get(choice.rung, '')})."
    _part(screen, "Why this value", choice.reason, rung)
    _where_it_goes(screen, entry, listing)
    _part(screen, "What callers would have seen", *_without(entry, listing))
    _part(screen, "Why it was healed", patch.fate)
    if patch.learned:
        _part(screen, "How it was learned", patch.learned)
    if patch.shadow is not None:
        _part(screen, "What became of the value", *_shadow(patch.shadow))
    _part(screen, "How often", _frequency(entry))
    _part(screen, "Until when", _expiry(entry, listing.config.on_expiry))
    _part(screen, "How to fix it", advice_for(patch))
    _change(screen, entry, listing)
    _part(screen, "", _afterwards(entry))


def _explain_proof(screen: Screen, entry: ProofEntry, on_expiry: str) -> None:
    proof = entry.proof
    screen.line(screen.paint(plain(f"{proof.name}  (proof {proof.id})"), "BRIGHT"))
    _part(
        screen,
        "What was learned",
        f"Whether somebody handles {proof.exception} here could not be told: {proof.doubt}",
        f"It was left alone, and reached {proof.reached}: nobody does.",
    )
    _part(
        screen,
        "What follows",
        "It is healed in place where the very same functions call each other at the same places: "
        f"{entry.chain}.",
    )
    _part(screen, "Until when", _expiry(entry, on_expiry))


def _part(screen: Screen, head: str, *sentences: str) -> None:
    if head:
        screen.line(f"  {head}")
    for sentence in sentences:
        for line in wrap(plain(sentence), _WIDTH - 4, break_on_hyphens=False):
            screen.line(f"    {line}")


def _source(screen: Screen, entry: Entry, listing: Listing) -> None:
    """The place, with the line and the failing expression underlined where they are known."""
    patch = entry.patch
    screen.line(plain(f"    at {patch.file}:{patch.line}"))
    excerpt = excerpt_of(patch, listing.config.root)
    if excerpt is None:
        path = path_of(patch, listing.config.root)
        changed = entry.state == "stale"
        why = "has changed since" if changed else "cannot be read here"
        screen.line(plain(f"    ({path} {why})"))
        return
    shown = [(excerpt.line, excerpt.start, excerpt.end), *excerpt.following]
    margin = min((_indent(text) for text, _, _ in shown if text.strip()), default=0)
    for text, start, end in shown:
        indent = _indent(text)
        screen.line(f"      {' ' * (indent - margin)}{plain(text[indent:])}")
        start = max(start, indent)
        if indent < start or end < len(text) or excerpt.following:
            mark = "^" * max(1, width(plain(text[start:end])))
            before = " " * (indent - margin + width(plain(text[indent:start])))
            screen.line(f"      {before}{screen.paint(mark, 'RED')}")


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _where_it_goes(screen: Screen, entry: Entry, listing: Listing) -> None:
    """What the code behind the crash makes of the value, step by step, and whether that is safe."""
    found = reach_of(entry, listing.config.root)
    if found is None:
        return
    lines = [
        f"{step.function}, line {step.line}: it {step.sentence} [{step.verdict}]"
        for step in found.steps
    ]
    _part(screen, "Where the value goes", *lines, found.summary)


def _without(entry: Entry, listing: Listing) -> list[str]:
    """What the callers would have got, without codesuture."""
    patch = entry.patch
    sentences = [f"{patch.exception} instead of a value, and nothing behind that line."]
    known = callers(entry, listing.config.root)
    if known:
        named = ", ".join(f"{name} (line {line})" for name, line in known[:5])
        more = f" and {len(known) - 5} more" if len(known) > 5 else ""
        sentences.append(f"It is called in this file by {named}{more}.")
    return sentences


def _change(screen: Screen, entry: Entry, listing: Listing) -> None:
    """The source change, where there is one and it can be made here."""
    made = change_of(entry, listing.config.root)
    if made is None:
        _part(screen, "", f"`codesuture suggest {entry.patch.id}` shows a change of the source.")
        return
    if not made:
        return
    for line in made:
        colour = "GREEN" if line[0] == "+" else "RED"
        screen.line("      " + screen.paint(plain(line.expandtabs(4)), colour))
    _part(screen, "", f"`codesuture suggest {entry.patch.id} --apply` writes this change.")


def _shadow(shadow: Shadow) -> list[str]:
    """The verdict of `--shadow`, then a sentence for each place."""
    values = "one value" if shadow.seen == 1 else f"{shadow.seen} values"
    if not shadow.where:
        return [
            f"Verdict: contained. {values[0].upper()}{values[1:]} of it got nowhere "
            "outside the call that got it."
        ]
    verdict = "it caused another crash" if shadow.crashes else "it leaked"
    sentences = [f"Verdict: {verdict}. (Followed to the end: {values}.)"]
    sentences += [f"It caused {place.describe()}." for place in shadow.crashes]
    return sentences + [f"It leaked to {place.describe()}." for place in shadow.leaks]


def _frequency(entry: Entry) -> str:
    if not entry.hits or not entry.first_seen:
        return "It has not healed anything since it was saved."
    times = "once" if entry.hits == 1 else f"{entry.hits} times"
    return f"Healed {times}, first at {entry.first_seen}, last at {entry.last_seen}."


def _expiry(entry: Aged, on_expiry: str) -> str:
    day = entry.document.expires
    if entry.state in ("stale", "fixed"):
        return "It is not applied: the code that it was made for has changed."
    if entry.state in NOT_APPLIED:
        return f"It is not applied: it is {entry.state}. `codesuture lifecycle` says why."
    if getattr(entry.document, "pinned", False):
        return "It is pinned: it never expires."
    if entry.state == "expired":
        if on_expiry == "disable":
            return f"It expired at {day} and is no longer applied."
        return f"It expired at {day}; it still heals, and every run says so."
    return f"It expires in {span(entry.left)}, at {day}."


def _afterwards(entry: Entry) -> str:
    if entry.state in ("stale", "fixed"):
        return f"`codesuture rollback {entry.patch.id}` clears it away."
    return "Changing the function retires the patch; `codesuture rollback` removes it at once."
