"""format_guard: values that do not fit the format they are put into."""

from __future__ import annotations

import re
from string import Formatter

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.expression import Attribute, Call, Formatted
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.callee import callee
from codesuture.guards.evidence import operand_value
from codesuture.guards.exact import is_exactly
from codesuture.guards.guard import Guard
from codesuture.guards.messages import says
from codesuture.guards.plain_text import field_text, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

#: The conversions of ``%`` formatting (Objects/unicode_format.c) that want a number.
_NUMERIC = re.compile(r"%(\([^)]*\))?[#0 +]*(-?)[#0\- +]*(\d*)(?:\.\d+)?[hlL]?[diouxXeEfFgGc]")
_CODES = ("format", "format code")


class FormatGuard(Guard):
    name = "format_guard"
    operations = frozenset({"format", "binary", "call"})
    exceptions = (TypeError, ValueError, LookupError, AttributeError)
    fixed = True
    meaning = (
        "A value does not fit its format in an f-string, `format`, `str.format` or `%`: it is put "
        "in as plain text, and where that cannot be done the text stays as it is written."
    )
    supplies = "the value as plain text"
    examples = ('f"{price:.2f}"', '"%d items" % count', '"{:>8}".format(None)')

    def recognises(self, crash: Crash) -> bool:
        exception = crash.exception
        if crash.operation == "format":
            return says(exception, *_CODES)
        if crash.operation == "binary":
            return self._is_percent(crash)
        name = callee(crash)
        if name == "format":
            return says(exception, *_CODES)
        return name in ("str.format", "str.format_map", "?.format") and (
            not issubclass(type(exception), TypeError) or says(exception, *_CODES)
        )

    def _is_percent(self, crash: Crash) -> bool:
        if crash.sign not in ("%", "%="):
            return False
        left = operand_value(crash, 0)
        if left is not MISSING and not is_exactly(left, (str, bytes)):
            return False
        if issubclass(type(crash.exception), KeyError):
            return left is not MISSING
        return says(crash.exception, "percent")

    def target(self, crash: Crash) -> str:
        if crash.operation == "call" and callee(crash) != "format":
            return Call(crash.operands[0], crash.operands[1:], crash.keywords).text()
        return super().target(crash)

    def subject(self, crash: Crash) -> int:
        return 1 if crash.operation == "binary" or callee(crash) == "format" else 0

    def default(self, crash: Crash) -> Recipe:
        return Recipe.compute("format")

    def value(self, crash: Crash, recipe: Recipe) -> object:
        if recipe.kind != "compute":
            return super().value(crash, recipe)
        if crash.operation == "binary":
            return _percent(operand_value(crash, 0), operand_value(crash, 1))
        name = callee(crash)
        if crash.operation == "format" or name == "format":
            first = 0 if crash.operation == "format" else 1
            return field_text(_converted(crash, first), operand_value(crash, first + 1))
        return self._formatted(crash)

    def _formatted(self, crash: Crash) -> str:
        function = crash.operands[0]
        template = crash.evaluate(function.object) if isinstance(function, Attribute) else MISSING
        if type(template) is not str:
            return ""
        arguments = [crash.evaluate(operand) for operand in crash.operands[1:]]
        names = {name: crash.evaluate(operand) for name, operand in crash.keywords.items()}
        return _fill(template, arguments, names)

    def advice(self, target: str, operation: str = "") -> str:
        return (
            f"Make sure that `{target}` is of the type that the format asks for, or decide what to "
            "show where it is not."
        )


def _converted(crash: Crash, number: int) -> object:
    """The operand's value, after ``!r`` and the like where it has one."""
    operand = crash.operands[number] if number < len(crash.operands) else None
    if not isinstance(operand, Formatted) or operand.specification is not None:
        return operand_value(crash, number)
    value = crash.evaluate(operand.value)
    if value is MISSING or operand.conversion in ("", "s"):
        return value
    return repr(value) if type(value) is str else shown(value)


def _fill(template: str, arguments: list[object], names: dict[str, object]) -> str:
    """``template.format(…)`` with plain text; fields that are not there stay as they are."""
    text, position = "", 0
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return template
    for literal, field, specification, _ in parts:
        text += literal
        if field is None:
            continue
        name, position = (str(position), position + 1) if not field else (field, position)
        number = int(name) if name.isdecimal() else -1
        value = arguments[number] if 0 <= number < len(arguments) else names.get(name, MISSING)
        text += "{" + field + "}" if value is MISSING else field_text(value, specification)
    return text


def _percent(template: object, values: object) -> object:
    if type(template) is bytes:
        return template
    if type(template) is not str:
        return ""
    if values is MISSING:
        return template
    items = values if type(values) is tuple or type(values) is dict else (values,)
    try:
        return _NUMERIC.sub(r"%\1\2\3s", template) % _texts(items)
    except (TypeError, ValueError, KeyError):
        return template


def _texts(items: object) -> object:
    if type(items) is dict:
        return {key: shown(value) for key, value in items.items() if type(key) is str}
    return tuple([shown(value) for value in items])  # type: ignore[attr-defined]
