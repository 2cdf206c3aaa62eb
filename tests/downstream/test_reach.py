"""Where a default goes, and what the code there makes of it: read from code that never runs."""

from __future__ import annotations

from types import CodeType

import pytest

from codesuture.defaults.recipe import Recipe
from codesuture.downstream.follow import Reach, callers_of, reach
from codesuture.surgery.sites import sites_of


def codes_of(source: str) -> list[CodeType]:
    found = [compile(source, "app.py", "exec", dont_inherit=True)]
    for code in found:
        found.extend(one for one in code.co_consts if isinstance(one, CodeType))
    return found


def follow(source: str, recipe: Recipe, operation: str = "load_attribute") -> Reach:
    """The reach of the first site of that operation in the function `f`."""
    codes = codes_of(source)
    code = next(code for code in codes if code.co_name == "f")
    site = next(site for site in sites_of(code) if site.operation == operation)
    found = reach(code, site.ordinal, recipe, codes)
    assert found is not None
    return found


NONE, ZERO, TEXT = Recipe.constant(None), Recipe.constant(0), Recipe.constant("")
EMPTY = Recipe.empty("tuple")


@pytest.mark.parametrize(
    ("body", "recipe", "verdict", "sentence"),
    [
        ("return str(p.x)", NONE, "safe", "is passed to `str`, which takes any value"),
        ("return 'a' + p.x", TEXT, "safe", "is concatenated by `+`, where it adds nothing"),
        ("return 'a' + p.x", NONE, "crashes",
         "is an operand of `+`, which None does not allow: it would crash there"),
        ("return 5 + p.x", ZERO, "changes", "changes a total: `+` counts it as 0"),
        ("return 5 / p.x", ZERO, "crashes",
         "is the divisor of `/`, which 0 does not allow: it would crash there"),
        ("return 5 / p.x", Recipe.constant(1), "changes",
         "changes a total: `/` counts it as 1"),
        ("return f'<{p.x}>'", NONE, "changes", "is put into text, which then says None"),
        ("return f'<{p.x}>'", TEXT, "safe", "is put into text, where it adds nothing"),
        ("return f'<{p.x:.2f}>'", NONE, "crashes",
         "is formatted as `.2f`, which None does not allow: it would crash there"),
        ("return p.x < 3", NONE, "crashes",
         "is compared by `<`, which None does not allow: it would crash there"),
        ("return p.x < 3", ZERO, "changes", "decides a comparison (`<`) as 0"),
        ("return p.x == 3", NONE, "changes", "decides a comparison (`==`) as None"),
        ("if p.x: return 1", NONE, "safe", "is tested for truth, and counts as nothing"),
        ("if p.x is None: return 1", NONE, "safe",
         "is compared with None, which the code is prepared for"),
        ("if p.x is None: return 1", ZERO, "changes", "is compared with None, and is 0 instead"),
        ("return p.x or 5", NONE, "safe",
         "counts as false, so the alternative behind `or` is taken"),
        ("for i in p.x: print(i)", EMPTY, "safe",
         "is iterated: there are no items, so nothing is done"),
        ("for i in p.x: print(i)", NONE, "crashes",
         "is iterated, which None does not allow: it would crash there"),
        ("return 3 in p.x", EMPTY, "safe", "is searched by `in`: nothing is found"),
        ("return p.x.title()", TEXT, "safe", "has `.title()` called, as on any empty str"),
        ("return p.x.title()", NONE, "crashes",
         "has `.title()` called, which None does not allow: it would crash there"),
        ("return p.x['k']", Recipe.empty("dict"), "crashes",
         "has an item read, which {} does not allow: it would crash there"),
        ("return p.x[1:]", TEXT, "safe", "is sliced: the slice is empty"),
        ("p.x['k'] = 3", Recipe.empty("dict"), "changes", "gets an item, which is lost with it"),
        ("a = p.x; a()", Recipe.callable(), "propagates", "is called, and gives None"),
        ("return sum(p.x)", EMPTY, "safe",
         "is iterated by `sum`: there are no items, so nothing is done"),
        ("return len(p.x)", NONE, "crashes",
         "is passed to `len`, which None does not allow: it would crash there"),
        ("return round(p.x)", ZERO, "changes", "changes what `round` gives"),
        ("send(p.x)", NONE, "propagates", "propagates None to `send(…)`"),
        ("rows.append(p.x)", NONE, "propagates", "propagates None to `rows`"),
        ("p.y = p.x", NONE, "propagates", "propagates None to `p.y`"),
        ("p.y['k'] = p.x", NONE, "propagates", "propagates None to `p.y['k']`"),
        ("return [p.x]", NONE, "propagates", "propagates None to a list, tuple, set or dict"),
        ("p.x", NONE, "safe", "is not used"),
        ("a = p.x", NONE, "safe", "is kept in `a`, which is not read afterwards"),
        ("yield p.x", NONE, "propagates", "propagates None to whoever iterates"),
        ("with p.x: pass", Recipe.context_manager(), "safe",
         "is entered by `with`, which does nothing"),
        ("rows[p.x]", ZERO, "changes", "is the key 0 of `rows`: another item, or none"),
    ],
)  # fmt: skip
def test_one_use(body: str, recipe: Recipe, verdict: str, sentence: str) -> None:
    found = follow(f"def f(p, rows):\n    {body}\n", recipe)
    assert [(step.verdict, step.sentence) for step in found.steps[:1]] == [(verdict, sentence)]


