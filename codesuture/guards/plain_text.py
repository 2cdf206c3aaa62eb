"""Values as text, where no user code is needed to say it."""

from __future__ import annotations

from types import WrapperDescriptorType

from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.exact import is_exactly

_SCALARS = (int, float, complex, bool, type(None), str, bytes)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_MOST_ITEMS = 100
_MOST_TEXT = 10_000
#: Standard library types whose ``__str__`` is Python code that can be trusted.
_TRUSTED = frozenset({"UUID", "Fraction", "PosixPath", "WindowsPath", "PurePosixPath", "Decimal"})
_TRUSTED_MODULES = frozenset({"uuid", "fractions", "pathlib", "decimal"})


def plain_text(value: object) -> str:
    """``str(value)`` for what to say it takes no user code; "" for None and for what does.

    Bytes are decoded, which is what is meant where they meet text.
    """
    kind = type(value)
    if value is None:
        return ""
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is bytes:
        return value.decode("utf-8", "replace")  # type: ignore[attr-defined, no-any-return]
    try:
        for base in (str, int, float):
            if issubclass(kind, base) and kind is not bool:
                return base.__str__(value) if base is str else base.__repr__(value)
        return str(value) if _is_plain(value, 3) else ""
    except Exception:  # an integer of more digits than str allows
        return ""


def shown(value: object) -> str:
    """As ``plain_text``, but None is "None", as in an f-string."""
    return "None" if value is None else plain_text(value)


def field_text(value: object, specification: object) -> str:
    """The value as plain text, with the width and alignment asked for where text can have them."""
    if value is MISSING:
        return ""
    text = shown(value)
    if type(specification) is not str:
        return text
    try:
        return format(text, specification)
    except ValueError:
        return text


def _is_plain(value: object, depth: int) -> bool:
    kind = type(value)
    if is_exactly(value, _SCALARS):
        return (kind is not str and kind is not bytes) or len(value) <= _MOST_TEXT  # type: ignore[arg-type]
    if is_exactly(value, _CONTAINERS):
        return depth > 0 and _items_are_plain(value, depth)
    if issubclass(kind, BaseException):
        arguments = BaseException.args.__get__(value)  # type: ignore[attr-defined]
        return _says_itself(kind) and all(is_exactly(item, _SCALARS) for item in arguments)
    module = type.__dict__["__module__"].__get__(kind)
    if type(module) is str and module in _TRUSTED_MODULES:
        return type.__dict__["__name__"].__get__(kind) in _TRUSTED
    return module == "datetime" and _says_itself(kind)


def _items_are_plain(value: object, depth: int) -> bool:
    if len(value) > _MOST_ITEMS:  # type: ignore[arg-type]
        return False
    items = list(value)  # type: ignore[call-overload]
    if type(value) is dict:
        items += value.values()
    return all(_is_plain(item, depth - 1) for item in items)


def _says_itself(kind: type) -> bool:
    """Whether C code makes the text of the type's objects."""
    for base in type.__dict__["__mro__"].__get__(kind):
        found = type.__dict__["__dict__"].__get__(base).get("__str__")
        if found is not None:
            return type(found) is WrapperDescriptorType
    return False
