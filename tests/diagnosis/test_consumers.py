"""What the value of a crashing instruction is for."""

from __future__ import annotations

import pytest
from crashing import at_crash

from codesuture.diagnosis.crash import Crash
from codesuture.diagnosis.uses import Consumer


def consumers(body: str, after: str = "f(None)") -> list[Consumer]:
    lines = "\n    ".join(body.splitlines())
    source = f"def f(n, items=[]):\n    {lines}\n\n{after}"
    return at_crash(source, Crash.consumers)


@pytest.mark.parametrize(
    ("body", "kind", "detail"),
    [
        ('"a" + n.x', "arithmetic", "+"),
        ("n.x * 2", "arithmetic", "*"),
        ("-n.x", "arithmetic", "-"),
        ("n.x += 1", "arithmetic", "+"),
        ("n.x < 3", "compared", "<"),
        ("3 <= n.x < 5", "compared", "<="),
        ("n.x == 'a'", "compared", "=="),
        ("n.x in items", "sought", "in"),
        ("3 not in n.x", "searched", "not in"),
        ("for i in n.x: pass", "iterated", ""),
        ("[i for i in n.x]", "iterated", ""),
        ("any(i for i in n.x)", "iterated", ""),
        ("print(*n.x)", "iterated", ""),
        ("[*n.x, 2]", "iterated", ""),
        ("yield from n.x", "iterated", ""),
        ("dict(**n.x)", "mapped", ""),
        ("{**n.x}", "mapped", ""),
        ("a, b = n.x", "unpacked", ""),
        ("a, *b = n.x", "unpacked", ""),
        ("if n.x: pass", "tested", "if"),
        ("while n.x: pass", "tested", "if"),
        ("y = n.x or 3", "tested", "or"),
        ("y = n.x and 3", "tested", "and"),
        ("y = not n.x", "tested", "not"),
        ("y = 1 if n.x else 2", "tested", "if"),
        ("y = n.x is None", "tested", "None"),
        ("y = n.x == None", "tested", "None"),
        ("if n.x is not None: pass", "tested", "None"),
        ("match n.x:\n  case {'a': 1}: pass", "tested", "match"),
        ("f'{n.x:.2f} a'", "formatted", ".2f"),
        ("f'{n.x}'", "formatted", ""),
        ("f'{n.x!r:>10}'", "formatted", ""),
        ("'%05d items' % n.x", "formatted", "d"),
        ("'%s %d' % (n.x, 1)", "formatted", ""),
        ("'{} b'.format(n.x)", "formatted", ""),
        ("n.x[1:]", "subscripted", ""),
        ("n.x['a']", "subscripted", ""),
        ("n.x['k'] = 1", "item_set", ""),
        ("del n.x['k']", "item_set", ""),
        ("n.x.y = 1", "attribute_set", "y"),
        ("n.x.y", "attribute", "y"),
        ("n.x.strip()", "method", "strip"),
        ("n.f(1)", "called", ""),
        ("items[n.x]", "key", ""),
        ("items[:n.x]", "key", "slice"),
        ("items[n.x] = 1", "key", ""),
        ("with n.x: pass", "entered", ""),
        ("return n.x", "returned", ""),
        ("raise n.x", "raised", ""),
        ("yield n.x", "yielded", ""),
        ("[n.x, 2]", "collected", ""),
        ("n.x", "dropped", ""),
    ],
)
def test_a_use_at_once(body: str, kind: str, detail: str) -> None:
    after = "list(f(None))" if "yield" in body else "f(None)"
    found = consumers(body, after)[0]
    assert (found.kind, found.detail) == (kind, detail)
    assert found.line == 2 + (kind == "tested" and detail == "match")


def test_await_and_async_iteration() -> None:
    run = "import asyncio\nasyncio.run(f(None))"
    source = "async def f(n):\n    {}\n" + run
    assert at_crash(source.format("await n.x"), Crash.consumers)[0].kind == "awaited"
    loop = "async for i in n.x: pass"
    assert at_crash(source.format(loop), Crash.consumers)[0].kind == "iterated"
    stored = at_crash(source.format("r = await n\n    return 'a' + r"), Crash.consumers)
    assert [use.kind for use in stored] == ["stored", "arithmetic"]


def test_an_argument_tells_its_call_and_place() -> None:
    (found,) = consumers("len(n.x)")
    assert found.kind == "argument"
    assert found.other is not None
    assert found.other.text().startswith("len(")
    assert consumers("print(1, n.x)")[0].position == 1
    assert consumers("print(1, end=n.x)")[0].detail == "end"
    assert consumers("items.extend(n.x)")[0].position == 0


def test_both_sides_of_an_operator() -> None:
    left, right = consumers("n.x - 7")[0], consumers("7 - n.x")[0]
    assert (left.position, right.position) == (0, 1)
    assert left.other is not None and right.other is not None
    assert left.other.text() == right.other.text() == "7"


def test_a_variable_is_followed_to_its_reads() -> None:
    found = consumers("y = n.x\nprint(y)\nif items:\n  z = 'q' + y\ny = 2\ny + 1")
    assert [use.kind for use in found] == ["stored", "argument", "arithmetic"]
    assert [use.line for use in found] == [2, 3, 5]
    assert found[2].other is not None and found[2].other.text() == "'q'"


