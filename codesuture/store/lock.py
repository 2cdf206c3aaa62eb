"""The lock between processes (and threads) that write to one store.

The operating system holds it (``flock`` on POSIX, a locked byte on Windows), so it ends with
its holder, however that dies; the lock *file* stays and means nothing.
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
_FIRST_WAIT = 0.0005
_LONGEST_WAIT = 0.02


class StoreLock:
    """A context manager: inside it nobody else writes.

    Raises ``StoreError`` when the lock is not to be had within ``timeout`` seconds.
    """

    __slots__ = ("_descriptor", "path", "timeout")

    def __init__(self, path: str, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.path = path
        self.timeout = timeout
        self._descriptor = -1

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
                return try_lock(descriptor)
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

    def __exit__(self, *exception: object) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        try:
            _unlock(descriptor)
        finally:
            os.close(descriptor)
