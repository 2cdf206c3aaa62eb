"""Changes for what is not there: keys, positions, values to unpack, links of a chain."""

from __future__ import annotations

import libcst as cst

from codesuture.sourcefix import context, shapes
from codesuture.sourcefix.document import Edit, Unfit
from codesuture.sourcefix.forms.facts import Facts, arguments_of, is_slice, key_of
from codesuture.sourcefix.operands import Operand, free_name, name_for
from codesuture.sourcefix.shapes import Change, Samples

#: Types with ``get(key, default)`` and ``pop(key, default)`` that mean what they mean for a dict.
_MAPPINGS = ("dict", "collections.OrderedDict", "mappingproxy")
#: Types whose length tells which positions there are.
_SEQUENCES = ("list", "tuple", "str", "bytes", "range", "bytearray", "collections.deque")
_ODD = "The source has another form here than is known."


def key_guard(facts: Facts) -> Change:
    """``config.get("port", None)``, and ``config.pop("port", None)`` for ``del``."""
    node = facts.node
    if not isinstance(node, cst.Subscript) or is_slice(node):
        raise Unfit(_ODD)
    operands, key = key_of(facts, node)
    if len(operands) > 1:
        key = f"({key})"
    owner = facts.operand(node.value)
    is_mapping = facts.type(0) in ("", *_MAPPINGS)
    if facts.operation == "delete_subscript":
        return _deleted(facts, node, [owner, *operands], key, is_mapping)
    if facts.augmented():
        return _set_before(facts, owner, operands)
    text = facts.text()
    samples = Samples(
        ["{}", *["'k'"] * len(operands)],
        [["{'k': 1}", *["'k'"] * len(operands)]],
        facts.expected(text),
    )
    if operands and operands[0].is_constant and len(operands) == 1:
        literal = operands[0].text
        samples = Samples(["{}", literal], [[f"{{{literal}: 1}}", literal]], facts.expected(text))
    if not is_mapping:
        return shapes.attempt(
            facts.place, node, [owner, *operands], f"{{0}}[{key}]", "KeyError", text,
            "The key is read, and where it is not there the default is used.", samples,
        )  # fmt: skip
    made = f"{{0}}.get({key})" if text == "None" else f"{{0}}.get({key}, {text})"
    return shapes.direct(
        facts.place, node, [owner, *_arguments(operands)], made,
        "The key is read with a default.", samples,
    )  # fmt: skip


def _arguments(operands: list[Operand]) -> list[Operand]:
    return operands


def _deleted(
    facts: Facts, node: cst.Subscript, operands: list[Operand], key: str, is_mapping: bool
) -> Change:
    statement = facts.statement()
    small = statement.body[0]
    if not isinstance(small, cst.Del) or small.target is not node:
        raise Unfit("Several targets are deleted at once; delete them one by one.")
    if not is_mapping:
        return shapes.suppressed(
            facts.place, statement, operands, "KeyError", "A key that is not there is passed over."
        )
    start, end = facts.document.span(small)
    text = f"{{0}}.pop({key}, None)".format(*[operand.text for operand in operands])
    return Change([Edit(start, end, text)], "A key that is not there is passed over.")


def _set_before(facts: Facts, owner: Operand, operands: list[Operand]) -> Change:
    """``counts.setdefault(key, 0)`` before ``counts[key] += 1``."""
    statement = facts.statement()
    if not owner.is_quiet or len(operands) != 1 or not operands[0].is_plain:
        raise Unfit("The object and the key are computed; give them variables of their own first.")
    text = facts.expected(facts.text())
    line = f"{owner.text}.setdefault({operands[0].text}, {text})"
    return shapes.before(facts.place, statement, [line], "The key is there before it is changed.")


