"""The value of an operand that is gone: what can be worked out again without user code.

Beyond what ``Crash.evaluate`` finds, this repeats operations on exact built-in values that have no
side effects and cannot take long: methods of text, views of dicts, ``str`` of numbers, f-strings,
displays.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict

from codesuture.diagnosis.expression import (
    Attribute,
    Binary,
    Call,
    Collection,
    Constant,
    Formatted,
)
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.exact import is_exactly
from codesuture.guards.plain_text import field_text, plain_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash
    from codesuture.diagnosis.expression import Expression

_MOST_TEXT = 100_000
_MOST_ITEMS = 1000
#: Methods of str whose result is not larger than the text itself.
_TEXT_METHODS = frozenset({
    "split", "rsplit", "splitlines", "partition", "rpartition", "strip", "lstrip", "rstrip",
    "lower", "removeprefix", "removesuffix",
})  # fmt: skip
#: Methods of a dict that only look at it, and the dicts that have no other ones.
_VIEW_METHODS = frozenset({"keys", "values", "items"})
DICTS = (dict, defaultdict, OrderedDict, Counter)


def known_value(crash: Crash, expression: Expression) -> object:
    """The expression's value now, or MISSING."""
    value = crash.evaluate(expression)
    if value is not MISSING:
        return value
    try:
        return _worked_out(crash, expression)
    except Exception:  # bad arguments, such as an empty separator
        return MISSING


def _worked_out(crash: Crash, expression: Expression) -> object:
    if isinstance(expression, Binary):
        return _sum(crash, expression)
    if isinstance(expression, Call):
        return _call(crash, expression)
    if isinstance(expression, Formatted):
        return _field(crash, expression)
    if isinstance(expression, Collection):
        return _collection(crash, expression)
    return MISSING


def _sum(crash: Crash, expression: Binary) -> object:
    """Text added to text."""
    if expression.operator != "+":
        return MISSING
    left, right = (known_value(crash, part) for part in (expression.left, expression.right))
    if type(left) is not str or type(right) is not str or len(left) + len(right) > _MOST_TEXT:
        return MISSING
    return left + right


def _call(crash: Crash, expression: Call) -> object:
    if expression.keywords:
        return MISSING
    arguments = [known_value(crash, argument) for argument in expression.arguments]
    function = expression.function
    if not isinstance(function, Attribute):
        if crash.evaluate(function) is str and len(arguments) == 1:
            return _text(arguments[0])
        return MISSING
    owner = known_value(crash, function.object)
    if function.name in _VIEW_METHODS and not arguments and is_exactly(owner, DICTS):
        return getattr(owner, function.name)()
    if function.name not in _TEXT_METHODS:
        return MISSING
    if type(owner) is not str or len(owner) > _MOST_TEXT:
        return MISSING
    if not all(type(argument) is str or type(argument) is int for argument in arguments):
        return MISSING
    return str.__dict__[function.name](owner, *arguments)


def _text(value: object) -> object:
    """``str(value)``, or MISSING where that takes user code."""
    if value is None:
        return "None"
    return MISSING if value is MISSING or type(value) is bytes else plain_text(value) or MISSING


def _field(crash: Crash, expression: Formatted) -> object:
    value = known_value(crash, expression.value)
    specification = expression.specification
    if expression.conversion not in ("", "s"):
        return repr(value) if type(value) is str else _text(value)
    if specification is None:
        return _text(value)
    wanted = known_value(crash, specification)
    return MISSING if value is MISSING else field_text(value, wanted)


def _collection(crash: Crash, expression: Collection) -> object:
    items = expression.items
    if len(items) > _MOST_ITEMS or expression.kind not in ("list", "tuple", "fstring"):
        return MISSING
    if any(not isinstance(item, Constant) and not item.is_known() for item in items):
        return MISSING
    values = [known_value(crash, item) for item in items]
    if any(value is MISSING for value in values):
        return MISSING
    if expression.kind == "fstring":
        texts = [value for value in values if type(value) is str]
        return "".join(texts) if len(texts) == len(values) else MISSING
    return values if expression.kind == "list" else tuple(values)
