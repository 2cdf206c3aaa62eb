"""Changes for ``None``: attributes, items, calls, iteration, ``with``, ``await``."""

from __future__ import annotations

import libcst as cst

from codesuture.sourcefix import shapes
from codesuture.sourcefix.context import may_bind
from codesuture.sourcefix.document import Unfit
from codesuture.sourcefix.forms.facts import Facts, arguments_of, escaped, is_slice, key_of
from codesuture.sourcefix.operands import Operand, is_quiet
from codesuture.sourcefix.placing import operand_of
from codesuture.sourcefix.shapes import Change, Samples

_OBJECT = "__import__('types').SimpleNamespace({name}={value})"


def null_guard(facts: Facts) -> Change:
    """``profile.bio if profile is not None else None``, and for methods the whole call."""
    node = facts.node
    if not isinstance(node, cst.Attribute):
        raise Unfit("The source has another form here than is known.")
    name = node.attr.value
    receiver = facts.operand(node.value)
    if facts.operation == "load_method":
        return _method(facts, node, receiver, name)
    if facts.operation in ("store_attribute", "delete_attribute") or facts.augmented():
        return _unless_none(facts, node.value)
    good = [[_OBJECT.format(name=name, value=value)] for value in ("7", "'abc'")]
    text = facts.text()
    return shapes.conditional(
        facts.place, node, [receiver], "{0} is not None", f"{{0}}.{name}", text,
        f"`.{name}` is read where there is something to read it from.",
        Samples(["None"], good, facts.expected(text)),
    )  # fmt: skip


def _method(facts: Facts, node: cst.Attribute, receiver: Operand, name: str) -> Change:
    call = facts.document.parent(node)
    if not isinstance(call, cst.Call) or call.func is not node:
        raise Unfit("The method is not called where it is read.")
    operands, arguments, _ = arguments_of(facts, call, 1)
    sentence = f"`.{name}()` is called where there is something to call it on."
    text = facts.value_text()
    if all(operand.is_quiet for operand in operands):
        good = _OBJECT.format(name=name, value="lambda *args, **kwargs: (args, kwargs)")
        others = ["7"] * len(operands)
        return shapes.conditional(
            facts.place, call, [receiver, *operands], "{0} is not None",
            f"{{0}}.{name}({arguments})", text, sentence,
            Samples(["None", *others], [[good, *others]], facts.expected(text))
            if not any(argument.star for argument in call.args) else None,
        )  # fmt: skip
    # The arguments are evaluated in both cases, as they were.
    return shapes.conditional(
        facts.place, node, [receiver], "{0} is not None", f"{{0}}.{name}",
        f"(lambda *args, **kwargs: {text})", sentence,
        template="({value} if {test} else {other})",
    )  # fmt: skip


def _unless_none(facts: Facts, object_node: cst.BaseExpression) -> Change:
    """The statement under ``if … is not None:``."""
    statement = facts.statement()
    small = statement.body[0]
    owner = facts.operand(object_node)
    operands, number = [owner], 0
    samples = None
    if isinstance(small, cst.Assign) and len(small.targets) == 1:
        if not isinstance(small.targets[0].target, type(facts.node)):
            raise Unfit("Several targets are assigned at once; assign them one by one.")
        operands, number = [facts.operand(small.value), owner], 1
        if operands[0].is_quiet:
            operands, number = [owner], 0
    elif isinstance(small, cst.AugAssign):
        if not is_quiet(facts.document, small.value):
            raise Unfit("What stands behind the sign is evaluated in any case; take it out first.")
    elif not isinstance(small, cst.Del) or isinstance(small.target, cst.Tuple):
        raise Unfit("Several targets are changed at once; change them one by one.")
    return shapes.guarded(
        facts.place, statement, operands, f"{{{number}}} is not None",
        "Nothing is set or deleted where there is no object.", samples=samples,
    )  # fmt: skip


def subscript_guard(facts: Facts) -> Change:
    """``row["id"] if row is not None else None``."""
    node = facts.node
    if not isinstance(node, cst.Subscript):
        raise Unfit("The source has another form here than is known.")
    if facts.operation.startswith(("store", "delete")) or facts.augmented():
        if any(not operand.is_quiet for operand in key_of(facts, node)[0]):
            raise Unfit("The key is evaluated in any case; give it a variable of its own first.")
        return _unless_none(facts, node.value)
    operands, key = key_of(facts, node)
    text = facts.text()
    samples = None
    if len(operands) == 1 and not is_slice(node):
        samples = Samples(["None", "'k'"], [["{'k': 1, 'id': 2}", "'k'"]], facts.expected(text))
    elif is_slice(node):
        bounds = ["0"] * len(operands)
        samples = Samples(["None", *bounds], [["[1, 2, 3]", *bounds]], facts.expected(text))
    return shapes.conditional(
        facts.place, node, [facts.operand(node.value), *operands], "{0} is not None",
        f"{{0}}[{key}]", text, "The item is read where there is something to read it from.",
        samples,
    )  # fmt: skip