def index_guard(facts: Facts) -> Change:
    """``rows[i] if -len(rows) <= i < len(rows) else None``, or a ``try``."""
    node = facts.node
    if not isinstance(node, cst.Subscript) or is_slice(node):
        raise Unfit(_ODD)
    operands, key = key_of(facts, node)
    everything = [facts.operand(node.value), *operands]
    is_known = facts.type(0) in _SEQUENCES and len(operands) == 1
    test = _bound_test(operands[0]) if is_known else ""
    if facts.augmented() or facts.operation != "subscript":
        return _index_statement(facts, node, everything, test)
    text = facts.text()
    samples = _index_samples(facts, operands, facts.expected(text)) if is_known else None
    sentence = "The item is read where it is there."
    if test and not (operands[0].is_constant and operands[0].text == "0"):
        bound = [operand for operand in everything if not operand.is_plain]
        if len(bound) < 2:
            return shapes.conditional(
                facts.place, node, everything, test, f"{{0}}[{key}]", text, sentence, samples
            )
    if test and everything[0].is_quiet:
        return shapes.conditional(
            facts.place, node, everything, test, f"{{0}}[{key}]", text, sentence, samples
        )
    return shapes.attempt(
        facts.place, node, everything, f"{{0}}[{key}]", "IndexError", text, sentence, samples
    )


def _bound_test(index: Operand) -> str:
    """The test that a position is there: ``{0}`` is the sequence, ``{1}`` the position."""
    if not index.is_constant:
        return "-len({0}) <= {1} < len({0})"
    number = int(index.text.replace(" ", ""), 0)
    if number in (0, -1):
        return "{0}"
    return f"len({{0}}) > {number}" if number > 0 else f"len({{0}}) >= {-number}"


def _index_samples(facts: Facts, operands: list[Operand], expected: str) -> Samples:
    kind = facts.type(0)
    empty, full = {
        "list": ("[]", "list(range(300))"), "tuple": ("()", "tuple(range(300))"),
        "str": ("''", "'a' * 300"), "bytes": ("b''", "b'a' * 300"),
        "range": ("range(0)", "range(300)"),
        "bytearray": ("bytearray()", "bytearray(300)"),
        "collections.deque": (
            "__import__('collections').deque()", "__import__('collections').deque(range(300))"
        ),
    }[kind]  # fmt: skip
    if operands[0].is_constant:
        return Samples([empty, operands[0].text], [[full, operands[0].text]], expected)
    good = [[full, "0"], [full, "5"], [full, "-1"], [full, "-300"]]
    return Samples([empty, "3"], good, expected)


def _index_statement(
    facts: Facts, node: cst.Subscript, operands: list[Operand], test: str
) -> Change:
    statement = facts.statement()
    small = statement.body[0]
    sentence = "A position that is not there is passed over."
    if isinstance(small, cst.Assign) and len(small.targets) == 1:
        if small.targets[0].target is not node:
            raise Unfit("Several targets are assigned at once; assign them one by one.")
        value = facts.operand(small.value)
        if test and value.is_quiet and all(operand.is_plain for operand in operands):
            return shapes.guarded(facts.place, statement, operands, test, sentence)
        return shapes.suppressed(facts.place, statement, [value, *operands], "IndexError", sentence)
    if isinstance(small, cst.Del) and small.target is node:
        if test and all(operand.is_plain for operand in operands):
            return shapes.guarded(facts.place, statement, operands, test, sentence)
        return shapes.suppressed(facts.place, statement, operands, "IndexError", sentence)
    raise Unfit("It is read and assigned at once; test the length before this statement.")


def list_bound_guard(facts: Facts) -> Change:
    """As ``index_guard`` for constant positions; unpacking gets the values that are missing."""
    return unpacked(facts) if facts.operation == "unpack" else index_guard(facts)


# --- unpacking ----------------------------------------------------------------------------------


