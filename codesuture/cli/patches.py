"""The patches of the store as the commands look at them: with counters, age and state."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta

from codesuture.cli.failure import Failure, report
from codesuture.cli.source import is_unchanged
from codesuture.config import Config, load
from codesuture.defaults.ladder import Choice, configured_choice
from codesuture.store import Counter, Patch, Store, StoreError
from codesuture.store.timestamps import from_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Entry:
    """One patch with what the store counted for it, and how it stands today.

    `state` is "active", "expired" (past its day; `on_expiry` decides whether it still heals) or
    "stale" (its code has changed, so it is not applied). A patch that never healed again has
    no counter. `choice` is the default that counts today: the configuration's, or the patch's.
    """

    def __init__(self, patch: Patch, counter: Counter | None, config: Config) -> None:
        self.patch = patch
        self.hits = counter.hits if counter else 0
        self.first_seen = counter.first_seen if counter else None
        self.last_seen = counter.last_seen if counter else None
        self.choice = configured_choice(
            config.defaults, patch.name, patch.target, patch.guard
        ) or Choice(patch.default, patch.rung, patch.reason)
        now = datetime.now(UTC)
        self.age = now - from_text(patch.created)
        self.left = from_text(patch.expires) - now
        self.state = patch.state
        if self.state == "active" and is_unchanged(patch, config.root) is False:
            self.state = "stale"
        elif self.state == "active" and patch.is_expired(now):
            self.state = "expired"

    def to_json(self) -> dict[str, object]:
        """The patch and what was computed, for `--json`."""
        return {
            **self.patch.to_json(),
            "default": self.choice.recipe.to_json(),
            "default_text": self.choice.recipe.describe(),
            "rung": self.choice.rung,
            "reason": self.choice.reason,
            "hits": self.hits,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "age_seconds": int(self.age.total_seconds()),
            "ttl_left_seconds": int(self.left.total_seconds()),
            "state": self.state,
        }


class Listing:
    """All entries of the store, newest last, and sentences about what could not be read."""

    def __init__(self, store: Store, config: Config, entries: list[Entry]) -> None:
        self.store = store
        self.config = config
        self.entries = entries
        self.problems: list[str] = [str(problem) for problem in store.problems]

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
        counters = store.counters()
    except StoreError as problem:
        raise Failure(str(problem)) from None
    newest_last = sorted(
        patches, key=lambda patch: (patch.created, patch.name, patch.ordinal, patch.id)
    )
    entries = [Entry(patch, counters.get(patch.id), config) for patch in newest_last]
    return Listing(store, config, entries)


def select(entries: list[Entry], name: str) -> list[Entry]:
    """The patches of the one function (or the one patch) that `name` means.

    A name is, in this order, `module:qualname`, a patch's id, a qualified name, a module's name
    (its module-level code), a bare name. Failure with the candidates when it means no function
    (exit code 1) or several (2).
    """
    rules: tuple[Callable[[Entry], bool], ...] = (
        lambda entry: entry.patch.name == name,
        lambda entry: entry.patch.id == name,
        lambda entry: entry.patch.qualname == name,
        lambda entry: entry.patch.module == name and entry.patch.qualname == "<module>",
        lambda entry: entry.patch.qualname.rpartition(".")[2] == name,
    )
    for rule in rules:
        found = [entry for entry in entries if rule(entry)]
        if found:
            _refuse_several(found, name)
            return found
    raise _not_there(entries, name)


def _refuse_several(found: list[Entry], name: str) -> None:
    places = _places(found)
    if len(places) > 1:
        raise Failure(
            f"{name!r} is ambiguous: {len(places)} functions with patches have that name",
            *(f"one of them is {place}" for place in places),
            code=2,
        )


def _not_there(entries: list[Entry], name: str) -> Failure:
    if not entries:
        return Failure(f"there is no patch for {name!r}: the store is empty")
    from difflib import get_close_matches

    spellings: dict[str, str] = {}
    for entry in entries:
        spellings[entry.patch.qualname.rpartition(".")[2]] = entry.patch.name
        spellings[entry.patch.qualname] = entry.patch.name
        spellings[entry.patch.name] = entry.patch.name
    near = dict.fromkeys(spellings[word] for word in get_close_matches(name, spellings, n=3))
    hints = [f"did you mean {place}?" for place in near]
    hints = hints or [f"there is one for {place}" for place in _places(entries)[:10]]
    return Failure(f"there is no patch for {name!r}", *hints)


def _places(entries: list[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.patch.name for entry in entries))


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
