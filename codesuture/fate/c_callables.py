"""What C callables do with an exception that Python code, called by them, raises.

Nearly all let it pass; what they swallow is listed here. The source of each row is the CPython file
that is named with it.
"""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, MethodDescriptorType

from codesuture.fate import lookup
from codesuture.fate.lookup import place
from codesuture.surgery.opcodes import PYTHON

#: Everything passes, except the answers of the iteration protocol.
TRANSPARENT = "transparent"
#: An AttributeError from an attribute's code is taken for a missing attribute.
PROBES = "probes"
#: Gets an attribute like ``object.name`` does.
GETS = "gets"
#: Calls what it holds, nothing else: look at that instead.
FORWARDS = "forwards"
#: Takes a TypeError of ``__len__`` and ``__length_hint__`` for "no hint".
HINTS = "hints"
#: Passes ``__len__``'s TypeError on, as that is what it was asked for.
MEASURES = "measures"
#: Whatever is raised is reported by the interpreter and dropped.
UNRAISABLE = "unraisable"
#: Another exception is raised instead.
REPLACES = "replaces"
#: Nothing can be said.
OPAQUE = "opaque"

#: Modules written in C whose functions and types are transparent where no row says otherwise.
_TRANSPARENT_MODULES = frozenset({
    "_ast", "_bisect", "_codecs", "_collections", "_contextvars", "_csv", "_datetime",
    "_elementtree", "_functools", "_heapq", "_io", "_json", "_operator", "_random", "_signal",
    "_sre",
    "_statistics", "_thread", "array", "builtins", "cmath", "collections", "datetime", "functools",
    "itertools", "math", "operator", "posix", "pyexpat", "re", "signal", "time", "types",
    "xml.etree.ElementTree",
    "_abc", "_imp", "_asyncio", "select", "_warnings", "_weakref", "sys", "marshal", "zlib",
    "contextvars", "io", "_typing", "_queue", "unicodedata", "nt", "faulthandler", "errno",
})  # fmt: skip

_ROWS: dict[str, str] = {
    # Python/bltinmodule.c
    "builtins.hasattr": PROBES,
    "builtins.getattr": GETS,
    "builtins.vars": PROBES,
    "builtins.isinstance": PROBES,  # Objects/abstract.c: __class__ by an optional lookup
    "builtins.issubclass": PROBES,  # Objects/abstract.c: __bases__
    "builtins.__build_class__": PROBES,  # __mro_entries__
    "builtins.type": PROBES,
    # Objects/dictobject.c: keys
    "builtins.dict": PROBES,
    "builtins.dict.__init__": PROBES,
    "builtins.dict.update": PROBES,
    "builtins.object.__reduce_ex__": PROBES,
    "builtins.len": MEASURES,
    "builtins.bool": MEASURES,
    "builtins.reversed": MEASURES,
    "builtins.filter": MEASURES,
    "builtins.any": MEASURES,
    "builtins.all": MEASURES,
    # Objects/listobject.c, Objects/abstract.c: PyObject_LengthHint
    "builtins.list": HINTS,
    "builtins.sorted": HINTS,
    "builtins.list.extend": HINTS,
    "builtins.list.__init__": HINTS,
    "builtins.str.join": HINTS,
    "builtins.bytes": HINTS,
    "builtins.bytearray": HINTS,
    "_operator.length_hint": HINTS,
    "_collections.deque.extend": TRANSPARENT,
    # Modules/_operator.c
    "operator.attrgetter": GETS,
    "_operator.attrgetter": GETS,
    # Modules/_functoolsmodule.c
    "functools.partial": FORWARDS,
    "functools._lru_cache_wrapper": FORWARDS,
    # Modules/gcmodule.c (Python/gc.c): finalizers, weakref callbacks, gc.callbacks
    "gc.collect": UNRAISABLE,
    # Modules/atexitmodule.c
    "atexit._run_exitfuncs": UNRAISABLE,
    "_csv.reader": PROBES,
    "_csv.writer": PROBES,
    # Modules/_asyncio.c: a task keeps its exception
    "_asyncio.Task": OPAQUE,
    "_asyncio.Future.set_result": OPAQUE,
    # Modules/_sqlite/connection.c: user functions give OperationalError
    "sqlite3.Connection.execute": OPAQUE,
    "sqlite3.Cursor.execute": OPAQUE,
    # Modules/_pickle.c looks for __reduce_ex__, __getstate__, … by optional lookups
    "_pickle.dumps": PROBES,
    "_pickle.dump": PROBES,
    "_pickle.Pickler.dump": PROBES,
    "_pickle.loads": PROBES,
    "_pickle.load": PROBES,
    "_pickle.Unpickler.load": PROBES,
}

#: 3.11 turns what __set_name__ raises into a RuntimeError; later versions add a note to it
#: (Objects/typeobject.c, type_new_set_names).
SET_NAME_REPLACES = PYTHON < (3, 12)

#: Until 3.14 merging a mapping turned AttributeError, and for ``**`` KeyError, into a
#: TypeError (Python/ceval.c, _PyEval_FormatKwargsError).
MERGE_REPLACES = PYTHON < (3, 15)


def conduct_of(function: object) -> tuple[str | None, str]:
    """The conduct of a C callable and its name; None where nothing is known about it."""
    if lookup.is_class(function):
        return conduct_of_instance(function)  # type: ignore[arg-type]
    if type(function) in (BuiltinFunctionType, MethodDescriptorType) or place(function):
        name = place(function)
    else:
        return conduct_of_instance(type(function))
    return _by_name(name), name


def conduct_of_instance(cls: type) -> tuple[str | None, str]:
    """The conduct of a class, or of calling its instances: of the first base that is known."""
    for base in lookup.mro(cls):
        name = place(base)
        if name in ("_ctypes.CFuncPtr", "_ctypes.PyCFuncPtr"):
            return UNRAISABLE, name  # Modules/_ctypes/callbacks.c
        if base is not object and base is not type:
            conduct = _by_name(name)
            if conduct is not None:
                return conduct, name
    return (TRANSPARENT if cls is type else None), place(cls)


def _by_name(name: str) -> str | None:
    row = _ROWS.get(name)
    if row is not None:
        return row
    parts = name.rsplit(".", 2)
    for end in (len(parts) - 1, len(parts) - 2):
        if end > 0 and ".".join(parts[:end]) in _TRANSPARENT_MODULES:
            return TRANSPARENT
    return None


def is_foreign(name: str) -> bool:
    """Whether a C callable comes from outside of the standard library."""
    top = name.partition(".")[0]
    return top not in sys.stdlib_module_names and top != "builtins"
