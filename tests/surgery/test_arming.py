"""Arming keeps the original and adds pads that an independent reader accepts."""

from __future__ import annotations

import glob
import marshal
import os
import random
import subprocess
import sys
import warnings
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesuture.surgery.arming import arm, disarm, disarm_all, is_armed
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.gate import Rejected, verify
from codesuture.surgery.graph import read_again
from codesuture.surgery.instructions import decode, jump_target, read_table, write_table
from codesuture.surgery.landing import Landing
from codesuture.surgery.opcodes import NAMES
from codesuture.surgery.sites import tree_height, turns_to

LIBRARY = os.path.dirname(os.__file__)


def compiled(path: str) -> CodeType:
    with warnings.catch_warnings(), open(path, "rb") as file:
        warnings.simplefilter("ignore")
        return compile(file.read(), path, "exec", dont_inherit=True)


def all_code(code: CodeType) -> list[CodeType]:
    found = [code]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += all_code(constant)
    return found


# Chosen for their shapes: generators, coroutines, with, match, deep nesting, large modules.
MODULES = [
    "contextlib.py", "dataclasses.py", "asyncio/tasks.py", "asyncio/timeouts.py", "traceback.py",
    "functools.py", "typing.py", "ast.py", "json/decoder.py", "ipaddress.py", "_pydecimal.py",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_armed_standard_library_passes_the_gate(name: str) -> None:
    code = compiled(os.path.join(LIBRARY, name))
    armed = arm(code)
    for seen in verify(code, armed):
        read_again(seen.original, seen.armed)
    assert disarm_all(armed) == code
    assert is_armed(armed)


@pytest.mark.parametrize("name", ["contextlib.py", "asyncio/timeouts.py", "json/decoder.py"])
def test_code_that_packages_reach_passes_the_gate(name: str) -> None:
    """Its pads lead behind loops and behind the neighbours of their own instructions, too."""
    code = compiled(os.path.join(LIBRARY, name))
    armed = arm(code, reach=True)
    for seen in verify(code, armed):
        read_again(seen.original, seen.armed)
    assert disarm_all(armed) == code
    assert fingerprint(armed) == fingerprint(code)


def test_a_pad_that_leads_to_another_depth_is_rejected() -> None:
    """Each way back is led to the first instruction, where nothing is on the stack."""
    code = compile("def f(a, b):\n    return a.g(b.c) + [a[b.d()]]", "m", "exec").co_consts[0]
    armed = arm(code, reach=True)
    verify(code, armed)
    size, ways = len(code.co_code), 0
    for row in decode(armed.co_code):
        if row[0] < size or NAMES[row[2]] != "JUMP_BACKWARD_NO_INTERRUPT":
            continue
        if jump_target(row) >= size:
            continue
        ways += 1
        _, offset, _, _, end = row
        wrong = bytearray(armed.co_code)
        wrong[offset - 1], wrong[offset + 1] = divmod(end >> 1, 256)
        with pytest.raises(Rejected):
            verify(code, armed.replace(co_code=bytes(wrong)))
    assert ways > 5


def test_every_code_object_of_the_library_is_armed_and_undone() -> None:
    paths = [path for path in glob.glob(f"{LIBRARY}/*.py") if os.path.exists(path)]
    assert len(paths) > 100
    sites = 0
    for path in paths:
        code = compiled(path)
        armed = arm(code)
        assert disarm_all(armed) == code, path
        sites += sum(is_armed(nested) for nested in all_code(armed))
    assert sites > 3000


def test_armed_code_can_be_marshalled() -> None:
    armed = arm(compile("def f(a):\n    return a.b[0]()", "m", "exec"))
    again = marshal.loads(marshal.dumps(armed))
    assert again == armed
    assert all(is_armed(code) for code in all_code(again)[1:])


def test_arming_twice_is_arming_once() -> None:
    armed = arm(compile("a.b", "m", "exec"))
    assert arm(armed) is armed


def test_code_without_sites_stays_as_it_is() -> None:
    code = compile("a = 1", "m", "exec")
    assert arm(code) == code
    assert disarm(code) is code


def test_original_lines_are_kept_and_pads_have_none() -> None:
    code = compile("def f(a):\n    x = a.b\n    return x[0]", "m", "exec").co_consts[0]
    armed = arm(code)
    before, after = list(code.co_positions()), list(armed.co_positions())
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert all(position[0] is None for position in after[len(before) :])


def mutated(armed: CodeType, place: int, byte: int) -> CodeType:
    body = bytearray(armed.co_code)
    body[place] = byte
    return armed.replace(co_code=bytes(body))


def test_the_gate_rejects_a_changed_original_byte() -> None:
    code = compile("def f(a):\n    return a.b", "m", "exec").co_consts[0]
    armed = arm(code)
    for place in (offset + 1 for _, offset, _, _, _ in decode(code.co_code)):
        with pytest.raises(Rejected, match="original bytecode"):
            verify(code, mutated(armed, place, armed.co_code[place] ^ 1))


def test_the_gate_rejects_pads_that_store_or_lose_the_stack() -> None:
    code = compile("def f(a):\n    return a.b + a['k']", "m", "exec").co_consts[0]
    armed = arm(code)
    size = len(code.co_code)
    instructions = [row for row in decode(armed.co_code) if row[0] >= size]
    rejected = 0
    for _, offset, _, _, _ in instructions:
        # NOP in the place of an instruction changes the depth, or is not allowed at all.
        try:
            verify(code, mutated(armed, offset, decode(code.co_code)[0][2]))
        except Rejected:
            rejected += 1
    assert rejected == len(instructions)


def test_the_gate_rejects_other_tables_names_and_stack_sizes() -> None:
    code = compile("def f(a):\n    return a.b", "m", "exec").co_consts[0]
    armed = arm(code)
    verify(code, armed)
    (start, end, target, depth, lasti), *rest = read_table(armed.co_exceptiontable)
    moved = write_table([(start, end, target, depth + 1, lasti), *rest])
    for changed in (
        armed.replace(co_exceptiontable=moved),
        armed.replace(co_stacksize=2),
        armed.replace(co_names=("c", *armed.co_names[1:])),
        armed.replace(co_varnames=("z",)),
        armed.replace(co_firstlineno=7),
    ):
        with pytest.raises(Rejected):
            verify(code, changed)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**20),
            st.integers(1, 2**18),
            st.integers(0, 2**20),
            st.integers(0, 300),
            st.booleans(),
        )
    )
)
def test_exception_tables_are_read_as_they_were_written(
    rows: list[tuple[int, int, int, int, bool]],
) -> None:
    entries = [
        (2 * start, 2 * (start + length), 2 * target, depth, lasti)
        for start, length, target, depth, lasti in rows
    ]
    assert read_table(write_table(entries)) == entries


