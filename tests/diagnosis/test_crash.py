"""What a crash tells about itself."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from crashing import at_crash

from codesuture.diagnosis.crash import Crash
from codesuture.diagnosis.expression import UNKNOWN, Subscript
from codesuture.diagnosis.lookup import MISSING
from codesuture.diagnosis.messages import exception_text, operator_types
from codesuture.diagnosis.operands import operands_of


def described(crash: Crash) -> tuple[object, ...]:
    return crash.operation, [crash.text(operand) for operand in crash.operands], crash.name


@pytest.mark.parametrize(
    ("line", "operation", "operands", "name"),
    [
        ("n.bio", "load_attribute", ["n"], "bio"),
        ("n.save(1)", "load_method", ["n"], "save"),
        ("n.bio = 3", "store_attribute", ["3", "n"], "bio"),
        ("del n.bio", "delete_attribute", ["n"], "bio"),
        ("d['user']['name']", "subscript", ["d", "'user'"], None),
        ("d[n, 1]", "subscript", ["d", "(n, 1)"], None),
        ("n['k'] = 3", "store_subscript", ["3", "n", "'k'"], None),
        ("del d['k']", "delete_subscript", ["d", "'k'"], None),
        ("7 // (z * 2)", "binary", ["7", "z * 2"], None),
        ("'a' + z", "binary", ["'a'", "z"], None),
        ("z < n", "compare", ["z", "n"], None),
        ("1 in n", "contains", ["1", "n"], None),
        ("-n", "negate", ["n"], None),
        ("~n", "invert", ["n"], None),
        ("+n", "positive", ["n"], None),
        ("n(1, z)", "call", ["n", "1", "z"], None),
        ("d.pop('k')", "call", ["d.pop", "'k'"], None),
        ("n(1, *d)", "call", ["n", "1", "*d"], None),
        ("n(**d)", "call", ["n", "**d"], None),
        ("for i in n: pass", "iterate", ["n"], None),
        ("a, b = [z]", "unpack", ["[z]"], None),
        ("a, b = n", "unpack", ["n"], None),
        ("with n: pass", "enter", ["n"], None),
        ("[*d, *n]", "extend", ["n"], None),
        ("{**n}", "merge", ["n"], None),
        ("f'{n:d}'", "format", ["n", "'d'"], None),
        ("(n or n).bio", "load_attribute", ["…"], "bio"),
        ("(y := n).bio", "load_attribute", ["n"], "bio"),
        ("len(n)", "call", ["len", "n"], None),
        ("d[f'{z}']", "subscript", ["d", "f'{z}'"], None),
        ("d[-1]", "subscript", ["d", "-1"], None),
    ],
)
def test_the_operands_of_every_operation(
    line: str, operation: str, operands: list[str], name: str | None
) -> None:
    source = f"def f(n, d, z):\n    {line}\nf(None, {{}}, 0)"
    assert at_crash(source, described) == (operation, operands, name)


@pytest.mark.parametrize("slice_", ["n[1:z]", "n[1:z] = 3"])
def test_the_key_of_a_slice_is_one_operand(slice_: str) -> None:
    source = f"def f(n, z):\n    {slice_}\nf(None, 0)"
    texts = at_crash(source, lambda crash: [operand.text() for operand in crash.operands])
    assert texts[-2:] == ["n", "1:z"]
    assert len(texts) == (3 if "=" in slice_ else 2)


def test_keywords_of_a_call() -> None:
    source = "def f(n):\n    n(1, a=2, b=n)\nf(None)"
    texts = at_crash(
        source, lambda crash: {name: part.text() for name, part in crash.keywords.items()}
    )
    assert texts == {"a": "2", "b": "n"}


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("1 // z", "//"), ("z //= z", "//="), ("n + 1", "+"), ("n >= 1", ">="), ("1 in n", "in"),
        ("1 not in n", "not in"), ("-n", "-"), ("~n", "~"), ("n.x", None), ("n @ 1", "@"),
    ],
)  # fmt: skip
def test_the_sign(line: str, sign: str | None) -> None:
    assert at_crash(f"def f(n, z):\n    {line}\nf(None, 0)", lambda crash: crash.sign) == sign


def test_values_and_the_callable() -> None:
    source = "class A:\n    data = {}\n    def f(self): self.data.pop('k')\nA().f()"

    def look(crash: Crash) -> tuple[object, ...]:
        called = crash.called
        return called.__name__, called.__self__, crash.evaluate(crash.operands[1])  # type: ignore[attr-defined]

    assert at_crash(source, look) == ("pop", {}, "k")
    assert at_crash("n = None\nn.x", lambda crash: crash.called) is MISSING
    assert at_crash("n = None\nn.x", lambda crash: crash.evaluate(crash.operands[0])) is None


def test_a_variable_that_has_changed_since_is_not_told() -> None:
    source = "def f(n):\n    n + [(n := 2)]\nf(1)"
    left, right = at_crash(source, lambda crash: crash.operands)
    assert left is UNKNOWN
    assert right.text() == "[2]"


def test_where_it_happened(tmp_path: Path) -> None:
    file = tmp_path / "shown.py"
    source = "class A:\n  def f(self, n):\n    return ('ä' +\n      n.bio . x)\nA().f(None)\n"
    file.write_text(source, encoding="utf-8")

    def look(crash: Crash) -> tuple[object, ...]:
        return crash.line, crash.file, crash.function, crash.source, crash.message

    line, name, function, text, message = at_crash(source, look, str(file))
    assert (line, name, function, text) == (4, str(file), "A.f", "n.bio")
    assert message == "'NoneType' object has no attribute 'bio'"


def test_no_source_no_text() -> None:
    assert at_crash("n = None\nn.x", lambda crash: crash.source, "<nowhere>") == ""


@pytest.mark.parametrize(
    ("line", "types"),
    [
        ("'a' + 3", ("str", "int")), ("3 + 'a'", ("int", "str")), ("[] + 3", ("list", "int")),
        ("() + []", ("tuple", "list")), ("b'' + 3", ("bytes", "int")),
        ("None - 1", ("NoneType", "int")),
        ("None < 1", ("NoneType", "int")), ("-None", ("NoneType",)), ("abs(None)", ("NoneType",)),
        ("1 / 0", ()), ("None.x", ()),
    ],
)  # fmt: skip
def test_the_operands_types_that_the_message_tells(line: str, types: tuple[str, ...]) -> None:
    try:
        eval(line)
    except Exception as exception:
        assert operator_types(exception) == types


def test_messages_are_those_of_python() -> None:
    for line in (
        "{}['k']",
        "{}[1]",
        "1 / 0",
        "[][1]",
        "open('/no/such/file')",
        "None.x",
        "int('x')",
    ):
        try:
            eval(line)
        except Exception as exception:
            assert exception_text(exception) == str(exception)


def test_a_message_of_the_programs_own_is_not_asked() -> None:
    class Loud(Exception):
        def __str__(self) -> str:
            raise AssertionError("asked")

    class Silent:
        def __repr__(self) -> str:
            raise AssertionError("asked")

    assert exception_text(Loud("plain")) == "plain"
    assert exception_text(KeyError(Silent())) == ""
    assert exception_text(OSError(2, "no", Silent())) == "2, 'no'"


def test_code_that_cannot_be_read_gives_unknown_operands() -> None:
    def look(crash: Crash) -> list[object]:
        odd = crash.code.replace(co_consts=())
        return list(operands_of(odd, crash.site).expressions)

    assert at_crash("def f(n):\n    n['a']\nf(None)", look) == [UNKNOWN, UNKNOWN]


def test_a_long_expression_is_cut() -> None:
    names = ".".join(f"attribute{number}" for number in range(60))
    source = f"class A:\n    def __getattr__(self, name): return self\na = A()\na.{names} + 1"
    (left, _) = at_crash(source, lambda crash: [part.text() for part in crash.operands])
    assert len(left) <= 120


def test_a_diagnosis_is_quick() -> None:
    body = "\n".join(f"    x{number} = [n, {number}, 'text', len(d)]" for number in range(200))
    source = f"def f(n, d):\n{body}\n    y = d['user']['name']\n    return 'a' + y\nf(None, {{}})"

    def look(crash: Crash) -> float:
        crash.consumers()  # decodes the code, once
        best = 1.0
        for _ in range(20):
            again = Crash(crash.exception, crash.frame, crash.code, crash.site)
            start = time.perf_counter()
            assert type(again.operands[0]) is not Subscript
            assert again.consumer.kind
            assert again.message and again.line
            best = min(best, time.perf_counter() - start)
        return best

    assert at_crash(source, look) < 0.001
