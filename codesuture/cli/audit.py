"""`codesuture audit`: every patch in one table, and what was proved in another."""

from __future__ import annotations

import json
import sys

from codesuture.cli.choosing import add_options, choose
from codesuture.cli.columns import COLUMNS, LEAST_WANTED, as_cells
from codesuture.cli.failure import Parser, report
from codesuture.cli.patches import Aged, Listing, ProofEntry, read, span
from codesuture.cli.terminal import Screen, counted, plain

_PROOF_HEADS = ("proved for", "exception", "frames", "what happened", "age", "TTL left", "state")

_EXAMPLES = """\
examples:
  codesuture audit                               every patch, the oldest first
  codesuture audit --sort hits --reverse         the busiest first
  codesuture audit --state persisted,expired     what somebody should look at
  codesuture audit --module 'shop.*' --guard 'key*'
  codesuture audit --check                       for CI: 1 if anything is expired, stale, unreviewed
  codesuture audit --csv > patches.csv           all columns, for a spreadsheet
"""


def configure(parser: Parser) -> None:
    """Add the options of `audit`."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--csv", action="store_true", help="print CSV, with a line of headings")
    parser.add_argument(
        "--check",
        action="store_true",
        help="end with 1 when one of them is expired, stale or unreviewed",
    )
    add_options(parser)


def execute(words: list[str]) -> int:
    """Print the patches; 1 when a part of the store cannot be read, or a check fails."""
    parser = Parser(
        prog="codesuture audit",
        usage="codesuture audit [--sort COLUMN] [--reverse] [--state S] [--guard G] [--module M] "
        "[--function F]\n                        [--rung R] [--check] [--json | --csv]",
        description="List every patch of the store.",
        epilog=_EXAMPLES,
    )
    configure(parser)
    asked = parser.parse(words)
    if asked.json and asked.csv:
        parser.error("give either --json or --csv")
    listing = choose(read(), asked)
    if asked.json:
        print(json.dumps(_as_json(listing), indent=2, ensure_ascii=True))
    elif asked.csv:
        _print_csv(listing)
    else:
        _print(listing)
    code = listing.report_problems()
    return max(code, _check(listing)) if asked.check else code


def _as_json(listing: Listing) -> dict[str, object]:
    return {
        "store": listing.config.store,
        "patches": [entry.to_json() for entry in listing.entries],
        "proofs": [entry.to_json() for entry in listing.proofs],
        "problems": listing.problems,
    }


def _print_csv(listing: Listing) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["id", *(column.key for column in COLUMNS)])
    for entry in listing.entries:
        cells = [column.data(entry) for column in COLUMNS]
        writer.writerow([entry.patch.id, *(plain(str(cell)) for cell in cells)])


def _print(listing: Listing) -> None:
    screen = Screen(sys.stdout, listing.config.color)
    hidden: list[str] = []
    if listing.entries:
        rows = [as_cells(entry) for entry in listing.entries]
        hidden = screen.table([column.head for column in COLUMNS], rows, LEAST_WANTED)
        screen.line()
    learned = [entry.patch for entry in listing.entries if entry.patch.learned]
    for patch in learned:
        screen.line(plain(f"{patch.name} ({patch.target}) was learned: {patch.learned}"))
    if learned:
        screen.line()
    if listing.proofs:
        screen.table(_PROOF_HEADS, [_proof_row(entry) for entry in listing.proofs])
        screen.line()
    found = counted(len(listing.entries), "patch", "patches")
    if listing.proofs:
        found += " and " + counted(len(listing.proofs), "proof", "proofs")
    screen.line(f"{found[0].upper()}{found[1:]} in {listing.config.store}")
    if hidden:
        screen.line(f"Too wide to be shown here: {', '.join(hidden)} (see --json, --csv).")


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


#: What a check does not let pass: how it is said, and what to do.
_WANTING = {
    "expired": ("has expired", "codesuture renew {0}, or fix the code"),
    "stale": ("is stale: its code has changed", "codesuture rollback {0}"),
    "persisted": ("has not been reviewed", "codesuture approve {0}, or reject it"),
    "withdrawn": ("was withdrawn", "codesuture approve {0}, or reject it"),
    "disarmed": ("is disarmed", "codesuture approve {0}, or reject it"),
}


def _check(listing: Listing) -> int:
    """Say what is wanting; the exit code."""
    code = 0
    every: list[Aged] = [*listing.entries, *listing.proofs]
    for entry in every:
        kind = "proof" if isinstance(entry, ProofEntry) else "patch"
        state = entry.state
        if state == "fixed" or state not in _WANTING:
            continue
        what, do = _WANTING[state]
        document = entry.document
        report(plain(f"the {kind} of {document.name} ({document.id}) {what}"),
               [do.format(document.id)])
        code = 1
    return code
