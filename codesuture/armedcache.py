"""Armed code on disk, beside the ``.pyc`` files and used like them.

For ``shop.py`` there is ``__pycache__/shop.cpython-313.opt-codesuture1a2b3c4d.pyc``, a name that
Python's own tools take for one of an optimisation level (PEP 488). It is written where plain
Python has its ``.pyc`` file and nowhere else, so ``PYTHONPYCACHEPREFIX``,
``PYTHONDONTWRITEBYTECODE`` and folders that cannot be written count as they always do.

A file holds a signature (``cachekey``), a header and the marshalled code. The header says what
the code was made from: the interpreter's magic number, the code that arms, the source's name, and
its date and size, or its hash where the ``.pyc`` file has that (PEP 552). A file that is not
exactly what it should be counts as none and is written again. What the configuration includes and
excludes is decided before the cache is asked; nothing else in it changes armed code.
"""

from __future__ import annotations

import _imp
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader, cache_from_source
from marshal import dumps, loads

from codesuture import cachekey
from codesuture.surgery.sealing import ARMED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.cachekey import Key

PREFIX = "codesuture"
_DATE, _HASH = b"date", b"hash"
_SIGNATURE, _STAMP, _NAME, _VALIDITY = 8, 8, 8, 12
_HEADER = len(MAGIC_NUMBER) + _STAMP + _NAME + _VALIDITY
_PYC_HEADER, _PYC_HAS_HASH, _PYC_CHECKS_SOURCE = 16, 1, 2
_RAW_MAGIC = int.from_bytes(MAGIC_NUMBER, "little")
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_CREATE |= getattr(os, "O_BINARY", 0)
_Code = type(cachekey.load.__code__)

#: How the interpreter's loader for source files finds and compiles them.
_METHODS = ("get_data", "get_filename", "path_stats", "source_to_code", "set_data")


class ArmedCache:
    """The cache as one process uses it."""

    __slots__ = ("_may_make_key", "_methods", "key", "start")

    def __init__(self) -> None:
        #: How every header begins.
        self.start = MAGIC_NUMBER + _stamp()
        self.key: Key | None = cachekey.load()
        self._may_make_key = True
        self._methods = _methods()

    def entry(self, loader: object, fullname: str) -> Entry | None:
        """Where the code of a module is cached, or is to be; None where it is not to be.

        Cached is what the interpreter's own loader for source files gives, and no other: theirs may
        be made from the same file in another way. ``python -v`` tells where code comes from, so
        nothing is cached there.
        """
        if type(loader) is not SourceFileLoader or loader.name != fullname or sys.flags.verbose:
            return None
        if _methods() != self._methods:
            return None
        try:
            return Entry(self, loader.path)
        except OSError:
            return None

    def make_key(self) -> Key | None:
        """The key, made if there is none; that is tried once."""
        if self.key is None and self._may_make_key:
            self._may_make_key = False
            self.key = cachekey.load_or_create()
        return self.key


def _methods() -> list[object]:
    return [getattr(SourceFileLoader, name) for name in _METHODS]


def _stamp() -> bytes:
    """What tells the code that arms from any other: its version, and its files as they are."""
    from codesuture import __version__, surgery

    parts: list[object] = [__version__, ARMED]
    with os.scandir(surgery.__path__[0]) as found:
        for file in found:
            if file.is_file():
                status = file.stat()
                parts.append((file.name, status.st_size, int(status.st_mtime)))
    return _hash(repr(sorted(parts, key=repr)).encode())


def _hash(content: bytes) -> bytes:
    """The eight bytes that PEP 552 has for a source's content."""
    found: bytes = _imp.source_hash(_RAW_MAGIC, content)
    return found


class Entry:
    """The place of one source file's armed code, and what the source is like at present."""

    __slots__ = ("_begin", "_cache", "_date", "_mode", "source")

    def __init__(self, cache: ArmedCache, source: str) -> None:
        status = os.stat(source)
        date = int(status.st_mtime) & 0xFFFFFFFF
        size = status.st_size & 0xFFFFFFFF
        self.source = source
        self._cache = cache
        self._mode = status.st_mode
        self._date = _DATE + date.to_bytes(4, "little") + size.to_bytes(4, "little")
        self._begin = cache.start + _hash(os.path.basename(source).encode("utf-8", "replace"))

    def load(self) -> CodeType | None:
        """The cached code, where it is there and is the source's own."""
        key = self._cache.key
        if key is None:
            return None
        try:
            content = memoryview(_read(self._path(key)))
            signed, header = content[_SIGNATURE:], content[_SIGNATURE:][:_HEADER]
            if header[:-_VALIDITY] != self._begin or not self._is_valid(bytes(header[-_VALIDITY:])):
                return None
            if content[:_SIGNATURE] != key.sign(signed):
                return None
            code = loads(signed[_HEADER:])
            if type(code) is not _Code:
                return None
            _imp._fix_co_filename(code, self.source)  # type: ignore[attr-defined]
        except Exception:
            return None
        return code

    def save(self, armed: CodeType) -> None:
        """Write the code, if plain Python caches here; whatever keeps it from being written, no
        more than that happens."""
        if sys.dont_write_bytecode:
            return
        try:
            validity = self._validity_of(_read(cache_from_source(self.source), _PYC_HEADER))
            key = self._cache.make_key() if validity else None
            if key is None:
                return
            content = self._begin + validity + dumps(armed)
            _write(self._path(key), key.sign(content) + content, self._mode)
        except Exception:
            return

    def _path(self, key: Key) -> str:
        return cache_from_source(self.source, optimization=PREFIX + key.tag(sys.flags.optimize))

    def _validity_of(self, pyc: bytes) -> bytes:
        """What tells that the code is the source's, as plain Python does; empty for a pyc of
        another version."""
        flags = _flags(pyc)
        if flags is None:
            return b""
        return _HASH + pyc[8:] if flags & _PYC_HAS_HASH else self._date

    def _is_valid(self, validity: bytes) -> bool:
        if validity[:4] != _HASH:
            return validity == self._date
        pyc = _read(cache_from_source(self.source), _PYC_HEADER)
        flags = _flags(pyc)
        if flags is None or not flags & _PYC_HAS_HASH or pyc[8:] != validity[4:]:
            return False
        check = _imp.check_hash_based_pycs
        if check == "never" or not (flags & _PYC_CHECKS_SOURCE or check == "always"):
            return True
        return _hash(_read(self.source)) == validity[4:]


def _flags(pyc: bytes) -> int | None:
    """The flags in the header of a ``.pyc`` file; None for one of another version."""
    if len(pyc) != _PYC_HEADER or not pyc.startswith(MAGIC_NUMBER):
        return None
    return int.from_bytes(pyc[4:8], "little")


def _read(path: str, most: int = 0) -> bytes:
    """The content of a file, or its first ``most`` bytes."""
    descriptor = os.open(path, _READ)
    try:
        content = os.read(descriptor, most or os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
    return content


def _write(path: str, content: bytes, mode: int) -> None:
    """Write a file under another name and rename it, with the source's mode as for ``.pyc``."""
    beside = f"{path}.{os.getpid()}.{id(content)}"
    descriptor = os.open(beside, _CREATE, (mode | 0o200) & 0o666)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