SOURCE = """\
def f(p):
    bio = p.bio
    print(bio)
    return bio

def show(p):
    text = f(p)
    return "Bio: " + text

class Page:
    def f(self):
        return 1

    def render(self, p):
        return len(f(p))

show(None)
"""


def test_a_value_is_followed_into_callers() -> None:
    found = follow(SOURCE, TEXT)
    assert [(step.function, step.line, step.verdict) for step in found.steps] == [
        ("f", 3, "safe"), ("f", 4, "propagates"), ("show", 8, "safe"),
        ("Page.render", 15, "changes"),
    ]  # fmt: skip
    assert found.verdict == "changes"
    assert found.summary == (
        "Not safe everywhere: it is passed to `len`, which gives 0 (Page.render, line 15)."
    )
    worse = follow(SOURCE, NONE)
    assert (worse.verdict, worse.steps[2].verdict) == ("crashes", "crashes")


def test_summaries() -> None:
    safe = follow("def f(p):\n    print(p.x)\n", NONE)
    assert safe.summary == "None is safe there, as far as the code tells."
    far = follow("def f(p):\n    send(p.x)\n", NONE)
    assert far.summary == (
        "Whether None is safe depends on code that is not seen here: it propagates None to "
        "`send(…)` (f, line 2)."
    )


def test_callers_by_name_and_by_attribute() -> None:
    source = (
        "class Shop:\n    def f(self): return self.x\n    def g(self): return self.f() + 1\n"
        "def f(p): return p.x\n"
        "def h(shop):\n    f(shop)\n    return shop.f(), [f(x) for x in shop]\n"
    )
    codes = codes_of(source)
    method, function = [code for code in codes if code.co_name == "f"]
    assert method.co_qualname in ("Shop.f", "f")
    named = {code.co_qualname: callers_of(code, codes) for code in (method, function)}
    assert ("Shop.g", 3) in named["Shop.f"] and ("h", 6) not in named["Shop.f"]
    assert ("h", 6) in named["f"]


@pytest.mark.parametrize(
    ("body", "operation", "recipe", "sentences"),
    [
        ("p.save(3)\n    return 1", "load_method", Recipe.callable(), ["is not used"]),
        ("a, b = p\n    return a + 'x', b", "unpack", Recipe.sequence(2),
         ["is an operand of `+`, which None does not allow: it would crash there",
          "propagates None to a list, tuple, set or dict"]),
        ("p.x = 3", "store_attribute", NONE,
         ["is not stored, and nothing is deleted: what was there stays"]),
        ("for a in p: print(a)", "iterate", Recipe.iterator(),
         ["is iterated: there are no items, so nothing is done"]),
        ("with open(p) as g:\n        return list(g)", "call", Recipe.file("text"),
         ["is entered by `with`: what reads it finds an empty file"]),
    ],
)  # fmt: skip
def test_forms_around_a_value(
    body: str, operation: str, recipe: Recipe, sentences: list[str]
) -> None:
    found = follow(f"def f(p):\n    {body}\n", recipe, operation)
    assert [step.sentence for step in found.steps][: len(sentences)] == sentences


@pytest.mark.parametrize(
    ("call", "recipe", "verdict", "sentence"),
    [
        ("sum(", ZERO, "changes", "changes a total: it counts as 0 in `sum`"),
        ("sum(", NONE, "crashes",
         "is an item for `sum`, which None does not allow: it would crash there"),
        ("', '.join(", TEXT, "changes", 'is joined with others, as ""'),
        ("list(", NONE, "propagates", "propagates None to a list"),
        ("send(", NONE, "unknown", "is an item for `send`"),
    ],
)  # fmt: skip
def test_items_of_a_generator_expression(
    call: str, recipe: Recipe, verdict: str, sentence: str
) -> None:
    source = f"def f(row): return row.x\ndef g(rows):\n    return {call}f(row) for row in rows)\n"
    last = follow(source, recipe).steps[-1]
    assert (last.function, last.line) == ("g", 3)
    assert (last.verdict, last.sentence) == (verdict, sentence)


def test_recursion_and_loops_end() -> None:
    source = "def f(p):\n    while 1:\n        p = f(p.x)\n        f(f(p))\n    return p.x\n"
    found = follow(source, NONE)
    assert 0 < len(found.steps) <= 12


def test_no_site_no_reach() -> None:
    [code, *_] = codes_of("a = 1\n")
    assert reach(code, 999, NONE, [code]) is None
