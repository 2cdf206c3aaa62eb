"""What an expression is worth in a live frame, and that nobody's code runs to find out."""

from __future__ import annotations

import ast
import sys
from types import FrameType, MethodType, ModuleType

import pytest

from codesuture.diagnosis.evaluate import evaluate
from codesuture.diagnosis.expression import (
    Attribute,
    Binary,
    Call,
    Collection,
    Constant,
    Expression,
    Free,
    Global,
    Local,
    Name,
    Subscript,
    Unary,
)
from codesuture.diagnosis.lookup import MISSING

SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%"}


def expression(text: str) -> Expression:
    """The tree of a source expression."""

    def build(node: ast.expr) -> Expression:
        match node:
            case ast.Name(id=name):
                return Local(name) if name.islower() else Name(name)
            case ast.Attribute(value=value, attr=name):
                return Attribute(build(value), name)
            case ast.Subscript(value=value, slice=key):
                return Subscript(build(value), build(key))
            case ast.BinOp(left=left, op=operator, right=right):
                return Binary(SIGNS[type(operator)], build(left), build(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Unary("-", build(operand))
            case ast.Tuple(elts=items):
                return Collection("tuple", [build(item) for item in items])
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return Call(Global(name), [build(argument) for argument in arguments])
        assert isinstance(node, ast.Constant)
        return Constant(node.value)

    return build(ast.parse(text, mode="eval").body)


def value(text: str, /, **names: object) -> object:
    """``text`` evaluated in the frame of a function that has these locals."""
    code = f"def function({', '.join(names)}):\n    return frame()"
    namespace: dict[str, object] = {"frame": lambda: sys._getframe(1)}
    exec(code, namespace)
    live = namespace["function"](*names.values())  # type: ignore[operator]
    return evaluate(expression(text), live)


class Loud:
    """Every way of looking at it runs code of its own."""

    __slots__ = ("plain",)
    seen: list[str] = []  # noqa: RUF012

    def __getattribute__(self, name: str) -> object:
        Loud.seen.append(name)
        return 1

    def __getitem__(self, key: object) -> object:
        Loud.seen.append("item")
        return 1

    def __eq__(self, other: object) -> bool:
        Loud.seen.append("eq")
        return True

    def __hash__(self) -> int:
        Loud.seen.append("hash")
        return 1

    def __len__(self) -> int:
        Loud.seen.append("len")
        return 1

    def __add__(self, other: object) -> object:
        Loud.seen.append("add")
        return 1

    __radd__ = __add__


class Meta(type):
    def __getattr__(cls, name: str) -> object:
        Loud.seen.append(name)
        return 1


class Quiet(metaclass=Meta):
    shared = "shared"

    def __init__(self) -> None:
        self.plain = {"key": [10, 20, 30]}
        self.hidden = "in the instance"

    @property
    def computed(self) -> object:
        Loud.seen.append("computed")
        return 1

    def __getattr__(self, name: str) -> object:
        Loud.seen.append(name)
        return 1

    def method(self) -> None: ...

    @staticmethod
    def static() -> None: ...

    @classmethod
    def of_class(cls) -> None: ...


class Slotted:
    __slots__ = ("empty", "full")

    def __init__(self) -> None:
        self.full = 5


class OwnNamespace:
    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]
        Loud.seen.append("__dict__")
        return {"plain": 1}


class Strange(dict):  # type: ignore[type-arg]
    def __getitem__(self, key: object) -> object:
        Loud.seen.append("strange")
        return 1


@pytest.fixture(autouse=True)
def nobody_looks() -> object:
    Loud.seen.clear()
    yield
    assert Loud.seen == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q", None),
        ("q.plain['key'][1]", 20),
        ("q.plain['key'][-1]", 30),
        ("q.plain['key'][n]", 30),
        ("q.plain['key'][n - 1]", 20),
        ("q.plain['key'][len(q.plain['key']) - 3]", 10),
        ("q.shared", "shared"),
        ("q.hidden", "in the instance"),
        ("-n", -2),
        ("n * 3 // 4", 1),
        ("text[0]", "t"),
        ("(n, text)", (2, "text")),
        ("pairs[n, text]", "found"),
        ("slotted.full", 5),
        ("module.name", "of the module"),
        ("Exception.__name__", "Exception"),
    ],
)
def test_plain_data_is_found(text: str, expected: object) -> None:
    module = ModuleType("module")
    module.name = "of the module"  # type: ignore[attr-defined]
    quiet = Quiet()
    names = {
        "q": quiet, "n": 2, "text": "text", "pairs": {(2, "text"): "found"},
        "slotted": Slotted(), "module": module,
    }  # fmt: skip
    found = value(text, **names)
    assert found is quiet if expected is None else found == expected


