"""The patches and proofs of the store as the commands look at them: with age and state."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta

from codesuture.cli.failure import Failure, report
from codesuture.cli.selecting import select
from codesuture.cli.source import is_unchanged
from codesuture.config.load import Config, load
from codesuture.defaults.ladder import Choice, configured_choice
from codesuture.store import Counter, Patch, Proof, Store, StoreError
from codesuture.store.timestamps import from_text

#: States that say more than that the code has changed, or the day has come.
FINAL = ("rejected", "fixed", "rolled back")


class Aged:
    """A document of the store, and how it stands today.

    `state` is the one that is kept in a patch ("active" for proofs), "expired" (past its day;
    `on_expiry` decides whether it still counts) or "stale" (its code has changed, so it does not).
    """

    def __init__(self, document: Patch | Proof, is_changed: bool) -> None:
        now = datetime.now(UTC)
        self.document = document
        self.age = now - from_text(document.created)
        self.left = from_text(document.expires) - now
        self.state = document.state if isinstance(document, Patch) else "active"
        if self.state in FINAL:
            return
        if is_changed:
            self.state = "stale"
        elif document.is_expired(now):
            self.state = "expired"

    def to_json(self) -> dict[str, object]:
        """The document and what was computed, for `--json`."""
        return {
            **self.document.to_json(),
            "age_seconds": int(self.age.total_seconds()),
            "ttl_left_seconds": int(self.left.total_seconds()),
            "state": self.state,
        }


class Entry(Aged):
    """One patch with what the store counted for it.

    A patch that never healed again has no counter. `choice` is the default that counts today: the
    configuration's, or the patch's.
    """

    def __init__(self, patch: Patch, counter: Counter | None, config: Config) -> None:
        changed = is_unchanged(patch, patch.python, config.root) is False
        super().__init__(patch, changed)
        self.patch = patch
        self.hits = counter.hits if counter else 0
        self.first_seen = counter.first_seen if counter else None
        self.last_seen = counter.last_seen if counter else None
        self.choice = configured_choice(
            config.defaults, patch.name, patch.target, patch.guard, patch.is_reviewed
        ) or Choice(patch.default, patch.rung, patch.reason)

    def to_json(self) -> dict[str, object]:
        """The patch and what was computed, for `--json`."""
        return {
            **super().to_json(),
            "default": self.choice.recipe.to_json(),
            "default_text": self.choice.recipe.describe(),
            "rung": self.choice.rung,
            "reason": self.choice.reason,
            "hits": self.hits,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }


class ProofEntry(Aged):
    """One proof; it is stale as soon as any code in its chain has changed."""

    def __init__(self, proof: Proof, config: Config) -> None:
        changed = any(
            is_unchanged(link, proof.python, config.root) is False for link in proof.chain
        )
        super().__init__(proof, changed)
        self.proof = proof

    @property
    def chain(self) -> str:
        """The functions, the one that crashed first."""
        return " <- ".join(link.qualname for link in self.proof.chain)


class Listing:
    """Patches and proofs of the store, newest last; and sentences about what cannot be read."""

    def __init__(
        self, store: Store, config: Config, entries: list[Entry], proofs: list[ProofEntry]
    ) -> None:
        self.store = store
        self.config = config
        self.entries = entries
        self.proofs = proofs
        self.problems: list[str] = [str(problem) for problem in store.problems]

    def only(self, name: str) -> Listing:
        """What belongs to the function, patch or proof that `name` means; Failure as `select`."""
        chosen = select([*self.entries, *self.proofs], name)
        entries = [entry for entry in self.entries if entry in chosen]
        proofs = [entry for entry in self.proofs if entry in chosen]
        return Listing(self.store, self.config, entries, proofs)

    def report_problems(self) -> int:
        """Print the problems; the exit code they mean."""
        for problem in self.problems:
            report(problem, [])
        return 1 if self.problems else 0


def checked_store(config: Config) -> Store:
    """The store of the configuration; Failure when it must not be used."""
    store = Store(config.store)
    try:
        store.check()
    except StoreError as problem:
        raise Failure(str(problem)) from None
    return store


def read() -> Listing:
    """The patches of the store that counts in the working directory.

    Raises ConfigError, and Failure when the store must not be used.
    """
    config = load(os.getcwd())
    for note in config.notes:
        print(f"note: {note}", file=sys.stderr)
    store = checked_store(config)
    try:
        patches = store.patches()
        proofs = store.proofs()
        counters = store.counters()
    except StoreError as problem:
        raise Failure(str(problem)) from None
    newest_last = sorted(
        patches, key=lambda patch: (patch.created, patch.name, patch.ordinal, patch.id)
    )
    entries = [Entry(patch, counters.get(patch.id), config) for patch in newest_last]
    proved = sorted(proofs, key=lambda proof: (proof.created, proof.name, proof.id))
    return Listing(store, config, entries, [ProofEntry(proof, config) for proof in proved])


def moment(text: str | None) -> str:
    """A moment of the store in few characters: `11-25 07:10`, or the day of another year; `-`."""
    if not text:
        return "-"
    if text[:4] == f"{datetime.now(UTC):%Y}":
        return f"{text[5:10]} {text[11:16]}"
    return text[:10]


def span(length: timedelta) -> str:
    """A length of time as people say it: `3d 4h`, `12m`; `0s` when it is over."""
    seconds = max(0, int(length.total_seconds()))
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    for index, (sign, size) in enumerate(units):
        if seconds >= size:
            text = f"{seconds // size}{sign}"
            if sign in "dh":
                smaller, below = units[index + 1]
                rest = seconds % size // below
                text += f" {rest}{smaller}" if rest else ""
            return text
    return "0s"
