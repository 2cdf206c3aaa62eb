"""Each guard at each of its operations: what is recognised, what is named, what it gives."""

from __future__ import annotations

import pytest

# guard, source, result, target
NONE_ATTRIBUTES = [
    ("null_guard", "user = None; result = user.name", None, "user"),
    ("null_guard", "user = None; result = user.save(1, now=True)", None, "user"),
    ("null_guard", "user = None; user.name = 1; result = 5", 5, "user"),
    ("null_guard", "user = None; del user.name; result = 5", 5, "user"),
    ("null_guard", "class A: u = None\nresult = A.u.name", None, "A.u"),
]
ATTRIBUTES = [
    ("attribute_guard", "class A: pass\na = A(); result = a.name", None, "a.name"),
    ("attribute_guard", "class A: pass\na = A(); result = a.save(1)", None, "a.save"),
    ("attribute_guard", "class A: pass\na = A(); del a.name; result = 5", 5, "a.name"),
    ("attribute_guard", "class A: __slots__ = ()\na = A(); a.x = 1; result = 5", 5, "a.x"),
    ("attribute_guard", "class A: __slots__ = ('x',)\na = A(); result = a.x", None, "a.x"),
    ("attribute_guard", "class A: pass\nresult = A.name", None, "A.name"),
    ("attribute_guard", "import os\nresult = os.nothing_like_it", None, "os.nothing_like_it"),
    ("attribute_guard", "result = 'text'.decode('utf-8')", None, "'text'.decode"),
    ("attribute_guard", "(5).x = 1; result = 5", 5, "(5).x"),
    (
        "attribute_guard",
        "class A:\n def f(self): return super().nothing\nresult = A().f()",
        None,
        "super().nothing",
    ),
]
KEYS = [
    ("key_guard", "d = {}; result = d['a']", None, "d['a']"),
    ("key_guard", "d = {}; del d['a']; result = 5", 5, "d['a']"),
    ("key_guard", "class D(dict): pass\nd = D(); result = d[1]", None, "d[1]"),
    (
        "key_guard",
        "from collections import OrderedDict\nd = OrderedDict(); result = d[1]",
        None,
        "",
    ),
    ("key_guard", "from types import MappingProxyType as M\nd = M({}); result = d['x']", None, ""),
    ("subscript_guard", "row = None; result = row['id']", None, "row"),
    ("subscript_guard", "row = None; result = row[1:]", None, "row"),
    ("subscript_guard", "row = None; row['id'] = 1; result = 5", 5, "row"),
    ("subscript_guard", "row = None; row[1:] = [1]; result = 5", 5, "row"),
    ("subscript_guard", "row = None; del row['id']; result = 5", 5, "row"),
]
CHAINS = [
    ("chain_subscript_guard", "d = {}; result = d['user']['name']", None, "d['user']['name']"),
    (
        "chain_subscript_guard",
        "d = {'user': None}; result = d['user']['name']",
        None,
        "d['user']['name']",
    ),
    ("chain_subscript_guard", "d = {'user': {}}; result = d['user']['name']", None, ""),
    ("chain_subscript_guard", "d = {'rows': []}; result = d['rows'][0]['id']", None, ""),
    ("chain_subscript_guard", "d = {'user': 'x'}; result = d['user']['name']", None, ""),
    ("chain_subscript_guard", "d = {}; result = d['user'].name", None, "d['user'].name"),
    ("chain_subscript_guard", "d = {}; result = d['a']['b']['c']['d']", None, ""),
    (
        "chain_subscript_guard",
        "class A: d = {}\nresult = (1, A.d['user']['name'], 2)",
        (1, None, 2),
        "A.d['user']['name']",
    ),
    # A chain with one subscript at its end is no chain: one guard does.
    ("key_guard", "class A: d = {}\nresult = A.d['user']", None, "A.d['user']"),
    ("null_guard", "d = {'user': None}; result = d['user'].name", None, "d['user']"),
]
INDICES = [
    ("index_guard", "rows = []; i = 3; result = rows[i]", None, "rows[i]"),
    ("index_guard", "rows = []; i = 3; rows[i] = 1; result = 5", 5, "rows[i]"),
    ("index_guard", "rows = []; i = 3; del rows[i]; result = 5", 5, "rows[i]"),
    ("index_guard", "text = 'a'; i = 3; result = text[i]", None, "text[i]"),
    ("index_guard", "rows = [1]; i = 3; result = rows[i + 1]", None, "rows[i + 1]"),
    ("list_bound_guard", "rows = []; result = rows[0]", None, "rows[0]"),
    ("list_bound_guard", "rows = []; result = rows[-1]", None, "rows[-1]"),
    ("list_bound_guard", "rows = (1,); result = rows[5]", None, "rows[5]"),
    ("list_bound_guard", "rows = []; rows[0] = 1; result = 5", 5, "rows[0]"),
    ("list_bound_guard", "rows = []; del rows[0]; result = 5", 5, "rows[0]"),
]
UNPACKING = [
    ("list_bound_guard", "r = [1]; a, b = r; result = a, b", (1, None), "r"),
    ("list_bound_guard", "r = (); a, b = r; result = a, b", (None, None), "r"),
    ("list_bound_guard", "r = [1, 2, 3]; a, b = r; result = a, b", (1, 2), "r"),
    ("list_bound_guard", "r = 'xyz'; a, b = r; result = a, b", ("x", "y"), "r"),
    ("list_bound_guard", "r = {'k': 1}; a, b = r; result = a, b", ("k", None), "r"),
    ("list_bound_guard", "r = []; a, *b = r; result = a, b", (None, []), "r"),
    ("list_bound_guard", "r = [1]; a, b, *c = r; result = a, b, c", (1, None, []), "r"),
    ("list_bound_guard", "r = [1]; a, *b, c = r; result = a, b, c", (1, [], None), "r"),
    ("list_bound_guard", "r = [1]; a, *b, c, d = r; result = a, b, c, d", (1, [], None, None), "r"),
    (
        "list_bound_guard",
        "r = 'a,b'; a, b, c = r.split(','); result = a, b, c",
        ("a", "b", None),
        "",
    ),
    ("list_bound_guard", "r = 'a b c'; a, b = r.split(); result = a, b", ("a", "b"), "r.split()"),
    (
        "list_bound_guard",
        "r = 'a=1'; k, v = r.strip().split(':', 1); result = k, v",
        ("a=1", None),
        "",
    ),
    ("list_bound_guard", "def f(): return [1]\na, b = f(); result = a, b", (None, None), "f()"),
    # What an iterator gave is gone.
    ("list_bound_guard", "a, b = iter([1]); result = a, b", (None, None), "iter([1])"),
    ("unpack_guard", "r = None; a, b = r; result = a, b", (None, None), "r"),
    ("unpack_guard", "r = None; a, *b = r; result = a, b", (None, []), "r"),
    ("unpack_guard", "r = None; *a, b = r; result = a, b", ([], None), "r"),
    ("unpack_guard", "r = [None]\nfor a, b in r: result = a, b", (None, None), ""),
    ("operand_guard", "r = 5; a, b = r; result = a, b", (None, None), "r"),
]
CONVERSIONS = [
    ("type_coercion_guard", "result = int('12 apples')", 0, "'12 apples'"),
    ("type_coercion_guard", "x = None; result = int(x)", 0, "x"),
    ("type_coercion_guard", "result = int(float('inf'))", 0, ""),
    ("type_coercion_guard", "result = int(float('nan'))", 0, ""),
    ("type_coercion_guard", "result = float('x')", 0.0, "'x'"),
    ("type_coercion_guard", "x = None; result = float(x)", 0.0, "x"),
    ("type_coercion_guard", "result = complex('x')", 0j, "'x'"),
    ("type_coercion_guard", "from decimal import Decimal as D\nresult = str(D('x'))", "0", "'x'"),
    ("type_coercion_guard", "from decimal import Decimal as D\nresult = str(D(None))", "0", "None"),
    (
        "type_coercion_guard",
        "import datetime\nresult = datetime.datetime.fromisoformat('x')",
        None,
        "'x'",
    ),
    ("type_coercion_guard", "from datetime import date\nresult = date.fromisoformat(1)", None, "1"),
    ("type_coercion_guard", "from datetime import date\nresult = date(2024, 2, 31)", None, ""),
    ("type_coercion_guard", "result = bytes.fromhex('x')", b"", "'x'"),
    (
        "type_coercion_guard",
        "from functools import partial as p\nf = p(int, base=2); result = f('9')",
        0,
        "",
    ),
]
DIVISIONS = [
    ("division_guard", "n = 0; result = 1 / n", 0.0, "n"),
    ("division_guard", "n = 0; result = 1 // n", 0, "n"),
    ("division_guard", "n = 0; result = 1 % n", 0, "n"),
    ("division_guard", "n = 0.0; result = 1 // n", 0.0, "n"),
    ("division_guard", "n = 0; result = 7; result /= n", 0.0, "n"),
    ("division_guard", "n = 0; result = 7; result //= n", 0, "n"),
    ("division_guard", "n = 0; result = 7; result %= n", 0, "n"),
    ("division_guard", "n = 0; result = divmod(1, n)", (0, 0), "n"),
    ("division_guard", "n = 0.0; result = divmod(1, n)", (0.0, 0.0), "n"),
    ("division_guard", "n = 0; result = 1j / n", 0j, "n"),
    ("division_guard", "n = 0; result = n ** -1", 0.0, ""),
    ("division_guard", "result = pow(0, -1)", 0.0, ""),
    (
        "division_guard",
        "from decimal import Decimal as D\nd = D(0); result = str(D(1) / d)",
        "0",
        "d",
    ),
    ("division_guard", "from decimal import Decimal as D\nd = D(0); result = str(d / d)", "0", "d"),
    (
        "division_guard",
        "from decimal import Decimal as D\nd = D(0); result = str(D(1) // d)",
        "0",
        "d",
    ),
    (
        "division_guard",
        "from decimal import Decimal as D\nd = D(0); result = str(D(1) % d)",
        "0",
        "d",
    ),
    (
        "division_guard",
        "from decimal import Decimal as D\nd = D(0); result = str(divmod(D(1), d)[1])",
        "0",
        "d",
    ),
    ("division_guard", "from operator import truediv\nresult = truediv(1, 0)", 0.0, "0"),
]
TEXT = [
    ("str_coerce_guard", "result = 'age: ' + 25", "age: 25", "25"),
    ("str_coerce_guard", "n = 25; result = n + ' years'", "25 years", "n"),
    ("str_coerce_guard", "n = 2.5; result = 'a'; result += n", "a2.5", "n"),
    ("str_coerce_guard", "x = None; result = 'a' + x", "a", "x"),
    ("str_coerce_guard", "x = None; result = x + 'a'", "a", "x"),
    ("str_coerce_guard", "x = b'b'; result = 'a' + x", "ab", "x"),
    ("str_coerce_guard", "x = b'b'; result = x + 'a'", b"ba", "x"),
    ("str_coerce_guard", "x = [1, 'a']; result = 'a' + x", "a[1, 'a']", "x"),
    ("str_coerce_guard", "e = ValueError('bad'); result = 'error: ' + e", "error: bad", "e"),
    ("str_coerce_guard", "a = 'x'; b = 'y'; n = 1; result = a + b + n", "xy1", "n"),
    ("str_coerce_guard", "n = 1; m = 2; result = 'a' + str(n) + m", "a12", "m"),
    ("str_coerce_guard", "n = 1; result = n + 'a'.upper()", "1", "n"),
    ("str_coerce_guard", "n = 1; x = 'a'; result = f'{x:>3}-{n}: ' + 'b' + n", "  a-1: b1", "n"),
    ("str_coerce_guard", "n = 1; x = ' a '; result = x.strip() + n", "a1", "n"),
    ("str_coerce_guard", "x = [1]; result = 'a' + [x, None]", "a[[1], None]", ""),
    (
        "str_coerce_guard",
        "class S(str): pass\nn = 1; s = S('x'); result = '' + s + n",
        "x1",
        "n",
    ),
    ("format_guard", "x = None; result = f'[{x:>6}]'", "[  None]", "x"),
    ("format_guard", "x = 'n/a'; result = f'{x:.2f} EUR'", "n/a EUR", "x"),
    ("format_guard", "x = 'n/a'; w = 5; result = f'{x:{w}d}'", "n/a", "x"),
    ("format_guard", "x = None; result = f'{x!r:d}'", "None", ""),
    ("format_guard", "x = [1]; result = f'{x:>5}'", "  [1]", "x"),
    ("format_guard", "x = 'n/a'; result = '%d items' % x", "n/a items", "x"),
    ("format_guard", "x = None; result = '%5.2f|' % x", " None|", "x"),
    ("format_guard", "x = None; result = '%s: %d' % ('a', x)", "a: None", ""),
    ("format_guard", "x = {}; result = '%(a)s!' % x", "%(a)s!", "x"),
    ("format_guard", "x = {'a': 'b'}; result = '%(a)d!' % x", "b!", "x"),
    ("format_guard", "result = '%s %s' % ('a',)", "%s %s", ""),
    ("format_guard", "result = '%s' % (1, 2)", "%s", ""),
    ("format_guard", "x = None; result = '{:>6}'.format(x)", "  None", ""),
    ("format_guard", "x = 'b'; result = '{0} {n:d}'.format('a', n=x)", "a b", ""),
    ("format_guard", "result = '{} {}'.format('a')", "a {}", ""),
    ("format_guard", "result = '{name}!'.format(nam=1)", "{name}!", ""),
    ("format_guard", "x = None; result = format(x, '>6')", "  None", "x"),
]
FILES = [
    ("file_guard", "result = open('/none/x').read()", "", "'/none/x'"),
    ("file_guard", "result = open('/none/x', 'rb').read()", b"", "'/none/x'"),
    ("file_guard", "result = open('/none/x', mode='rt').name", "/none/x", "'/none/x'"),
    ("file_guard", "m = 'r'; p = '/none/x'; result = open(p, m).readlines()", [], "p"),
    ("file_guard", "with open('/none/x') as f: result = list(f)", [], "'/none/x'"),
    ("file_guard", "p = None; result = open(p, 'rb').read()", b"", "p"),
    ("file_guard", "p = None\nwith open(p) as f: result = f.read()", "", "p"),
    ("file_guard", "import io\nresult = io.open('/none/x', encoding='ascii').read()", "", ""),
]
CALLS = [
    ("callable_guard", "f = None; result = f(1, a=2)", None, "f"),
    ("callable_guard", "f = None; result = f(*[log.append(1)])", None, "f"),
    ("callable_guard", "d = {'f': None}; result = d['f'](1)", None, "d['f']"),
    ("operand_guard", "f = 5; result = f()", None, "f"),
    ("operand_guard", "d = {}; result = d('key')", None, "d"),
    ("length_guard", "x = None; result = len(x)", 0, "x"),
    ("argument_guard", "x = 5; result = len(x)", 0, "len(x)"),
    ("argument_guard", "class A:\n def __len__(self): return None\nresult = len(A())", 0, ""),
    ("argument_guard", "result = sum(None)", 0, "sum(None)"),
    ("argument_guard", "x = None; result = sorted(x)", [], "sorted(x)"),
    ("argument_guard", "n = '3'; result = list(range(n))", [], "range(n)"),
    ("argument_guard", "import math\nresult = math.sqrt(-1)", 0.0, ""),
    ("argument_guard", "result = list(map(int, ['x']))", [], ""),
    ("argument_guard", "x = None; result = list(zip(x, x))", [], "zip(x, x)"),
    ("argument_guard", "x = []; x.extend(None); result = x", [], "x.extend(None)"),
    ("argument_guard", "result = any(5)", False, "any(5)"),
    ("argument_guard", "result = all(5)", True, "all(5)"),
    ("argument_guard", "x = None; result = isinstance(1, x)", False, ""),
    ("argument_guard", "x = None; result = 'abc'.find(x)", -1, ""),
    ("argument_guard", "x = []; result = {}.get(x)", None, ""),
    ("argument_guard", "result = dict([1])", {}, ""),
    ("argument_guard", "result = str.upper(5)", "", "str.upper(5)"),
    ("argument_guard", "import re\nresult = re.compile('a').match(None)", None, ""),
]
SALVAGED = [
    ("argument_guard", "result = sorted([1, None])", [1, None], "sorted([1, None])"),
    ("argument_guard", "x = [3, 'a', 1]; result = sorted(x, reverse=True)", [3, "a", 1], ""),
    ("argument_guard", "x = [{'a': 1}, {}]; result = sorted(x, key=lambda r: r.get('a'))",
     [{"a": 1}, {}], ""),
    ("argument_guard", "d = {'b': 1, 'a': None}; result = sorted(d.items(), key=lambda i: i[1])",
     [("b", 1), ("a", None)], ""),
    ("argument_guard", "d = {'b': 1, 'a': None}; result = sorted(d.values())", [1, None], ""),
    ("argument_guard", "from collections import defaultdict as D\nd = D(int, {None: 1, 'a': 2})\n"
     "result = sorted(d.items())", [(None, 1), ("a", 2)], ""),
    ("argument_guard", "from collections import OrderedDict\nd = OrderedDict({'a': 2, None: 1})\n"
     "d.move_to_end('a'); result = sorted(d.items())", [(None, 1), ("a", 2)], ""),
    ("argument_guard", "from collections import Counter\nd = Counter(['a', None])\n"
     "result = sorted(d)", ["a", None], "sorted(d)"),
    ("argument_guard", "from collections import deque as D\nd = D([2, None]); result = sum(d)",
     2, ""),
    ("argument_guard", "class D(dict):\n def items(self): log.append(1); return [(1, 2), None]\n"
     "d = D(); result = sorted(d.items())", [], ""),
    ("argument_guard", "result = sorted(x for x in [1, None])", [], ""),
    ("argument_guard", "class L(list): pass\nx = L([1, None]); result = sorted(x)", [], ""),
    ("argument_guard", "result = ', '.join([1, 'a', None])", "1, a, ", "', '.join([1, 'a', None])"),
    ("argument_guard", "x = {1: 2}; s = '-'; result = s.join(x.values())", "2", ""),
    ("argument_guard", "x = [1]; result = str.join('-', x)", "", ""),
    ("argument_guard", "result = ','.join(x for x in [1])", "", ""),
    ("argument_guard", "result = sum([1, None, 2.5, 'x'])", 3.5, ""),
    ("argument_guard", "x = (1, None); result = sum(x, 10)", 11, ""),
    ("argument_guard", "x = (1, None); result = sum(x, start=10)", 11, ""),
    ("argument_guard", "x = [[1], None]; result = sum(x, [])", 0, ""),
    ("argument_guard", "result = sum(x for x in [1, None])", 0, ""),
    ("argument_guard", "from decimal import Decimal as D\nx = [D(1), 2.0]; result = sum(x)", 0, ""),
    ("argument_guard", "a = None; result = min(3, a, 2)", 2, "min(3, a, 2)"),
    ("argument_guard", "x = ['b', None, 'a']; result = max(x)", "b", "max(x)"),
    ("argument_guard", "x = [1, 'a']; result = max(x)", None, ""),
    ("argument_guard", "x = [1, 3, None]; result = max(x, key=lambda n: n)", None, ""),
    ("argument_guard", "x = [None, None]; result = max(x)", None, ""),
]  # fmt: skip
LOOKUPS = [
    ("lookup_guard", "d = {}; result = d.pop('a')", None, "d.pop('a')"),
    ("lookup_guard", "d = {}; k, v = d.popitem(); result = k, v", (None, None), ""),
    ("lookup_guard", "x = []; x.remove(1); result = x", [], "x.remove(1)"),
    ("lookup_guard", "x = []; result = x.index(1)", -1, "x.index(1)"),
    ("lookup_guard", "x = []; result = x.pop()", None, "x.pop()"),
    ("lookup_guard", "x = set(); x.remove(1); result = 5", 5, "x.remove(1)"),
    ("lookup_guard", "result = 'abc'.index('z')", -1, "'abc'.index('z')"),
    ("lookup_guard", "from collections import deque\nq = deque(); result = q.popleft()", None, ""),
    ("lookup_guard", "class D(dict): pass\nresult = D().pop('a')", None, "D().pop('a')"),
    ("lookup_guard", "result = min(())", None, "min(())"),
    ("lookup_guard", "result = max([], key=len)", None, "max([], key=len)"),
    ("lookup_guard", "x = None; result = getattr(x, 'a')", None, "getattr(x, 'a')"),
    ("lookup_guard", "import heapq\nresult = heapq.heappop([])", None, ""),
    ("lookup_guard", "from operator import itemgetter\nresult = itemgetter('a')({})", None, ""),
]
ITERATION = [
    ("iteration_guard", "x = None\nfor y in x: log.append(y)\nresult = 5", 5, "x"),
    ("iteration_guard", "x = None; result = [y for y in x]", [], "x"),
    ("iteration_guard", "x = None; result = {y: 1 for y in x}", {}, "x"),
    ("iteration_guard", "x = None\ndef g(): yield from x\nresult = list(g())", [], "x"),
    ("iteration_guard", "x = None; result = [1, *x]", [1], "x"),
    ("iteration_guard", "x = None; result = (1, *x)", (1,), "x"),
    ("iteration_guard", "x = None; result = {1, *x}", {1}, "x"),
    ("iteration_guard", "x = None; result = {'a': 1, **x}", {"a": 1}, "x"),
    ("iteration_guard", "x = None; result = dict(a=1, **x)", {"a": 1}, "x"),
    ("iteration_guard", "x = None; result = print(*x)", None, "*x"),
    (
        "iteration_guard",
        "x = None\nasync def main():\n async for y in x: log.append(y)\n return 5",
        5,
        "x",
    ),
    ("operand_guard", "x = 5\nfor y in x: log.append(y)\nresult = 6", 6, "x"),
    ("operand_guard", "x = 5; result = [1, *x]", [1], "x"),
]
OPERANDS = [
    ("none_operand_guard", "x = None; result = x + 1", 1, "x"),
    ("none_operand_guard", "x = None; result = 1.5 - x", 1.5, "x"),
    ("none_operand_guard", "x = None; result = x - 2", -2, "x"),
    ("none_operand_guard", "x = None; result = x; result += 5", 5, "result"),
    ("none_operand_guard", "x = None; result = 3 * x", 0, "x"),
    ("none_operand_guard", "x = None; result = [1] * x", [], "x"),
    ("none_operand_guard", "x = None; result = x / 2", 0, "x"),
    ("none_operand_guard", "x = None; y = [1]; result = y + x", [1], "x"),
    (
        "none_operand_guard",
        "x = None; y = [1]; z = y; y += x; result = z is y, y",
        (True, [1]),
        "x",
    ),
    ("none_operand_guard", "x = None; y = {1: 2}; result = y | x", {1: 2}, "x"),
    ("none_operand_guard", "x = None; y = {1: 2}; y |= x; result = y", {1: 2}, "x"),
    ("none_operand_guard", "x = None; result = x + len('ab')", 2, "x"),
    ("none_operand_guard", "x = None; result = x + 'abc'.count('a')", 0, "x"),
    ("none_operand_guard", "x = None; result = -x", 0, "x"),
    ("none_operand_guard", "x = None; result = +x", 0, "x"),
    ("none_operand_guard", "x = None; result = ~x", 0, "x"),
    ("none_operand_guard", "x = None; result = x < 1", False, "x"),
    ("none_operand_guard", "x = None; result = 1 >= x", False, "x"),
    ("none_operand_guard", "x = None; result = 1 if x > 0 else 2", 2, "x"),
    ("operand_guard", "x = '5'; result = 3 - x", 3, "3 - x"),
    ("operand_guard", "x = '5'; result = 3 < x", False, "3 < x"),
    ("operand_guard", "x = [1]; result = x + (2,)", [1], "x + (2,)"),
    ("operand_guard", "x = [1]; x += 5; result = x", [1], ""),
    ("operand_guard", "x = 'a'; result = x * 'b'", "", "x * 'b'"),
    ("operand_guard", "x = 'a'; result = -x", 0, "x"),
    ("operand_guard", "x = [1]; result = x['id']", None, "x['id']"),
    ("operand_guard", "x = [1]; i = None; result = x[i]", None, "x[i]"),
    ("operand_guard", "x = 'abc'; result = x['id']", None, "x['id']"),
    ("operand_guard", "x = 'abc'; result = x['a':]", None, "x['a':]"),
    ("operand_guard", "x = {}; k = []; result = x[k]", None, "x[k]"),
    ("operand_guard", "x = {}; k = []; x[k] = 1; result = x", {}, "x[k]"),
    ("operand_guard", "x = 5; result = x[0]", None, "x[0]"),
    ("operand_guard", "x = (1,); x[0] = 2; result = x", (1,), "x[0]"),
    ("operand_guard", "x = 5; result = 1 in x", False, "1 in x"),
    ("operand_guard", "x = 'abc'; result = 1 not in x", True, "1 not in x"),
    ("membership_guard", "x = None; result = 1 in x", False, "x"),
    ("membership_guard", "x = None; result = 1 not in x", True, "x"),
    ("membership_guard", "x = None\nif 1 in x: result = 1\nelse: result = 2", 2, "x"),
]
BLOCKS = [
    ("context_manager_guard", "x = None\nwith x as y: result = y, 5", (None, 5), "x"),
    (
        "context_manager_guard",
        "x = None\nasync def main():\n async with x as y: return y, 5",
        (None, 5),
        "x",
    ),
    ("operand_guard", "x = 5\nwith x: result = 6", 6, "x"),
    (
        "await_guard",
        "def f(): log.append(1)\nasync def main(): return (await f()), log",
        (None, [1]),
        "f()",
    ),
    ("operand_guard", "x = 5\nasync def main(): return await x", None, "x"),
]
CASES = [
    *NONE_ATTRIBUTES, *ATTRIBUTES, *KEYS, *CHAINS, *INDICES, *UNPACKING, *CONVERSIONS, *DIVISIONS,
    *TEXT, *FILES, *CALLS, *SALVAGED, *LOOKUPS, *ITERATION, *OPERANDS, *BLOCKS,
]  # fmt: skip