def test_two_variables_are_followed() -> None:
    found = consumers("y = w = n.x\nw.append(3)")
    assert [(use.kind, use.detail) for use in found] == [
        ("stored", "y"), ("stored", "w"), ("method", "append"),
    ]  # fmt: skip


def test_a_variable_that_a_nested_function_shares() -> None:
    found = consumers("y = n.x\nprint(len(y))\nreturn lambda: y")
    assert [use.kind for use in found][:2] == ["stored", "argument"]


def test_a_variable_of_the_module() -> None:
    found = at_crash("n = None\ny = n.x\nfor i in y: pass", Crash.consumers)
    assert [use.kind for use in found] == ["stored", "iterated"]


def test_an_attribute_and_an_item_that_are_stored() -> None:
    (attribute,) = consumers("items.name = n.x")
    assert (attribute.kind, attribute.detail) == ("stored", "items.name")
    (item,) = consumers("items[0] = n.x")
    assert (item.kind, item.detail) == ("stored", "items[0]")


def test_a_call_goes_on_with_its_result() -> None:
    found = consumers("y = n.f(3).strip()")[0]
    assert (found.kind, found.then.kind) == ("called", "method")  # type: ignore[union-attr]
    found = consumers("y = n.f()\nz = y + 1")[0]
    assert (found.kind, found.then.kind) == ("called", "arithmetic")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "after",
    [
        'y = "q" + f(None)',
        'y = f(None)\nz = "q" + y',
        'y = "q" + f(n=None)',
        'y = "q" + f(*[None])',
    ],
)
def test_a_returned_value_is_followed_into_the_caller(after: str) -> None:
    found = consumers("return n.x", after)[0]
    assert found.kind == "returned"
    assert found.then is not None and found.then.kind == "arithmetic"


def test_into_the_caller_of_a_property_and_of_a_coroutine() -> None:
    by_property = at_crash(
        """
        class A:
            n = None
            @property
            def q(self): return self.n.x
        for i in A().q: pass
        """,
        Crash.consumers,
    )
    # The object of the property was made on the spot: what it is cannot be told.
    assert by_property[0].then is None
    named = """
        class A:
            n = None
            @property
            def q(self): return self.n.x
        a = A()
        for i in a.q: pass
        """
    by_property = at_crash(named, Crash.consumers)
    assert by_property[0].then is not None and by_property[0].then.kind == "iterated"
    by_coroutine = at_crash(
        """
        import asyncio
        async def g(n): return n.x
        async def f(): return 1 - await g(None)
        asyncio.run(f())
        """,
        Crash.consumers,
    )
    assert by_coroutine[0].then is not None and by_coroutine[0].then.kind == "arithmetic"


@pytest.mark.parametrize(
    "after",
    ["y = sorted([None], key=f)", "y = list(filter(f, [None]))", "y = sum(map(f, [None]), 1)",
     "g = map(f, [None])\ny = sum(g)", "class S:\n def __call__(s, i): return list(i)\n"
     "s = S()\ny = s(map(f, [None]))"],
)  # fmt: skip
def test_a_c_function_in_between_hides_the_caller(after: str) -> None:
    found = consumers("return n.x", after)[0]
    assert found.kind == "returned"
    assert found.then is None


@pytest.mark.parametrize(
    ("after", "name"),
    [
        ("y = 1 + sum(map(f, [None]))", "sum"),
        ("y = sum(f(i) for i in [None])", "sum"),
        ("y = ', '.join(f(i) for i in [None])", "str.join"),
        ("def g(): yield f(None)\ny = sum(g())", "sum"),
        ("def g(): return sum((f(i) for i in [None]))\ng()", "sum"),
        ("y = sum(map(lambda i: f(i), [None]))", "sum"),
        ("import math\ny = math.prod(f(i) for i in [None])", "math.prod"),
    ],
)
def test_an_item_is_followed_to_what_takes_the_items(after: str, name: str) -> None:
    found = consumers("return n.x", after)[0]
    while found.then is not None:
        found = found.then
    assert (found.kind, found.detail) == ("item", name)


@pytest.mark.parametrize("loop", ["for i in g(): i", "a, = g()", "print(*g())", "sum([*g()])"])
def test_what_a_loop_gets_from_a_generator_is_not_followed(loop: str) -> None:
    found = at_crash(f"def g(n=None):\n yield n.x\n{loop}", Crash.consumers)[0]
    assert (found.kind, found.then) == ("yielded", None)


def test_a_whole_chain_is_followed_behind_its_last_link() -> None:
    source = "def f(d): return 'a' + d['user']['name']\nf({})"
    assert at_crash(source, Crash.consumers)[0].kind == "subscripted"
    assert at_crash(source, lambda crash: crash.consumers(chain=True))[0].kind == "arithmetic"


def test_walking_over_a_loop_and_a_choice_in_between() -> None:
    found = consumers("y = [n.x, [i for i in items], 1 if items else 2]\nlen(y)")
    assert found[0].kind == "collected"
    assert consumers("print(n.x, [i for i in items])")[0].kind == "argument"
    assert consumers("n.x + (1 if items else 2)")[0].kind == "arithmetic"
    assert consumers("n.x + (items or 2)")[0].kind == "arithmetic"
