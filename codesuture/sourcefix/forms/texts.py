"""Changes for text, formats and files, and for calls that a ``try`` suits."""

from __future__ import annotations

import libcst as cst

from codesuture.guards.plain_text import field_text
from codesuture.sourcefix import context, shapes
from codesuture.sourcefix.document import Edit, Unfit
from codesuture.sourcefix.forms.facts import VALUES, Facts, arguments_of
from codesuture.sourcefix.forms.sequences import tried
from codesuture.sourcefix.operands import is_constant
from codesuture.sourcefix.shapes import Change, Samples

_ODD = "The source has another form here than is known."
#: Builtin functions whose results are never text.
_NUMBERS = frozenset({"len", "int", "float", "round", "abs", "sum", "ord", "hash", "id"})


def str_coerce_guard(facts: Facts) -> Change:
    """``"age: " + str(age)``; None becomes nothing."""
    node = facts.node
    sides: list[cst.BaseExpression] = []
    if isinstance(node, cst.BinaryOperation):
        sides = [node.left, node.right]
    elif isinstance(node, cst.AugAssign):
        sides = [node.target, node.value]
    else:
        raise Unfit(_ODD)
    number = _not_text(facts)
    kind = facts.type(number)
    if kind in ("bytes", "bytearray") or "bytes" in facts.types[:2]:
        raise Unfit("Decide whether it is text or bytes, and decode or encode the other one.")
    if isinstance(node, cst.AugAssign) and number == 0:
        raise Unfit(f"Make `{facts.patch.target}` text before this statement.")
    side = sides[number]
    operand = facts.operand(side)
    frame = "return 'text' + ({})" if number == 1 else "return ({}) + 'text'"
    if kind == "NoneType":
        empty = facts.quote * 2
        samples = Samples(["None"], [["'abc'"]], "'text'", frame)
        return shapes.conditional(
            facts.place, side, [operand], "{0} is not None", "{0}", empty,
            "It counts as empty text where it is None.", samples,
        )  # fmt: skip
    value = VALUES.get(kind, ("",))[0]
    expected = ""
    if value and "__import__" not in value:
        expected = f"'text' + str({value})" if number == 1 else f"str({value}) + 'text'"
    samples = Samples([value or "7"], [["'abc'"]], expected, frame)
    if _is_number(side):
        samples.good = []
        return shapes.direct(
            facts.place, side, [operand], "str({0})", "It is put in as text.", samples
        )
    return shapes.conditional(
        facts.place, side, [operand], "isinstance({0}, str)", "{0}", "str({0})",
        "It is put in as text where it is not text yet.", samples,
    )  # fmt: skip


def _is_number(node: cst.BaseExpression) -> bool:
    """Whether it is never text, whatever the program does."""
    if is_constant(node):
        return not isinstance(node, cst.SimpleString)
    if isinstance(node, cst.Call):
        return isinstance(node.func, cst.Name) and node.func.value in _NUMBERS
    return False


def _not_text(facts: Facts) -> int:
    """Which operand is not text."""
    return 1 if facts.type(0) == "str" else 0


# --- formats -----------------------------------------------------------------------------------


def format_guard(facts: Facts) -> Change:
    """``f"{price if price is None else format(price, '.2f')}"``."""
    node = facts.node
    if isinstance(node, cst.FormattedStringExpression):
        return _field(facts, node)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.left, cst.SimpleString):
        return _percent(facts, node)
    raise Unfit(
        "Decide what to show where a value does not fit its format, and test for it before."
    )


def _field(facts: Facts, node: cst.FormattedStringExpression) -> Change:
    kind = facts.type(0)
    specification = list(node.format_spec or [])
    if len(specification) != 1 or not isinstance(specification[0], cst.FormattedStringText):
        raise Unfit("The format is computed; decide what to show where the value does not fit it.")
    if node.conversion or node.equal is not None or kind not in ("NoneType", "str", "list", "dict",
                                                                "tuple"):  # fmt: skip
        raise Unfit("Decide what to show where the value does not fit its format.")
    wanted = specification[0].value
    sample = VALUES[kind][0]
    document = facts.document
    quote = facts.quote
    if quote in wanted or "\\" in wanted:
        raise Unfit("The format has a quote in it.")
    test = "{0} is None" if kind == "NoneType" else f"isinstance({{0}}, {kind})"
    value: object = {"NoneType": None, "str": "abc", "list": [], "dict": {}, "tuple": ()}[kind]
    shown = field_text(value, wanted)
    plain = field_text(value, "")
    text = "{0}" if shown == plain else f"format(str({{0}}), {quote}{wanted}{quote})"
    other = f"format({{0}}, {quote}{wanted}{quote})"
    operand = facts.operand(node.expression)
    frame = "return format({})"
    change = shapes.conditional(
        facts.place, node.expression, [operand], test, text, other,
        "What does not fit the format is put in as plain text.",
        Samples([sample], [["2.5"], ["7"]], "", frame),
        is_original=False,
    )  # fmt: skip
    start = document.span(node.expression)[1]
    for _ in getattr(node.expression, "rpar", ()):
        start = document.text.index(")", start) + 1
    colon = document.text.index(":", start)
    change.edits.append(Edit(colon, document.span(node)[1] - 1, ""))
    if change.trial is not None:
        change.trial.original = f"return format({operand.text}, {wanted!r})"
    return change


