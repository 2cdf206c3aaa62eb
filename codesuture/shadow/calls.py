"""What a call does with a followed value: write it out, put it away, or compute something from it.

Which function is called is found out without running the program's code; where that does not tell,
the method's name does.
"""

from __future__ import annotations

from types import BuiltinFunctionType, MethodDescriptorType, ModuleType

from codesuture.diagnosis.evaluate import evaluate
from codesuture.diagnosis.expression import Attribute, Call, Function
from codesuture.diagnosis.lookup import MISSING, python_function, type_lookup
from codesuture.diagnosis.names import callable_name
from codesuture.shadow.flow import carries
from codesuture.shadow.reached import CallUse, Reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

#: By method: what kind of place it writes to, if its object is of the classes below.
_WRITING: dict[str, str] = {
    **dict.fromkeys(
        ("write", "writelines", "write_text", "write_bytes", "writerow", "writerows",
         "writeheader", "writestr", "truncate"), "file",
    ),
    **dict.fromkeys(
        ("send", "sendall", "sendto", "sendmsg", "send_bytes", "sendmail", "send_message",
         "request", "putrequest", "putheader", "endheaders"), "socket",
    ),
    **dict.fromkeys(
        ("execute", "executemany", "executescript", "callproc", "exec_driver_sql"), "database",
    ),
}  # fmt: skip

#: Classes, by module and name, whose writing methods leave the process; a subclass counts too.
_PLACES: dict[str, frozenset[tuple[str, str]]] = {
    "file": frozenset({
        ("io", "IOBase"), ("_io", "_IOBase"), ("codecs", "StreamReaderWriter"),
        ("codecs", "StreamWriter"), ("tempfile", "_TemporaryFileWrapper"),
        ("tempfile", "SpooledTemporaryFile"), ("pathlib", "Path"), ("pathlib._local", "Path"),
        ("_csv", "writer"), ("_csv", "Writer"), ("csv", "DictWriter"), ("zipfile", "ZipFile"),
    }),
    "socket": frozenset({
        ("_socket", "socket"), ("socket", "socket"), ("_ssl", "_SSLSocket"),
        ("asyncio.streams", "StreamWriter"), ("asyncio.transports", "BaseTransport"),
        ("multiprocessing.connection", "_ConnectionBase"),
        ("http.client", "HTTPConnection"), ("smtplib", "SMTP"),
    }),
}  # fmt: skip
#: Files that are only memory: what is written into them is followed like a list's item.
_MEMORY = frozenset({("_io", "StringIO"), ("_io", "BytesIO")})
#: What tells a database's cursor, connection or session by (PEP 249; SQLAlchemy).
_OF_DATABASES = ("fetchone", "cursor", "commit", "rollback")

_CONTAINERS = frozenset({
    ("builtins", "list"), ("builtins", "set"), ("builtins", "dict"), ("builtins", "bytearray"),
    ("collections", "deque"), ("array", "array"),
})  # fmt: skip
_INTO = frozenset({
    "append", "appendleft", "add", "extend", "extendleft", "insert", "update", "setdefault",
    "write", "writelines", "__setitem__", "fromkeys", "push", "put",
})  # fmt: skip