def callable_guard(facts: Facts) -> Change:
    """``callback(event) if callback is not None else None``."""
    call = facts.node
    if not isinstance(call, cst.Call):
        raise Unfit("It is called as a decorator or by a statement; no expression stands for it.")
    function = facts.operand(call.func)
    operands, arguments, stars = arguments_of(facts, call, 1)
    text = facts.text()
    sentence = "It is called where there is something to call."
    if all(operand.is_quiet for operand in operands):
        others = ["7"] * len(operands)
        good = "lambda *args, **kwargs: (args, kwargs)"
        return shapes.conditional(
            facts.place, call, [function, *operands], "{0} is not None", f"{{0}}({arguments})",
            text, sentence,
            None if stars else Samples(["None", *others], [[good, *others]], facts.expected(text)),
        )  # fmt: skip
    return shapes.conditional(
        facts.place, call.func, [function], "{0} is not None", "{0}",
        f"(lambda *args, **kwargs: {text})", sentence,
        template="({value} if {test} else {other})",
    )  # fmt: skip


def iteration_guard(facts: Facts) -> Change:
    """``rows if rows is not None else ()``."""
    if facts.operation == "iterate_async":
        raise Unfit(
            "Python has no empty asynchronous iterable to stand for None; put the loop under "
            f"`if {facts.patch.target} is not None:`."
        )
    if facts.operation == "call":
        return _spread_call(facts)
    found = operand_of(facts.node)
    if found is None:
        raise Unfit("The source has another form here than is known.")
    is_mapping = facts.operation == "merge"
    empty = "{{}}" if is_mapping else "()"
    if facts.default.kind == "empty" and not is_mapping:
        empty = facts.text()
    good = ["{'k': 1}"] if is_mapping else ["[1, 2]"]
    frame = "return {**({})}" if is_mapping else "return [*({})]"
    expected = "{}" if is_mapping else "[]"
    samples = Samples(["None"], [[value] for value in good], expected, frame)
    return _or_else(facts, found, empty, "It counts as empty where it is None.", samples)


def _or_else(
    facts: Facts, node: cst.BaseExpression, other: str, sentence: str, samples: Samples
) -> Change:
    """The operand, or something else where it is None; the operation itself stays."""
    return shapes.conditional(
        facts.place, node, [facts.operand(node)], "{0} is not None", "{0}", other, sentence, samples
    )


def _spread_call(facts: Facts) -> Change:
    call = facts.node
    if not isinstance(call, cst.Call):
        raise Unfit("The source has another form here than is known.")
    if not facts.operand(call.func).is_quiet:
        raise Unfit("The function is found by a call; give it a variable of its own first.")
    operands, arguments, stars = arguments_of(facts, call)
    wanted = facts.patch.target.lstrip("*")
    spread = [number for number in stars if len(stars) == 1 or operands[number].text == wanted]
    if len(spread) != 1:
        raise Unfit("Which of the arguments was spread cannot be told.")
    function = escaped(facts.document.read(call.func))
    return shapes.conditional(
        facts.place, call, operands, f"{{{spread[0]}}} is not None", f"{function}({arguments})",
        facts.text(), "The call is left out where there is nothing to spread.",
    )  # fmt: skip


def length_guard(facts: Facts) -> Change:
    """``len(rows) if rows is not None else 0``."""
    call = facts.node
    if not isinstance(call, cst.Call) or len(call.args) != 1:
        raise Unfit("The source has another form here than is known.")
    text = facts.text()
    function = escaped(facts.document.read(call.func))
    return shapes.conditional(
        facts.place, call, [facts.operand(call.args[0].value)], "{0} is not None",
        f"{function}({{0}})", text, "The length is asked for where there is something.",
        Samples(["None"], [["[1, 2]"], ["()"], ["'abc'"]], facts.expected(text)),
    )  # fmt: skip


