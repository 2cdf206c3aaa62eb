"""Looking at the program's objects without running any of its code.

Attributes are found the way ``object.__getattribute__`` finds them, except that properties,
``__getattr__`` and other Python code are never called: what they would give is MISSING.
"""

from __future__ import annotations

import sys
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
    from typing import Any

MISSING = object()

_dict_of_type = type.__dict__["__dict__"].__get__
_mro_of_type = type.__dict__["__mro__"].__get__
_module_dict = ModuleType.__dict__["__dict__"].__get__  # type: ignore[index]
_C_METHODS = (MethodDescriptorType, WrapperDescriptorType)


def is_class(value: object) -> bool:
    """Like ``isinstance(value, type)``, without asking ``value.__class__``."""
    return issubclass(type(value), type)


def mro(cls: type) -> tuple[type, ...]:
    """The classes that attributes of an instance are looked up in."""
    found: tuple[type, ...] = _mro_of_type(cls)
    return found


def namespace(cls: type) -> dict[str, object]:
    """What the class itself holds, as it is."""
    found: dict[str, object] = _dict_of_type(cls)
    return found


def loaded(module: str, name: str) -> object:
    """What a module of the standard library holds under a name, or MISSING while nobody uses it.

    Importing it here would show in the program, and take time at the first crash.
    """
    names = module_dict(sys.modules.get(module))
    return MISSING if names is None else names.get(name, MISSING)


def is_cancellation(kind: type[BaseException]) -> bool:
    """Whether it is ``asyncio.CancelledError``, or derived from it."""
    cancelled = loaded("asyncio.exceptions", "CancelledError")
    return is_class(cancelled) and cancelled in mro(kind)


def module_dict(module: object) -> dict[str, object] | None:
    """The names of a module, or None where that is not a plain module."""
    return _module_dict(module) if issubclass(type(module), ModuleType) else None


def class_entry(cls: type, name: str) -> object:
    """What the first class of the MRO that has ``name`` holds there, as it is; or MISSING."""
    for base in mro(cls):
        namespace = _dict_of_type(base)
        if name in namespace:
            return namespace[name]
    return MISSING


def defining_class(cls: type, name: str) -> type | None:
    """The first class of the MRO that has ``name``."""
    for base in mro(cls):
        if name in _dict_of_type(base):
            return base
    return None


def attribute(value: object, name: str) -> object:
    """``value.name`` where that runs no Python code, else MISSING."""
    cls = type(value)
    known = _plain.get((id(cls), name))
    if known is not None:
        _, entry, dict_of = known
        if getattr(cls, name, MISSING) is entry:
            namespace = dict_of(value)
            if type(namespace) is dict:
                found = namespace.get(name, MISSING)
                if found is MISSING:
                    return MethodType(entry, value) if type(entry) is FunctionType else entry
                return found
    if is_class(value):
        return _class_attribute(value, name)  # type: ignore[arg-type]
    if issubclass(cls, ModuleType):
        found = _module_dict(value).get(name, MISSING)
        return found if found is not MISSING else instance_attribute(value, name)
    return instance_attribute(value, name)


#: Attributes that are in the instance's dict, or else what the class has under the name: by the
#: address of the class, and the name. With the class, its entry, and what gives the dict. To ask
#: the class for one of these runs nothing of the program's and is quicker than looking through its
#: MRO; rules of boundaries do it at every crash.
_plain: dict[tuple[int, str], tuple[type, Any, Any]] = {}
_MOST_PLAIN = 2_000

#: Kinds of entries that the class itself gives as they are, and that are bound by no ``__get__``
#: of the program's.
_KEPT = frozenset({FunctionType, type(None), bool, int, str, tuple, dict, list})


def _remember_plain(cls: type, name: str, entry: object, dict_of: Any) -> None:
    if type(cls) is not type or dict_of is None or issubclass(cls, ModuleType):
        return
    if entry is not MISSING and type(entry) not in _KEPT:
        return
    if getattr(cls, name, MISSING) is entry:
        if len(_plain) >= _MOST_PLAIN:
            _plain.clear()
        _plain[id(cls), name] = cls, entry, dict_of


def _class_attribute(cls: type, name: str) -> object:
    meta = type(cls)
    if meta is not type and class_entry(meta, "__getattribute__") is not type.__getattribute__:
        return MISSING
    entry = class_entry(cls, name)
    if entry is MISSING:
        own = class_entry(meta, name)
        return MethodType(own, cls) if type(own) is FunctionType else MISSING
    return bind_to_class(entry, cls)


def bind_to_class(entry: object, cls: type) -> object:
    """What a class's entry gives when it is looked up through the class itself."""
    if type(entry) is staticmethod:
        return entry.__func__
    if type(entry) is classmethod:
        return _bound(entry.__func__, cls)
    if type(entry) is ClassMethodDescriptorType:
        return entry.__get__(None, cls)
    if type(entry) is FunctionType or type(entry) in _C_METHODS:
        return entry
    return MISSING if class_entry(type(entry), "__get__") is not MISSING else entry


def instance_attribute(value: object, name: str) -> object:
    """``value.name`` for an object that is neither a class nor a module."""
    cls = type(value)
    _, is_plain, dict_of = _layout_of(cls)
    if not is_plain:
        return MISSING
    entry = class_entry(cls, name)
    kind = type(entry)
    if kind is MemberDescriptorType or kind is GetSetDescriptorType:
        try:
            return entry.__get__(value)  # type: ignore[attr-defined]
        except Exception:
            return MISSING
    if entry is not MISSING and class_entry(kind, "__set__") is not MISSING:
        return MISSING
    _remember_plain(cls, name, entry, dict_of)
    namespace = _read_dict(dict_of, value)
    if namespace is not None and name in namespace:
        return namespace[name]
    return MISSING if entry is MISSING else bind(entry, value, cls)