def unpacked(facts: Facts) -> Change:
    """What is unpacked gives as many values as there are names, in every case."""
    target = facts.node
    if not isinstance(target, cst.Tuple | cst.List):
        raise Unfit(_ODD)
    recipe = facts.default
    inner = recipe.inner if recipe.kind == "sequence" and recipe.inner is not None else recipe
    filler = facts.text(inner)
    stars = [number for number, one in enumerate(target.elements) if type(one) is not cst.Element]
    count = len(target.elements) - len(stars)
    whole = f"({', '.join([filler] * count)}{',' if count == 1 else ''})"
    if facts.patch.guard == "unpack_guard":
        template, test = "", "{0} is not None"
        sentence = "The names get values where there is nothing to unpack."
    elif stars:
        if facts.type(0) not in _SEQUENCES:
            raise Unfit(
                f"Make sure that there are at least {count} values before they are unpacked."
            )
        template = ""
        test = f"len({{0}}) >= {count}"
        whole = f"(*{{0}}, {', '.join([filler] * count)})[:{count}]"
        sentence = "Missing values are filled in."
    else:
        template = f"(*{{0}}, {', '.join([filler] * count)})[:{count}]"
        test, sentence = "", "Missing values are filled in, and surplus ones left out."
    return _given(facts, target, template, test, whole, sentence, count, bool(stars))


def _given(
    facts: Facts,
    target: cst.BaseExpression,
    template: str,
    test: str,
    whole: str,
    sentence: str,
    count: int,
    starred: bool,
) -> Change:
    """Put the template around what is unpacked: an assigned value, or each item of a loop."""
    document, parent = facts.document, facts.document.parent(target)
    names = ", ".join(f"name{number}" for number in range(count))
    frame = f"{names}{',' if count == 1 else ''} = {{}}\nreturn [{names}]"
    if starred:
        frame = f"{names}, *rest = {{}}\nreturn [{names}, rest]"
    good = [[str([*range(count)])]] + ([[str([*range(count + 2)])]] if starred else [])
    empty = "None" if test.endswith("None") else "[]"
    samples = Samples([empty], good, "", frame)
    value: cst.BaseExpression
    if isinstance(parent, cst.AssignTarget):
        assign = document.parent(parent)
        if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
            raise Unfit("Several targets are assigned at once; assign them one by one.")
        value = assign.value
        operand = facts.operand(value)
        if template:
            return shapes.direct(facts.place, value, [operand], template, sentence, samples)
        return shapes.conditional(
            facts.place, value, [operand], test, "{0}", whole, sentence, samples
        )
    if not isinstance(parent, cst.For | cst.CompFor) or parent.asynchronous is not None:
        raise Unfit("It is unpacked inside another target; unpack it in a statement of its own.")
    context.refuse_shown(document, parent.iter)
    item = free_name(document, parent, "item" if name_for(parent.iter) == "item" else "values")
    made = (
        template.format(item)
        if template
        else (f"{item} if {test.format(item)} else {whole.format(item)}")
    )
    operand = facts.operand(parent.iter)
    text = f"({made} for {item} in {operand.iterable})"
    start, end = document.span(parent.iter)
    return Change([Edit(start, end, text)], sentence)


# --- chains and lookups ------------------------------------------------------------------------