def membership_guard(facts: Facts) -> Change:
    """``name in (names if names is not None else ())``."""
    node = facts.node
    if not isinstance(node, cst.Comparison):
        raise Unfit("The source has another form here than is known.")
    found = [
        target.comparator
        for target in node.comparisons
        if isinstance(target.operator, cst.In | cst.NotIn)
    ]
    if len(found) != 1:
        found = [one for one in found if facts.document.read(one) == facts.patch.target]
    if len(found) != 1 or facts.default.kind != "constant":
        raise Unfit("Which `in` of the chain crashed cannot be told.")
    sign = "not in" if facts.default.value else "in"
    samples = Samples(
        ["None"], [["[1, 2]"], ["[7]"]], repr(facts.default.value), f"return 7 {sign} ({{}})"
    )
    return _or_else(facts, found[0], "()", "Nothing is in it where it is None.", samples)


def context_manager_guard(facts: Facts) -> Change:
    """``with lock if lock is not None else nullcontext():``."""
    found = operand_of(facts.node)
    if found is None:
        raise Unfit("The source has another form here than is known.")
    value = facts.value_text()
    other = f"nullcontext({'' if value == 'None' else value})"
    change = _or_else(
        facts, found, other, "Where there is nothing to enter, `nullcontext` does nothing.",
        Samples(
            ["None"], [["__import__('contextlib').nullcontext(7)"]], value,
            "with ({}) as entered:\n    return entered",
        ),
    )  # fmt: skip
    if change.trial is not None:
        change.trial.header = "from contextlib import nullcontext"
    wanted = "from contextlib import nullcontext"
    change.edits += shapes.imports(facts.document, "nullcontext", wanted)
    return change


def await_guard(facts: Facts) -> Change:
    """``await x if x is not None else None``."""
    node = facts.node
    if not isinstance(node, cst.Await):
        raise Unfit("The source has another form here than is known.")
    awaited = facts.operand(node.expression)
    text = facts.value_text()
    if not awaited.is_plain and not may_bind(facts.document, node):
        raise Unfit("No variable can be bound here; await it in a statement of its own first.")
    return shapes.conditional(
        facts.place, node, [awaited], "{0} is not None", "await {0}", text,
        "It is awaited where there is something to await.",
        Samples(["None"], [["Awaited(7)"]], facts.expected(text)),
    )  # fmt: skip


def attribute_guard(facts: Facts) -> Change:
    """``getattr(order, "discount", None)``."""
    node = facts.node
    if not isinstance(node, cst.Attribute):
        raise Unfit("The source has another form here than is known.")
    name = _mangled(facts, node.attr.value)
    quote = facts.quote
    owner = facts.operand(node.value)
    if facts.augmented():
        raise Unfit("It is read and set at once; give the object the attribute in its class.")
    if facts.operation in ("store_attribute", "delete_attribute"):
        return _attribute_statement(facts, node)
    other = facts.text()
    sentence = f"`.{name}` is read with a default."
    missing = "__import__('types').SimpleNamespace()"
    good = [[_OBJECT.format(name=name, value=value)] for value in ("7", "'abc'")]
    if facts.operation == "load_method":
        call = facts.document.parent(node)
        if not isinstance(call, cst.Call):
            raise Unfit("The method is not called where it is read.")
        samples = None
    else:
        samples = Samples([missing], good, facts.expected(other))
    return shapes.direct(
        facts.place, node, [owner], f"getattr({{0}}, {quote}{name}{quote}, {other})",
        sentence, samples,
    )  # fmt: skip


def _mangled(facts: Facts, name: str) -> str:
    """A private name as it is really called, inside a class."""
    if not name.startswith("__") or name.endswith("__"):
        return name
    names = facts.place.code.co_names
    return next((found for found in names if found.endswith(name) and found != name), name)


def _attribute_statement(facts: Facts, node: cst.Attribute) -> Change:
    statement = facts.statement()
    small = statement.body[0]
    operands = [facts.operand(node.value)]
    if isinstance(small, cst.Assign) and len(small.targets) == 1:
        operands.insert(0, facts.operand(small.value))
        if small.targets[0].target is not node:
            raise Unfit("Several targets are assigned at once; assign them one by one.")
    elif not isinstance(small, cst.Del) or small.target is not node:
        raise Unfit("Several targets are changed at once; change them one by one.")
    return shapes.suppressed(
        facts.place, statement, operands, "AttributeError",
        "Where the attribute is not there, nothing is set or deleted.",
    )  # fmt: skip
