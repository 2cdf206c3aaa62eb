"""How a change is written down: in place, with a walrus, around the statement, or in a function.

Each shape keeps two promises: what is evaluated on the way that does not crash is what was
evaluated before, once and in the same order; and the value there is the same.

Templates name operands by their number: ``"{0}.bio"``.
"""

from __future__ import annotations

import libcst as cst

from codesuture.sourcefix import context
from codesuture.sourcefix.document import FUNCTION, IMPORT, Document, Edit, Unfit
from codesuture.sourcefix.literals import needed_import
from codesuture.sourcefix.operands import (
    WORD,
    Operand,
    free_name,
    is_global,
    name_for,
    parameter_name,
)
from codesuture.sourcefix.placing import Place
from codesuture.sourcefix.trial import Trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Change:
    """The edits of one patch's change, what it does in one sentence, and how it can be tried."""

    def __init__(self, edits: list[Edit], sentence: str, trial: Trial | None = None) -> None:
        self.edits = edits
        self.sentence = sentence
        self.trial = trial


class Samples:
    """Operands for a trial, as source text: those that crash, and some that do not.

    ``expected`` is what the crashing ones give; empty where that is not compared. ``frame`` is what
    is run with the expression in it.
    """

    def __init__(
        self,
        crash: Sequence[str],
        good: Iterable[Sequence[str]],
        expected: str = "",
        frame: str = "return ({}\n)",
    ) -> None:
        self.frame = frame
        self.crash = list(crash)
        self.good = [list(values) for values in good]
        self.expected = expected


# --- expressions -------------------------------------------------------------------------------


def direct(
    place: Place,
    node: cst.CSTNode,
    operands: list[Operand],
    text: str,
    sentence: str,
    samples: Samples | None = None,
) -> Change:
    """The node becomes ``text``, in which each operand stands once and in its old order."""
    context.refuse_shown(place.document, node)
    made = text.format(*[operand.text for operand in operands])
    return _replaced(place, node, made, [], sentence, operands, samples)


def conditional(
    place: Place,
    node: cst.CSTNode,
    operands: list[Operand],
    test: str,
    value: str,
    other: str,
    sentence: str,
    samples: Samples | None = None,
    template: str = "{value} if {test} else {other}",
    is_original: bool = True,
) -> Change:
    """``value if test else other``: operands of the test are read there first.

    ``value`` is the node itself, unless ``is_original`` denies it.

    Where an operand may not be read twice it is bound by ``:=``; where that may not stand, or
    operands would change their order, the expression moves into a function.
    """
    document = place.document
    context.refuse_shown(document, node)
    tested = [number for number in range(len(operands)) if f"{{{number}}}" in test + other]
    rest = [operand for number, operand in enumerate(operands) if number not in tested]
    bound = [number for number in tested if not operands[number].is_plain]
    fits = all(operand.is_quiet for operand in rest) and all(
        f"{{{number}}}" in test for number in tested
    )
    if not fits or (bound and not context.may_bind(document, node)) or len(bound) > 1:
        return function(
            place, node, operands, [f"return {template}"], sentence, samples,
            test=test, value=value, other=other,
        )  # fmt: skip
    names = [operand.text for operand in operands]
    first = list(names)
    for number in bound:
        names[number] = free_name(document, node, name_for(operands[number].node))
        first[number] = f"({names[number]} := {operands[number].text})"
    mark = f"{{{bound[0]}}}" if bound else ""
    begin, found, end = test.partition(mark) if mark else (test, "", "")
    if bound and begin.endswith("(") and end.startswith(")"):  # len(rows := …)
        first[bound[0]] = first[bound[0]][1:-1]
    made_test = begin.format(*names) + found.format(*first) + end.format(*names)
    made_value = value.format(*names)
    if is_original and not bound:
        made_value = document.read(node)  # as it is written
    made = template.format(value=made_value, test=made_test, other=other.format(*names))
    if context.needs_parentheses(document, node, made):
        made = f"({made})"
    return _replaced(place, node, made, [], sentence, operands, samples)


