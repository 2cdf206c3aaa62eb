"""Programs for the property tests: each crashing expression in each place where it can stand.

A module has one function for each place; ``CASES`` says what it is called with, crashing and not.
"""

from __future__ import annotations

from typing import NamedTuple


class Shape(NamedTuple):
    """A crashing expression: its parameters, and arguments that crash it and that do not."""

    guard: str
    parameters: str
    expression: str
    crash: str
    good: tuple[str, ...]
    #: Places in which it is not tried: names of CONTEXTS.
    without: tuple[str, ...] = ()


#: What programs of the corpus have at their top: objects, and a log of what is evaluated.
HEAD = """\
from corpus_support import Box, give, log
import asyncio
import math
from decimal import Decimal
"""

SUPPORT = '''\
log = []


def give(value):
    """The value; and that it was asked for is noted."""
    log.append(repr(value))
    return value


class Box:
    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __repr__(self):
        return f"Box({self.__dict__})"

    def save(self, *args, **kwargs):
        log.append(f"saved {args} {kwargs}")
        return "saved", args, kwargs

    def __enter__(self):
        log.append("entered")
        return self

    def __exit__(self, *raised):
        log.append("left")

    def __await__(self):
        log.append("awaited")
        return 7
        yield

    async def __aenter__(self):
        return self.__enter__()

    async def __aexit__(self, *raised):
        self.__exit__()
'''

CONTEXTS = {
    "returned": "    return {E}\n",
    "assigned": "    found = {E}\n    return found\n",
    "annotated": "    found: object = {E}\n    return found\n",
    "argument": "    return give({E})\n",
    "second": "    return [give(1), {E}]\n",
    "operand": "    return [{E}] + [give(2)]\n",
    "keyword": "    return dict(a=give(1), b={E})\n",
    "element": "    return [{E} for _ in 'ab']\n",
    "iterable": "    return [x for x in [{E}]]\n",
    "condition": "    return [x for x in 'ab' if give({E}) or True]\n",
    "generator": "    return list({E} for _ in 'ab')\n",
    "lambda": "    return (lambda: {E})()\n",
    "default": "    def inner(x={E}):\n        return x\n    return inner()\n",
    "decorator": "    @(lambda f, x={E}: x)\n    def inner():\n        pass\n    return inner\n",
    "class_body": "    class Inner:\n        x = [{E}]\n    return Inner.x\n",
    "f_string": "    return f'<{{E}}>'\n",
    "tested": "    if {E}:\n        return give('yes')\n    return give('no')\n",
    "or_else": "    if give(0):\n        return 1\n    elif {E}:\n        return 2\n    return 3\n",
    "looped": "    while [{E}] and not log[5:]:\n        give(3)\n    return log\n",
    "target": "    box = Box()\n    give(box).x = {E}\n    return box\n",
    "in_place": "    rows = [give(0)]\n    rows += [{E}]\n    return rows\n",
    "lines": "    return (\n        give(1),\n        # a comment\n        {E},  # one\n    )\n",
    "nested": "    def g():\n        x = [give(5), {E}]\n        return x\n    return g()\n",
    "semicolon": "    give(1); found = {E}; return found\n",
    "one_line": "    if give(1): return {E}\n",
    "caught": "    try:\n        return {E}\n    finally:\n        give(9)\n",
}

#: A heal in a class's body cannot look at variables of the function around it on Python 3.11.
_CLASS = ("class_body",)

