"""The fingerprint registry: patterns of crash sites that are known, and what was good for them.

What a project knows follows from its store: each patch has the pattern of its site, so its counts
are always those of the patches that are there. What was imported from elsewhere lies in the user's
configuration folder, counts half, and is never written but by ``codesuture fingerprints import``.
A pattern that is known well enough gives its default at once: what becomes of the value is not
read then (``defaults.ladder``). Whether anybody handles the exception is always asked before, and
the guard must recognise the crash in any case.
"""

from __future__ import annotations

import os
from math import sqrt

from codesuture import cachekey
from codesuture.defaults.ladder import NOTHING, Choice
from codesuture.store.errors import StoreError
from codesuture.store.patch import NOT_APPLIED
from codesuture.store.pattern import KnownPattern, encode_patterns, merged, read_patterns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codesuture.guards.guard import Guard
    from codesuture.session import Session
    from codesuture.store.patch import Patch

NAME = "fingerprints.json"
#: Rungs whose defaults belong to a pattern: what stands around the instruction chose them.
_RUNGS = ("consumer", "guard", "fingerprint")
#: An imported site counts so much, and all of them together at most so much as this many.
IMPORTED_WEIGHT = 0.5
MOST_IMPORTED = 10
#: From this confidence on a pattern is applied: three sites that all kept their patches. However
#: many there are, of ten at most one may have failed.
TRUSTED = 0.43
MOST_FAILED = 0.1
_Z = 1.96  # 95 %


def confidence(kept: float, failed: float) -> float:
    """The lower bound of Wilson's interval (95 %) of the share of sites that keep their patch."""
    count = kept + failed
    if count <= 0:
        return 0.0
    share, square = kept / count, _Z * _Z
    middle = share + square / (2 * count)
    spread = _Z * sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, (middle - spread) / (1 + square / count))


class Seen:
    """What is known of one pattern with one guard and default: ``sites`` of this project that keep
    their patch and that do not (``failed``), and the same of what was ``imported``."""

    __slots__ = ("imported", "known", "own")

    def __init__(self, own: KnownPattern | None, imported: KnownPattern | None) -> None:
        self.own = own
        self.imported = imported
        known = own or imported
        assert known is not None
        self.known: KnownPattern = known

    @property
    def provenance(self) -> str:
        """Where it is known from: ``project``, ``imported``, or ``both``."""
        if self.own is None:
            return "imported"
        return "project" if self.imported is None else "both"

    @property
    def confidence(self) -> float:
        """Of the project's sites, and the imported ones at half their weight."""
        kept = failed = 0.0
        if self.imported is not None:
            kept, failed = self.imported.sites, self.imported.failed
            share = min(1.0, MOST_IMPORTED / max(1, kept + failed)) * IMPORTED_WEIGHT
            kept, failed = kept * share, failed * share
        if self.own is not None:
            kept, failed = kept + self.own.sites, failed + self.own.failed
        return confidence(kept, failed)

    @property
    def is_trusted(self) -> bool:
        """Whether it is known well enough to be applied at once."""
        few_failed = self.failed <= MOST_FAILED * (self.sites + self.failed)
        return few_failed and self.confidence >= TRUSTED

    @property
    def sites(self) -> int:
        """All sites that keep their patch."""
        return sum(one.sites for one in (self.own, self.imported) if one is not None)

    @property
    def failed(self) -> int:
        """All sites that do not."""
        return sum(one.failed for one in (self.own, self.imported) if one is not None)


def of_patches(patches: Iterable[Patch], removed: Iterable[Patch] = ()) -> list[KnownPattern]:
    """What patches say of their patterns; ``removed`` ones were rolled back."""
    places: set[tuple[object, ...]] = set()
    return merged(
        KnownPattern(
            pattern=patch.pattern,
            python=patch.python,
            guard=patch.guard,
            operation=patch.operation,
            exception=patch.exception,
            default=patch.default,
            sites=int(not failed and patch.state not in NOT_APPLIED),
            failed=int(failed or patch.state in NOT_APPLIED),
        )
        for failed, several in ((False, patches), (True, removed))
        for patch in several
        if patch.pattern and _belongs_to_pattern(patch) and _is_first(places, patch)
    )


