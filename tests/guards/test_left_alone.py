"""Crashes that no guard may claim: a value would hide a mistake, or nothing certain is known."""

from __future__ import annotations

import pytest

WRONG_CALLS = [
    "def f(a): pass\nf()",
    "def f(): pass\nf(1)",
    "def f(): pass\nf(a=1)",
    "def f(*, a): pass\nf()",
    "def f(a, /): pass\nf(a=1)",
    "def f(a): pass\nf(1, a=2)",
    "def f(a): pass\nf(**{'a': 1}, **{'a': 2})",
    "def f(a): pass\nf(**{1: 2})",
    "class A:\n def __init__(self, a): pass\nA()",
    "class A: pass\nA(1)",
    "class A:\n def f(self): pass\nA.f()",
    "len()",
    "len(1, 2)",
    "int(1, 2, 3)",
    "int(x='1', y=2)",
    "[].append()",
    "[].append(1, 2)",
    "''.join('a', 'b')",
    "sorted([], lambda x: x)",
    "print(foo=1)",
    "dict.get()",
    "list(map(lambda: 1, [1]))",
    "sorted([2, 1], key=lambda: 1)",
    "import math\nmath.sqrt()",
    "from datetime import date\ndate(2024)",
    "from datetime import date\ndate.fromisoformat()",
]
ON_PURPOSE = [
    "class A:\n x = property(lambda self: 1)\nA().x = 2",
    "from collections import namedtuple\nnamedtuple('N', 'a')(1).a = 2",
    "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass A: x: int = 1\nA().x = 2",
    "from types import MappingProxyType\nMappingProxyType({})['a'] = 1",
    "int.x = 5",
    "(1).real = 5",
    "raise KeyError('a')",
    "raise AttributeError('a')",
    "raise TypeError(\"'NoneType' object is not subscriptable\")",
    "assert 1 == 2",
    "next(iter([]))",
    "undefined_name",
    "import no_such_module",
    "from os import no_such_name",
    "b'\\xff'.decode()",
    "'\\xff'.encode('ascii')",
    "class E(KeyError): pass\nraise E()",
    "import abc\nclass A(abc.ABC):\n @abc.abstractmethod\n def f(self): pass\nA()",
    "2.0 ** 10000",
    "[1][::0]",
    "eval('1 +')",
]
RAISED_BY_PYTHON_CODE = [
    "class A:\n def __getattr__(self, name): raise AttributeError(name)\nA().x",
    "class A:\n def __getitem__(self, key): raise KeyError(key)\nA()['x']",
    "class A:\n def __len__(self): raise TypeError(\"object of type 'A' has no len()\")\nlen(A())",
    "def f(x): raise ValueError(x)\nf(1)",
    "def key(x): raise TypeError('no')\nsorted([1, 2], key=key)",
]
WRITING = [
    "open('/none/x', 'w')",
    "open('/none/x', 'a')",
    "open(None, 'w')",
    "open([])",
    "open('/none/x', None)",
    "open('/none/x', 'r+')",
    "open('/none/x', 'x')",
    "open('/none/x', mode='wb')",
    "m = ''.join(['w']); open('/none/x', m.lower())",
    "a = ('/none/x', 'w'); open(*a)",
    "open('/none/x', **dict(mode='w'))",
    "import os\nos.open('/none/x', os.O_RDONLY)",
    "import os\nos.remove('/none/x')",
    "import os\nos.listdir('/none/x')",
    "open('/')",
]
UNKNOWN_FUNCTIONS = [
    "import hashlib\nhashlib.md5('text')",
    "import struct\nstruct.unpack('i', b'')",
    "exec(5)",
    "import zlib\nzlib.decompress(b'x')",
    "import operator\noperator.add(1, None)",
    "'a'.encode('no-such-encoding')",
]


@pytest.mark.parametrize(
    "source", [*WRONG_CALLS, *ON_PURPOSE, *RAISED_BY_PYTHON_CODE, *WRITING, *UNKNOWN_FUNCTIONS]
)
def test_left_alone(run, source):
    plain = {"__name__": "crashing"}
    with pytest.raises(Exception) as expected:
        exec(source, plain)
    done = run(source)
    assert done.guards == []
    assert type(done.escaped).__name__ == expected.type.__name__
    assert str(done.escaped) == str(expected.value)


def test_an_attribute_of_another_object_is_not_the_receivers(run):
    """A property in C fails with the AttributeError of what it reads."""
    done = run(
        "from operator import attrgetter\nclass A: name = property(attrgetter('missing'))\nA().name"
    )
    assert done.guards == []
    assert isinstance(done.escaped, AttributeError)


HOSTILE = """
def bang(*a, **k):
    log.append("user code ran")
    raise RuntimeError("user code ran")
class Meta(type):
    __instancecheck__ = __subclasscheck__ = __eq__ = __getattr__ = bang
    __hash__ = type.__hash__
class Hostile(metaclass=Meta):
    __slots__ = ()
    __getattribute__ = __repr__ = __str__ = __format__ = __eq__ = __bool__ = __len__ = bang
    __iter__ = __class_getitem__ = bang
    __hash__ = object.__hash__
    __class__ = property(bang)
h = Hostile()
"""


@pytest.mark.parametrize(
    ("source", "guard"),
    [
        ("d = {'a': h}; result = d['b']", "key_guard"),
        ("d = {}; result = d[h]", "key_guard"),
        ("x = [h]; i = 5; result = x[i]", "index_guard"),
        ("x = [h]; a, b = x; result = a is h, b", "list_bound_guard"),
        ("x = None; result = x + h", "none_operand_guard"),
        ("x = None; result = h < x", "none_operand_guard"),
        ("result = 'a' + h", "str_coerce_guard"),
        ("result = h + 'a'", "str_coerce_guard"),
        ("result = 'a' + [h]", "str_coerce_guard"),
        ("result = h + h", "operand_guard"),
        ("result = h()", "operand_guard"),
        ("result = h[0]", "operand_guard"),
        ("x = [1]; result = x[h]", "operand_guard"),
        ("result = int([h])", "type_coercion_guard"),
        ("result = '%d' % [h]", "format_guard"),
        ("result = '{:d} {}'.format('a', h)", "format_guard"),
        ("x = []; result = x.pop(5)", "lookup_guard"),
        ("f = None; result = f(h)", "callable_guard"),
        ("x = None; x.a = h; result = 5", "null_guard"),
    ],
)
def test_no_user_code_runs(run, source, guard):
    done = run(HOSTILE + source)
    assert done.guards == [guard]
    assert done.names["log"] == []
    assert done.escaped is None
