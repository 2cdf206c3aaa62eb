"""The tables of functions and messages agree with the interpreter that runs."""

from __future__ import annotations

import builtins
import importlib

import pytest

from codesuture.guards.callee import name_of
from codesuture.guards.messages import blames_none, says, types_in
from codesuture.guards.results import LOOKUPS, RESULTS
from codesuture.guards.type_coercion import COERCIONS


def find(name):
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        rest = parts[length:]
        break
    else:
        found, rest = builtins, parts
    for part in rest:
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", sorted({*RESULTS, *LOOKUPS, *COERCIONS}))
def test_every_name_is_that_of_a_callable(name):
    assert name_of(find(name)) == name


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("[].append", "list.append"),
        ("''.join", "str.join"),
        ("type('L', (list,), {})().append", "list.append"),
        ("type('L', (list,), {}).append", "list.append"),
        ("{}.fromkeys", "dict.fromkeys"),
        ("__import__('datetime').datetime.fromisoformat", "datetime.datetime.fromisoformat"),
        ("__import__('functools').partial(int, base=2)", "int"),
        ("__import__('pathlib').Path('x').read_text", "pathlib.Path.read_text"),
        ("__import__('pathlib').Path('x').read_bytes", "pathlib.Path.read_bytes"),
        ("__import__('pathlib').Path('x').open", "pathlib.Path.open"),
        ("__import__('uuid').UUID", "uuid.UUID"),
        ("__import__('fractions').Fraction", "fractions.Fraction"),
        # Not what they say they are, or nothing that is known.
        ("type('int', (), {'__module__': 'builtins'})", ""),
        ("type('L', (list,), {'append': lambda self: 1})().append", ""),
        ("lambda: 1", ""),
        ("5", ""),
        ("None", ""),
        ("object()", ""),
    ],
)
def test_name_of(called, name):
    assert name_of(eval(called)) == name


@pytest.mark.parametrize(
    ("source", "fault", "types"),
    [
        ("None[0]", "subscript", ("NoneType",)),
        ("int[0]", "subscript", ("int",)),
        ("None[0] = 1", "store item", ("NoneType",)),
        ("del None[0]", "delete item", ("NoneType",)),
        ("[]['a']", "index type", ("str",)),
        ("''['a']", "index type", ("str",)),
        ("()[None]", "index type", ("NoneType",)),
        ("range(3)['a']", "index type", ("str",)),
        ("[][:'a']", "index type", ()),
        ("{}[[]]", "unhashable", ("list",)),
        ("[] in set()", "unhashable", ("list",)),
        ("for x in None: pass", "iterate", ("NoneType",)),
        ("[*None]", "spread", ("NoneType",)),
        ("{**None}", "spread", ("NoneType",)),
        ("print(*None)", "spread", ("NoneType",)),
        ("print(**None)", "spread", ("NoneType",)),
        ("a, b = None", "unpack", ("NoneType",)),
        ("a, b = 1,", "too few", ()),
        ("a, *b = ()", "too few", ()),
        ("a, b = 1, 2, 3", "too many", ()),
        ("len(None)", "length", ("NoneType",)),
        ("1 in None", "contains", ("NoneType",)),
        ("1 in ''", "contained", ("int",)),
        ("None + 1", "binary", ("NoneType", "int")),
        ("1 ** None", "binary", ("int", "NoneType")),
        ("x = 1; x -= None", "binary", ("int", "NoneType")),
        ("print >> 1", "binary", ("builtin_function_or_method", "int")),
        ("'' + 1", "concatenate", ("str", "int")),
        ("[] + ()", "concatenate", ("list", "tuple")),
        ("b'' + ''", "concatenate", ("bytes", "str")),
        ("[] * 1.5", "repeat", (None, "float")),
        ("-''", "unary", ("str",)),
        ("1 < ''", "compare", ("int", "str")),
        ("with None: pass", "enter", ("NoneType",)),
        ("with 5: pass", "enter", ("int",)),
        ("None()", "call", ("NoneType",)),
        ("format(None, '5')", "format", ("NoneType",)),
        ("format('a', 'd')", "format code", ("str",)),
        ("format(1, ',s')", "format code", ()),
        ("'%d' % ''", "percent", ()),
        ("'%x' % 1.5", "percent", ()),
        ("'%f' % ''", "percent", ()),
        ("'%c' % 'ab'", "percent", ()),
        ("'%s%s' % 1", "percent", ()),
        ("'%s' % (1, 2)", "percent", ()),
        ("b'%d' % b''", "percent", ()),
        ("'%(a)s' % 5", "percent", ()),
        ("'%*d' % ('a', 1)", "percent", ()),
        ("None.x", "attribute", ("NoneType",)),
        ("None.x = 1", "attribute", ("NoneType",)),
        ("del None.x", "attribute", ("NoneType",)),
        ("int.x", "attribute", ("int",)),
        ("min(())", "empty", ()),
        ("open(None)", "path", ("NoneType",)),
        ("open([])", "path", ("list",)),
        ("[][1:2] = 5", "store slice", ()),
        ("(lambda x: 1)()", "signature", ()),
        ("(lambda: 1)(1)", "signature", ()),
        ("len()", "signature", ()),
        ("dict.get()", "signature", ()),
    ],
)
def test_the_interpreters_messages(source, fault, types):
    with pytest.raises(Exception) as caught:
        exec(source, {})
    named = types_in(caught.value, fault)
    assert named is not None, str(caught.value)
    found = (named.get("left"), named.get("right"))
    assert found[: len(types)] == types
    assert blames_none(caught.value, fault) == (named.get("left") == "NoneType")


@pytest.mark.parametrize(
    "source",
    [
        "int('x')", "None + 1", "''.join([1])", "len(None)", "sum(None)", "[].insert('a', 1)",
        "dict([1])", "range('3')", "''.replace(None, '')", "__import__('math').sqrt('x')",
        "isinstance(1, 5)", "float([])", "ord('ab')", "chr(-1)", "bytes('a')", "min(1)",
        "__import__('datetime').date.fromisoformat(1)", "set().union(5)", "str.upper(5)",
    ],
)  # fmt: skip
def test_a_wrong_argument_is_no_wrong_call(source):
    with pytest.raises((TypeError, ValueError)) as caught:
        eval(source)
    assert not says(caught.value, "signature"), str(caught.value)


def test_only_plain_arguments_make_a_message():
    class Talkative(TypeError):
        def __str__(self):
            raise RuntimeError("user code ran")

    assert says(Talkative("'NoneType' object is not subscriptable"), "subscript")
    assert not says(TypeError(type("S", (str,), {})("'int' object is not iterable")), "iterate")
    assert not says(TypeError(), "iterate")
