"""What `approve`, `reject`, `renew` and `pin` have in common: choose patches, change, tell."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from codesuture.cli.failure import Failure, Parser, report
from codesuture.cli.patches import Entry, Listing, ProofEntry, read
from codesuture.cli.terminal import plain
from codesuture.store import Patch, StoreError
from codesuture.store.timestamps import to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    #: The patch after the change.
    Change = Callable[[Patch], Patch]


class Request:
    """What was asked for, by whom, and at which moment.

    `entry` is the one that is being changed. `note` is the reason that was given, or empty.
    """

    def __init__(self, asked: argparse.Namespace, listing: Listing) -> None:
        self.asked = asked
        self.config = listing.config
        self.now = datetime.now(UTC)
        self.by: str = asked.by or user_name()
        self.note: str = asked.reason

    def advanced(self, patch: Patch, state: str, note: str = "", **changes: object) -> Patch:
        """The patch in another state, with the reason that was given behind the note."""
        said = "; ".join(part for part in (note, self.note) if part)
        return patch.advanced(state, self.now, self.by, said, **changes)


def parser_for(command: str, about: str, options: str, examples: str) -> Parser:
    """A parser with what all four take."""
    parser = Parser(
        prog=f"codesuture {command}",
        usage=f"codesuture {command} (NAME | --all) {options}[--reason TEXT] [--by WHO] [--json]",
        description=about,
        epilog="examples:\n" + examples,
    )
    parser.add_argument(
        "name", nargs="?", help="a function (bare, qualified or module:qualname) or an id"
    )
    parser.add_argument("--all", action="store_true", help="every patch that this makes sense for")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; kept in the history")
    parser.add_argument("--by", metavar="WHO", help="who decides (default: the user's name)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def chosen_by(parser: Parser, asked: argparse.Namespace) -> Listing:
    """The patches that were named; Failure where that is none, or not said."""
    if bool(asked.name) == asked.all:
        parser.error("give either a name or --all")
    listing = read()
    return listing if asked.all else listing.only(asked.name)


def change(
    chosen: Listing,
    asked: argparse.Namespace,
    verb: str,
    new: Callable[[Request, Entry], Change],
    refusal: Callable[[Entry], str],
    proved: Callable[[Request, ProofEntry], str] | None = None,
) -> int:
    """Change each of the chosen patches that there is no `refusal` for; tell of each.

    `new` says how one is changed. A single patch that is refused is a Failure; of several they
    are left out, with a line. `proved` changes a proof, and gives what is said about it.
    """
    request = Request(asked, chosen)
    done: list[tuple[Entry, Patch]] = []
    refused: list[str] = []
    for entry in chosen.entries:
        why = refusal(entry)
        if why:
            refused.append(f"{entry.patch.name} ({entry.patch.id}): {why}")
            continue
        changed = _store(chosen, entry, new(request, entry))
        if changed is not None:
            done.append((entry, changed))
    proofs = [proved(request, entry) for entry in chosen.proofs] if proved else []
    if asked.json:
        patches = [patch.to_json() for _, patch in done]
        print(json.dumps({"changed": patches, "refused": refused, "store": chosen.config.store},
                         indent=2))
    for _, patch in [] if asked.json else done:
        print(plain(f"{verb} {patch.guard} on {patch.target!r} in {patch.name} ({patch.id})"))
    for line in [] if asked.json else proofs:
        print(plain(line))
    return _conclude(chosen, refused, bool(done or proofs))


def _conclude(chosen: Listing, refused: list[str], anything: bool) -> int:
    for line in refused:
        if anything:
            print(plain(f"note: not changed: {line}"), file=sys.stderr)
        else:
            report(plain(f"not changed: {line}"), [])
    if not anything and not refused:
        report("there is no patch to change", [])
    return max(chosen.report_problems(), 0 if anything else 1)


def _store(chosen: Listing, entry: Entry, new: Change) -> Patch | None:
    try:
        return chosen.store.change(entry.patch, new)
    except StoreError as problem:
        raise Failure(str(problem)) from None


def later(request: Request, days: float) -> str:
    """The moment that many days from now, as recipes have it."""
    from datetime import timedelta

    return to_text(request.now + timedelta(days=days))


def user_name() -> str:
    """The name of whoever is at the keyboard."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"