def _belongs_to_pattern(patch: Patch) -> bool:
    """Whether the default follows from what stands around the instruction. A guard's own may follow
    from the operands (the zero of a ``Decimal``), unless it is nothing at all."""
    return patch.rung in _RUNGS and (patch.rung != "guard" or patch.default in NOTHING)


def _is_first(places: set[tuple[object, ...]], patch: Patch) -> bool:
    """Whether no other patch was counted for this expression: a function may have been changed
    several times, and has a patch for each of its forms then."""
    place = (patch.module, patch.qualname, patch.target, patch.pattern, patch.guard)
    if place in places:
        return False
    places.add(place)
    return True


def registry(own: Iterable[KnownPattern], imported: Iterable[KnownPattern]) -> list[Seen]:
    """Both put together, the best known first."""
    ours = {one.key: one for one in own}
    theirs = {one.key: one for one in imported}
    every = [Seen(ours.get(key), theirs.get(key)) for key in {**ours, **theirs}]
    return sorted(every, key=lambda seen: (-seen.confidence, -seen.sites, seen.known.key))


def seen(session: Session, pattern: str) -> list[Seen]:
    """What is known of a pattern, the best known default first; for dry runs, too."""
    if not pattern:
        return []
    patches = list(session.knowledge.patches().by_id.values())
    own = of_patches(patch for patch in patches if patch.pattern == pattern)
    theirs = [one for one in imported(session) if one.pattern == pattern]
    return registry(own, theirs)


def choice_for(session: Session, pattern: str, guard: Guard) -> Choice | None:
    """The default of a pattern that is known well enough; None where it is not, or where its sites
    do not agree."""
    if getattr(guard, "fixed", False) or not session.config.fingerprints:
        return None
    found = [one for one in seen(session, pattern) if one.known.guard == guard.name]
    if len(found) != 1 or not found[0].is_trusted:
        return None
    best = found[0]
    whose = {"project": "of this project", "imported": "of an imported registry"}
    reason = (
        f"The pattern {pattern} around the instruction is known from {best.sites} sites"
        f" {whose.get(best.provenance, 'of this project and of an imported registry')}, with a"
        f" confidence of {best.confidence:.2f}."
    )
    return Choice(best.known.default, "fingerprint", reason)


_imported: list[KnownPattern] | None = None


def imported(session: Session) -> list[KnownPattern]:
    """What the user has imported, read once in a process. A file that is damaged, or that somebody
    else could have written, counts for nothing, and one line says so."""
    global _imported
    if _imported is None:
        _imported = []
        try:
            _imported = read_imported()
        except StoreError as error:
            session.complain("Imported fingerprints are not used", error)
    return _imported


def path_of_imported() -> str | None:
    """Where imported patterns lie; None for a user without a configuration folder."""
    place = cachekey.folder()
    return None if place is None else os.path.join(place, NAME)


def read_imported() -> list[KnownPattern]:
    """What the user has imported. Raises ``StoreError``."""
    path = path_of_imported()
    if path is None:
        return []
    try:
        return read_patterns(path, foreign=False)
    except FileNotFoundError:
        return []
    except StoreError as error:
        raise StoreError(f"{path} is not used because {error}.") from None


def write_imported(patterns: Iterable[KnownPattern]) -> str:
    """Replace what was imported; gives the file's path. Raises ``StoreError``."""
    from codesuture.store.files import write_atomically

    path = path_of_imported()
    if path is None:
        raise StoreError("There is no configuration folder for this user; set XDG_CONFIG_HOME.")
    content = encode_patterns(patterns)
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    except OSError as error:
        raise StoreError.from_os("create", os.path.dirname(path), error) from None
    write_atomically(path, content)
    return path