SHAPES = [
    Shape("null_guard", "p", "p.bio", "None", ("Box(bio=3)",)),
    Shape("null_guard", "p", "give(p).bio", "None", ("Box(bio=3)",)),
    Shape("null_guard", "p", "p.one.bio", "Box(one=None)", ("Box(one=Box(bio=3))",)),
    Shape("null_guard", "p", "p.save(1, x=2)", "None", ("Box()",)),
    Shape("null_guard", "p", "give(p).save(give(1), *[2])", "None", ("Box()",)),
    Shape("attribute_guard", "p", "p.bio", "Box()", ("Box(bio=3)",)),
    Shape("attribute_guard", "p", "give(p).close(give(1))", "Box()", ("Box(close=give)",)),
    Shape("key_guard", "p", "p['k']", "{}", ("{'k': 1}", "{'k': None}")),
    Shape("key_guard", "p, k", "give(p)[give(k)]", "{}, 'k'", ("{'k': 1}, 'k'",)),
    Shape("key_guard", "p", "p['a', 1]", "{}", ("{('a', 1): 2}",)),
    Shape("subscript_guard", "p", "p['k']", "None", ("{'k': 1}",)),
    Shape("subscript_guard", "p", "give(p)[1:]", "None", ("[1, 2]",)),
    Shape("index_guard", "p, i", "p[i]", "[1], 3", ("[1, 2], 1", "[1, 2], -2")),
    Shape("index_guard", "p, i", "give(p)[give(i)]", "(1,), 3", ("[1, 2], 1", "[1, 2], -2")),
    Shape("list_bound_guard", "p", "p[0]", "[]", ("[1, 2]",)),
    Shape("list_bound_guard", "p", "give(p)[-2]", "'a'", ("'abc'",)),
    Shape("type_coercion_guard", "p", "int(p)", "'x'", ("'12'", "4")),
    Shape("type_coercion_guard", "p", "float(give(p))", "'x'", ("'1.5'",)),
    Shape("type_coercion_guard", "p", "int(give(p), base=16)", "'x'", ("'ff'",)),
    Shape("type_coercion_guard", "p", "float(str(p))", "'x'", ("'1.5'",)),
    Shape("type_coercion_guard", "p", "Decimal(p)", "'x'", ("'1.5'",)),
    Shape("division_guard", "a, b", "a / b", "1, 0", ("4, 2", "0, 3")),
    Shape("division_guard", "a, b", "give(a) // give(b)", "1, 0", ("4, 2",)),
    Shape("division_guard", "a, b", "divmod(a, b)", "1, 0", ("4, 2",)),
    Shape("division_guard", "a, b", "(a + 1) % (b)", "1, 0", ("4, 2",)),
    Shape("str_coerce_guard", "p", "'age: ' + p", "25", ("'x'",), _CLASS),
    Shape("str_coerce_guard", "p", "'age: ' + p", "None", ("'x'",), _CLASS),
    Shape("str_coerce_guard", "p", "p + ' years'", "2.5", ("'x'",), _CLASS),
    Shape("str_coerce_guard", "p", "'n: ' + len(p)", "[1]", ()),
    Shape("file_guard", "p", "open(p).read()", "'nowhere.txt'", ("'corpus_support.py'",)),
    Shape("callable_guard", "f", "f(1)", "None", ("give",)),
    Shape("callable_guard", "f", "give(f)(give(1))", "None", ("give",)),
    Shape("iteration_guard", "p", "[x for x in p]", "None", ("[1]", "'ab'")),
    Shape("iteration_guard", "p", "[x for x in give(p)]", "None", ("[1]",)),
    Shape("iteration_guard", "p", "[0, *give(p)]", "None", ("[1]",)),
    Shape("iteration_guard", "p", "{'a': 0, **p}", "None", ("{'b': 1}",), ("f_string",)),
    Shape("length_guard", "p", "len(p)", "None", ("[1]", "''")),
    Shape("length_guard", "p", "len(give(p))", "None", ("[1]",)),
    Shape("none_operand_guard", "a, b", "a + b", "5, None", ("5, 6", "'a', 'b'"), _CLASS),
    Shape("none_operand_guard", "a, b", "a - give(b)", "None, 5", ("5, 6",), _CLASS),
    Shape("none_operand_guard", "a, b", "a * b", "5, None", ("5, 6", "'a', 2")),
    Shape("none_operand_guard", "a, b", "give(a) < give(b)", "5, None", ("5, 6", "6, 5")),
    Shape("none_operand_guard", "a, b", "0 < a < b", "None, 5", ("3, 5", "9, 5")),
    Shape("none_operand_guard", "a, b", "0 < a < b.x", "2, Box(x=None)", ("3, Box(x=9)",)),
    Shape("none_operand_guard", "a", "-a", "None", ("5",)),
    Shape("membership_guard", "p", "1 in p", "None", ("[1]", "[2]")),
    Shape("membership_guard", "p", "give(1) not in give(p)", "None", ("[1]", "[2]")),
    Shape("chain_subscript_guard", "p", "p['a']['b']", "{}", ("{'a': {'b': 1}}",)),
    Shape("chain_subscript_guard", "p", "give(p)['a'][0]['b']", "{'a': [None]}",
          ("{'a': [{'b': 1}]}",)),
    Shape("lookup_guard", "p", "p.pop('k')", "{}", ("{'k': 1}",),
          ("element", "generator", "looped", "condition")),
    Shape("lookup_guard", "p", "p.index('k')", "'abc'", ("'k'", "'ak'")),
    Shape("lookup_guard", "p", "give(p).index(give(3))", "[]", ("[3]",)),
    Shape("lookup_guard", "p", "max(p)", "[]", ("[3, 4]",)),
    Shape("argument_guard", "p", "math.sqrt(give(p))", "-1", ("4",)),
    Shape("argument_guard", "p", "', '.join(p)", "[1, None]", ("['a', 'b']",), ("class_body",)),
    Shape("argument_guard", "p", "sorted(p)", "[3, None]", ("[2, 1]",), ("class_body",)),
]  # fmt: skip