#: Functions of the library that write, by name.
_WRITERS: dict[str, str] = {
    "print": "file", "posix.write": "file", "nt.write": "file", "posix.pwrite": "file",
    "json.dump": "file", "pickle.dump": "file", "_pickle.dump": "file", "marshal.dump": "file",
    "urllib.request.urlopen": "socket", "http.client.HTTPConnection.request": "socket",
}  # fmt: skip
#: Built-in functions whose answer says something about the value, and is not made of it.
_ABOUT = frozenset({
    "isinstance", "issubclass", "hasattr", "callable", "id", "type", "hash", "bool", "all", "any",
    "str.startswith", "str.endswith", "bytes.startswith", "bytes.endswith", "dict.get", "dict.pop",
    "list.index", "list.count", "list.remove", "set.discard", "set.remove", "open", "io.open",
    "time.sleep", "sys.exit", "sys.getsizeof",
})  # fmt: skip
#: Modules of the library whose Python functions compute something from their arguments.
_COMPUTING = frozenset({
    "_pydatetime", "_pydecimal", "base64", "bisect", "calendar", "colorsys", "copy", "datetime",
    "decimal", "enum", "fnmatch", "fractions", "functools", "genericpath", "heapq", "html",
    "ipaddress", "itertools", "json", "json.encoder", "json.decoder", "locale", "numbers",
    "operator", "pathlib", "pathlib._local", "posixpath", "ntpath", "pprint", "random", "re",
    "reprlib", "shlex", "statistics", "string", "textwrap", "unicodedata", "urllib.parse", "uuid",
})  # fmt: skip

_module_of = type.__dict__["__module__"].__get__
_name_of = type.__dict__["__name__"].__get__
_mro_of = type.__dict__["__mro__"].__get__


def use_of(made: Call, frame: FrameType, line: int) -> CallUse:
    """What the call, one of whose arguments holds the value, does with it."""
    function = made.function
    if carries(function):  # it, or a method of it, is called
        return CallUse(None, True)
    text = f"{function.text()}()"
    if type(function) is Function:
        if function.is_comprehension():
            return CallUse(None, True)
        return CallUse(Reach("argument", text, line), False)
    if isinstance(function, Attribute):
        found = _method_use(function, evaluate(function.object, frame), text, line)
        if found is not None:
            return found
    return _function_use(evaluate(function, frame), text, line)


def _method_use(function: Attribute, receiver: object, text: str, line: int) -> CallUse | None:
    """What a method does that is known by its name and its object; None for all others."""
    kind = _WRITING.get(function.name, "")
    if type(receiver) is ModuleType:
        return None
    if receiver is MISSING:
        if kind:
            return CallUse(Reach(kind, text, line), False)
        return CallUse(None, False, function.object) if function.name in _INTO else None
    classes = _classes_of(receiver)
    if function.name in _INTO and not classes.isdisjoint(_CONTAINERS | _MEMORY):
        return CallUse(None, False, function.object)
    if not kind:
        return None
    if kind == "database":
        is_one = any(type_lookup(type(receiver), n) is not MISSING for n in _OF_DATABASES)
        return CallUse(Reach(kind, text, line), False) if is_one else None
    for place, known in _PLACES.items():
        if not classes.isdisjoint(known):
            return CallUse(Reach(place, text, line), False)
    return None


def _function_use(called: object, text: str, line: int) -> CallUse:
    name = "" if called is MISSING else callable_name(called)
    if name in _WRITERS:
        return CallUse(Reach(_WRITERS[name], text, line), False)
    if name == "setattr":
        return CallUse(Reach("attribute", f"of another object, by {text}", line), False)
    if name in _ABOUT:
        return CallUse(None, False)
    if name and _only_computes(called):
        return CallUse(None, True)
    return CallUse(Reach("argument", text, line), False)


def _only_computes(called: object) -> bool:
    """Whether a callable of the library gives back what it makes of its arguments."""
    function = python_function(called)
    if function is not None:
        return function.__module__ in _COMPUTING
    if type(called) is type:
        # A class of C has no namespace of its own that a module's Python code has made.
        return _module_of(called) in _COMPUTING or not _is_of_python(called)
    return type(called) in (BuiltinFunctionType, MethodDescriptorType)


def _is_of_python(kind: type) -> bool:
    return type(type_lookup(kind, "__init__")).__name__ == "function"


def _classes_of(value: object) -> frozenset[tuple[str, str]]:
    """Module and name of the object's class and its bases."""
    places = [(_module_of(base), _name_of(base)) for base in _mro_of(type(value))]
    return frozenset((module, name) for module, name in places if type(module) is str)