def dict_reader(cls: type) -> Any:
    """What gives the dict of an instance of the class without running code of it, or None."""
    return _layout_of(cls)[2]


def instance_dict(value: object) -> dict[str, object] | None:
    """The instance's own attributes, or None where it has none that can be read safely."""
    return _read_dict(_layout_of(type(value))[2], value)


def _read_dict(dict_of: Any, value: object) -> dict[str, object] | None:
    if dict_of is None:
        return None
    try:
        found = dict_of(value)
    except Exception:
        return None
    return found if type(found) is dict else None


#: By the address of a class, and with it: whether its attributes are found by C code, and what
#: gives its instances' dict. Found once: classes do not change in this, and rules of boundaries are
#: asked at every crash. (A class may have a hash of its own, which is the program's code.)
_layouts: dict[int, tuple[type, bool, Any]] = {}
_MOST_LAYOUTS = 1_000


def _layout_of(cls: type) -> tuple[type, bool, Any]:
    found = _layouts.get(id(cls))
    if found is None:
        if len(_layouts) >= _MOST_LAYOUTS:
            _layouts.clear()
        is_plain = type(class_entry(cls, "__getattribute__")) is WrapperDescriptorType
        slot = class_entry(cls, "__dict__")
        dict_of = slot.__get__ if type(slot) is GetSetDescriptorType else None
        found = _layouts[id(cls)] = cls, is_plain, dict_of
    return found


def bind(entry: object, value: object, cls: type) -> object:
    """What a class's entry gives when it is looked up through the instance ``value``."""
    kind = type(entry)
    if kind is FunctionType:
        return _bound(entry, value)
    if kind is staticmethod:
        return entry.__func__  # type: ignore[attr-defined]
    if kind is classmethod:
        return _bound(entry.__func__, cls)  # type: ignore[attr-defined]
    if kind in _C_METHODS:
        return entry.__get__(value, cls)  # type: ignore[attr-defined]
    return MISSING if class_entry(kind, "__get__") is not MISSING else entry


def bind_unseen(entry: object, value: object, cls: type) -> object:
    """Like :func:`bind` for an instance of which only the class is known: ``value``."""
    if type(entry) in _C_METHODS:
        return entry
    return MISSING if entry is MISSING else bind(entry, value, cls)


def above(start: type, value: object, name: str) -> object:
    """``super(start, value).name`` where that runs no Python code, else MISSING."""
    by_class = is_class(value) and start in mro(value)  # type: ignore[arg-type]
    cls: type = value if by_class else type(value)  # type: ignore[assignment]
    classes = mro(cls)
    if start not in classes:
        return MISSING
    for base in classes[classes.index(start) + 1 :]:
        entry = namespace(base).get(name, MISSING)
        if entry is not MISSING:
            return bind_to_class(entry, cls) if by_class else bind(entry, value, cls)
    return MISSING


def _bound(function: object, value: object) -> object:
    return MethodType(function, value) if type(function) is FunctionType else MISSING


def item(value: object, key: object) -> object:
    """``value[key]`` for built-in containers and keys of built-in types, else MISSING."""
    if type(key) not in (str, int, bool, bytes, type(None), float):
        return MISSING
    try:
        if type(value) is dict:
            return value.get(key, MISSING)
        if type(value) in (list, tuple) and type(key) is int:
            return value[key]  # type: ignore[index]
    except Exception:
        return MISSING
    return MISSING


def place(value: object) -> str:
    """``module.qualname`` of a built-in function, method, class or Python function; or ""."""
    if is_class(value):
        return f"{_type_text(value, '__module__')}.{_type_text(value, '__qualname__')}"
    kind = type(value)
    if kind is FunctionType:
        return f"{value.__module__}.{value.__qualname__}"  # type: ignore[attr-defined]
    if kind is MethodType:
        return place(value.__func__)  # type: ignore[attr-defined]
    if kind is BuiltinFunctionType:
        owner = value.__self__  # type: ignore[attr-defined]
        if owner is None or type(owner) is ModuleType:
            return f"{value.__module__}.{value.__name__}"  # type: ignore[attr-defined]
        cls = owner if is_class(owner) else type(owner)
        owning = defining_class(cls, value.__name__) or cls  # type: ignore[attr-defined]
        return f"{place(owning)}.{value.__name__}"  # type: ignore[attr-defined]
    if kind in (*_C_METHODS, ClassMethodDescriptorType):
        return f"{place(value.__objclass__)}.{value.__name__}"  # type: ignore[attr-defined]
    return ""


def is_library(value: object) -> bool:
    """Whether a class or function belongs to the standard library, by the name of its module."""
    module = value.__module__ if type(value) is FunctionType else _type_text(value, "__module__")
    top = module.partition(".")[0] if type(module) is str else ""
    return top in sys.stdlib_module_names


def _type_text(cls: object, name: str) -> str:
    """``__module__`` or ``__qualname__`` of a class, past any metaclass property."""
    try:
        text = type.__dict__[name].__get__(cls)
    except Exception:
        return "?"
    return text if type(text) is str else "?"
