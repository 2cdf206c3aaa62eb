"""What the program declares a crash's value to be: the annotations that speak of it."""

from __future__ import annotations

from codesuture.diagnosis.annotations import (
    class_annotation,
    class_named,
    function_annotation,
    module_annotation,
    parameter,
    running_function,
)
from codesuture.diagnosis.expression import (
    Attribute,
    Call,
    Constant,
    Expression,
    Local,
    Subscript,
    Unary,
)
from codesuture.diagnosis.lookup import MISSING, is_class, python_function, type_lookup
from codesuture.diagnosis.type_text import alternatives, item_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from codesuture.diagnosis.crash import Crash
    from codesuture.diagnosis.uses import Consumer

MAX_DEPTH = 6


class Declaration:
    """An annotation's text, and what it is the annotation of, as the end of a sentence."""

    __slots__ = ("of", "text")

    def __init__(self, text: str, of: str) -> None:
        self.text = text
        self.of = of


def declarations(
    crash: Crash, consumers: list[Consumer], result: Expression | None
) -> Iterator[Declaration]:
    """The annotations that speak of a value with these uses, the nearest first.

    ``result`` is the expression that gives it, where that is known.
    """
    for consumer in consumers:
        if consumer.kind == "returned":
            text = return_annotation(crash)
            if text:
                yield Declaration(text, f"the return value of {crash.code.co_name}")
        elif consumer.kind == "stored":
            yield from _stored(crash, consumer)
    text = declared(crash, result) if result is not None else ""
    if text and result is not None:
        yield Declaration(text, result.text())
    for consumer in consumers:
        if consumer.kind == "argument":
            yield from _argument(crash, consumer)


def return_annotation(crash: Crash) -> str:
    """The annotation of what the running function returns."""
    function = running_function(crash.frame)
    return function_annotation(function, "return") if function is not None else ""


def result_of(crash: Crash) -> Expression | None:
    """The expression whose value is missing: an attribute, an item, or the result of a call."""
    operands = crash.operands
    if crash.operation == "call":
        return Call(operands[0], operands[1:], crash.keywords)
    if crash.operation == "send":
        awaited = operands[0]
        return awaited.operand if type(awaited) is Unary else awaited
    if crash.name is not None and crash.operation.startswith("load"):
        found = Attribute(operands[0], crash.name)
        return Call(found) if crash.site.shape == "method" else found
    return Subscript(operands[0], operands[1]) if crash.operation == "subscript" else None


def declared(crash: Crash, expression: Expression, depth: int = MAX_DEPTH) -> str:
    """The annotation of a parameter, a module's variable, an attribute or an item; or ``""``."""
    if depth == 0:
        return ""
    if isinstance(expression, Local):
        function = running_function(crash.frame)
        return function_annotation(function, expression.name) if function is not None else ""
    if isinstance(expression, Attribute):
        owner = class_of(crash, expression.object, depth - 1)
        return class_annotation(owner, expression.name) if owner is not None else ""
    if isinstance(expression, Subscript):
        return _item(crash, expression, depth)
    if isinstance(expression, Call):
        return _call(crash, expression, depth)
    name = getattr(expression, "name", "")
    return module_annotation(crash.frame.f_globals, name) if name else ""


def class_of(crash: Crash, expression: Expression, depth: int = MAX_DEPTH) -> type | None:
    """The class of what the expression gives: of its value, else as declared."""
    value = crash.evaluate(expression)
    if value is not MISSING and value is not None:
        return type(value)
    if isinstance(expression, Call):
        called = crash.evaluate(expression.function)
        if is_class(called):
            return called
    for name in alternatives(declared(crash, expression, depth)):
        found = class_named(name, crash.frame.f_globals)
        if found is not None:
            return found
    return None


def _item(crash: Crash, expression: Subscript, depth: int) -> str:
    text = declared(crash, expression.object, depth - 1)
    for alternative in alternatives(text):
        owner = class_named(alternative, crash.frame.f_globals)
        if owner is not None and type(expression.key) is Constant:
            key = expression.key.value
            return class_annotation(owner, key) if type(key) is str else ""
        item = item_type(alternative)
        if item:
            return item
    return ""


def _call(crash: Crash, expression: Call, depth: int) -> str:
    """The return annotation of a function, or of a method of a declared class."""
    function = python_function(crash.evaluate(expression.function))
    if function is None and isinstance(expression.function, Attribute):
        owner = class_of(crash, expression.function.object, depth - 1)
        found = type_lookup(owner, expression.function.name) if owner is not None else None
        function = python_function(found)
    return function_annotation(function, "return") if function is not None else ""


def _stored(crash: Crash, consumer: Consumer) -> Iterator[Declaration]:
    if consumer.other is None:
        is_global = crash.code.co_qualname == "<module>"
        text = module_annotation(crash.frame.f_globals, consumer.detail) if is_global else ""
    else:
        owner = class_of(crash, consumer.other)
        name = consumer.detail.rpartition(".")[2]
        text = class_annotation(owner, name) if owner is not None else ""
    if text:
        yield Declaration(text, consumer.detail)


def _argument(crash: Crash, consumer: Consumer) -> Iterator[Declaration]:
    call = consumer.other
    if not isinstance(call, Call):
        return
    called = crash.evaluate(call.function)
    function = python_function(called)
    bound = 0 if function is called else 1
    if function is None and is_class(called):
        function = python_function(type_lookup(called, "__init__"))
        bound = 1
    if function is None:
        return
    name = parameter(function.__code__, consumer.position + bound, consumer.detail)
    text = function_annotation(function, name) if name else ""
    if not text and is_class(called):  # a dataclass: from 3.14 on its __init__ tells nothing
        text = class_annotation(called, name)
    if text:
        yield Declaration(text, f"the parameter {name} of {call.function.text()}")