def chain_subscript_guard(facts: Facts) -> Change:
    """The whole chain in a ``try``."""
    node: cst.CSTNode = facts.node
    if not isinstance(node, cst.Subscript | cst.Attribute):
        raise Unfit(_ODD)
    links: list[cst.Subscript | cst.Attribute] = []
    while isinstance(node, cst.Subscript | cst.Attribute):
        links.append(node)
        node = node.value
    while len(links) > 1 and isinstance(links[-1], cst.Attribute):  # data.rows["a"]["b"]
        node = links.pop()
    operands = [facts.operand(node)]
    template = "{0}"
    has_attributes = False
    for link in reversed(links):
        if isinstance(link, cst.Attribute):
            template += f".{link.attr.value}"
            has_attributes = True
            continue
        keys, key = key_of(facts, link)
        for number in range(len(keys), 0, -1):
            key = key.replace(f"{{{number}}}", f"{{{len(operands) + number - 1}}}")
        operands += keys
        template += f"[{key}]"
    if facts.augmented():
        raise Unfit("It is read and set at once; make sure that each link is there before.")
    caught = (
        "(AttributeError, LookupError, TypeError)"
        if has_attributes
        else ("(LookupError, TypeError)")
    )
    samples = None
    if all(operand.is_constant for operand in operands[1:]) and not has_attributes:
        good = "7"
        for operand in reversed(operands[1:]):
            good = f"{{{operand.text}: {good}}}"
        rest = [operand.text for operand in operands[1:]]
        empty = {"KeyError": "{}", "IndexError": "[]"}.get(facts.patch.exception, "None")
        samples = Samples([empty, *rest], [[good, *rest]], facts.expected(facts.text()))
    return shapes.attempt(
        facts.place, links[0], operands, template, caught, facts.text(),
        "The whole chain has the default where a link is missing.", samples,
    )  # fmt: skip


def lookup_guard(facts: Facts) -> Change:
    """A default where the function takes one, else a test or a ``try``."""
    call = facts.node
    if not isinstance(call, cst.Call):
        raise Unfit("It is called as a decorator or by a statement; no expression stands for it.")
    name = facts.type(0)
    text = facts.text()
    operands, _, stars = arguments_of(facts, call, 0)
    plain = not stars and not any(argument.keyword for argument in call.args)
    one = len(operands) == 1
    inside = facts.expected(text)
    if plain and (
        (name in ("dict.pop", "collections.OrderedDict.pop") and one)
        or (name == "getattr" and len(operands) == 2)
    ):
        return _one_more(facts, call, inside, "It is given a default.")
    if plain and name in ("min", "max") and one:
        return _one_more(facts, call, f"default={inside}", "It is given a default.")
    function = call.func
    is_statement = isinstance(facts.document.parent(call), cst.Expr)
    if isinstance(function, cst.Attribute) and plain and one and not function.lpar:
        receiver = facts.document.read(function.value)
        if name == "set.remove" and is_statement:
            return _renamed(facts, function, "discard", "What is not in the set is passed over.")
        if name in ("str.index", "bytes.index", "str.rindex", "bytes.rindex") and text == "-1":
            found = function.attr.value.replace("index", "find")
            return _renamed(facts, function, found, f"`{found}` gives -1 where there is nothing.")
        del receiver
    return tried(facts, call, facts.patch.exception, text)


def _one_more(facts: Facts, call: cst.Call, text: str, sentence: str) -> Change:
    last = call.args[-1]
    _, end = facts.document.span(last.value)
    for paren in getattr(last.value, "rpar", ()):
        end = facts.document.text.index(")", end) + 1
        del paren
    if isinstance(last.value, cst.GeneratorExp) and not last.value.lpar:
        raise Unfit("A generator expression stands alone in the call; put it into parentheses.")
    return Change([Edit(end, end, f", {text}")], sentence)


def _renamed(facts: Facts, function: cst.Attribute, name: str, sentence: str) -> Change:
    start, end = facts.document.span(function.attr)
    return Change([Edit(start, end, name)], sentence)


def tried(facts: Facts, call: cst.Call, exceptions: str, other: str, sentence: str = "") -> Change:
    """The call in a ``try``, with its operands evaluated before."""
    operands, arguments, stars = arguments_of(facts, call, 1)
    function: cst.BaseExpression = call.func
    if isinstance(function, cst.Attribute):
        owner = facts.operand(function.value)
        made = f"{{0}}.{function.attr.value}({arguments})"
    else:
        owner = facts.operand(function)
        made = f"{{0}}({arguments})"
    return shapes.attempt(
        facts.place, call, [owner, *operands], made, exceptions, other,
        sentence or f"Where it raises {exceptions}, the default is used.", None, stars,
    )  # fmt: skip