def test_exception_tables_of_the_library_are_written_as_cpython_does() -> None:
    seen = 0
    for name in MODULES:
        for code in all_code(compiled(os.path.join(LIBRARY, name))):
            table = code.co_exceptiontable
            assert write_table(read_table(table)) == table
            seen += bool(table)
    assert seen > 100


@given(st.integers(1, 200))
def test_every_leaf_has_its_own_way(leaves: int) -> None:
    ways = {turns_to(leaf, leaves) for leaf in range(leaves)}
    assert len(ways) == leaves
    assert {len(way) for way in ways} == {tree_height(leaves)}


def test_fingerprints_ignore_lines_and_file_but_not_meaning() -> None:
    def function(source: str, name: str = "m") -> CodeType:
        constants = compile(source, name, "exec").co_consts
        return next(constant for constant in constants if isinstance(constant, CodeType))

    first = function("def f(a):\n    return a.b")
    assert fingerprint(function("\n\n\ndef f(a):\n\n    return a.b", "other")) == fingerprint(first)
    assert fingerprint(arm(first)) == fingerprint(first)
    for other in (
        "def f(a):\n    return a.c",
        "def f(b):\n    return b.b",
        "def g(a):\n    return a.b",
        "def f(a, x=1):\n    return a.b",
        "def f(a):\n    return a.b + 1",
    ):
        assert fingerprint(function(other)) != fingerprint(first)


def test_fingerprints_do_not_depend_on_the_hash_seed() -> None:
    import subprocess
    import sys

    program = (
        "from codesuture.surgery.fingerprint import fingerprint\n"
        "print(fingerprint(compile('x in {\"a\",\"b\",\"c\",1,None}', 'm', 'exec')))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in range(4)
    }  # fmt: skip
    assert len(seen) == 1 and seen != {""}


def test_chains_are_found() -> None:
    code = compile("d['a'][i].b.c['x'].m()[0]", "m", "eval")
    sites = Landing(code).sites
    chains = {site.chain for site in sites.values() if site.chain}
    assert [len(chain) for chain in chains] == [5]
    assert len(sites) == 8 or len(sites) == 9


def test_large_functions_have_far_pads() -> None:
    lines = "".join(f"    a.x{number % 50}[{number}] = b.y\n" for number in range(3000))
    code = compile("def f(a, b):\n" + lines, "m", "exec")
    armed = arm(code)
    verify(code, armed)
    assert len(armed.co_consts[0].co_code) > 70_000


def test_random_nested_expressions_pass_the_gate() -> None:
    source = random.Random(7)

    def expression(depth: int) -> str:
        if depth == 0:
            return source.choice(["a", "b", "c"])
        inner = lambda: expression(depth - 1)  # noqa: E731
        return source.choice([
            f"{inner()}.x", f"{inner()}[{inner()}]", f"({inner()} + {inner()})",
            f"f({inner()}, k={inner()})", f"{inner()}.m({inner()})", f"({inner()} < {inner()})",
            f"[i.z for i in {inner()}]", f"({inner()} if {inner()} else {inner()})",
            f"f(*{inner()}, **{inner()})", f"(-{inner()})",
        ])  # fmt: skip

    for _ in range(60):
        code = compile(expression(4), "m", "eval")
        verify(code, arm(code))


JUMP = '''
import sys
def f(out):
    a = 1
    list.append(
        out, 3
    )
    (
        ( # into the middle of this
            a
            +
            10
        )
        +
        13
    )
first = f.__code__.co_firstlineno
def trace(frame, event, argument):
    if event == "line" and frame.f_lineno == first + 3 and frame.f_code is f.__code__:
        try:
            frame.f_lineno = first + 6
        except ValueError as error:
            print("refused", error)
    return trace
sys.settrace(trace)
f([])
sys.settrace(None)
print("alive")
'''


def test_a_debugger_may_jump_no_further_than_plain() -> None:
    """The interpreter works out what lies on the stack by following pads, too."""
    outcomes = []
    for arming in ("", "from codesuture.surgery.arming import arm; code = arm(code)\n"):
        program = f"code = compile({JUMP!r}, 'jump.py', 'exec')\n{arming}exec(code)\n"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        outcomes.append((done.returncode, done.stdout))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == 0 and "refused" in outcomes[0][1] and "alive" in outcomes[0][1]
