"""Armed code on disk, beside the ``.pyc`` files and used like them.

For ``shop.py`` there is ``__pycache__/shop.cpython-313.opt-codesuture1a2b3c4d.pyc``, a name that
Python's own tools take for one of an optimisation level (PEP 488). It is written where plain
Python has its ``.pyc`` file and nowhere else, so ``PYTHONPYCACHEPREFIX``,
``PYTHONDONTWRITEBYTECODE`` and folders that cannot be written count as they always do.

A file holds a signature (``cachekey``), a header and the marshalled code. The header says what
the code was made from: the interpreter's magic number, the code that arms, and the source's date
and size, or its hash where the ``.pyc`` file has that (PEP 552); the signature counts for the
source's name only. A file that is not exactly what it should be counts as none and is written
again. What the configuration includes and excludes is decided before the cache is asked; of the
rest only ``library_calls`` changes armed code, and that is part of the header.

A file is loaded in place of all that the interpreter's loader does, which is written in Python, and
armed code is larger: what is saved here pays for that (``benchmarks/start_up.py``).
"""

from __future__ import annotations

import _imp
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader, cache_from_source
from marshal import dumps, loads

from codesuture import cachekey
from codesuture.surgery.names import ARMED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.cachekey import Key

PREFIX = "codesuture"
_DATE, _HASH = b"date", b"hash"
_SIGNATURE, _STAMP, _VALIDITY = 8, 8, 12
_STARTED = _SIGNATURE + len(MAGIC_NUMBER) + _STAMP
_CODE = _STARTED + _VALIDITY
_PYC_HEADER, _PYC_HAS_HASH, _PYC_CHECKS_SOURCE = 16, 1, 2
_RAW_MAGIC = int.from_bytes(MAGIC_NUMBER, "little")
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_CREATE |= getattr(os, "O_BINARY", 0)
_Code = type(cachekey.load.__code__)

#: Memory for reading a file at once: few are larger. What is left of it was never touched.
_AT_ONCE = 1 << 16


class ArmedCache:
    """The cache as one process uses it."""

    __slots__ = ("_may_make_key", "_methods", "_places", "key", "start")

    def __init__(self, reach: bool = False) -> None:
        #: How every header begins.
        self.start = start_of(reach)
        self.key: Key | None = cachekey.load()
        self._may_make_key = True
        self._methods = _methods()
        self._places: dict[tuple[str, str | None], tuple[str, str]] = {}

    def load(self, loader: object, module: str) -> CodeType | Entry | None:
        """The cached code of a module; where there is none, the entry that is to be written.

        None where there is to be none. Cached is what the interpreter's own loader for source files
        gives, and no other: theirs may be made from the same file in another way. ``python -v``
        tells where code comes from, so nothing is cached there.
        """
        if type(loader) is not SourceFileLoader or loader.name != module or sys.flags.verbose:
            return None
        if _methods() != self._methods:
            return None
        source = loader.path
        try:
            status = os.stat(source)
        except OSError:
            return None
        date = int(status.st_mtime) & 0xFFFFFFFF | (status.st_size & 0xFFFFFFFF) << 32
        dated = _DATE + date.to_bytes(8, "little")
        if self.key is not None:
            try:
                code = self._read(source, dated, self.key)
            except Exception:
                code = None
            if code is not None:
                return code
        return Entry(self, source, dated, status.st_mode)

    def _read(self, source: str, dated: bytes, key: Key) -> CodeType | None:
        """What is cached; None where it is not the source's own. Raises where there is nothing."""
        content = read(self.path_of(source, key))
        view = memoryview(content)
        if not content.startswith(self.start + dated, _SIGNATURE):
            # It may be one with a hash.
            valid = content.startswith(self.start + _HASH, _SIGNATURE)
            if not valid or not _has_hash(source, content[_STARTED + len(_HASH) : _CODE]):
                return None
        if content[:_SIGNATURE] != key.sign(view[_SIGNATURE:], _name(source)):
            return None
        code = loads(view[_CODE:])
        if type(code) is not _Code:
            return None
        _imp._fix_co_filename(code, source)  # type: ignore[attr-defined]
        return code

    def make_key(self) -> Key | None:
        """The key, made if there is none; that is tried once."""
        if self.key is None and self._may_make_key:
            self._may_make_key = False
            self.key = cachekey.load_or_create()
        return self.key

    def path_of(self, source: str, key: Key) -> str:
        """Where the armed code of ``source`` is; kept by folder, for most of a name is the same."""
        folder, _, name = source.rpartition(os.sep)
        if not name.endswith(".py"):
            return _path_for(source, key)
        stem, place = name[:-3], (folder, sys.pycache_prefix)
        if place in self._places:
            before, behind = self._places[place]
            return before + stem + behind
        path = _path_for(source, key)
        if os.path.isabs(folder):
            before = path[: -len(os.path.basename(path))]
            self._places[place] = (before, path[len(before) + len(stem) :])
        return path


