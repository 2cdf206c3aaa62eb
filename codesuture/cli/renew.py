"""`codesuture renew`: patches and proofs get more time."""

from __future__ import annotations

from dataclasses import replace

from codesuture.cli.changing import Request, change, chosen_by, later, parser_for
from codesuture.cli.failure import Failure
from codesuture.cli.patches import Entry, ProofEntry
from codesuture.config.check import parse
from codesuture.config.errors import ConfigError
from codesuture.config.keys import BY_NAME
from codesuture.store import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.cli.changing import Change
    from codesuture.store import Patch

_EXAMPLES = """\
  codesuture renew get_bio              another `ttl` of days, from today
  codesuture renew get_bio --days 30    until the release
  codesuture renew --all
"""


def execute(words: list[str]) -> int:
    """Renew patches; 1 when there is nothing of that name, 2 when it is ambiguous."""
    parser = parser_for(
        "renew",
        "Let patches and proofs expire later: `ttl` days from now, or as many as you say.",
        "[--days N] ",
        _EXAMPLES,
    )
    parser.add_argument("--days", metavar="N", help="days from now (default: the key `ttl`)")
    asked = parser.parse(words)
    days = None if asked.days is None else _days(asked.days)
    chosen = chosen_by(parser, asked)
    span: float = chosen.config.ttl if days is None else days

    def new(request: Request, entry: Entry) -> Change:
        until = later(request, span)

        def renewed(patch: Patch) -> Patch:
            note = f"renewed until {until[:10]}"
            return request.advanced(patch, patch.state, note, expires=until)

        return renewed

    def proved(request: Request, entry: ProofEntry) -> str:
        until, proof = later(request, span), entry.proof
        try:
            chosen.store.change_proof(proof, lambda known: replace(known, expires=until))
        except StoreError as problem:
            raise Failure(str(problem)) from None
        return f"Renewed the proof for {proof.exception} in {proof.name} ({proof.id})"

    def refusal(entry: Entry) -> str:
        if entry.state in ("stale", "fixed"):
            return "its code has changed, so it is not applied any more"
        return "" if entry.patch.is_applied else f"it is {entry.state}, not applied (see `approve`)"

    return change(chosen, asked, "Renewed", new, refusal, proved)


def _days(text: str) -> float:
    """Days as the key `ttl` takes them; Failure for anything else."""
    try:
        return float(str(BY_NAME["ttl"].kind.check(parse("ttl", text))))
    except (ConfigError, ValueError):
        raise Failure(
            f"--days {BY_NAME['ttl'].kind.expects} is wanted, not {text!r}", code=2
        ) from None
