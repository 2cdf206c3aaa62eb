"""What a built-in function can still give when only some of its items are of the wrong type.

``sorted([3, None, 1])`` loses the order and nothing else, ``", ".join([1, 2])`` is text without a
loss, and a sum or an extreme leaves out what is no number. Only items that can be looked at again
without user code count: those of an iterator are gone.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from decimal import Decimal
from fractions import Fraction

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.expression import Attribute
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.callee import callee
from codesuture.guards.evidence import operand_value
from codesuture.guards.exact import is_exactly
from codesuture.guards.known import DICTS, known_value
from codesuture.guards.plain_text import plain_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codesuture.diagnosis.crash import Crash

_VIEWS = tuple(
    type(view)
    for empty in (dict[object, object](), OrderedDict[object, object]())
    for view in (empty.keys(), empty.values(), empty.items())
)
_CONTAINERS = (list, tuple, set, frozenset, deque, range, *DICTS, *_VIEWS)
_REAL = (int, float, bool, Decimal, Fraction)
_NUMBERS = (*_REAL, complex)

#: How the functions compute what they give, by the names of ``callee``.
SALVAGED: dict[str, Recipe] = {
    "sorted": Recipe.compute("unsorted"),
    "str.join": Recipe.compute("joined"),
    "sum": Recipe.compute("fitting"),
    "min": Recipe.compute("fitting"),
    "max": Recipe.compute("fitting"),
}


def salvage(crash: Crash) -> object:
    """What the call gives for those of its items that fit, or MISSING where that is not known."""
    try:
        return _WAYS[callee(crash)](crash)
    except (KeyError, TypeError, ValueError, ArithmeticError):  # such as a Decimal and a float
        return MISSING


def _unsorted(crash: Crash) -> object:
    """The items in the order that they have."""
    return _items(crash)


def _joined(crash: Crash) -> object:
    """All items as text."""
    function = crash.operands[0]
    separator = known_value(crash, function.object) if isinstance(function, Attribute) else MISSING
    items = _items(crash)
    if type(separator) is not str or items is MISSING:
        return MISSING
    return separator.join([plain_text(item) for item in items])  # type: ignore[attr-defined]


def _summed(crash: Crash) -> object:
    """The sum of the numbers among the items."""
    items = _items(crash)
    start: object = 0
    if len(crash.operands) > 2:
        start = operand_value(crash, 2)
    elif "start" in crash.keywords:
        start = known_value(crash, crash.keywords["start"])
    if items is MISSING or not is_exactly(start, _NUMBERS):
        return MISSING
    return sum([item for item in items if is_exactly(item, _NUMBERS)], start)  # type: ignore[attr-defined, call-overload]


def _smallest(crash: Crash) -> object:
    return min(_comparable(crash))


def _largest(crash: Crash) -> object:
    return max(_comparable(crash))


def _comparable(crash: Crash) -> list[float]:
    """The items that are not None, where they can be compared; without any ValueError follows."""
    arguments = len(crash.operands) - 1
    if "key" in crash.keywords:
        return []
    if arguments == 1:
        items = _items(crash)
    else:
        items = [operand_value(crash, number) for number in range(1, arguments + 1)]
    rest = [] if items is MISSING else [item for item in items if item is not None]  # type: ignore[attr-defined]
    for kinds in (_REAL, (str,)):
        if all(is_exactly(item, kinds) for item in rest):
            return rest
    return []


def _items(crash: Crash) -> object:
    """The items of the first argument in a list of their own, or MISSING."""
    items = operand_value(crash, 1)
    return list(items) if is_exactly(items, _CONTAINERS) else MISSING  # type: ignore[call-overload]


_WAYS: dict[str, Callable[[Crash], object]] = {
    "sorted": _unsorted,
    "str.join": _joined,
    "sum": _summed,
    "min": _smallest,
    "max": _largest,
}
