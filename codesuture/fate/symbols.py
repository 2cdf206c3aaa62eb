"""Symbols: how a value on the stack was computed, without the value.

A symbol is a tuple or, where nothing is known, None::

    ("const", name of the type, value)
    ("local", name)  ("global", name)  ("name", name)  ("free", name)
    ("attr", object, name)  ("item", object, key)
    ("super", super, class, object, name)  attribute of super(class, object), since 3.12
    ("call", function, arguments)  ("call", function, None, unpacked)  ("tuple", items)
    ("null",)  ("self",)
    ("is", left, right, inverted)  ("not", operand)  ("compare", sign, left, right)
    ("instance", class)  some object of a built-in class
    ("exc", target)      the exception a handler was entered with
    ("prev", target)     what PUSH_EXC_INFO put beneath it
    ("match", type)      of CHECK_EXC_MATCH, ("star", type) of CHECK_EG_MATCH
    ("exit", manager)    the bound __exit__, ("enter", manager) the bound __enter__,
    ("with", manager)    what __exit__ said
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set

    Symbol = tuple[object, ...] | None
    Stack = tuple[Symbol, ...]

NULL: Symbol = ("null",)
SELF: Symbol = ("self",)


def constant(value: object) -> Symbol:
    """The type comes first, so that a comparison of symbols never compares bytes with str."""
    return ("const", type(value).__name__, value)


def called(stack: Stack, arguments: int) -> Symbol:
    """The callable of a call with so many arguments on top of ``stack``."""
    if len(stack) < arguments + 2:
        return None
    first, second = stack[-arguments - 2], stack[-arguments - 1]
    return second if first == NULL else first


def manager_beneath(stack: Stack) -> Symbol:
    """The manager whose bound ``__exit__`` is topmost on the stack."""
    for symbol in reversed(stack):
        if symbol is not None and symbol[0] == "exit":
            return symbol[1]  # type: ignore[return-value]
    return None


def mentions(symbol: object, names: Set[Symbol]) -> bool:
    """Whether one of the variables is part of the symbol."""
    if type(symbol) is not tuple or symbol[:1] == ("const",):
        return False
    return symbol in names or any(mentions(part, names) for part in symbol)
