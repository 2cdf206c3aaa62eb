"""Heals that are not in the counters yet: on disk all the same, because a process may be killed.

Counters are written every few seconds. In between each process counts in a file of its own beside
them (``cells``), which it keeps locked while it lives. uvicorn's workers, for one, end by a
signal, those of ``multiprocessing`` and Celery by ``os._exit``: nobody asks them to store anything.
What they leave is read together with the counters, and added to them by whoever counts next.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from time import time

from .cells import Cells, cells_in
from .errors import StoreError
from .lock import try_lock
from .shelf import names_in
from .trust import check_folder, distrust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX, SUFFIX = ".", ".heals"
_LARGEST = 1024 * 1024
_ATTEMPTS = 3
#: Seconds by which a clock may have been set back since; what lies further ahead is no moment.
_DAY = 86_400.0
_OPEN = os.O_RDWR
for _flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_NOINHERIT", "O_NONBLOCK"):
    _OPEN |= getattr(os, _flag, 0)


class Journal:
    """The file of this process, opened at the first heal. Where there can be none, there is none:
    heals are then kept in memory only, as they are anyhow. The same goes for the patches beyond
    the first thousand of one process."""

    __slots__ = ("_cells", "_folder", "_open", "_path")

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = ""
        self._cells: Cells | None = None
        self._open = True

    def note(self, patch_id: str) -> None:
        """Add one heal."""
        try:
            cells = self._cells
            if cells is None and self._open:
                cells = self._begin()
            if cells is not None:
                cells.add(patch_id, time())
        except (OSError, StoreError):
            self.end()  # what it holds is in memory as well, and would be counted twice

    def keep(self, hits: Mapping[str, int]) -> None:
        """Hold these heals and no others: the rest has been counted."""
        try:
            if self._cells is not None:
                self._cells.hold(hits, time())
        except OSError:
            self.end()

    def end(self) -> None:
        """Nothing in it is to be counted any more: remove the file, and have none from now on."""
        if self._cells is not None:
            _remove(self._path)
        self.leave()

    def leave(self) -> None:
        """Have none from now on; the file stays, as a parent's does that a forked child leaves."""
        cells, self._cells, self._open = self._cells, None, False
        if cells is not None:
            cells.close()

    def _begin(self) -> Cells | None:
        """Raises OSError or StoreError where the folder is not there, not ours, or has no locks."""
        self._open = False
        if not check_folder(self._folder):
            return None
        for _ in range(_ATTEMPTS):
            name = f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}{SUFFIX}"
            self._path = os.path.join(self._folder, name)
            descriptor = os.open(self._path, _OPEN | os.O_CREAT | os.O_EXCL, 0o644)
            with suppress(OSError):
                try_lock(descriptor)
                # Before it was locked somebody may have taken it for one that was left behind.
                if os.path.lexists(self._path):
                    self._cells = Cells(descriptor)
                    return self._cells
            os.close(descriptor)
            _remove(self._path)
        return None


def pending(folder: str) -> Iterator[tuple[dict[str, int], float]]:
    """The heals in all journals, each journal's with the time of the last one."""
    for path in _journals(folder):
        try:
            descriptor = os.open(path, _OPEN)
        except OSError:
            continue
        try:
            yield _read(path, descriptor)
        except OSError:
            continue
        finally:
            os.close(descriptor)


def left_behind(folder: str) -> Iterator[tuple[dict[str, int], float]]:
    """The same for journals of processes that are gone; they are removed. Call it under the lock.

    A journal is removed when the next one is asked for, so that its heals are counted by then.
    """
    for path in _journals(folder):
        try:
            descriptor = os.open(path, _OPEN)
        except OSError:
            continue
        try:
            try_lock(descriptor)
            found = _read(path, descriptor)
        except OSError:  # its process lives, or it is not ours to read
            os.close(descriptor)
            continue
        try:
            yield found
            _remove(path)
        finally:
            os.close(descriptor)


def _journals(folder: str) -> list[str]:
    return [os.path.join(folder, name) for name in names_in(folder) if name.endswith(SUFFIX)]


def _read(path: str, descriptor: int) -> tuple[dict[str, int], float]:
    """What a journal holds. Raises OSError for what is none that this user may have written."""
    from .counter import MOST_HITS
    from .fields import is_id

    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or distrust(path, status) or status.st_size > _LARGEST:
        raise OSError(f"{path} is not a journal")
    hits: dict[str, int] = {}
    last = 0.0
    for name, count, moment in cells_in(os.read(descriptor, status.st_size)):
        patch_id = name.decode("ascii", "replace")
        if is_id(patch_id) and count <= MOST_HITS and 0.0 < moment <= status.st_ctime + _DAY:
            hits[patch_id] = hits.get(patch_id, 0) + count
            last = max(last, moment)
    return hits, last or status.st_mtime


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