def _percent(facts: Facts, node: cst.BinaryOperation) -> Change:
    """``("%s items" if count is None else "%d items") % count``."""
    template = node.left
    kind = facts.type(1)
    if not isinstance(template, cst.SimpleString) or kind not in ("NoneType", "str", "list"):
        raise Unfit("Decide what to show where the value does not fit its format.")
    text = facts.document.read(template)
    value: object = {"NoneType": None, "str": "abc", "list": []}[kind]
    from codesuture.guards.format import _NUMERIC
    from codesuture.guards.format import _percent as filled

    fields = [part for part in text.replace("%%", "").split("%")[1:]]
    if len(fields) != 1 or "\\" in text or "%(" in text:
        raise Unfit("Decide what to show where a value does not fit its format.")
    other = _NUMERIC.sub(r"%\1\2\3s", text)
    if other == text:
        raise Unfit("Give as many values as the format has fields.")
    body = template.raw_value
    operand = facts.operand(node.right)
    if not operand.is_plain:
        raise Unfit("Give the value a variable of its own, and test it before it is formatted.")
    test = "{0} is None" if kind == "NoneType" else f"isinstance({{0}}, {kind})"
    made = f"({other} if {test.format(operand.text)} else {text})"
    start, end = facts.document.span(template)
    samples = Samples([repr(value)], [["7"], ["2.5"]], repr(filled(body, value)))
    from codesuture.sourcefix.trial import Trial

    trial = Trial(
        f"return {text} % {operand.text}", f"return {made} % {operand.text}", [operand], samples,
        facts.patch.exception,
    )  # fmt: skip
    return Change(
        [Edit(start, end, made)], "What does not fit the format is put in as plain text.", trial
    )


# --- files and calls -----------------------------------------------------------------------------


def file_guard(facts: Facts) -> Change:
    """``open(path)`` in a ``try`` that gives an empty file."""
    call = facts.node
    if not isinstance(call, cst.Call):
        raise Unfit(_ODD)
    if facts.default.kind == "file":
        name = "StringIO" if facts.default.mode == "text" else "BytesIO"
        other = f"io.{name}()"
    else:
        other = facts.text()
    exception = facts.patch.exception
    change = tried(facts, call, exception, other, "A file that is not there counts as empty.")
    if other.startswith("io."):
        change.edits += _import_io(facts)
    return change


def _import_io(facts: Facts) -> list[Edit]:
    if "\nimport io\n" in f"\n{facts.document.text}":
        return []
    return shapes.imports(facts.document, "", "import io")


def argument_guard(facts: Facts) -> Change:
    """The call in a ``try``; for the items of ``join`` and ``sorted``, what can be kept of them."""
    call = facts.node
    if not isinstance(call, cst.Call):
        raise Unfit("It is called as a decorator or by a statement; no expression stands for it.")
    how = facts.default.how if facts.default.kind == "compute" else ""
    exception = facts.patch.exception
    operands, _, stars = arguments_of(facts, call, 1)
    if not how:
        return tried(facts, call, exception, facts.text())
    if stars or len(operands) != 1 or call.args[0].keyword:
        raise Unfit(f"Make sure that the arguments of `{facts.patch.target}` fit before the call.")
    item = "item"
    if how == "joined":
        return _joined(facts, call)
    numbers = "(int, float)"
    function = facts.document.read(call.func)
    other = {
        "unsorted": "list({1})",
        "fitting": f"{function}({item} for {item} in {{1}} if isinstance({item}, {numbers}))",
    }[how]
    if how == "fitting" and function in ("min", "max"):
        other = other[:-1].replace(f"{function}(", f"{function}((", 1) + "), default=None)"
    if facts.type(1) in ("", "generator", "map", "filter", "zip"):
        raise Unfit("Whether its items can be read twice is not known; make a list of them before.")
    return tried(facts, call, exception, other, "Of items that do not fit, what can be kept is.")


def _joined(facts: Facts, call: cst.Call) -> Change:
    argument = call.args[0].value
    if isinstance(argument, cst.GeneratorExp) and not argument.lpar:
        raise Unfit("Make text of each item in the generator expression: `str(…)`.")
    operand = facts.operand(argument)
    quote = facts.quote
    context.refuse_shown(facts.document, call)
    text = f"({quote}{quote} if item is None else str(item) for item in {operand.iterable})"
    start, end = facts.document.span(argument)
    return Change([Edit(start, end, text.removeprefix("(").removesuffix(")"))],
                  "Each item is put in as text.")  # fmt: skip


def call_guard(facts: Facts) -> Change:
    """The package's call in a ``try``."""
    call = facts.node
    if not isinstance(call, cst.Call):
        raise Unfit(
            f"Put `{facts.patch.target}` into a `try` with `except {facts.patch.exception}`."
        )
    return tried(facts, call, facts.patch.exception, facts.text())


def operand_guard(facts: Facts) -> Change:
    """Never: which type was meant, nobody but the author knows."""
    raise Unfit(
        f"`{facts.patch.target}` has an operand of another type than the operation takes; which "
        "was meant, only you can tell. Find out where it comes from, and convert it there."
    )
