"""The gate lets through what arming makes, and nothing that behaves otherwise."""

from __future__ import annotations

import dis
import random
from collections import Counter
from types import CodeType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesuture.surgery.arming import arm, is_armed
from codesuture.surgery.gate import Rejected, Seen, verify
from codesuture.surgery.graph import read_again
from codesuture.surgery.instructions import decode, read_table, write_table
from codesuture.surgery.keeping import keep_operands
from codesuture.surgery.opcodes import NAMES
from codesuture.surgery.sites import sites_of

SOURCE = """
def plain(a, b):
    return a.b + b["k"][0].c("x", *a)

def caught(a):
    try:
        x, y = a.b
        return int(a[0]) + x
    except (KeyError, ValueError):
        return 1
    finally:
        a.close()

def loops(rows):
    total = 0
    for row in rows:
        with row.lock as held:
            total += held.value
            row["n"] = -total
    return [f"{item.x:>3}" for item in rows if item in total]

async def waits(client, **more):
    async with client.session() as session:
        async for part in session:
            await part.send(**more)
    yield from_ if (from_ := client) else 1

def kept(f, g):
    try:
        return f() + g() * f()
    except TypeError:
        return None
"""
SEED = 20261125
#: How many mutants of each kind and code object are tried.
EACH = 25


def functions(reach: bool = False) -> list[tuple[CodeType, CodeType]]:
    """Pairs of original and armed code; some operators of ``kept`` keep their operands."""
    code = compile(SOURCE, "gate.py", "exec")
    armed = keep_operands(arm(code, reach), lambda one: binary(one) if "kept" in one.co_name else
                          frozenset())  # fmt: skip
    pairs = list(zip(code.co_consts, armed.co_consts, strict=False))
    return [(old, new) for old, new in pairs if isinstance(old, CodeType)]


def binary(code: CodeType) -> frozenset[int]:
    return frozenset(site.ordinal for site in sites_of(code) if site.operation == "binary")


#: What no compiler writes: the interpreter's own, whose mere reading as bytes may be its end.
NEVER = ("INSTRUMENTED_", "ENTER_EXECUTOR", "RESERVED", "CACHE")


def with_bytes(code: CodeType, body: bytearray) -> CodeType:
    """The code with other bytes; as it is where the interpreter itself cannot bear such code: its
    own instructions, or an inline cache that would lie behind the end."""
    rows = decode(bytes(body))
    names = [NAMES[row[2]] for row in rows]
    if rows[-1][4] > len(body) or not all(names) or any(n.startswith(NEVER) for n in names):
        return code
    return code.replace(co_code=bytes(body))


def changed_bytes(code: CodeType, random: random.Random) -> CodeType:
    body = bytearray(code.co_code)
    body[random.randrange(len(body))] ^= random.choice((1, 2, 4, 64, 128, 255))
    return with_bytes(code, body)


