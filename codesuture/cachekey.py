"""The user's own key, which signs cached code.

Cached code runs, so only what this user's processes have written may be used. Eight bytes of
signature are SipHash (``_imp.source_hash``, which the interpreter has for its own caches): it is
five times as quick as BLAKE2 and nothing needs to be imported for it. Its key has 32 bits on
some platforms, so the hash of the content is hashed once more together with a secret.
"""

from __future__ import annotations

import os
import stat
from _imp import source_hash

NAME = "cache.key"
_SIZE = 32
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_CREATE |= getattr(os, "O_BINARY", 0)


class Key:
    """One user's key: ``sign`` gives eight bytes that nobody else can tell."""

    __slots__ = ("_inner", "_outer", "_secret")

    def __init__(self, content: bytes) -> None:
        self._inner = int.from_bytes(content[:4], "little") >> 1
        self._outer = int.from_bytes(content[4:8], "little") >> 1
        self._secret = content[8:]

    def sign(self, content: bytes | memoryview, name: bytes = b"") -> bytes:
        """The signature of ``content``, which is right under this name only."""
        inner = source_hash(self._inner, content)
        signature: bytes = source_hash(self._outer, inner + self._secret + name)
        return signature

    def tag(self, optimize: int) -> str:
        """Eight hex digits for names of files: other users have others."""
        return self.sign(b"name %d" % optimize)[:4].hex()


def folder() -> str | None:
    """Where the key is: codesuture's folder among the user's configuration; None without one."""
    if os.name == "nt":
        base = os.environ.get("APPDATA", "")
    else:
        base = os.environ.get("XDG_CONFIG_HOME", "")
        if not os.path.isabs(base):
            base = os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "codesuture") if os.path.isabs(base) else None


def problem() -> str:
    """Why there is no key and none can be made, as a sentence; empty where all is well."""
    place = folder()
    if place is None:
        return "The user has no home folder, so armed code is not cached."
    try:
        _read(os.path.join(place, NAME))
    except FileNotFoundError:
        above = place
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        if not (os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK) and _is_own(above)):
            return f"{above} cannot be written, so armed code is not cached."
    except (OSError, ValueError) as error:
        return f"{os.path.join(place, NAME)} is not used: {error}."
    return ""


def load() -> Key | None:
    """The user's key; None where there is none, or none that can be trusted."""
    place = folder()
    if place is None:
        return None
    try:
        return Key(_read(os.path.join(place, NAME)))
    except (OSError, ValueError):
        return None


def load_or_create() -> Key | None:
    """The user's key, made now if need be; None where that cannot be done."""
    key = load()
    if key is not None:
        return key
    place = folder()
    if place is None:
        return None
    try:
        if not _make(place):
            return None
        _write(os.path.join(place, NAME))
    except OSError:
        return None
    return load()  # another process may have written one since


def _read(path: str) -> bytes:
    """The key's bytes. Raises OSError, and ValueError with a reason where they are not trusted."""
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        content = os.read(descriptor, _SIZE + 1)
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(status.st_mode) or len(content) != _SIZE:
        raise ValueError("it is damaged; it may be removed")
    if os.name != "nt":
        if status.st_uid != os.geteuid():
            raise ValueError("it belongs to another user")
        if status.st_mode & 0o077:
            raise ValueError("others can read it; it may be removed")
    return content


def _is_own(path: str) -> bool:
    """Whether files that this process makes there are at home: root must leave none at others'."""
    return os.name == "nt" or os.stat(path).st_uid == os.geteuid()


def _make(place: str) -> bool:
    """Make the folder, unless it would be in another user's home."""
    parent = os.path.dirname(place)
    above = parent
    while not os.path.isdir(above):
        above = os.path.dirname(above)
    if not _is_own(above):
        return False
    for folder_to_make in (parent, place):  # others start at this moment too
        os.makedirs(folder_to_make, 0o700, exist_ok=True)
    return _is_own(place)


def _write(path: str) -> None:
    """Write a new key, whole or not at all; it takes the place of one that cannot be used."""
    beside = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        descriptor = os.open(beside, _CREATE, 0o600)
        try:
            os.write(descriptor, os.urandom(_SIZE))
        finally:
            os.close(descriptor)
        _put(beside, path)
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)


def _put(beside: str, path: str) -> None:
    """Give the file its name. Of processes that start together the first wins: there is one key."""
    try:
        os.link(beside, path)
    except FileExistsError:
        try:
            _read(path)
        except (OSError, ValueError):
            os.replace(beside, path)
    except OSError:  # a file system without links
        os.replace(beside, path)