@pytest.mark.parametrize(("guard", "source", "result", "target"), CASES)
def test_healed_once_with_the_value(run, guard, source, result, target):
    done = run(source)
    assert done.escaped is None
    assert done.guards == [guard]
    assert done.result == result
    assert type(done.result) is type(result)
    assert not target or done.heals[0][1] == target


@pytest.mark.parametrize(("guard", "source", "result", "target"), CASES)
def test_advice_is_one_sentence_that_names_the_target(run, guard, source, result, target):
    _, named, _, advice = run(source).heals[0]
    assert advice.endswith(".")
    assert advice.count(". ") == 0
    assert named.strip("*") in advice


@pytest.mark.parametrize(("guard", "source", "result", "target"), CASES)
def test_a_guard_that_is_off_heals_nothing(run, guard, source, result, target):
    assert guard not in run(source, off=(guard,)).guards


def test_the_same_inside_functions(run):
    """Locals, closures and arguments are other operands than a module's names."""
    done = run(
        "def f(user, rows):\n"
        "    def g(i):\n"
        "        return rows[i]\n"
        "    a, b = rows\n"
        "    return user.name, g(7), a, b, rows['x'], [u.id for u in rows if u < user]\n"
        "result = f(None, [1])\n"
    )
    assert done.escaped is None
    assert done.result == (None, None, 1, None, None, [])
    assert done.guards == [
        "list_bound_guard", "null_guard", "index_guard", "operand_guard", "none_operand_guard",
    ]  # fmt: skip
    assert [heal[1] for heal in done.heals] == ["rows", "user", "rows[i]", "rows['x']", "user"]