@pytest.mark.parametrize(
    "text",
    [
        "q.computed",
        "q.nothing",
        "q.plain['missing']",
        "q.plain['key'][3]",
        "q.plain['key'][-4]",
        "q.plain[loud]",
        "unbound",
        "q.plain['key'][q]",
        "loud.plain",
        "loud[1]",
        "loud + 1",
        "len(loud)",
        "1 // 0",
        "slotted.empty",
        "slotted.nothing",
        "own.plain",
        "strange['key']",
        "class_.nothing",
        "method()",
        "q.plain['key'][9][0].x",
    ],
)
def test_what_only_code_could_tell_is_missing(text: str) -> None:
    names = {
        "q": Quiet(), "loud": object.__new__(Loud), "slotted": Slotted(), "own": OwnNamespace(),
        "strange": Strange(key=1), "class_": Quiet, "method": Quiet().method,
    }  # fmt: skip
    assert value(text, **names) is MISSING


def test_methods_are_bound() -> None:
    quiet = Quiet()
    method = value("q.method", q=quiet)
    assert type(method) is MethodType
    assert method.__self__ is quiet
    assert value("q.static", q=quiet) is Quiet.static
    assert value("q.of_class", q=quiet) == Quiet.of_class
    assert value("c.method", c=Quiet) is Quiet.__dict__["method"]


def test_methods_of_plain_types_are_bound() -> None:
    data: dict[str, int] = {}
    pop = value("d.pop", d=data)
    assert pop.__self__ is data  # type: ignore[attr-defined]
    assert pop.__name__ == "pop"  # type: ignore[attr-defined]
    assert value("d.nothing", d=data) is MISSING


def test_methods_of_subclasses_of_plain_types_are_bound() -> None:
    class Names(list):  # type: ignore[type-arg]
        pass

    names = Names(["a"])
    assert value("n.remove", n=names).__self__ is names  # type: ignore[attr-defined]


def frame_with_cell() -> tuple[FrameType, object]:
    shared = object()

    def inner() -> FrameType:
        assert shared is not None
        return sys._getframe()

    return inner(), shared


def test_variables_of_enclosing_functions_and_builtins() -> None:
    frame, shared = frame_with_cell()
    assert evaluate(Free("shared"), frame) is shared
    assert evaluate(Free("unbound"), frame) is MISSING
    assert evaluate(Global("len"), frame) is len
    assert evaluate(Global("pytest"), frame) is pytest
    assert evaluate(Local("len"), frame) is MISSING
    assert evaluate(Name("len"), frame) is len


def test_names_of_a_class_body_with_a_namespace_of_its_own_are_missing() -> None:
    class Namespace(dict):  # type: ignore[type-arg]
        def __contains__(self, key: object) -> bool:
            Loud.seen.append("contains")
            return True

    class Prepared(type):
        @classmethod
        def __prepare__(cls, name: str, bases: object) -> Namespace:  # type: ignore[override]
            return Namespace(inside=1)

    class Body(metaclass=Prepared):
        frame = sys._getframe()
        found = evaluate(Name("inside"), frame)

    assert Body.found is MISSING
