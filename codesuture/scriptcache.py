"""Armed code of scripts on disk, so that a script that runs again is neither compiled nor armed.

Plain Python compiles a script in every process and writes nothing beside it. Nor does codesuture: a
folder of its own beside the user's key has the files, so who lists the script's folder sees what
was there before. There is room for ``PLACES`` files. A script's place follows from its path; one
that comes to the place of another is written over it.

A file holds a signature, a header and the marshalled code, as those of ``armedcache``. The header
says what arms, and which source was compiled: a script that is saved twice in a second must run as
it is, so its content is compared, not its date. What else the interpreter's compiler looks at
(``_settings``) counts for the signature, and so does the path, by which code knows its file.

Warnings of the compiler are shown in every run, as the filters of that run say. So code of which it
has any to give is not kept; what is kept then is that there is none.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER
from marshal import dumps, loads

from codesuture import armedcache, cachekey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.cachekey import Key

FOLDER = "scripts"
PLACES = 1024
_SIGNATURE = 8
#: Bytes of a file that are not exceeded.
_LARGEST = 1 << 20
_Code = type(cachekey.load.__code__)


class Entry:
    """What is kept of one script."""

    __slots__ = ("_cache", "_is_noisy", "_name", "_path", "_source")

    def __init__(self, cache: armedcache.ArmedCache, source: bytes, path: str) -> None:
        self._cache = cache
        self._source = source
        self._path = path
        self._name = repr((path, *_settings())).encode()
        self._is_noisy = False

    def load(self) -> CodeType | None:
        """The armed code; None where it is not kept. Never raises."""
        key = self._cache.key
        if key is None:
            return None
        try:
            content = armedcache.read(_place(key, self._name))
            header = self._header(key)
            if not content.startswith(header, _SIGNATURE):
                return None
            view = memoryview(content)
            if content[:_SIGNATURE] != key.sign(view[_SIGNATURE:], self._name):
                return None
            code = loads(view[_SIGNATURE + len(header) :])
        except Exception:
            return None
        self._is_noisy = code is None
        return code if type(code) is _Code else None

    def save(self, armed: CodeType) -> bool:
        """Keep the code, if caches may be written; False where that was not done, and no more than
        that happens. It must have passed the gate."""
        if sys.dont_write_bytecode or self._is_noisy:
            return False
        try:
            key = self._cache.make_key()
            if key is None:
                return False
            silent = self._is_silent()
            content = self._header(key) + dumps(armed if silent else None)
            if len(content) > _LARGEST:
                return False
            place = _place(key, self._name)
            os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
            armedcache.write(place, key.sign(content, self._name) + content, 0o600)
        except Exception:
            return False
        return silent

    def _header(self, key: Key) -> bytes:
        return self._cache.start + key.sign(self._source)

    def _is_silent(self) -> bool:
        """Whether the compiler has no warning to give, whatever is filtered in this process."""
        import warnings

        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            compile(self._source, self._path, "exec", dont_inherit=True)
        return not given


def _settings() -> tuple[object, ...]:
    """What the compiler makes a script's code from, beside its source: the interpreter's version,
    ``-O``, how long a number may be, and whether columns are kept (``Python/initconfig.c``)."""
    named = not sys.flags.ignore_environment and os.environ.get("PYTHONNODEBUGRANGES")
    columns = not (named or "no_debug_ranges" in sys._xoptions)
    return MAGIC_NUMBER, sys.flags.optimize, sys.get_int_max_str_digits(), columns


def _place(key: Key, name: bytes) -> str:
    number = int.from_bytes(key.sign(name), "little") % PLACES
    return os.path.join(cachekey.folder() or "", FOLDER, f"{number:03x}.pyc")