#: Whole statements: name, guard, parameters, body, arguments that crash, and that do not.
STATEMENTS = [
    Shape("null_guard", "p", "p.bio = 3\nreturn p", "None", ("Box()",)),
    Shape("null_guard", "p", "p.bio = give(3)\nreturn p", "None", ("Box()",)),
    Shape("null_guard", "p", "give(p).bio = give(3)\nreturn p", "None", ("Box()",)),
    Shape("null_guard", "p", "del p.bio\nreturn p", "None", ("Box(bio=1)",)),
    Shape("attribute_guard", "p", "del p.bio\nreturn p", "Box()", ("Box(bio=1)",)),
    Shape("attribute_guard", "p", "p.x = give(1)\nreturn p", "5", ("Box()",)),
    Shape("subscript_guard", "p", "p['k'] = give(3)\nreturn p", "None", ("{}",)),
    Shape("subscript_guard", "p", "del p['k']\nreturn p", "None", ("{'k': 1}",)),
    Shape("key_guard", "p", "del p['k']\nreturn p", "{}", ("{'k': 1, 'j': 2}",)),
    Shape("key_guard", "p", "p['k'] += 1\nreturn p", "{}", ("{'k': 1}",)),
    Shape("index_guard", "p, i", "p[i] = 7\nreturn p", "[1], 4", ("[1, 2], 1", "[1, 2], -2")),
    Shape("index_guard", "p, i", "p[i] = give(7)\nreturn p", "[1], 4", ("[1, 2], 1",)),
    Shape("index_guard", "p, i", "del p[i]\nreturn p", "[1], 4", ("[1, 2], 1",)),
    Shape("division_guard", "a, b", "a /= b  # half\nreturn a", "6, 0", ("6, 2",)),
    Shape("division_guard", "a, b", "a %= give(b)\nreturn a", "6, 0", ("7, 2",)),
    Shape("str_coerce_guard", "p", "line = 'a'\nline += p\nreturn line", "5", ("'b'",)),
    Shape("none_operand_guard", "a, b", "a += b\nreturn a", "6, None", ("6, 2", "[1], [2]")),
    Shape("none_operand_guard", "a, b", "a += b\nreturn a", "None, 6", ("6, 2",)),
    Shape("none_operand_guard", "a, b", "a *= b\nreturn a", "6, None", ("6, 2",)),
    Shape("unpack_guard", "p", "a, b = p\nreturn a, b", "None", ("(1, 2)",)),
    Shape("unpack_guard", "p", "a, *b = give(p)\nreturn a, b", "None", ("(1, 2, 3)",)),
    Shape("unpack_guard", "p", "return [a for a, b in p]", "[None]", ("[(1, 2)]",)),
    Shape("list_bound_guard", "p", "a, b = p\nreturn a, b", "[1]", ("(1, 2)", "'ab'")),
    Shape("list_bound_guard", "p", "a, b = give(p)\nreturn a, b", "[1, 2, 3]", ("(1, 2)",)),
    Shape("list_bound_guard", "p", "a, *b = p\nreturn a, b", "[]", ("(1, 2)", "[1]")),
    Shape("list_bound_guard", "p", "found = []\nfor a, b in p:\n    found.append(b)\nreturn found",
          "[(1,), (2, 3)]", ("[(1, 2)]",)),
    Shape("iteration_guard", "p", "for x in p:\n    give(x)", "None", ("[1, 2]",)),
    Shape("iteration_guard", "p", "for x in give(p):  # all\n    give(x)", "None", ("[1, 2]",)),
    Shape("iteration_guard", "p", "def inner():\n    yield from p\nreturn list(inner())",
          "None", ("[1, 2]",)),
    Shape("iteration_guard", "p", "give(0)\nprint(*p, end='')", "None", ("['']",)),
    Shape("context_manager_guard", "p", "with p as q:\n    give(1)\nreturn q", "None",
          ("Box(a=1)",)),
    Shape("context_manager_guard", "p", "with give(p):\n    give(1)", "None", ("Box(a=1)",)),
    Shape("file_guard", "p", "with open(p) as f:\n    return f.read()", "'nowhere.txt'",
          ("'corpus_support.py'",)),
    Shape("file_guard", "p", "found = open(give(p), 'rb').read()\nreturn found", "'nowhere.txt'",
          ("'corpus_support.py'",)),
    Shape("format_guard", "p", 'return f"<{p:.2f}>"', "None", ("2.5", "7")),
    Shape("format_guard", "p", 'return f"<{give(p):>8}>"', "None", ("2.5", "'a'")),
    Shape("format_guard", "p", 'return f"<{p:.2f}>"', "'n/a'", ("2.5",)),
    Shape("format_guard", "p", 'return "%d items" % p', "None", ("2", "7")),
    Shape("lookup_guard", "p", "p.remove(3)\nreturn p", "[]", ("[1, 3]",)),
    Shape("lookup_guard", "p", "p.remove(3)\nreturn p", "set()", ("{3}",)),
    Shape("type_coercion_guard", "p", "x = y = int(p)\nreturn x, y", "'n'", ("'4'",)),
    Shape("type_coercion_guard", "p", "return int(p) if give(p) else 0", "'n'", ("'4'", "''")),
    Shape("type_coercion_guard", "p", "return give(1) and int(give(p))", "'n'", ("'4'",)),
    Shape("await_guard", "p", "async def go():\n    return [await p]\nreturn asyncio.run(go())",
          "None", ("Box()",)),
    Shape("await_guard", "p",
          "async def go():\n    await give(p)\n    return 3\nreturn asyncio.run(go())",
          "None", ("Box()",)),
    Shape("context_manager_guard", "p", "async def go():\n    async with p as q:\n"
          "        return q\nreturn asyncio.run(go())", "None", ("Box()",)),
    Shape("attribute_guard", "p", "class A(p):\n    def m(self):\n        return super().x\n"
          "return A().m()", "object", ("type('B', (), {'x': 3})",)),
    Shape("attribute_guard", "p", "class A:\n    def m(self):\n        return p.__x\n"
          "return A().m()", "Box()", ("Box(_A__x=3)",)),
    Shape("key_guard", "p", "import os\nreturn bool(os.environ[p])", "'N_O'", ("'PATH'",)),
    Shape("null_guard", "p", "return p.bio if p else p.bio", "None", ("Box(bio=3)",)),
    Shape("chain_subscript_guard", "p", "name = give(p)['a']['b'].title()\nreturn name",
          "{}", ("{'a': {'b': 'x'}}",)),
]  # fmt: skip