def changed_pads(code: CodeType, random: random.Random) -> CodeType:
    """Instructions of pads exchanged, repeated, left out, or made others."""
    body = bytearray(code.co_code)
    first, second = (2 * random.randrange(len(body) // 2) for _ in range(2))
    kind = random.randrange(4)
    if kind == 0:
        body[first : first + 2], body[second : second + 2] = (
            body[second : second + 2], body[first : first + 2],
        )  # fmt: skip
    elif kind == 1:
        body[first : first + 2] = body[second : second + 2]
    elif kind == 2:
        body[first] = dis.opmap["NOP"]
    else:
        body[first] = random.choice(list(dis.opmap.values())) & 255
    return with_bytes(code, body)


def changed_table(code: CodeType, random: random.Random) -> CodeType:
    entries = read_table(code.co_exceptiontable)
    place = random.randrange(len(entries))
    start, end, target, depth, lasti = entries[place]
    step = random.choice((-4, -2, 2, 4, 20))
    targets = [entry[2] for entry in entries]
    found = random.choice([
        [(start + step, end, target, depth, lasti)], [(start, end + step, target, depth, lasti)],
        [(start, end, target + step, depth, lasti)], [(start, end, target, depth + 1, lasti)],
        [(start, end, target, max(0, depth - 1), lasti)], [(start, end, target, depth, not lasti)],
        [(start, end, random.choice(targets), depth, lasti)], [],
        [(start, end, target, depth, lasti)] * 2, [(start, start, target, depth, lasti)],
    ])  # fmt: skip
    entries[place : place + 1] = found
    try:
        return code.replace(co_exceptiontable=write_table(entries))
    except ValueError:  # a negative number
        return code.replace(co_exceptiontable=b"")


def changed_table_bytes(code: CodeType, random: random.Random) -> CodeType:
    table = bytearray(code.co_exceptiontable)
    table[random.randrange(len(table))] ^= random.choice((1, 2, 32, 64, 128))
    return code.replace(co_exceptiontable=bytes(table))


def changed_stack(code: CodeType, random: random.Random) -> CodeType:
    return code.replace(co_stacksize=max(0, code.co_stacksize + random.choice((-9, -3, -1, 1, 9))))


def changed_constants(code: CodeType, random: random.Random) -> CodeType:
    values = list(code.co_consts)
    place = random.randrange(len(values))
    value = values[place]
    if isinstance(value, bytes):
        other = bytearray(value)
        other[random.randrange(len(other))] ^= random.choice((1, 2, 128))
        values[place] = bytes(other)
    else:
        values[place] = random.choice((None, 1, 1.0, True, "x", (), b"", code))
    if random.random() < 0.2:
        values.append(values[-1])
    elif random.random() < 0.2:
        del values[place]
    return code.replace(co_consts=tuple(values))


def changed_names(code: CodeType, random: random.Random) -> CodeType:
    names = list(code.co_names)
    names[random.randrange(len(names))] = random.choice(("x", "tb_next", "print"))
    return code.replace(co_names=tuple(names))


def changed_lines(code: CodeType, random: random.Random) -> CodeType:
    lines = bytearray(code.co_linetable)
    lines[random.randrange(len(lines))] ^= random.choice((1, 2, 8, 16, 128))
    return code.replace(co_linetable=bytes(lines))


def changed_rest(code: CodeType, random: random.Random) -> CodeType:
    return random.choice([
        lambda: code.replace(co_flags=code.co_flags ^ 0x20),
        lambda: code.replace(co_firstlineno=code.co_firstlineno + 1),
        lambda: code.replace(co_name="other"),
        lambda: code.replace(co_qualname="other"),
        lambda: code.replace(co_filename="other"),
        lambda: code.replace(co_varnames=("other", *code.co_varnames[1:])),
    ])()  # fmt: skip


MUTATIONS = (
    changed_bytes, changed_pads, changed_table, changed_table_bytes, changed_stack,
    changed_constants, changed_names, changed_lines, changed_rest,
)  # fmt: skip


def means_the_same(original: CodeType, code: CodeType, other: CodeType) -> bool:
    """Whether a mutant is the same program all the same: equal code, handlers that are written in
    another way, a stack whose size the second reader finds to do, and at most four values more."""
    if other.co_stacksize > code.co_stacksize + 4:
        return False
    if other.co_stacksize != code.co_stacksize:
        try:
            read_again(original, other)
        except Rejected:
            return False
    try:
        table = dis._parse_exception_table(other)
    except StopIteration:
        return False
    if dis._parse_exception_table(code) != table:
        return False
    if [*map(repr, code.co_consts)] != [*map(repr, other.co_consts)]:
        return False
    if list(code.co_positions()) != list(other.co_positions()):
        return False
    same = other.replace(
        co_stacksize=code.co_stacksize, co_exceptiontable=code.co_exceptiontable,
        co_consts=code.co_consts, co_linetable=code.co_linetable,
    )  # fmt: skip
    return same == code and same.co_filename == code.co_filename


def is_let_through(original: CodeType, mutant: CodeType) -> bool:
    try:
        verify(original, mutant)
    except Rejected:
        return False
    return True


@pytest.mark.parametrize("reach", [False, True], ids=["", "reaching"])
def test_mutants_are_rejected_unless_they_mean_the_same(reach: bool) -> None:
    choice, outcomes = random.Random(SEED), Counter[tuple[str, bool, bool]]()
    for original, armed in functions(reach):
        assert is_let_through(original, armed)
        for mutation in MUTATIONS:
            for _ in range(EACH):
                mutant = mutation(armed, choice)
                let = is_let_through(original, mutant)
                same = means_the_same(original, armed, mutant)
                assert same or not let, (original.co_name, mutation.__name__)
                outcomes[mutation.__name__, same, let] += 1
    for mutation in MUTATIONS:  # no kind consists of equivalent mutants only
        assert outcomes[mutation.__name__, False, False] > EACH, outcomes
    assert sum(outcomes.values()) == 9 * EACH * len(functions())


def test_every_byte_of_every_pad_counts() -> None:
    """No byte behind the original can be another, not even the argument of what takes none."""
    (original, armed), counted = functions()[0], 0
    for place in range(len(original.co_code), len(armed.co_code)):
        body = bytearray(armed.co_code)
        body[place] ^= 1
        mutant = with_bytes(armed, body)
        # Inline caches are cleared by the interpreter when it makes the code.
        same = mutant.co_code == armed.co_code
        counted += not same
        assert same or not is_let_through(original, mutant), place
    assert counted > 100


def test_ways_back_may_not_be_exchanged() -> None:
    """Two sites at the same depth: led behind one another nothing would show but the result."""
    code = compile("def f(a):\n    x = a.b\n    y = a.c\n    return x", "m", "exec").co_consts[0]
    armed = arm(code)
    rows = [
        row
        for row in dis.get_instructions(armed)
        if row.opname == "JUMP_BACKWARD_NO_INTERRUPT" and row.argval < len(code.co_code)
    ]
    assert len(rows) == 2
    body, (first, second) = bytearray(armed.co_code), rows
    back = (second.offset - first.offset) // 2
    body[first.offset + 1], body[second.offset + 1] = second.arg - back, first.arg + back
    with pytest.raises(Rejected, match="leads to"):
        verify(code, armed.replace(co_code=bytes(body)))


def test_a_store_to_a_local_is_rejected() -> None:
    code = compile("def f(a):\n    x = a.b\n    return x", "m", "exec").co_consts[0]
    armed = arm(code)
    size = len(code.co_code)
    pops = [
        row.offset
        for row in dis.get_instructions(armed)
        if row.offset >= size and row.opname == "POP_TOP"
    ]
    for place in pops:
        body = bytearray(armed.co_code)
        body[place] = dis.opmap["STORE_FAST"]
        mutant = armed.replace(co_code=bytes(body))
        assert not is_let_through(code, mutant)
        with pytest.raises(Rejected, match="must not have STORE_FAST"):
            read_again(code, mutant)


def test_more_than_the_budget_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile("def f(x): return x.name, x['key'], x + 1", "budget.py", "exec")
    armed = arm(code)
    verify(code, armed)
    monkeypatch.setattr("codesuture.surgery.gate.BUDGET", 8)
    with pytest.raises(Rejected, match="instructions were added for the site at"):
        verify(code, armed)


def test_sites_without_pads_are_rejected() -> None:
    code = compile("def f(a):\n    return a.b", "m", "exec").co_consts[0]
    with pytest.raises(Rejected, match="no pads"):
        verify(code, code)


_NAMES = st.sampled_from(["a", "b", "c.d", "e['k']", "f()", "g(1, *a)"])
_EXPRESSIONS = st.recursive(
    _NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} + {pair[1]})"),
        inner.map(lambda one: f"{one}.x"),
        inner.map(lambda one: f"{one}[0]"),
        inner.map(lambda one: f"({one}).m({one})"),
        inner.map(lambda one: f"[y for y in {one}]"),
    ),
    max_leaves=4,
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(_EXPRESSIONS, st.sampled_from(MUTATIONS), st.integers(0, 2**32), st.booleans())
def test_mutants_of_random_expressions(source, mutation, seed, reach) -> None:
    source = f"def f(a, b):\n try:\n  r = {source}\n except KeyError:\n  r = {source}\n return r"
    original = next(c for c in compile(source, "m", "exec").co_consts if isinstance(c, CodeType))
    armed = arm(original, reach)
    seen: list[Seen] = verify(original, armed)
    for one in seen:
        read_again(one.original, one.armed)
    if not is_armed(armed):
        assert not sites_of(original)
        return
    choice = random.Random(seed)
    for _ in range(6):
        mutant = mutation(armed, choice)
        assert means_the_same(original, armed, mutant) or not is_let_through(original, mutant)
