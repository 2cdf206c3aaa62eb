"""The value of an expression in a live frame, found without running the program's code."""

from __future__ import annotations

import sys

from codesuture.diagnosis.expression import (
    Attribute,
    Binary,
    Call,
    Collection,
    Constant,
    Expression,
    Formatted,
    Free,
    Global,
    Local,
    Name,
    Subscript,
    Unary,
)
from codesuture.diagnosis.lookup import MISSING, attribute, item
from codesuture.frames import local_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_NUMBERS = (int, float, bool)
_MAX_NUMBER = 1 << 64
_MAX_TUPLE = 20
_LOCALS: tuple[type, ...] = (dict, (lambda: type(sys._getframe().f_locals))())
_SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset, range)


def evaluate(expression: Expression, frame: FrameType) -> Any:
    """What the expression is worth now, or ``MISSING`` when only running code could tell.

    Variables, constants, attributes and items of plain data, and small arithmetic on exact
    numbers. Methods are bound; no user code is called.
    """
    kind = type(expression)
    if kind is Constant:
        return expression.value  # type: ignore[attr-defined]
    if kind in (Local, Free, Name, Global):
        return variable(expression.name, frame, kind)  # type: ignore[attr-defined]
    if isinstance(expression, Attribute):
        owner = evaluate(expression.object, frame)
        return MISSING if owner is MISSING else attribute(owner, expression.name)
    if isinstance(expression, Subscript):
        container = evaluate(expression.object, frame)
        key = MISSING if container is MISSING else evaluate(expression.key, frame)
        return MISSING if key is MISSING else item(container, key)
    if isinstance(expression, Unary):
        return _unary(expression, frame)
    if isinstance(expression, Binary):
        return _binary(expression, frame)
    if isinstance(expression, Collection):
        return _tuple(expression, frame)
    if isinstance(expression, Call):
        return _call(expression, frame)
    return MISSING


def variable(name: str, frame: FrameType, kind: type = Name) -> Any:
    """The variable's value as the frame sees it, or ``MISSING``."""
    if kind is not Global:
        # A dict, or on 3.13+ the interpreter's proxy of a function's locals (PEP 667); a class
        # body can have any mapping there.
        places = local_variables(frame)
        if type(places) in _LOCALS:
            if name in places:
                return places[name]
        elif kind is Name:
            return MISSING
        if kind is not Name:
            return MISSING
    for namespace in (frame.f_globals, frame.f_builtins):
        if type(namespace) is not dict:
            return MISSING
        if name in namespace:
            return namespace[name]
    return MISSING


def _unary(expression: Unary, frame: FrameType) -> Any:
    value = evaluate(expression.operand, frame)
    if type(value) not in _NUMBERS:
        return MISSING
    if expression.sign == "-":
        return -value
    return +value if expression.sign == "+" else MISSING


def _binary(expression: Binary, frame: FrameType) -> Any:
    left = evaluate(expression.left, frame)
    if type(left) not in _NUMBERS or abs(left) > _MAX_NUMBER:
        return MISSING
    right = evaluate(expression.right, frame)
    if type(right) not in _NUMBERS or abs(right) > _MAX_NUMBER:
        return MISSING
    sign = expression.operator
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if right and sign == "//":
        return left // right
    if right and sign == "%":
        return left % right
    return MISSING


def _tuple(expression: Collection, frame: FrameType) -> Any:
    if expression.kind != "tuple" or len(expression.items) > _MAX_TUPLE:
        return MISSING
    values = tuple([evaluate(part, frame) for part in expression.items])
    return MISSING if any(value is MISSING for value in values) else values


def _call(expression: Call, frame: FrameType) -> Any:
    """``len`` of a plain container, the one call that is answered."""
    if len(expression.arguments) != 1 or expression.keywords:
        return MISSING
    if evaluate(expression.function, frame) is not len:
        return MISSING
    value = evaluate(expression.arguments[0], frame)
    return len(value) if type(value) in _SIZED else MISSING


def is_text(expression: Expression) -> bool:
    """Whether the expression is a str whatever the frame holds."""
    kind = type(expression)
    if kind is Constant:
        return type(expression.value) is str  # type: ignore[attr-defined]
    if isinstance(expression, Binary) and expression.operator in ("+", "%"):
        return is_text(expression.left)
    if isinstance(expression, Call) and isinstance(expression.function, Attribute):
        return expression.function.name in TEXT_TO_TEXT and is_text(expression.function.object)
    fstring = isinstance(expression, Collection) and expression.kind == "fstring"
    return fstring or kind is Formatted


#: Methods of str that give a str.
TEXT_TO_TEXT = frozenset({
    "capitalize", "casefold", "center", "expandtabs", "format", "format_map", "join",
    "ljust", "lower", "lstrip", "removeprefix", "removesuffix", "replace", "rjust",
    "rstrip", "strip", "swapcase", "title", "translate", "upper", "zfill",
})  # fmt: skip
