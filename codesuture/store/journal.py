"""Heals that are not in the counters yet: on disk all the same, because a process may be killed.

Counters are written every few seconds. In between each process appends the patch's id to a file of
its own beside them, which it keeps locked while it lives. uvicorn's workers, for one, end by a
signal, those of ``multiprocessing`` and Celery by ``os._exit``: nobody asks them to store anything.
What they leave is read together with the counters, and added to them by whoever counts next.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from .errors import StoreError
from .lock import try_lock
from .shelf import names_in
from .trust import check_folder, distrust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX, SUFFIX = ".", ".heals"
_ID = 12
_LARGEST = 64 * 1024 * 1024
_ATTEMPTS = 3
_NOT_YET, _NEVER = -1, -2
_OPEN = os.O_RDWR | os.O_APPEND
for _flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_NOINHERIT", "O_NONBLOCK"):
    _OPEN |= getattr(os, _flag, 0)


class Journal:
    """The file of this process, opened at the first heal. Where there can be none, there is none:
    heals are then kept in memory only, as they are anyhow."""

    __slots__ = ("_descriptor", "_folder", "_path")

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = ""
        self._descriptor = _NOT_YET

    def note(self, patch_id: str) -> None:
        """Add one heal."""
        try:
            if self._descriptor == _NOT_YET:
                self._open()
            if self._descriptor >= 0:
                os.write(self._descriptor, patch_id.encode("ascii") + b"\n")
        except (OSError, StoreError):
            self.leave()

    def keep(self, hits: Mapping[str, int]) -> None:
        """Hold these heals and no others: the rest has been counted."""
        if self._descriptor >= 0:
            lines = [f"{patch_id}\n" * hit for patch_id, hit in hits.items()]
            try:
                os.ftruncate(self._descriptor, 0)
                os.write(self._descriptor, "".join(lines).encode("ascii"))
            except OSError:
                self.leave()

    def end(self) -> None:
        """Everything is counted: remove the file, and have none from now on."""
        if self._descriptor >= 0:
            _remove(self._path)
        self.leave()

    def leave(self) -> None:
        """Have none from now on; the file stays, as a parent's does that a forked child leaves."""
        descriptor, self._descriptor = self._descriptor, _NEVER
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self) -> None:
        """Raises OSError or StoreError where the folder is not there, not ours, or has no locks."""
        self._descriptor = _NEVER
        if not check_folder(self._folder):
            return
        for _ in range(_ATTEMPTS):
            name = f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}{SUFFIX}"
            self._path = os.path.join(self._folder, name)
            descriptor = os.open(self._path, _OPEN | os.O_CREAT | os.O_EXCL, 0o644)
            with suppress(OSError):
                try_lock(descriptor)
                # Before it was locked somebody may have taken it for one that was left behind.
                if os.path.lexists(self._path):
                    self._descriptor = descriptor
                    return
            os.close(descriptor)
            _remove(self._path)


def pending(folder: str) -> Iterator[tuple[dict[str, int], float]]:
    """The heals in all journals, each with the time of its last one."""
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
    from .fields import is_id

    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or distrust(path, status) or status.st_size > _LARGEST:
        raise OSError(f"{path} is not a journal")
    content = os.read(descriptor, status.st_size)
    hits: dict[str, int] = {}
    for line in content.split(b"\n"):
        if len(line) == _ID:  # the last one may be cut
            patch_id = line.decode("ascii", "replace")
            hits[patch_id] = hits.get(patch_id, 0) + 1
    return {patch_id: hit for patch_id, hit in hits.items() if is_id(patch_id)}, status.st_mtime


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
