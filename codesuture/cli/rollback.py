"""`codesuture rollback`: remove patches and proofs, so that the crash happens again."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from codesuture.cli.changing import user_name
from codesuture.cli.failure import Failure, Parser
from codesuture.cli.patches import Listing, read
from codesuture.cli.terminal import plain
from codesuture.store import StoreError
from codesuture.store.history import Event
from codesuture.store.timestamps import to_text


def configure(parser: Parser) -> None:
    """Add the arguments of `rollback`."""
    parser.add_argument(
        "name", nargs="?", help="a function (bare, qualified or module:qualname) or an id"
    )
    parser.add_argument("--all", action="store_true", help="remove every patch and proof")
    parser.add_argument("--dry-run", action="store_true", help="only show what would go")
    parser.add_argument("--by", metavar="WHO", help="who decides (default: the user's name)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(words: list[str]) -> int:
    """Remove the patches; 1 when there is nothing of that name, 2 when it is ambiguous."""
    parser = Parser(
        prog="codesuture rollback",
        usage="codesuture rollback (NAME | --all) [--dry-run] [--by WHO] [--json]",
        description="Remove the patches and proofs of a function, one of them, or all. The next "
        "crash may be\nhealed again: `codesuture reject` is for what is not wanted at all.",
    )
    configure(parser)
    asked = parser.parse(words)
    if bool(asked.name) == asked.all:
        parser.error("give either a name or --all")
    listing = read()
    chosen = listing if asked.all else listing.only(asked.name)
    if not asked.dry_run:
        _remove(chosen, asked.by)
    if asked.json:
        _print_json(chosen, asked.dry_run)
    else:
        _print(chosen, asked.dry_run)
    return listing.report_problems()


def _remove(chosen: Listing, by: str | None) -> None:
    documents = [entry.document for entry in (*chosen.entries, *chosen.proofs)]
    try:
        event = Event.made("rolled back", to_text(datetime.now(UTC)), by or user_name())
        chosen.store.remove([document.id for document in documents], event)
    except StoreError as problem:
        raise Failure(str(problem)) from None


def _print_json(chosen: Listing, dry_run: bool) -> None:
    said = {
        "store": chosen.config.store,
        "dry_run": dry_run,
        "removed": [entry.to_json() for entry in chosen.entries],
        "removed_proofs": [entry.to_json() for entry in chosen.proofs],
        "problems": chosen.problems,
    }
    print(json.dumps(said, indent=2))


def _print(chosen: Listing, dry_run: bool) -> None:
    verb = "Would remove" if dry_run else "Removed"
    for entry in chosen.entries:
        patch = entry.patch
        print(plain(f"{verb} {patch.guard} on {patch.target!r} in {patch.name} ({patch.id})"))
    for proved in chosen.proofs:
        proof = proved.proof
        print(plain(f"{verb} the proof for {proof.exception} in {proof.name} ({proof.id})"))
    if not chosen.entries and not chosen.proofs:
        print("There are no patches.", file=sys.stdout)
