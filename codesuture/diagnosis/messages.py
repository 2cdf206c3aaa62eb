"""What the interpreter's own messages tell about the operands that are gone."""

from __future__ import annotations

import re

_PLAIN = (str, bytes, int, float, complex, bool, type(None))
_FILENAMES = ("filename", "filename2")

# Objects/abstract.c (binop_type_error, unary), Objects/object.c (rich comparison),
# Objects/unicodeobject.c, listobject.c, tupleobject.c, bytesobject.c (concatenation).
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"unsupported operand type\(s\) for .+: '(.+)' and '(.+)'",
        r"'.+' not supported between instances of '(.+)' and '(.+)'",
        r"bad operand type for unary .+: '(.+)'",
        r"bad operand type for \w+\(\): '(.+)'",
    )
)
_CONCATENATION = re.compile(r"can(?: only|'t|not) concatenate (\w+) (?:\(not \"(.+)\"\) )?to (\w+)")


def operator_types(exception: BaseException) -> tuple[str, ...]:
    """The operands' type names, left first, that a TypeError of an operator names; else ``()``.

    ``can only concatenate str (not "int") to str`` gives ``("str", "int")``: the left operand
    is the one that does the concatenating.
    """
    message = exception_text(exception)
    for pattern in _PATTERNS:
        found = pattern.match(message)
        if found:
            return found.groups()
    found = _CONCATENATION.match(message)
    if found:
        first, other, last = found.groups()
        # can only concatenate list (not "int") to list / can't concat int to bytes
        return (last, other) if other else (last, first)
    return _concat_bytes(message)


def _concat_bytes(message: str) -> tuple[str, ...]:
    found = re.match(r"can't concat (.+) to (.+)", message)
    return (found[2], found[1]) if found else ()


def exception_text(exception: BaseException) -> str:
    """What ``str(exception)`` gives where no code of the program's own makes it, else ``""``.

    A class may define ``__str__``, and its arguments may be any objects: only the interpreter's own
    ways and plain arguments are shown.
    """
    arguments = BaseException.__dict__["args"].__get__(exception)
    kind = type(exception)
    if issubclass(kind, OSError) and kind.__str__ is OSError.__str__:
        shown = (*arguments, *(vars(OSError)[name].__get__(exception) for name in _FILENAMES))
        if all(type(part) in _PLAIN for part in shown):
            return str(exception)
    if len(arguments) != 1 or type(arguments[0]) not in _PLAIN:
        return ", ".join([repr(part) for part in arguments if type(part) in _PLAIN])
    if kind is KeyError:
        return repr(arguments[0])
    return str(arguments[0])
