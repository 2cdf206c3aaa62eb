"""`codesuture rollback`: remove patches, so that the crash happens again."""

from __future__ import annotations

import json
import sys

from codesuture.cli.failure import Failure, Parser
from codesuture.cli.patches import Entry, Listing, read, select
from codesuture.cli.terminal import plain
from codesuture.store import StoreError


def configure(parser: Parser) -> None:
    """Add the arguments of `rollback`."""
    parser.add_argument(
        "name", nargs="?", help="a function (bare, qualified or module:qualname) or a patch's id"
    )
    parser.add_argument("--all", action="store_true", help="remove every patch")
    parser.add_argument("--dry-run", action="store_true", help="only show what would go")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(words: list[str]) -> int:
    """Remove the patches; 1 when there is nothing of that name, 2 when it is ambiguous."""
    parser = Parser(
        prog="codesuture rollback",
        usage="codesuture rollback (NAME | --all) [--dry-run] [--json]",
        description="Remove every patch of a function, one patch, or all.",
    )
    configure(parser)
    asked = parser.parse(words)
    if bool(asked.name) == asked.all:
        parser.error("give either a name or --all")
    listing = read()
    chosen = listing.entries if asked.all else select(listing.entries, asked.name)
    if not asked.dry_run:
        _remove(listing, chosen)
    if asked.json:
        _print_json(listing, chosen, asked.dry_run)
    else:
        _print(chosen, asked.dry_run)
    return listing.report_problems()


def _remove(listing: Listing, chosen: list[Entry]) -> None:
    try:
        listing.store.remove([entry.patch.id for entry in chosen])
    except StoreError as problem:
        raise Failure(str(problem)) from None


def _print_json(listing: Listing, chosen: list[Entry], dry_run: bool) -> None:
    said = {
        "store": listing.config.store,
        "dry_run": dry_run,
        "removed": [entry.to_json() for entry in chosen],
        "problems": listing.problems,
    }
    print(json.dumps(said, indent=2))


def _print(chosen: list[Entry], dry_run: bool) -> None:
    verb = "Would remove" if dry_run else "Removed"
    for entry in chosen:
        patch = entry.patch
        print(plain(f"{verb} {patch.guard} on {patch.target!r} in {entry.patch.name} ({patch.id})"))
    if not chosen:
        print("There are no patches.", file=sys.stdout)
