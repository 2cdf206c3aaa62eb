"""The name of a callable that is not the program's own: ``len``, ``str.join``, ``math.sqrt``."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, MethodDescriptorType, ModuleType

from codesuture.diagnosis.lookup import python_function

_name_of = type.__dict__["__name__"].__get__
_module_of = type.__dict__["__module__"].__get__


def callable_name(called: object) -> str:
    """The name without ``builtins.``; ``""`` for the program's own functions and classes."""
    kind = type(called)
    function = python_function(called)
    if function is not None:
        return _in_library(function.__module__, function.__qualname__)
    if kind is type:
        return _in_library(_module_of(called), _name_of(called))
    if kind is MethodDescriptorType:
        return f"{_name_of(called.__objclass__)}.{called.__name__}"  # type: ignore[attr-defined]
    if kind is not BuiltinFunctionType:
        return ""
    owner = called.__self__  # type: ignore[attr-defined]
    if owner is None or type(owner) is ModuleType:
        return _in_library(called.__module__, called.__name__)  # type: ignore[attr-defined]
    owner = owner if type(owner) is type else type(owner)
    return f"{_name_of(owner)}.{called.__name__}"  # type: ignore[attr-defined]


def _in_library(module: object, name: str) -> str:
    if module == "builtins":
        return name
    if type(module) is not str or module.partition(".")[0] not in sys.stdlib_module_names:
        return ""
    return f"{_PUBLIC.get(module, module)}.{name}"


#: Modules whose functions people know under another name.
_PUBLIC = {"ntpath": "posixpath", "_io": "io", "pathlib._local": "pathlib"}