def function(
    place: Place,
    node: cst.CSTNode,
    operands: list[Operand],
    body: list[str],
    sentence: str,
    samples: Samples | None = None,
    stars: dict[int, str] | None = None,
    **parts: str,
) -> Change:
    """The node becomes the call of a new function of the module, which gets its operands.

    ``body`` are templates, in which ``parts`` are put first. Constants and global names
    stay in the body.
    """
    document = place.document
    context.refuse_shown(document, node)
    stars = stars or {}
    lines = [line.format(**parts) if parts else line for line in body]
    words = [word for line in lines for word in WORD.findall(line)]
    words += [operand.text for operand in operands if _stays(place, operand)]
    names: list[str] = []
    parameters: list[str] = []
    arguments: list[str] = []
    for number, operand in enumerate(operands):
        star = stars.get(number, "")
        if not star and _stays(place, operand):
            names.append(operand.text)
            continue
        name = parameter_name(name_for(operand.node), [*names, *words])
        names.append(name)
        parameters.append(star + name)
        arguments.append(star + operand.argument)
    lines = [line.format(*names) for line in lines]
    title = free_name(document, node, _title(place, node), whole=True)
    unit = document.module.default_indent
    head = f"def {title}({', '.join(parameters)}):"
    text = "\n".join([head, *(_indented(line, unit) for line in lines)]) + "\n"
    call = f"{title}({', '.join(arguments)})"
    definition = _definition(document, node, text)
    return _replaced(place, node, call, [definition], sentence, operands, samples, text)


def _indented(line: str, unit: str) -> str:
    depth = len(line) - len(line.lstrip("\t"))  # templates of bodies are indented by tabs
    return unit * (depth + 1) + line.lstrip("\t")


def _stays(place: Place, operand: Operand) -> bool:
    if operand.is_constant:
        return True
    node = operand.node
    while isinstance(node, cst.Attribute) and operand.is_plain:
        node = node.value
    return isinstance(node, cst.Name) and operand.is_plain and is_global(place.code, node.value)


def _title(place: Place, node: cst.CSTNode) -> str:
    """``bio_or_default``, ``int_or_default``."""
    if isinstance(node, cst.Call):
        function = node.func
        name = function.attr.value if isinstance(function, cst.Attribute) else name_for(function)
    elif isinstance(node, cst.BinaryOperation):
        name = "quotient" if "division" in place.patch.guard else "result"
    elif isinstance(node, cst.Attribute):
        name = node.attr.value
    else:
        name = name_for(node)
    return f"{name.strip('_')}_or_default"


def _definition(document: Document, node: cst.CSTNode, text: str) -> Edit:
    """The new function, in front of the top-level statement that the node is in."""
    statement = node
    for inner, outer in document.around(node):
        if isinstance(outer, cst.Module):
            statement = inner
    start = document.starts[document.line_of(_start_of(document, statement)) - 1]
    while True:  # comments directly above belong to the statement
        previous = document.starts[document.line_of(start) - 2] if start else 0
        line = document.text[previous:start].strip()
        is_first = document.line_of(previous) < 3 and (line.startswith("#!") or "coding" in line)
        if not start or not line.startswith("#") or is_first:
            break
        start = previous
    return Edit(start, start, f"{text}\n\n", FUNCTION)


def _start_of(document: Document, statement: cst.CSTNode) -> int:
    """Where a statement begins, with its decorators."""
    decorators = getattr(statement, "decorators", ())
    return min([document.span(statement)[0], *(document.span(one)[0] for one in decorators)])


def _replaced(
    place: Place,
    node: cst.CSTNode,
    made: str,
    more: list[Edit],
    sentence: str,
    operands: list[Operand],
    samples: Samples | None,
    setup: str = "",
) -> Change:
    document = place.document
    start, end = document.span(node)
    trial = None
    if samples is not None:
        trial = Trial(
            samples.frame.replace("{}", document.text[start:end]),
            setup + samples.frame.replace("{}", made),
            operands, samples, place.patch.exception,
        )  # fmt: skip
    edits = [*more, Edit(start, end, made)]
    return Change(edits + imports(document, setup + made), sentence, trial)


def imports(document: Document, text: str, wanted: str = "") -> list[Edit]:
    """The import that the text needs and the module does not have."""
    line = wanted or needed_import(text)
    if not line or f"\n{line}\n" in f"\n{document.text}":
        return []
    name = line.rpartition(" ")[2]
    if name in text and _imports_name(document, name):
        return []
    at = 0
    for statement in document.module.body:
        small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
        is_docstring = (
            isinstance(small, cst.Expr)
            and isinstance(small.value, cst.SimpleString)
            and statement is document.module.body[0]
        )
        if not is_docstring and not isinstance(small, cst.Import | cst.ImportFrom):
            break
        at = document.line_end(document.span(statement)[1]) + 1
    if not at and document.module.body:
        at = document.starts[document.line_of(_start_of(document, document.module.body[0])) - 1]
    if at > len(document.text):
        line, at = f"\n{line}", len(document.text)
    return [Edit(at, at, f"{line}\n", IMPORT)]