#: Crashes of these are left for the author: the suggestion says so.
NOTHING = [
    Shape("operand_guard", "p", "return p['id']", "[1]", ()),
    Shape("format_guard", "p", "return '{:d}'.format(p)", "'x'", ()),
    Shape("key_guard", "p", "del p['a'], p['b']", "{}", ()),
]


def module(shapes: list[Shape], contexts: dict[str, str] | None) -> str:
    """A program with one function for each shape (in each context), and its cases."""
    functions, cases = [], []
    for shape in shapes:
        places = contexts or {"": ""}
        for name, template in places.items():
            if name in shape.without:
                continue
            title = f"f{len(cases)}"
            body = template.replace("{E}", "{" + shape.expression + "}" if name == "f_string"
                                    else shape.expression)  # fmt: skip
            if name == "f_string":
                body = _f_string(shape.expression)
            if not contexts:
                body = "".join(f"    {line}\n" for line in shape.expression.split("\n"))
            functions.append(f"def {title}({shape.parameters}):\n{body}")
            cases.append((title, shape.guard, name, shape.crash, shape.good))
    return f"{HEAD}\n\n" + "\n\n".join(functions) + f"\n\nCASES = {cases!r}\n"


def _f_string(expression: str) -> str:
    text = expression.replace("'", '"')
    return f"    return f'<{{{text}}}>'\n"
