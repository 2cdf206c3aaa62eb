"""Attributes and items of live objects, found without running the program's code.

Only what plain data says is found: properties, ``__getattr__``, custom ``__getattribute__`` and
descriptors that nobody knows are never called; the answer is then ``MISSING``.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeGuard


class Missing:
    """The type of ``MISSING``: what could not be found safely."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()

#: Exact types whose attributes can be read by ``getattr``: nobody can have overridden anything.
PLAIN_TYPES: frozenset[type] = frozenset({
    type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set,
    frozenset, range, slice, BuiltinFunctionType, OrderedDict, defaultdict,
})  # fmt: skip
#: Types whose own ``__getattribute__`` is the ordinary one (Objects/object.c, GenericGetAttr).
_ORDINARY_LOOKUP: frozenset[type] = frozenset({
    object, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset,
    BaseException, Exception, OSError, OrderedDict, defaultdict,
})  # fmt: skip
#: Types whose getset descriptors only read memory.
_BUILTIN_OWNERS: frozenset[type] = _ORDINARY_LOOKUP | {type, FunctionType}
_MAPPINGS: frozenset[type] = frozenset({dict, OrderedDict, defaultdict})
_SEQUENCES: frozenset[type] = frozenset({list, tuple, str, bytes, bytearray, range})
_SCALARS: frozenset[type] = frozenset({type(None), bool, int, float, complex, str, bytes})

# Read the C attributes themselves: a metaclass or a class may define these names anew.
_mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_namespace_of: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
_module_namespace: Callable[[object], dict[str, Any]] = vars(ModuleType)["__dict__"].__get__


def type_lookup(kind: type, name: str) -> Any:
    """What the type or its bases have under ``name``, as it stands in their namespace."""
    for base in _mro_of(kind):
        namespace = _namespace_of(base)
        if name in namespace:
            return namespace[name]
    return MISSING


def instance_namespace(instance: object) -> dict[str, Any] | None:
    """The instance's own ``__dict__``, or None when it has none that is plain."""
    for base in _mro_of(type(instance)):
        found = _namespace_of(base).get("__dict__")
        if found is not None:
            # A class may define a ``__dict__`` of its own: only the interpreter's is read.
            # Its owner is the class, on 3.15 ``object``.
            if type(found) is not GetSetDescriptorType or found.__objclass__ not in (base, object):
                return None
            namespace = found.__get__(instance)
            return namespace if type(namespace) is dict else None
    return None


def attribute(instance: object, name: str) -> Any:
    """The value of ``instance.name`` as plain data tells it, or ``MISSING``."""
    kind = type(instance)
    if kind in PLAIN_TYPES:
        return getattr(instance, name, MISSING)
    if kind is ModuleType:
        return _module_namespace(instance).get(name, MISSING)
    if is_class(instance):
        return _class_attribute(instance, name)
    if kind is MethodType or kind is FunctionType:
        return _function_attribute(instance, name)
    return _instance_attribute(instance, name)


def is_class(value: object) -> TypeGuard[type]:
    """Whether the value is a class, asked of its type and not of its ``__class__``."""
    return type in _mro_of(type(value))


def has_ordinary_lookup(kind: type) -> bool:
    """Whether reading an attribute of an instance is the interpreter's own business."""
    for base in _mro_of(kind):
        if "__getattribute__" in _namespace_of(base):
            return base in _ORDINARY_LOOKUP
    return False


def _instance_attribute(instance: object, name: str) -> Any:
    kind = type(instance)
    if not has_ordinary_lookup(kind):
        return MISSING
    found = type_lookup(kind, name)
    if found is not MISSING and _is_data_descriptor(found):
        return _read_slot(found, instance)
    namespace = instance_namespace(instance)
    if namespace is not None and name in namespace:
        return namespace[name]
    return _bind(found, instance, kind)


def _class_attribute(owner: type, name: str) -> Any:
    metaclass = type(owner)
    if type_lookup(metaclass, "__getattribute__") is not type.__dict__["__getattribute__"]:
        return MISSING
    found = type_lookup(metaclass, name)
    if found is not MISSING and _is_data_descriptor(found):
        return _read_slot(found, owner)
    own = type_lookup(owner, name)
    if own is not MISSING:
        return _bind(own, None, owner)
    return _bind(found, owner, metaclass)


def _function_attribute(function: object, name: str) -> Any:
    if name in ("__name__", "__qualname__", "__module__", "__self__", "__func__"):
        return getattr(function, name, MISSING)
    return MISSING


def _is_data_descriptor(found: object) -> bool:
    kind = type(found)
    return (
        type_lookup(kind, "__set__") is not MISSING
        or type_lookup(kind, "__delete__") is not MISSING
    )


def _read_slot(descriptor: Any, instance: object) -> Any:
    """What a slot, or a builtin type's attribute, holds."""
    kind = type(descriptor)
    builtin = kind is GetSetDescriptorType and descriptor.__objclass__ in _BUILTIN_OWNERS
    if kind is MemberDescriptorType or builtin:
        try:
            return descriptor.__get__(instance, type(instance))
        except (AttributeError, TypeError):
            return MISSING
    return MISSING


def _bind(found: Any, instance: object, owner: type) -> Any:
    """What a value of a class's namespace becomes when it is read.

    ``instance`` is None when it is read off the class itself.
    """
    kind = type(found)
    if found is MISSING:
        return MISSING
    if kind is FunctionType:
        return found if instance is None else MethodType(found, instance)
    if kind is staticmethod:
        return found.__func__
    if kind is classmethod:
        function = found.__func__
        return MethodType(function, owner) if type(function) is FunctionType else MISSING
    if kind in (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType):
        return found.__get__(instance, owner)
    if kind in PLAIN_TYPES or type_lookup(kind, "__get__") is MISSING:
        return found
    return MISSING


def python_function(called: object) -> FunctionType | None:
    """The Python function that is called, or that a bound method binds; None for the rest."""
    if type(called) is MethodType:
        called = called.__func__
    return called if type(called) is FunctionType else None


def item(container: Any, key: Any) -> Any:
    """The value of ``container[key]`` for plain containers and keys, or ``MISSING``."""
    kind = type(container)
    if kind in _MAPPINGS:
        return dict.get(container, key, MISSING) if is_plain_key(key) else MISSING
    if kind in _SEQUENCES and type(key) in (int, bool):
        return container[key] if -len(container) <= key < len(container) else MISSING
    return MISSING


def is_plain_key(key: object) -> bool:
    """Whether hashing and comparing the key runs nobody's code."""
    if type(key) is tuple:
        return all(type(part) in _SCALARS for part in key)
    return type(key) in _SCALARS
