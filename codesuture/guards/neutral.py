"""Arithmetic with one operand left out: ``total + None`` is ``total``."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.callee import type_of
from codesuture.guards.evidence import operand_value
from codesuture.guards.exact import is_exactly
from codesuture.guards.messages import types_in
from codesuture.guards.typed import BY_TYPE, NONE_VALUE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codesuture.diagnosis.crash import Crash

_NUMBERS = (int, float, complex, Decimal, Fraction)
_COPIED = (list, dict, set)
_SHARED = (*_NUMBERS, str, bytes, tuple, frozenset)


def left_out(crash: Crash, blames: Callable[[str | None, int], bool]) -> int | None:
    """Which operand the message blames: the first for which ``blames(type name, number)``.

    None where the message is not about an operand's type.
    """
    named = types_in(crash.exception, "binary", "concatenate", "repeat", "compare", "unary")
    if named is None:
        return 1 if _extends(crash, blames) else None
    for number, key in enumerate(("left", "right")):
        if key in named and blames(named[key], number):
            return number
    return None


def _extends(crash: Crash, blames: Callable[[str | None, int], bool]) -> bool:
    """``rows += None``, which fails as an iteration, where ``rows`` is there to be kept."""
    named = types_in(crash.exception, "iterate")
    return (
        crash.operation == "binary"
        and crash.sign in ("+=", "|=")
        and named is not None
        and is_exactly(operand_value(crash, 0), _COPIED)
        and blames(named["left"], 1)
    )


def kept_type(crash: Crash, number: int) -> str:
    """The type of the operand that is kept, from the message or from the operand itself."""
    named = types_in(crash.exception, "binary", "concatenate", "repeat") or {}
    found = named.get("left" if number == 0 else "right")
    return found or (type_of(crash, crash.operands[number]) if crash.operands else "")


def default_without(crash: Crash, number: int) -> Recipe:
    """The recipe for an operation whose operand ``number`` is left out."""
    kept = kept_type(crash, 1 - number)
    if kept not in BY_TYPE:
        return NONE_VALUE
    if _operator(crash) in ("+", "-", "|", "^"):
        return Recipe.compute("neutral")
    return BY_TYPE[kept]


def value_without(crash: Crash, number: int) -> object:
    """The operation's value as if operand ``number`` (0 or 1) were zero or empty.

    The kept operand is used where it can be looked at again and is of a built-in type, else the
    empty value of its type. An in-place operation keeps its left operand itself.
    """
    kept = operand_value(crash, 1 - number)
    empty = BY_TYPE.get(kept_type(crash, 1 - number), NONE_VALUE)
    if kept is MISSING:
        return empty.build()
    if _operator(crash) == "-" and number == 0:
        return -kept if is_exactly(kept, _NUMBERS) else empty.build()  # type: ignore[operator]
    if is_exactly(kept, _COPIED):
        in_place = crash.sign is not None and crash.sign.endswith("=") and number == 1
        return kept if in_place else kept.copy()  # type: ignore[attr-defined]
    return kept if is_exactly(kept, _SHARED) else empty.build()


def _operator(crash: Crash) -> str:
    return (crash.sign or "").removesuffix("=")
