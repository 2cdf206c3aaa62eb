"""Which default the ladder chooses, by which rung, and what it says about it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codesuture.defaults.ladder import Choice, choose
from codesuture.defaults.recipe import Recipe, RecipeError
from codesuture.diagnosis.crash import Crash

HELPER = Path(__file__).parents[1] / "diagnosis" / "crashing.py"
_spec = importlib.util.spec_from_file_location("crashing_for_the_ladder", HELPER)
assert _spec is not None and _spec.loader is not None
_crashing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_crashing)
at_crash: Callable[..., Any] = _crashing.at_crash


class NullGuard:
    name = "null_guard"

    def target(self, crash: Crash) -> str:
        return crash.operands[0].text()

    def default(self, crash: Crash) -> Recipe:
        is_method = crash.site.shape == "method"
        return Recipe.callable() if is_method else Recipe.constant(None)


class FixedGuard(NullGuard):
    fixed = True


class ChainGuard(NullGuard):
    name = "chain_subscript_guard"
    whole_chain = True


def chosen(source: str, guard: NullGuard | None = None, **more: Any) -> Choice:
    return at_crash(source, lambda crash: choose(crash, guard or NullGuard(), **more))


def function(body: str, after: str = "f(None)") -> str:
    lines = "\n    ".join(body.splitlines())
    return f"def f(n, items=[], d={{}}):\n    {lines}\n\n{after}"


@pytest.mark.parametrize(
    ("body", "default", "reason"),
    [
        ('"a" + n.x', '""', "The value is concatenated with a str at line 2."),
        ('"a".upper() + n.x', '""', "The value is concatenated with a str at line 2."),
        ('"a".join(items).strip() + n.x', '""', "The value is concatenated with a str at line 2."),
        ("str(items) + n.x", '""', "The value is concatenated with a str at line 2."),
        ("sorted(items) + n.x", "[]", "The value is concatenated with a list at line 2."),
        ("len(items) > n.x", "0", "The value is compared with an int at line 2."),
        ('"a".find("b") + n.x', "0", "The value is an operand of + at line 2."),
        ("items + n.x", "[]", "The value is concatenated with a list at line 2."),
        ("n.x + 1", "0", "The value is an operand of + at line 2."),
        ("1 / n.x", "1", "The value is the divisor of / at line 2."),
        ("n.x / 2", "0", "The value is an operand of / at line 2."),
        ("'-' * n.x", "0", "The value says how often a str is repeated at line 2."),
        ("n.x | {1}", "set()", "The value is combined with a set by | at line 2."),
        ("for i in n.x: pass", "()", "The value is iterated at line 2."),
        ("len(n.x)", "()", "The value is passed to len at line 2."),
        ("int(n.x)", "0", "The value is passed to int at line 2."),
        ("','.join(n.x)", "()", "The value is passed to join at line 2."),
        ("items.extend(n.x)", "()", "The value is passed to extend at line 2."),
        ("'abc'.startswith(n.x)", '""', "The value is passed to startswith at line 2."),
        ("n.x.strip()", '""', "The value has its method strip called at line 2."),
        ("y = n.x\ny.append(1)", "[]", "The value has its method append called at line 3."),
        ("n.x.items()", "{}", "The value has its method items called at line 2."),
        ("n.x['k']", "{}", "The value is looked up in by a str key at line 2."),
        ("n.x['k'] = 1", "{}", "The value gets an item at line 2."),
        ("n.x[:3]", '""', "The value is sliced at line 2."),
        ("a, b, c = n.x", "(None, None, None)", "The value is unpacked into 3 names at line 2."),
        ("f'{n.x:>5}'", '""', "The value is formatted as text at line 2."),
        ("f'{n.x:.2f}'", "0", "The value is formatted as a number at line 2."),
        ("'%d' % n.x", "0", "The value is formatted as a whole number at line 2."),
        ("n.x < 2.5", "0.0", "The value is compared with a float at line 2."),
        ("n.x == 'a'", '""', "The value is compared with a str at line 2."),
        ("if n.x is None: pass", "None", "The value is compared with None at line 2."),
        ("y = n.x or 3", "None", "The value has an alternative behind or at line 2."),
        ("if n.x: pass", "None", "The value is tested for truth at line 2."),
        ("1 in n.x", "()", "The value is searched with in at line 2."),
        ("items[n.x]", "0", "The value is the index into a list at line 2."),
        ("items[:n.x]", "None", "The value is the bound of a slice at line 2."),
        ("print(**n.x)", "{}",
         "The value is unpacked as keyword arguments or into a dict at line 2."),
        ("y = n.x\nprint(y)\ny + 1", "0", "The value is an operand of + at line 4."),
        ("print(f'{n.x}')", '""', "The value is formatted as text at line 2."),
        ("y = n.f()\ny + 1", "a callable that returns 0",
         "Its result is an operand of + at line 3."),
        ("y = n.f().strip()", 'a callable that returns ""',
         "Its result has its method strip called at line 2."),
        ("with n.x: pass", "a context manager that enters None",
         "The value is entered by with at line 2."),
        ("with n as q: q.append(1)", "a context manager that enters []",
         "Its result has its method append called at line 2."),
    ],
)  # fmt: skip
def test_by_what_uses_the_value(body: str, default: str, reason: str) -> None:
    choice = chosen(function(body))
    assert (choice.rung, choice.recipe.describe(), choice.reason) == ("consumer", default, reason)


@pytest.mark.parametrize(
    ("use", "default", "reason"),
    [
        ("sum(i.x for i in [None])", "0", "The value is an item for sum at line 1."),
        ("', '.join(i.x for i in [None])", '""', "The value is an item for join at line 1."),
        ("sum((i.x for i in [None]), 5)", "None", "It is the default of null_guard."),
        ("max(i.x for i in [None])", "None", "It is the default of null_guard."),
    ],
)
def test_by_what_takes_the_items_of_a_generator(use: str, default: str, reason: str) -> None:
    choice = chosen(use)
    assert (choice.recipe.describe(), choice.reason) == (default, reason)


class ZeroGuard(NullGuard):
    name = "type_coercion_guard"

    def default(self, crash: Crash) -> Recipe:
        return Recipe.constant(0)


@pytest.mark.parametrize("body", ["print('x:', n.x)", "y = f'{n.x}'", "return n.x"])
def test_a_use_that_takes_anything_does_not_overrule_what_the_guard_knows(body: str) -> None:
    source = function(body, "\nprint(f(None))")
    assert chosen(source).recipe == Recipe.constant("")
    choice = chosen(source, ZeroGuard())
    assert (choice.rung, choice.recipe) == ("guard", Recipe.constant(0))


def test_by_what_the_caller_does_with_it() -> None:
    choice = chosen(function("return n.x", "\ny = 'a' + f(None)"))
    assert (choice.rung, choice.recipe) == ("consumer", Recipe.constant(""))
    expected = "returned to a caller, where it is concatenated with a str at line 5."
    assert choice.reason == f"The value is {expected}"


def test_by_a_decimal_beside_it() -> None:
    source = "from decimal import Decimal\n" + function("p + n.x").replace("d={}", "p=Decimal(1)")
    assert chosen(source).recipe.describe() == 'Decimal("0")'


@pytest.mark.parametrize("body", ["n.x", "y = n.x", "n.save()", "n.x = 1", "del n.x", "n.x.y"])
def test_by_the_guard_where_nothing_else_tells(body: str) -> None:
    choice = chosen(function(body))
    assert choice.rung == "guard"
    assert choice.reason == "It is the default of null_guard."


PROFILE = "class Profile:\n    bio: str\n    def name(self) -> str: return ''\n"


@pytest.mark.parametrize(
    ("source", "default", "reason"),
    [
        ("def f(n) -> str: return n.x\nf(None)", '""', "the return value of f is str"),
        ("def f(n) -> 'dict[str, int]':\n  y = n.x\n  return y\nf(None)", "{}",
         "the return value of f is dict[str, int]"),
        ("def f(n) -> int | None: return n.x\nf(None)", "None",
         "the return value of f is int | None"),
        ("class A:\n  def f(self, n) -> list[str]: return n.f()\nA().f(None)",
         "a callable that returns []", "the return value of f is list[str]"),
        ("class A:\n  a: int\n  def __init__(self, n): self.a = n.x\nA(None)", "0",
         "self.a is int"),
        ("class A:\n  a: float\ndef f(a): return a.a\nf(A())", "0.0", "a.a is float"),
        (PROFILE + "def f(p: Profile | None): return p.bio\nf(None)", '""', "p.bio is str"),
        (PROFILE + "def f(p: 'Profile'): return p.name()\nf(None)", 'a callable that returns ""',
         "p.name() is str"),
        (PROFILE + "class U:\n  p: Profile | None = None\ndef f(u): return u.p.bio\nf(U())",
         '""', "u.p.bio is str"),
        ("from typing import TypedDict\nclass R(TypedDict):\n  age: int\n"
         "def f(r: R): return r['age']\nf({})", "0", "r['age'] is int"),
        ("def f(d: dict[str, list[int]]): return d['k']\nf({})", "[]", "d['k'] is list[int]"),
        ("def f(d: list[bytes]): return d[3]\nf([])", 'b""', "d[3] is bytes"),
        ("def g(a: int, *, k: str): pass\ndef f(n): g(n.x, k='')\nf(None)", "0",
         "the parameter a of g is int"),
        ("def g(a: int, *, k: str): pass\ndef f(n): g(1, k=n.x)\nf(None)", '""',
         "the parameter k of g is str"),
        ("from dataclasses import dataclass\n@dataclass\nclass A:\n  a: int\n  b: str\n"
         "def f(n): return A(1, n.x)\nf(None)", '""', "the parameter b of A is str"),
    ],
)  # fmt: skip
def test_by_annotation(source: str, default: str, reason: str) -> None:
    choice = chosen(source)
    assert (choice.rung, choice.recipe.describe()) == ("annotation", default)
    assert choice.reason == f"The annotation of {reason}."


def test_an_annotation_stands_above_uses_and_an_unknown_class_below() -> None:
    annotated = "class A:\n  a: str\ndef f(a): return a.a + 1\nf(A())"
    assert chosen(annotated).rung == "annotation"
    unknown = "class B: pass\nclass A:\n  a: B\ndef f(a): return a.a + 1\nf(A())"
    assert chosen(unknown).rung == "consumer"


def test_the_approved_patch_stands_above_what_is_derived() -> None:
    choice = chosen(function('"a" + n.x'), approved=Recipe.constant(7))
    assert (choice.rung, choice.recipe) == ("approved", Recipe.constant(7))


@pytest.mark.parametrize("key", ["crashing:f:n", "crashing:f", "null_guard"])
def test_configuration_stands_above_all(key: str) -> None:
    configured = {key: '"configured"', "other:f:n": "1", "crashing:g": "2", "key_guard": "3"}
    choice = chosen(function("n.x"), configured=configured, approved=Recipe.constant(7))
    assert (choice.rung, choice.recipe) == ("configured", Recipe.constant("configured"))
    assert key in choice.reason


def test_the_most_exact_key_wins_and_the_module_can_be_given() -> None:
    configured = {"app:f:n": "1", "app:f": "2", "null_guard": "3"}
    assert chosen(function("n.x"), configured=configured, module="app").recipe.value == 1
    assert chosen(function("n.x"), configured=configured).recipe.value == 3


def test_a_configured_default_that_cannot_be_read_names_its_key() -> None:
    with pytest.raises(RecipeError, match="configured for null_guard"):
        chosen(function("n.x"), configured={"null_guard": "os.system"})


def test_a_fixed_guard_keeps_its_default_unless_configured() -> None:
    source = function('"a" + n.x')
    assert chosen(source, FixedGuard()).rung == "guard"
    assert chosen(source, FixedGuard(), configured={"null_guard": "1"}).rung == "configured"


def test_a_whole_chain_gets_what_its_last_links_value_is_for() -> None:
    source = "def f(d): return 'a' + d['user']['name']\nf({})"
    assert chosen(source, ChainGuard()).recipe.describe() == '""'
    assert chosen(source).recipe.describe() == "{}"


def test_strange_objects_give_way_to_the_guard() -> None:
    source = (
        "class Loud:\n"
        "    def __getattribute__(self, name): raise AssertionError(name)\n"
        "    def __eq__(self, other): raise AssertionError('eq')\n"
        "    def __hash__(self): raise AssertionError('hash')\n"
        "def f(loud, n): loud[n.x]\n"
        "f(Loud(), None)"
    )
    assert chosen(source).rung == "guard"
