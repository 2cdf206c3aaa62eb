"""Which function was called: a name for C functions, types and methods, certain or none at all."""

from __future__ import annotations

import sys
from functools import partial
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)

from codesuture.diagnosis.evaluate import is_text
from codesuture.diagnosis.expression import Attribute, Call, Collection
from codesuture.diagnosis.lookup import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash
    from codesuture.diagnosis.expression import Expression

#: Types whose names differ between versions or are not where people import them from.
_ALIASES = {
    "_io.open": "open",
    "io.open": "open",
    "pathlib._local.": "pathlib.",
    "pathlib._abc.PathBase.": "pathlib.Path.",
    "_operator.": "operator.",
    "_heapq.": "heapq.",
    "_functools.": "functools.",
    "_io.": "io.",
    "posix.": "os.",
    "nt.": "os.",
    "math.integer.": "math.",
    "_bisect.": "bisect.",
    "_struct.": "struct.",
}


def callee(crash: Crash) -> str:
    """The name of what was called at the crash: ``len``, ``list.remove``, ``math.sqrt``.

    ``?.remove`` where only the method's name is known; "" where nothing is.
    """
    called = crash.called
    if called is not MISSING:
        return name_of(called)
    function = crash.operands[0] if crash.operands else None
    if isinstance(function, Attribute):
        return f"{type_of(crash, function.object) or '?'}.{function.name}"
    if isinstance(function, Call):  # operator.itemgetter("id")(row)
        made = name_of(crash.evaluate(function.function))
        return made if made in _CALLABLE_OBJECTS else ""
    return ""


def type_of(crash: Crash, expression: Expression) -> str:
    """The name of the expression's built-in type; "" where it is not certain or user-defined."""
    value = crash.evaluate(expression)
    if value is not MISSING:
        return type_name(type(value)) if is_c_type(type(value)) else ""
    if is_text(expression):
        return "str"
    if isinstance(expression, Collection):
        return expression.kind if expression.kind in _DISPLAYS else ""
    if isinstance(expression, Call):
        function = crash.evaluate(expression.function)
        name = name_of(function)
        if name in _GIVES:
            return _GIVES[name]
        is_type = type(function) is type and is_c_type(function)
        return name if is_type and name != "type" else ""
    return ""


_DISPLAYS = frozenset({"list", "tuple", "set", "dict"})
#: What some functions give, whatever they are given.
_GIVES = {"sorted": "list", "input": "str", "repr": "str", "len": "int", "re.compile": "re.Pattern"}
#: C types whose instances are called, and crash as functions do.
_CALLABLE_OBJECTS = frozenset({"operator.itemgetter", "operator.attrgetter"})


def name_of(called: object) -> str:
    """The name of a callable without asking user code: "" for what is not known by name.

    Methods are named after the built-in type that defines them, also for its subclasses.
    """
    kind = type(called)
    if kind is partial:
        return name_of(called.func)  # type: ignore[attr-defined]
    if kind is MethodType:
        return name_of(called.__func__)  # type: ignore[attr-defined]
    if kind is FunctionType:
        return _function_name(called)  # type: ignore[arg-type]
    if kind is BuiltinFunctionType:
        return _builtin_name(called)  # type: ignore[arg-type]
    if kind is MethodDescriptorType or kind is WrapperDescriptorType:
        return _public(f"{type_name(called.__objclass__)}.{called.__name__}")  # type: ignore[attr-defined]
    if issubclass(kind, type):
        return type_name(called)  # type: ignore[arg-type]
    name = type_name(kind)
    return name if name in _CALLABLE_OBJECTS else ""


#: Py_TPFLAGS_IMMUTABLETYPE (Include/object.h): types that C code defines.
_IMMUTABLE = 1 << 8


def is_c_type(kind: type) -> bool:
    """Whether C code defines the type."""
    flags: int = type.__dict__["__flags__"].__get__(kind)
    return bool(flags & _IMMUTABLE)


def type_name(kind: type) -> str:
    """``int``, ``decimal.Decimal``; "" for a type that its module does not know by this name."""
    name = type.__dict__["__name__"].__get__(kind)
    module = type.__dict__["__module__"].__get__(kind)
    if type(module) is not str:
        return ""
    found = sys.modules.get(module)
    if type(found) is ModuleType and found.__dict__.get(name) is not kind:
        return ""
    return _public(f"{module}.{name}")


def _builtin_name(called: BuiltinFunctionType) -> str:
    owner = called.__self__
    if type(owner) is ModuleType or owner is None:
        return _public(f"{called.__module__}.{called.__name__}")
    mro = type.__dict__["__mro__"].__get__(owner if issubclass(type(owner), type) else type(owner))
    for kind in mro:
        if called.__name__ in type.__dict__["__dict__"].__get__(kind):
            return _public(f"{type_name(kind)}.{called.__name__}") if type_name(kind) else ""
    return ""


def _function_name(called: FunctionType) -> str:
    """A function of the standard library that is known under this name; user code has none."""
    module = called.__module__
    if type(module) is not str or module.partition(".")[0] not in sys.stdlib_module_names:
        return ""
    return _public(f"{module}.{called.__qualname__}")


def _public(name: str) -> str:
    name = name.removeprefix("builtins.")
    if name in _ALIASES:
        return _ALIASES[name]
    for private, public in _ALIASES.items():
        if private.endswith(".") and name.startswith(private):
            return public + name[len(private) :]
    return name


def method_name(name: str) -> str:
    """``remove`` of ``list.remove`` and of ``?.remove``; "" for what is not a method."""
    return name.rpartition(".")[2]
