"""The store: a folder with one file for each patch and proof, shared by many processes.

    .codesuture_store/
      .gitignore                            keeps the counters and the lock out of commits
      .lock                                 held while somebody writes
      patches/<module>.<qualname>-<id>.json
      proofs/<module>.<qualname>-<id>.json
      removed/<module>.<qualname>-<id>.json patches that were rolled back, with their history
      rejections/<module>.<qualname>-<id>.json what the gate did not let run
      counters/<id>.json
      counters/.<process>.heals             heals that are not in the counters yet (``journal``)
      incidents/                            what crashed, and how often by the hour (``incidents``)

Readers take no lock: files appear and change whole. The imports that reading needs happen
when there is something to read.
"""

from __future__ import annotations

import os

from .errors import StoreError
from .journal import Journal, left_behind, pending
from .shelf import Shelf, json_files, skipped, unlink
from .trust import check_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from .counter import Counter
    from .history import Event
    from .incidents import IncidentLog
    from .lock import StoreLock
    from .patch import Patch
    from .proof import Proof
    from .rejection import Rejection
    from .shelf import Document, Seen

#: Removed patches that are remembered, and what the gate has rejected.
MOST_REMOVED = 500
MOST_REJECTIONS = 200

_GITIGNORE = (
    b"# Recipes are meant to be committed; these are not.\n"
    b"/counters/\n/rejections/\n/.lock*\n*.tmp\n"
)

#: Days for which the crashes of each hour are kept where nobody says otherwise.
DAYS_OF_INCIDENTS = 30.0


