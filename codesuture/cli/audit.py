"""`codesuture audit`: every patch in one table, and what was proved in another."""

from __future__ import annotations

import json
import sys

from codesuture.cli.failure import Parser
from codesuture.cli.patches import Entry, Listing, ProofEntry, read, span
from codesuture.cli.terminal import Screen, counted

_HEADS = ("function", "guard", "target", "default", "hits", "age", "TTL left", "state")
_PROOF_HEADS = ("proved for", "exception", "frames", "what happened", "age", "TTL left", "state")


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
        "proofs": [entry.to_json() for entry in listing.proofs],
        "problems": listing.problems,
    }


def _print(listing: Listing) -> None:
    screen = Screen(sys.stdout, listing.config.color)
    if listing.entries:
        screen.table(_HEADS, [_row(entry) for entry in listing.entries])
        screen.line()
    if listing.proofs:
        screen.table(_PROOF_HEADS, [_proof_row(entry) for entry in listing.proofs])
        screen.line()
    found = counted(len(listing.entries), "patch", "patches")
    if listing.proofs:
        found += " and " + counted(len(listing.proofs), "proof", "proofs")
    screen.line(f"{found[0].upper()}{found[1:]} in {listing.config.store}")


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


def _proof_row(entry: ProofEntry) -> tuple[str, ...]:
    return (
        entry.proof.name,
        entry.proof.exception,
        str(len(entry.proof.chain)),
        f"reached {entry.proof.reached}",
        span(entry.age),
        span(entry.left),
        entry.state,
    )
