"""Reading and writing single files so that nobody ever sees half of one."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from .errors import StoreError
from .trust import distrust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_FILE = 64 * 1024
TEMPORARY_PREFIX = ".codesuture-"
TEMPORARY_SUFFIX = ".tmp"

# O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
_READ = os.O_RDONLY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
for _flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_NOINHERIT"):
    _READ |= getattr(os, _flag, 0)
    _CREATE |= getattr(os, _flag, 0)
_READ |= getattr(os, "O_NONBLOCK", 0)

# What file systems answer that cannot sync a folder.
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)


def read_bounded(path: str) -> bytes:
    """The content of a regular, trusted file of at most ``LARGEST_FILE`` bytes.

    Raises ``FileNotFoundError``, or ``StoreError`` with a reason that completes the sentence
    "… because".
    """
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreError("it is a symbolic link") from None
        raise StoreError(f"it cannot be read ({error.strerror})") from None
    return content_of(descriptor, LARGEST_FILE, lambda status: distrust(path, status))


def content_of(
    descriptor: int, most: int, doubt: Callable[[os.stat_result], str]
) -> bytes:
    """The content of an open regular file of at most ``most`` bytes, which is closed.

    ``doubt`` says why not to trust it, or nothing. Raises ``StoreError`` with a reason that
    completes the sentence "… because".
    """
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise StoreError("it is not a regular file")
        problem = doubt(status)
        if problem:
            raise StoreError(problem)
        content = b""
        while len(content) <= most:
            piece = os.read(descriptor, most + 1 - len(content))
            if not piece:
                return content
            content += piece
        raise StoreError(f"it is larger than {most // 1024} KiB")
    except OSError as error:
        raise StoreError(f"it cannot be read ({error.strerror})") from None
    finally:
        os.close(descriptor)


def write_atomically(path: str, content: bytes) -> None:
    """Create or replace a file: readers see the old content or the new, never a mixture.

    The content is on the disk before the file gets its name, and the name before this
    returns. Raises ``StoreError``; then the old file is as it was.
    """
    folder, name = os.path.split(path)
    token = f"{os.getpid()}-{os.urandom(4).hex()}"
    temporary = os.path.join(folder, f"{TEMPORARY_PREFIX}{token}{TEMPORARY_SUFFIX}")
    try:
        try:
            _write_new(temporary, content)
            os.replace(temporary, path)
        finally:
            _remove_if_there(temporary)
        sync_folder(folder)
    except OSError as error:
        raise StoreError.from_os("write", os.path.join(folder, name), error) from None


def _write_new(path: str, content: bytes) -> None:
    # 0644 less the umask: recipes are meant to be committed and read, never to be
    # written by everybody, whatever the umask is.
    descriptor = os.open(path, _CREATE, 0o644)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_if_there(path: str) -> None:
    with suppress(OSError):  # normally it is gone: it got its final name
        os.unlink(path)


def sync_folder(folder: str) -> None:
    """Make renames in a folder durable, where the file system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_folder(path: str, mode: int) -> None:
    """Create a folder durably, unless it is there. Raises ``OSError``."""
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    else:
        sync_folder(os.path.dirname(path))


def remove_stale_temporaries(folder: str) -> None:
    """Remove what writers left behind that were killed. Call it only under the lock.

    A folder that cannot be listed is passed over: this is tidying, and nothing else waits for it.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX):
            _remove_if_there(os.path.join(folder, name))
