"""Annotations are read as text, and none of them is ever evaluated."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from codesuture.diagnosis.annotations import (
    class_annotation,
    function_annotation,
    module_annotation,
)
from codesuture.diagnosis.type_text import alternatives, item_type, parts


def made(source: str, name: str) -> Any:
    """What the source makes of the name, or its whole namespace."""
    module = sys.modules["made"] = ModuleType("made")  # dataclasses looks for it there
    try:
        exec(compile(source, "made.py", "exec", dont_inherit=True), module.__dict__)
    finally:
        del sys.modules["made"]
    return getattr(module, name) if name else module.__dict__


@pytest.mark.parametrize(
    ("annotation", "allowed"),
    [
        ("str", ["str"]),
        ("'str'", ["str"]),
        ("None", ["None"]),
        ("int | None", ["int", "None"]),
        ("typing.Optional[str]", ["str", "None"]),
        ("typing.Union[int, str]", ["int", "str"]),
        ("'Nowhere | None'", ["Nowhere", "None"]),
        ("typing.Any", ["Any"]),
        ("Mine", ["Mine"]),
        ("typing.Optional['Mine']", ["Mine", "None"]),
    ],
)
def test_a_functions_annotation(annotation: str, allowed: list[str]) -> None:
    source = f"import typing\nclass Mine: pass\ndef f(a: {annotation}) -> {annotation}: pass"
    function = made(source, "f")
    for name in ("a", "return"):
        names = [
            part.rpartition(".")[2] for part in alternatives(function_annotation(function, name))
        ]
        assert names == allowed
    assert function_annotation(function, "missing") == ""


@pytest.mark.parametrize(
    ("annotation", "base", "arguments"),
    [
        ("list[int]", "list", ["int"]),
        ("typing.List[int]", "List", ["int"]),
        ("dict[str, list[int]]", "dict", ["str", "list[int]"]),
        ("typing.Dict[str, typing.Any]", "Dict", ["str", "Any"]),
        ("tuple[int, ...]", "tuple", ["int", "..."]),
    ],
)
def test_a_generic_annotation(annotation: str, base: str, arguments: list[str]) -> None:
    function = made(f"import typing\ndef f() -> {annotation}: pass", "f")
    found, inside = parts(function_annotation(function, "return"))
    assert found == base
    assert [part.removeprefix("typing.") for part in inside] == arguments


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_annotations_of_classes_and_modules(future: str) -> None:
    source = future + (
        "import typing\n"
        "from dataclasses import dataclass\n"
        "count: int = 0\n"
        "class Base:\n    name: str\n"
        "@dataclass\nclass Data(Base):\n    age: 'int' = 0\n"
        "class Row(typing.TypedDict):\n    key: float\n"
        "class Pair(typing.NamedTuple):\n    left: bytes\n"
        "if count == 0:\n    late: set = set()\n"
    )
    namespace = made(source, "")
    assert module_annotation(namespace, "count") == "int"
    assert module_annotation(namespace, "late") == "set"
    assert module_annotation(namespace, "missing") == ""
    assert class_annotation(namespace["Data"], "age").strip("'") == "int"
    assert class_annotation(namespace["Data"], "name") == "str"
    assert class_annotation(namespace["Row"], "key") == "float"
    assert class_annotation(namespace["Pair"], "left") == "bytes"


def test_nothing_is_evaluated() -> None:
    source = (
        "ran = []\n"
        "def loud():\n    ran.append(1)\n    return int\n"
        "def f(a: loud()) -> loud(): pass\n"
        "class A:\n    a: loud()\n"
    )
    namespace = made(source, "")
    before = len(namespace["ran"])
    assert function_annotation(namespace["f"], "a") in ("int", "loud()")
    assert class_annotation(namespace["A"], "a") in ("int", "loud()")
    assert len(namespace["ran"]) == before


def test_objects_of_the_programs_own_are_not_looked_into() -> None:
    source = (
        "class Loud:\n"
        "    def __getattribute__(self, name): raise AssertionError(name)\n"
        "    def __repr__(self): raise AssertionError('repr')\n"
        "loud = Loud()\n"
        "def f(a: loud): pass\n"
    )
    assert function_annotation(made(source, "f"), "a") in ("", "loud")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Annotated[str, 'a | b']", ["str"]),
        ("ClassVar[Optional[int]]", ["int", "None"]),
        ("Literal['a|b'] | None", ["Literal['a|b']", "None"]),
        ("", []),
        ("]]][", ["]]]["]),
    ],
)
def test_alternatives(text: str, expected: list[str]) -> None:
    assert alternatives(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dict[str, int]", "int"), ("list[str]", "str"), ("tuple[int, ...]", "int"),
        ("tuple[int, str]", ""), ("dict", ""), ("Mapping[str, dict[str, int]]", "dict[str, int]"),
        ("Other[int]", ""),
    ],
)  # fmt: skip
def test_item_type(text: str, expected: str) -> None:
    assert item_type(text) == expected
