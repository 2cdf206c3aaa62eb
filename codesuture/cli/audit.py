"""`codesuture audit`: every patch in one table."""

from __future__ import annotations

import json
import sys

from codesuture.cli.failure import Parser
from codesuture.cli.patches import Entry, Listing, read, span
from codesuture.cli.terminal import Screen, patches_in_words

_HEADS = ("function", "guard", "target", "default", "hits", "age", "TTL left", "state")


def configure(parser: Parser) -> None:
    """Add the options of `audit`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(words: list[str]) -> int:
    """Print the patches; 1 when a part of the store cannot be read."""
    parser = Parser(prog="codesuture audit", description="List every patch of the store.")
    configure(parser)
    asked = parser.parse(words)
    listing = read()
    if asked.json:
        print(json.dumps(_as_json(listing), indent=2, ensure_ascii=True))
    else:
        _print(listing)
    return listing.report_problems()


def _as_json(listing: Listing) -> dict[str, object]:
    return {
        "store": listing.config.store,
        "patches": [entry.to_json() for entry in listing.entries],
        "problems": listing.problems,
    }


def _print(listing: Listing) -> None:
    screen = Screen(sys.stdout, listing.config.color)
    if listing.entries:
        screen.table(_HEADS, [_row(entry) for entry in listing.entries])
        screen.line()
    patches = patches_in_words(len(listing.entries))
    screen.line(f"{patches[0].upper()}{patches[1:]} in {listing.config.store}")


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.patch.name,
        entry.patch.guard,
        entry.patch.target,
        entry.choice.recipe.describe(),
        str(entry.hits),
        span(entry.age),
        span(entry.left),
        entry.state,
    )