def _imports_name(document: Document, name: str) -> bool:
    for statement in document.module.body:
        if not isinstance(statement, cst.SimpleStatementLine):
            continue
        for small in statement.body:
            if isinstance(small, cst.Import | cst.ImportFrom) and not isinstance(
                small.names, cst.ImportStar
            ):
                for alias in small.names:
                    bound = alias.asname.name if alias.asname else alias.name
                    if isinstance(bound, cst.Name) and bound.value == name:
                        return True
    return False


# --- statements --------------------------------------------------------------------------------


def attempt(
    place: Place,
    node: cst.CSTNode,
    operands: list[Operand],
    value: str,
    exceptions: str,
    other: str,
    sentence: str,
    samples: Samples | None = None,
    stars: dict[int, str] | None = None,
) -> Change:
    """``value``, and where it raises ``exceptions``, ``other``; nothing but the operation is tried.

    Around the statement where the node can be evaluated there, else in a function.
    """
    document = place.document
    context.refuse_shown(document, node)
    statement = context.statement_before(document, node)
    if statement is not None and not stars and not _is_touched(document, statement):
        in_class = context.is_class_body(document, statement)
        whole = _whole_statement(document, statement, node)
        needs_names = any(not _is_free(operand) for operand in operands) or whole is None
        if not (in_class and needs_names):
            return _around(
                place, node, statement, whole, operands, value, exceptions, other, sentence, samples
            )
    return function(
        place, node, operands,
        ["try:", f"\treturn {value}", f"except {exceptions}:", f"\treturn {other}"],
        sentence, samples, stars,
    )  # fmt: skip


def _is_free(operand: Operand) -> bool:
    """Whether reading it raises nothing that would be caught with the operation."""
    return operand.is_plain


def _is_touched(document: Document, statement: cst.CSTNode) -> bool:
    """Whether lines were put around the statement already."""
    start, end = document.span(statement)
    end = document.line_end(end)
    return any(
        start <= edit.start and edit.end <= end and edit.start == edit.end
        for edit in document.edits
        if not edit.is_definition
    )


def _whole_statement(
    document: Document, statement: cst.CSTNode, node: cst.CSTNode
) -> Callable[[str], str] | None:
    """How the statement reads with another value, where the node is all of its value."""
    if not isinstance(statement, cst.SimpleStatementLine) or context.has_parentheses(node):
        return None
    small = statement.body[0]
    if getattr(small, "value", None) is not node:
        return None
    if isinstance(small, cst.Return):
        return lambda text: f"return {text}"
    if isinstance(small, cst.Expr):
        return lambda text: text
    target: cst.BaseExpression | None = None
    if isinstance(small, cst.Assign) and len(small.targets) == 1:
        target = small.targets[0].target
    elif isinstance(small, cst.AnnAssign):
        target = small.target
    if isinstance(target, cst.Name):
        name = target.value
        return lambda text: f"{name} = {text}"
    return None


def _named(
    document: Document, node: cst.CSTNode, operands: list[Operand]
) -> tuple[list[str], list[str]]:
    """What stands for each operand at ``node``, and the statements before it that this needs."""
    names: list[str] = []
    before: list[str] = []
    for operand in operands:
        if operand.is_plain:
            names.append(operand.text)
            continue
        base = name_for(operand.node)
        name = free_name(document, node, base)
        while name in names:
            name = free_name(document, node, f"{base}_{len(names)}")
        names.append(name)
        before.append(f"{name} = {operand.statement}")
    return names, before


def _around(
    place: Place,
    node: cst.CSTNode,
    statement: cst.CSTNode,
    whole: Callable[[str], str] | None,
    operands: list[Operand],
    value: str,
    exceptions: str,
    other: str,
    sentence: str,
    samples: Samples | None,
) -> Change:
    document = place.document
    at = _start_of(document, statement)
    indent, unit = document.indent_at(at), document.module.default_indent
    names, before = _named(document, node, operands)
    made, fallback = value.format(*names), other.format(*names)
    if not before:
        made = document.read(node)  # as it is written
    edits: list[Edit] = []
    if whole is not None and isinstance(statement, cst.SimpleStatementLine):
        start, end = document.span(node)
        rescued = "pass" if whole("") == "" else whole(fallback)
        lines = [*before, "try:"]
        edits.append(Edit(at, at, "".join(f"{line}\n{indent}" for line in lines) + unit))
        if before:
            edits.append(Edit(start, end, made))
        last = document.line_end(document.span(statement.body[0])[1])
        edits.append(Edit(last, last, f"\n{indent}except {exceptions}:\n{indent}{unit}{rescued}"))
        changed = "\n".join(
            [*before, "try:", unit + whole(made), f"except {exceptions}:", unit + rescued]
        )
        original = whole(document.text[start:end])
        read = whole("").removesuffix(" = ") if whole("").endswith(" = ") else ""
    else:
        name = _variable(document, node, names)
        lines = [
            *before, "try:", f"{unit}{name} = {made}", f"except {exceptions}:",
            f"{unit}{name} = {fallback}",
        ]  # fmt: skip
        edits.append(Edit(at, at, "".join(f"{line}\n{indent}" for line in lines)))
        edits.append(Edit(*_with_parentheses(document, node), name))
        changed, read = "\n".join(lines), name
        original = f"{name} = ({document.read(node)}\n)"
    trial = None
    if samples is not None:
        ending = f"\nreturn {read}" if read else ""
        trial = Trial(
            original + ending, changed + ending, operands, samples,
            place.patch.exception,
        )  # fmt: skip
    return Change(edits + imports(document, changed), sentence, trial)