class Store:
    """The patches and proofs of one project. Creating one opens nothing and creates nothing.

    Every method raises ``StoreError`` when the folder is not to be trusted, cannot be read
    or cannot be written. Single damaged files do not raise: they are skipped, described
    in ``problems`` and left where they are.
    """

    __slots__ = (
        "_counter_problems", "_incidents", "_proofs", "_recipes", "_rejections", "_removed",
        "journal", "path",
    )  # fmt: skip

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(path)
        self._recipes = Shelf(os.path.join(self.path, "patches"), "recipe", _patch_from_json)
        self._proofs = Shelf(os.path.join(self.path, "proofs"), "proof", _proof_from_json)
        self._removed = Shelf(os.path.join(self.path, "removed"), "recipe", _patch_from_json)
        self._rejections = Shelf(
            os.path.join(self.path, "rejections"), "rejection", _rejection_from_json
        )
        self._counter_problems: list[str] = []
        self._incidents: IncidentLog | None = None
        #: What this process has healed and not yet counted.
        self.journal = Journal(self._counters)

    def __repr__(self) -> str:
        return f"Store({self.path!r})"

    @property
    def problems(self) -> list[str]:
        """A sentence for each file that the last reading of each kind skipped."""
        shelves = (self._recipes, self._proofs, self._rejections)
        return [one for shelf in shelves for one in shelf.problems] + self._counter_problems

    def check(self) -> None:
        """Raises ``StoreError`` when the store is not a folder, or not to be trusted.

        A store that does not exist is in order.
        """
        if check_folder(self.path):
            for folder in self._folders:
                check_folder(folder)

    def patches(self) -> list[Patch]:
        """All readable patches, in the order of their file names."""
        self.check()
        return self._recipes.all()

    def proofs(self) -> list[Proof]:
        """All readable proofs, in the order of their file names."""
        self.check()
        return self._proofs.all()

    def patches_since(self, seen: Seen) -> Seen:
        """The patches of now; only files are read that have changed since ``seen``, which is
        given back where none has."""
        self.check()
        return self._recipes.since(seen)

    def proofs_since(self, seen: Seen) -> Seen:
        """The proofs of now, likewise."""
        self.check()
        return self._proofs.since(seen)

    def removed(self) -> list[Patch]:
        """The patches that were rolled back and not made again, in the order of their files."""
        self.check()
        return self._removed.all()

    def removed_one(self, patch: Patch) -> Patch | None:
        """The patch that was rolled back and would have this one's id; None without one."""
        self.check()
        found: Patch | None = self._removed.get(patch)
        return found

    def save(self, patch: Patch) -> bool:
        """Add a patch. False when it is there already; then nothing is written."""
        saved = self._save(self._recipes, patch)
        if saved and os.path.isdir(self._removed.folder):
            with self._writing():
                self._removed.remove({patch.id})
        return saved

    def save_proof(self, proof: Proof) -> bool:
        """Add a proof. False when it is there already; then nothing is written."""
        return self._save(self._proofs, proof)

    def rejections(self) -> list[Rejection]:
        """What the gate did not let run, in the order of the files' names."""
        self.check()
        return self._rejections.all()

    def save_rejection(self, rejection: Rejection) -> bool:
        """Record a rejection; the oldest make room. False when it is there already."""
        saved = self._save(self._rejections, rejection)
        if saved:
            with self._writing():
                self._rejections.keep_newest(MOST_REJECTIONS)
        return saved

    def replace(self, patch: Patch) -> bool:
        """Change a patch that is there. False when it is not (rolled back, say)."""
        name, content = self._recipes.encoded(patch)
        self.check()
        if not os.path.isdir(self.path):
            return False
        with self._writing():
            if not self._recipes.holds(name):
                return False
            self._recipes.write(name, content)
        return True

    def change(self, patch: Patch, change: Callable[[Patch], Patch]) -> Patch | None:
        """Change a patch as it stands in the store now, which may be otherwise than ``patch`` by
        what another process has done; what it is now, None when it is not there any more."""
        changed: Patch | None = self._change(self._recipes, patch, change)
        return changed

    def change_proof(self, proof: Proof, change: Callable[[Proof], Proof]) -> Proof | None:
        """The same for a proof."""
        changed: Proof | None = self._change(self._proofs, proof, change)
        return changed

    def remove(self, ids: Iterable[str], event: Event | None = None) -> int:
        """Remove patches, with their counters, and proofs; how many there were.

        With an ``event`` (who, when) the patches are remembered among the ``removed`` ones. A
        damaged file is not removed, even when its name ends in one of the ids.
        """
        wanted = set(ids)
        self.check()
        if not wanted or not os.path.isdir(self.path):
            return 0
        with self._writing():
            self._take_over(self._recipes.ids())  # not for a patch that takes the place of this one
            if event is not None:
                self._remember(wanted, event)
            patches = self._recipes.remove(wanted)
            for patch_id in patches:
                unlink(self._counter_path(patch_id))
            return len(patches) + len(self._proofs.remove(wanted))

    @property
    def incidents(self) -> IncidentLog:
        """What crashed."""
        if self._incidents is None:
            from .incidents import IncidentLog

            self._incidents = IncidentLog(os.path.join(self.path, "incidents"))
        return self._incidents

    def crashes(self) -> dict[datetime, dict[str, int]]:
        """How many crashes each hour had, by id, with those that are not counted yet. An hour has
        both what was healed (by the patch's id) and what was not."""
        from datetime import UTC, datetime

        found = self.incidents.hours()
        for hits, last in pending(self._counters) if self.incidents.exists else ():
            moment = datetime.fromtimestamp(last, UTC)
            hour = found.setdefault(moment.replace(minute=0, second=0, microsecond=0), {})
            for one, hit in hits.items():
                hour[one] = hour.get(one, 0) + hit
        return found

    def record(self, line: bytes, room: int) -> None:
        """Add one incident (``IncidentLog.append``)."""
        with self._writing():
            self._tidy()
            self.incidents.append(line, room)

    def count(
        self, hits: Mapping[str, int], now: datetime, days: float | None = DAYS_OF_INCIDENTS
    ) -> None:
        """Add to the counters of patches, and to the crashes of this hour, which are kept for
        ``days`` (None: they are not counted). Ids without a recipe have no counter: they are those
        of crashes that were not healed, or the patch was rolled back while this process was still
        using it.
        """
        from .timestamps import to_text

        when = to_text(now)
        for hit in hits.values():
            if type(hit) is not int or hit < 1:
                raise StoreError(f"A count must be a positive integer, not {hit!r}.")
        self.check()
        if not hits or not os.path.isdir(self._recipes.folder):
            return
        with self._writing():
            known = self._recipes.ids()
            self._add_known(known, hits, when)
            if days is not None:
                self.incidents.count(hits, now, days)
            self._take_over(known)

    def counters(self) -> dict[str, Counter]:
        """The counters by patch id, with what is not counted yet. A patch that was never used
        has none."""
        from .counter import Counter

        self._counter_problems = []
        self.check()
        found = {}
        for name in json_files(self._counters):
            try:
                patch_id = _counted_id(name)
                found[patch_id] = self._read_counter(name)
            except FileNotFoundError:
                pass  # removed by another process since the folder was listed
            except StoreError as error:
                self._counter_problems.append(skipped("counter", self._counters, name, error))
        for hits, last in pending(self._counters):
            when = _moment(last)
            for patch_id, hit in hits.items():
                known = found.get(patch_id)
                found[patch_id] = known.plus(hit, when) if known else Counter.first(hit, when)
        return found

    def counter(self, patch_id: str) -> Counter | None:
        """The counter of one patch, without what is not counted yet; None where there is none."""
        self.check()
        try:
            return self._read_counter(f"{patch_id}.json")
        except (FileNotFoundError, StoreError):
            return None

    def forgive(self, patch_id: str) -> None:
        """Let nothing of what a patch has healed so far count for its budget."""
        from .documents import encode
        from .files import write_atomically

        counter = self.counter(patch_id)
        if counter is not None:
            with self._writing():
                self._take_over(self._recipes.ids())
                counter = self.counter(patch_id)
                if counter is not None:
                    content = encode(counter.forgiven().to_json())
                    write_atomically(self._counter_path(patch_id), content)

    # Paths

    @property
    def _folders(self) -> tuple[str, ...]:
        return (
            self._recipes.folder, self._proofs.folder, self._removed.folder,
            self._rejections.folder, self._counters,
        )

    @property
    def _counters(self) -> str:
        return os.path.join(self.path, "counters")

    def _counter_path(self, patch_id: str) -> str:
        return os.path.join(self._counters, f"{patch_id}.json")

    # Reading

    def _read_counter(self, name: str) -> Counter:
        from .counter import Counter
        from .documents import decode
        from .files import read_bounded

        return Counter.from_json(decode(read_bounded(os.path.join(self._counters, name))))

    # Writing; all of it under the lock

    def _change(self, shelf: Shelf, document: Document, change: Callable[[Any], Any]) -> Any:
        self.check()
        if not os.path.isdir(self.path):
            return None
        with self._writing():
            now = shelf.get(document)
            if now is None:
                return None
            changed = change(now)
            if changed != now:
                shelf.write(*shelf.encoded(changed))
        return changed

    def _save(self, shelf: Shelf, document: Document) -> bool:
        name, content = shelf.encoded(document)
        with self._writing():
            if shelf.holds(name):
                return False
            self._tidy()
            if shelf is self._recipes:
                # Whoever removed its predecessor may have been killed before the counter was gone.
                unlink(self._counter_path(document.id))
            shelf.create()
            shelf.write(name, content)
        return True

    def _remember(self, ids: set[str], event: Event) -> None:
        """Put what is about to be removed on the shelf of removed patches, which is bounded."""
        gone = [patch for patch in self._recipes.all() if patch.id in ids]
        if gone:
            self._removed.create()
        for patch in gone:
            self._removed.write(*self._removed.encoded(patch.after(event)))
        self._removed.keep_newest(MOST_REMOVED)

    def _writing(self) -> StoreLock:
        from .lock import StoreLock

        self._create()
        return StoreLock(os.path.join(self.path, ".lock"))

    def _create(self) -> None:
        """The folders, when they are not there yet; whatever is there must be trustworthy."""
        from .files import make_folder

        self.check()
        try:
            if not os.path.isdir(self.path):
                os.makedirs(os.path.dirname(self.path), exist_ok=True)
                # 0700: messages of exceptions may quote data that others must not see.
                make_folder(self.path, 0o700)
            for folder in (self._recipes.folder, self._counters):
                make_folder(folder, 0o755)
        except OSError as error:
            raise StoreError.from_os("create the store", self.path, error) from None
        self.check()

    def _tidy(self) -> None:
        from .files import remove_stale_temporaries, write_atomically

        incidents = os.path.join(self.path, "incidents")
        for folder in (self.path, self._counters, incidents, os.path.join(incidents, "hours")):
            remove_stale_temporaries(folder)
        gitignore = os.path.join(self.path, ".gitignore")
        if not os.path.lexists(gitignore):
            write_atomically(gitignore, _GITIGNORE)

    def _take_over(self, known: set[str]) -> None:
        """Count what processes left behind that are gone."""
        from datetime import UTC, datetime

        for hits, last in left_behind(self._counters):
            self._add_known(known, hits, _moment(last))
            self.incidents.count(hits, datetime.fromtimestamp(last, UTC), None)

    def _add_known(self, known: set[str], hits: Mapping[str, int], when: str) -> None:
        for patch_id, hit in hits.items():
            if patch_id in known:
                self._add(patch_id, hit, when)

    def _add(self, patch_id: str, hits: int, when: str) -> None:
        from .counter import Counter
        from .documents import encode
        from .files import write_atomically

        name = f"{patch_id}.json"
        try:
            counter = self._read_counter(name).plus(hits, when)
        except (FileNotFoundError, StoreError):  # none yet, or damaged: begin anew
            counter = Counter.first(hits, when)
        write_atomically(self._counter_path(patch_id), encode(counter.to_json()))


def _moment(timestamp: float) -> str:
    from datetime import UTC, datetime

    from .timestamps import to_text

    return to_text(datetime.fromtimestamp(timestamp, UTC))


def _patch_from_json(document: object) -> Patch:
    from .patch import Patch

    return Patch.from_json(document)


def _proof_from_json(document: object) -> Proof:
    from .proof import Proof

    return Proof.from_json(document)


def _rejection_from_json(document: object) -> Rejection:
    from .rejection import Rejection

    return Rejection.from_json(document)


def _counted_id(name: str) -> str:
    from .fields import is_id

    patch_id = name.removesuffix(".json")
    if not is_id(patch_id):
        raise StoreError("its name is not the id of a patch")
    return patch_id
