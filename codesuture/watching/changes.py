"""What people change while a program runs: the store's patches, and the configuration."""

from __future__ import annotations

import os

from codesuture.config.find import OWN_FILE
from codesuture.store import Store, StoreError
from codesuture.store.shelf import Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.config.load import Config
    from codesuture.store import Patch

    Stamp = tuple[int, int, int]


class Changes:
    """Looks at the store and the configuration file of a project, and tells what has changed.

    A patch that is new is no change: the program made it itself, or takes it over when it needs it.
    """

    def __init__(self, config: Config) -> None:
        self._store = Store(config.store)
        self._file = config.path or os.path.join(config.root, OWN_FILE)
        self._stamp = _stamp(self._file)
        self._seen = Seen({}, {})
        self._patches = self._read()

    def look(self) -> list[str]:
        """A sentence for each kind of change since the last look."""
        told = []
        stamp = _stamp(self._file)
        if stamp != self._stamp:
            self._stamp = stamp
            told.append(f"{os.path.basename(self._file)} has changed")
        old, self._patches = self._patches, self._read()
        if old is not self._patches:
            gone = [one for one, patch in old.items() if _is_gone(patch, self._patches.get(one))]
            edited = [
                one
                for one, patch in self._patches.items()
                if one in old and one not in gone and patch.default != old[one].default
            ]
            if gone:
                told.append(f"{len(gone)} patch(es) are gone from the store")
            if edited:
                told.append(f"{len(edited)} patch(es) supply something else")
        return told

    def _read(self) -> dict[str, Patch]:
        """The patches by id; as they were where nothing has changed or the store can't be read."""
        try:
            seen = self._store.patches_since(self._seen)
        except StoreError:
            return self._patches if self._seen.stamps else {}
        if seen is self._seen and seen.stamps:
            return self._patches
        self._seen = seen
        return {patch.id: patch for patch in seen.documents.values()}


def _is_gone(old: Patch, new: Patch | None) -> bool:
    return old.is_applied and (new is None or not new.is_applied)


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
