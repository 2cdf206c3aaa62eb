"""Which patches a listing shows, and in which order: `--state`, `--guard`, …, `--sort`."""

from __future__ import annotations

from fnmatch import fnmatchcase

from codesuture.cli.columns import BY_KEY, sorted_by
from codesuture.cli.failure import Failure
from codesuture.cli.patches import Aged, Listing
from codesuture.config.errors import did_you_mean
from codesuture.config.match import matches
from codesuture.store.history import STATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from codesuture.cli.failure import Parser

_STATES = ("active", *STATES, "expired", "stale")


def add_options(parser: Parser) -> None:
    """The options that choose and sort."""
    parser.add_argument("--sort", metavar="COLUMN", help=f"one of {', '.join(BY_KEY)}")
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    parser.add_argument("--state", metavar="S", help="only these states, with commas between")
    parser.add_argument("--guard", metavar="G", help="only these guards (wildcards, commas)")
    parser.add_argument("--module", metavar="M", help="only these modules (wildcards, commas)")
    parser.add_argument("--function", metavar="F", help="only functions of these names (likewise)")
    parser.add_argument("--rung", metavar="R", help="only defaults from these rungs of the ladder")


def choose(listing: Listing, asked: argparse.Namespace) -> Listing:
    """What the options leave, in their order. Failure for a column or state that there is not."""
    states = _words(asked.state)
    for state in states:
        if state not in _STATES:
            raise Failure(f"there is no state {state!r}", did_you_mean(state, _STATES),
                          f"the states are {', '.join(_STATES)}", code=2)
    sort = None if asked.sort is None else asked.sort.replace("-", "_").replace(" ", "_")
    if sort is not None and sort not in BY_KEY:
        raise Failure(f"there is no column {asked.sort!r} to sort by",
                      did_you_mean(sort, BY_KEY), f"the columns are {', '.join(BY_KEY)}", code=2)
    entries = [
        entry
        for entry in listing.entries
        if _is_meant(entry, asked, states)
        and _fits(entry.patch.guard, asked.guard)
        and _fits(entry.choice.rung, asked.rung)
    ]
    if sort is not None:
        entries = sorted_by(entries, sort)
    if asked.reverse:
        entries.reverse()
    only_patches = asked.guard is not None or asked.rung is not None
    proofs = [
        entry for entry in listing.proofs if not only_patches and _is_meant(entry, asked, states)
    ]
    chosen = Listing(listing.store, listing.config, entries, proofs)
    chosen.problems = listing.problems
    return chosen


def _is_meant(entry: Aged, asked: argparse.Namespace, states: list[str]) -> bool:
    document = entry.document
    if states and entry.state not in states:
        return False
    if asked.module is not None and not matches([document.module], _words(asked.module)):
        return False
    names = (document.qualname, document.qualname.rpartition(".")[2], document.name)
    return asked.function is None or any(_fits(name, asked.function) for name in names)


def _fits(name: str, patterns: str | None) -> bool:
    return patterns is None or any(fnmatchcase(name, one) for one in _words(patterns))


def _words(text: str | None) -> list[str]:
    """The words of an option that takes several."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]