def _path_for(source: str, key: Key) -> str:
    return cache_from_source(source, optimization=PREFIX + key.tag(sys.flags.optimize))


def _methods() -> tuple[object, ...]:
    """How the interpreter's loader for source files finds and compiles them."""
    loader = SourceFileLoader
    return (
        loader.get_data,
        loader.get_filename,
        loader.path_stats,
        loader.set_data,
        loader.source_to_code,
    )


_starts: dict[bool, bytes] = {}


def start_of(reach: bool = False) -> bytes:
    """What begins the header of all that this interpreter and this code that arms have made."""
    if reach not in _starts:
        _starts[reach] = MAGIC_NUMBER + _stamp(reach)
    return _starts[reach]


def _stamp(reach: bool) -> bytes:
    """What tells the code that arms from any other: its version, its files as they are, and what
    it is asked for."""
    from codesuture import __version__, surgery

    parts: list[object] = [__version__, ARMED, reach]
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


def _name(source: str) -> bytes:
    return source.rpartition(os.sep)[2].encode("utf-8", "replace")


class Entry:
    """Where one source's armed code is to be written, and what the file was before it was read."""

    __slots__ = ("_cache", "_dated", "_mode", "source")

    def __init__(self, cache: ArmedCache, source: str, dated: bytes, mode: int) -> None:
        self.source = source
        self._cache = cache
        self._dated = dated
        self._mode = mode

    def save(self, armed: CodeType) -> bool:
        """Write the code, if plain Python caches here; False where that was not done, and no more
        than that happens. It must have passed the gate: what is read from here is not looked at
        again."""
        if sys.dont_write_bytecode:
            return False
        try:
            validity = self._validity_of(_read_header(cache_from_source(self.source)))
            key = self._cache.make_key() if validity else None
            if key is None:
                return False
            content = self._cache.start + validity + dumps(armed)
            path = self._cache.path_of(self.source, key)
            write(path, key.sign(content, _name(self.source)) + content, self._mode)
        except Exception:
            return False
        return True

    def _validity_of(self, pyc: bytes) -> bytes:
        """What tells that the code is the source's, as plain Python does; empty for a pyc of
        another version."""
        flags = _flags(pyc)
        if flags is None:
            return b""
        return _HASH + pyc[8:] if flags & _PYC_HAS_HASH else self._dated


def _has_hash(source: str, found: bytes) -> bool:
    """Whether code is right (PEP 552) that was made when the ``.pyc`` file had this hash."""
    pyc = _read_header(cache_from_source(source))
    flags = _flags(pyc)
    if flags is None or not flags & _PYC_HAS_HASH or pyc[8:] != found:
        return False
    check = _imp.check_hash_based_pycs
    if check == "never" or not (flags & _PYC_CHECKS_SOURCE or check == "always"):
        return True
    return _hash(read(source)) == found


def _flags(pyc: bytes) -> int | None:
    """The flags in the header of a ``.pyc`` file; None for one of another version."""
    if len(pyc) != _PYC_HEADER or not pyc.startswith(MAGIC_NUMBER):
        return None
    return int.from_bytes(pyc[4:8], "little")


def read(path: str) -> bytes:
    """The content of a file."""
    descriptor = os.open(path, _READ)
    try:
        content = os.read(descriptor, _AT_ONCE)
        if len(content) == _AT_ONCE:
            content += os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
    return content


def _read_header(path: str) -> bytes:
    """The header of a ``.pyc`` file."""
    descriptor = os.open(path, _READ)
    try:
        return os.read(descriptor, _PYC_HEADER)
    finally:
        os.close(descriptor)


def write(path: str, content: bytes, mode: int) -> None:
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