def _variable(document: Document, node: cst.CSTNode, names: list[str]) -> str:
    base = name_for(node)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        base = {"open": "file", "int": "number", "float": "number"}.get(node.func.value, base)
    name = free_name(document, node, base if base.isidentifier() else "value")
    return name if name not in names else free_name(document, node, f"{base}_or_default")


def _with_parentheses(document: Document, node: cst.CSTNode) -> tuple[int, int]:
    return document.span(node)


def guarded(
    place: Place,
    statement: cst.SimpleStatementLine,
    operands: list[Operand],
    test: str,
    sentence: str,
    instead: str = "",
    samples: Samples | None = None,
    read: str = "",
) -> Change:
    """The statement under ``if test:``, with ``else: instead`` where something takes its place."""
    ending = f"else:\n{{unit}}{instead}" if instead else ""
    return _wrapped(place, statement, operands, f"if {test}:", ending, sentence, samples, read)


def suppressed(
    place: Place,
    statement: cst.SimpleStatementLine,
    operands: list[Operand],
    exceptions: str,
    sentence: str,
    samples: Samples | None = None,
    read: str = "",
) -> Change:
    """The statement in a ``try`` that passes over ``exceptions``."""
    ending = f"except {exceptions}:\n{{unit}}pass"
    return _wrapped(place, statement, operands, "try:", ending, sentence, samples, read)


def _wrapped(
    place: Place,
    statement: cst.SimpleStatementLine,
    operands: list[Operand],
    head: str,
    ending: str,
    sentence: str,
    samples: Samples | None,
    read: str,
) -> Change:
    document = place.document
    if _is_touched(document, statement):
        raise Unfit("Another patch's change is around the same statement.")
    at = _start_of(document, statement)
    indent, unit = document.indent_at(at), document.module.default_indent
    needs_names = [operand for operand in operands if not operand.is_plain]
    if needs_names and context.is_class_body(document, statement):
        raise Unfit("A variable would be needed, which would be an attribute of the class here.")
    names, before = _named(document, statement, operands)
    edits = [
        Edit(*document.span(operand.node), name)
        for operand, name in zip(operands, names, strict=True)
        if not operand.is_plain
    ]
    first = [*before, head.format(*names)]
    edits.append(Edit(at, at, "".join(f"{line}\n{indent}" for line in first) + unit))
    last = document.line_end(document.span(statement.body[0])[1])
    ending = ending.format(*names, unit=unit) if ending else ""
    if ending:
        edits.append(Edit(last, last, "".join(f"\n{indent}{line}" for line in ending.split("\n"))))
    trial = None
    if samples is not None:
        start, end = document.span(statement.body[0])
        inner = document.text[start:end]
        for edit in sorted(edits[: len(before)], key=lambda edit: -edit.start):
            inner = inner[: edit.start - start] + edit.text + inner[edit.end - start :]
        back = f"\nreturn {read}" if read else ""
        body = "\n".join([*first, unit + inner, *([ending] if ending else [])])
        trial = Trial(
            document.text[start:end] + back, body + back,
            operands, samples, place.patch.exception,
        )  # fmt: skip
    return Change(edits + imports(document, ending), sentence, trial)


def before(place: Place, statement: cst.CSTNode, lines: list[str], sentence: str) -> Change:
    """Lines in front of the statement, which stays as it is."""
    document = place.document
    if _is_touched(document, statement):
        raise Unfit("Another patch's change is around the same statement.")
    at = _start_of(document, statement)
    indent, unit = document.indent_at(at), document.module.default_indent
    text = "".join(f"{line}\n{indent}".replace("\t", unit) for line in lines)
    return Change([Edit(at, at, text)], sentence)
