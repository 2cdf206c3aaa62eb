"""Armed code of scripts on disk, so that a script that runs again is neither compiled nor armed.

Plain Python compiles a script in every process and writes nothing beside it. Nor does codesuture:
the code is ``kept`` beside the user's key, so who lists the script's folder sees what was there
before. It is kept for the script's path, by which code knows its file, and for what else the
interpreter's compiler looks at (``_settings``). The header says what arms, and which source was
compiled: a script that is saved twice in a second must run as it is, so its content is compared,
not its date.

Warnings of the compiler are shown in every run, as the filters of that run say. So code of which it
has any to give is not kept; what is kept then is that there is none.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER

from codesuture import kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.armedcache import ArmedCache
    from codesuture.cachekey import Key

KIND = "scripts"
_Code = type((lambda: None).__code__)


class Entry:
    """What is kept of one script."""

    __slots__ = ("_cache", "_is_noisy", "_name", "_path", "_source")

    def __init__(self, cache: ArmedCache, source: bytes, path: str) -> None:
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
            code = kept.load(key, KIND, self._name, self._header(key))
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
            kept.save(key, KIND, self._name, self._header(key), armed if silent else None)
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
