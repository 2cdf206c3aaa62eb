"""`codesuture lifecycle`: what has happened to each patch, when and by whom."""

from __future__ import annotations

import json
import sys

from codesuture.cli.choosing import add_options, choose
from codesuture.cli.failure import Failure, Parser
from codesuture.cli.patches import Entry, Listing, moment, read
from codesuture.cli.terminal import Screen, counted, plain
from codesuture.store import StoreError
from codesuture.store.history import AGENT, Event

#: The states that a patch comes through, each in a column of its own; the last is where it ends.
_STEPS = ("detected", "patched", "persisted", "reviewed")
_HEADS = ("function", "guard", *_STEPS, "now")

_EXAMPLES = """\
examples:
  codesuture lifecycle                  a table: patches by states
  codesuture lifecycle get_bio          everything that happened to the patches of one function
  codesuture lifecycle --state fixed    patches that are not needed any more
  codesuture lifecycle --json
"""


def execute(words: list[str]) -> int:
    """Show the histories; 1 when there is nothing of that name, 2 when it is ambiguous."""
    parser = Parser(
        prog="codesuture lifecycle",
        usage="codesuture lifecycle [NAME] [--sort COLUMN] [--reverse] [--state S] [--guard G] "
        "[--module M]\n                            [--function F] [--rung R] [--json]",
        description="Show what has happened to each patch, when and by whom; patches that were "
        "rolled back, too.",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "name", nargs="?", help="a function (bare, qualified or module:qualname) or an id"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_options(parser)
    asked = parser.parse(words)
    listing = _with_removed(read())
    chosen = choose(listing.only(asked.name) if asked.name else listing, asked)
    if asked.json:
        print(json.dumps(_as_json(chosen), indent=2))
    elif asked.name:
        _print_histories(chosen)
    else:
        _print_table(chosen)
    return listing.report_problems()


def _with_removed(listing: Listing) -> Listing:
    """The same with the patches that were rolled back, and without proofs."""
    store, config = listing.store, listing.config
    try:
        removed = [Entry(patch, None, config) for patch in store.removed()]
    except StoreError as problem:
        raise Failure(str(problem)) from None
    found = Listing(store, config, [*listing.entries, *removed], [])
    found.problems = listing.problems + found.problems[len(listing.problems):]
    return found


def events_of(entry: Entry) -> list[Event]:
    """What happened, and then what follows from the day and the source."""
    patch = entry.patch
    events = list(patch.history)
    if not events:  # made by a version that kept none
        events = [Event("persisted", patch.created, AGENT)]
    if entry.state == "expired":
        events.append(Event("expired", patch.expires, AGENT))
    elif entry.state == "stale":
        events.append(Event("stale", "", "", "its code has changed"))
    return events


def _as_json(listing: Listing) -> dict[str, object]:
    patches = []
    for entry in listing.entries:
        patch = entry.patch
        patches.append(
            {
                "id": patch.id,
                "function": patch.name,
                "guard": patch.guard,
                "target": patch.target,
                "state": entry.state,
                "pinned": patch.pinned,
                "expires": patch.expires,
                "events": [event.to_json() for event in events_of(entry)],
            }
        )
    return {"store": listing.config.store, "patches": patches, "problems": listing.problems}


def _print_table(listing: Listing) -> None:
    screen = Screen(sys.stdout, listing.config.color)
    if listing.entries:
        hidden = screen.table(
            _HEADS, [_row(entry) for entry in listing.entries],
            ("guard", "patched", "detected", "persisted", "reviewed"),
        )
        screen.line()
        if hidden:
            screen.line(f"Too wide to be shown here: {', '.join(hidden)} (see --json).")
    found = counted(len(listing.entries), "patch", "patches")
    screen.line(f"{found[0].upper()}{found[1:]} in {listing.config.store}")


def _row(entry: Entry) -> list[str]:
    events = events_of(entry)
    last: dict[str, Event] = {}
    for event in events:
        if event.state == "rolled back" and event is not events[-1]:
            last.clear()  # what was made again has a life of its own
        last[event.state] = event
    steps = [_when(last[step]) if step in last else "-" for step in _STEPS]
    return [entry.patch.name, entry.patch.guard, *steps, _now(entry, events[-1])]


def _now(entry: Entry, event: Event) -> str:
    said = entry.state if entry.state in _STEPS else " ".join([entry.state, _when(event)]).strip()
    return f"{said}, pinned" if entry.patch.pinned else said


def _when(event: Event) -> str:
    """The moment, and who it was where that was a person."""
    by = "" if event.by in ("", AGENT) else f" {event.by}"
    return f"{moment(event.at)}{by}" if event.at else ""


def _print_histories(listing: Listing) -> None:
    screen = Screen(sys.stdout, listing.config.color)
    for number, entry in enumerate(listing.entries):
        if number:
            screen.line()
        patch = entry.patch
        head = f"{patch.name}  {patch.guard} on {patch.target!r}  ({patch.id})"
        screen.line(screen.paint(plain(head), "BRIGHT"))
        for event in events_of(entry):
            note = f": {event.note}" if event.note else ""
            by = f" by {event.by}" if event.by else ""
            screen.line(plain(f"  {event.at or '-':<20}  {event.state}{by}{note}"))
        screen.line(f"  now: {entry.state}, {_until(entry)}")


def _until(entry: Entry) -> str:
    if entry.patch.pinned:
        return "pinned: it never expires"
    if entry.state in ("persisted", "reviewed", "detected", "patched"):
        return f"until {entry.patch.expires}"
    return "not applied" if entry.state != "expired" else f"since {entry.patch.expires}"