def test_everything_around_a_chain_happens_once(run):
    done = run(
        "def note(x):\n"
        "    log.append(x)\n"
        "    return x\n"
        "d = {}\n"
        "result = [note(1), d['a']['b']['c'], note(2)]\n"
    )
    assert done.guards == ["chain_subscript_guard"]
    assert done.result == [1, None, 2]
    assert done.names["log"] == [1, 2]


def test_a_link_with_a_call_ends_the_chain(run):
    done = run("def k(): log.append(1); return 'b'\nd = {}\nresult = d['a'][k()]")
    assert done.result is None
    assert done.names["log"] == [1]
    assert done.guards == ["key_guard", "subscript_guard"]


@pytest.mark.parametrize(
    "source",
    [
        "x = None; result = list(y for y in x)",
        "x = 5; result = [y for y in (z for z in x)]",
        "class A: x = None\nresult = [1, list(y for y in A.x), 2]",
        "class A: x = None\ndef f(a): return [1, list(y for y in a.x), 2]\nresult = f(A)",
        "x = None\nasync def main(): return [y async for y in (z async for z in x)]",
    ],
)
def test_a_generator_expression_over_nothing(run, source):
    """From 3.15 on the generator itself iterates, in a frame that has no traceback yet."""
    done = run(source)
    if done.escaped is None:
        assert done.result in ([], [1, [], 2])
        assert len(done.guards) == 1
    else:
        assert done.guards == []
        assert type(done.escaped) is TypeError
        assert str(done.escaped).startswith(("'NoneType' object", "'int' object", "'async for'"))
