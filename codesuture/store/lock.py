"""The lock between processes (and threads) that write to one store.

The operating system holds it (``flock`` on POSIX, a locked byte on Windows), so it ends with
its holder, however that dies; the lock *file* stays and means nothing.

Some network file systems have no such locks (NFS whose lock service is off answers ENOLCK). There a
file beside it (``.lock.held``) is the lock: who creates it has it, and removes it afterwards. One
whose holder died is taken away when it is older than ``STALE`` seconds by the server's own clock;
writers hold it for milliseconds.
"""

from __future__ import annotations

import errno
import os
import sys
import time

from .errors import StoreError

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> None:
        """Raises OSError where somebody else holds it."""
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def try_lock(descriptor: int) -> None:
        """Raises OSError where somebody else holds it."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        # Explicitly, not by closing alone: a child that was forked meanwhile shares the
        # open file, and would go on holding the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


DEFAULT_TIMEOUT = 10.0
_HELD_BY_ANOTHER = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
#: What file systems answer that have no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
STALE = 20.0
_FIRST_WAIT = 0.0005
_LONGEST_WAIT = 0.02


class StoreLock:
    """A context manager: inside it nobody else writes.

    Raises ``StoreError`` when the lock is not to be had within ``timeout`` seconds.
    """

    __slots__ = ("_descriptor", "_held", "path", "timeout")

    def __init__(self, path: str, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.path = path
        self.timeout = timeout
        self._descriptor = -1
        self._held: HeldFile | None = None

    def __enter__(self) -> StoreLock:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise StoreError.from_os("open the lock", self.path, error) from None
        locked = False
        try:
            self._wait(descriptor)
            locked = True
        finally:
            if not locked:
                os.close(descriptor)
        self._descriptor = descriptor
        return self

    def _wait(self, descriptor: int) -> None:
        deadline = time.monotonic() + self.timeout
        wait = _FIRST_WAIT
        while True:
            try:
                return self._try(descriptor)
            except OSError as error:
                if error.errno not in _HELD_BY_ANOTHER:
                    raise StoreError.from_os("lock", self.path, error) from None
            if time.monotonic() >= deadline:
                raise StoreError(
                    f"Another process has been writing to the store for more than"
                    f" {self.timeout:g} seconds ({self.path} is locked). Try again, or look"
                    " for a process that hangs."
                )
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _try(self, descriptor: int) -> None:
        """Take the lock, or raise OSError."""
        if self._held is None:
            try:
                return try_lock(descriptor)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
        held = HeldFile(self.path + ".held")
        held.take(descriptor)
        self._held = held

    def __exit__(self, *exception: object) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        held, self._held = self._held, None
        try:
            if held is not None:
                held.give_back()
            else:
                _unlock(descriptor)
        finally:
            os.close(descriptor)


class HeldFile:
    """A file that is a lock for as long as it is there."""

    __slots__ = ("_identity", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._identity = (0, 0)

    def take(self, clock: int) -> None:
        """Create the file; raises OSError where somebody else has it.

        ``clock`` is an open file there: its time is the server's.
        """
        try:
            self._create(self.path)
        except FileExistsError:
            if not _is_stale(self.path, clock) or not self._take_away(clock):
                raise BlockingIOError(errno.EAGAIN, "held by another", self.path) from None
            self.take(clock)

    def _create(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags, 0o600)
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        self._identity = (status.st_ino, status.st_mtime_ns)

    def _take_away(self, clock: int) -> bool:
        """Remove what its holder left behind; by one process at a time, or the next holder's file
        would be removed too."""
        breaking = self.path + ".breaking"
        try:
            self._create(breaking)
        except FileExistsError:
            if _is_stale(breaking, clock):
                _remove(breaking)
            return False
        try:
            if _is_stale(self.path, clock):
                _remove(self.path)
        finally:
            _remove(breaking)
        return True

    def give_back(self) -> None:
        """Remove the file, if it is this holder's still."""
        try:
            status = os.lstat(self.path)
        except OSError:
            return
        if (status.st_ino, status.st_mtime_ns) == self._identity:
            _remove(self.path)


def _is_stale(path: str, clock: int) -> bool:
    """Whether a file is so old that its holder must be gone. The clock is the file server's: those
    of the machines that share it may differ."""
    try:
        then = os.lstat(path).st_mtime
        os.utime(clock)
        return os.fstat(clock).st_mtime - then > STALE
    except OSError:
        return False


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
