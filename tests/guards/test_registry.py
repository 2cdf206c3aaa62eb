"""The order of the guards, and guards of other distributions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codesuture.guards.names import BUILT_IN
from codesuture.guards.registry import built_in, by_name
from codesuture.surgery.opcodes import ARGUMENT_SITES, RUNNING_SITES, SIMPLE_SITES

ROOT = Path(__file__).parents[2]

GUARD = """
from codesuture.guards.guard import Guard

class Money(Guard):
    name = "money_guard"
    operations = frozenset({"call"})
    exceptions = (OverflowError,)
    meaning = "A sum is too large for a float."

    def recognises(self, crash):
        return True

    def advice(self, target, operation=""):
        return "Use Decimal."

class Greedy(Money):
    name = "null_guard"

class Broken:
    name = "broken_guard"

class Failing(Money):
    name = "a_failing_guard"

    def recognises(self, crash):
        raise RuntimeError("no idea")

raise_at_import = 1
"""

PROGRAM = """
import sys
sys.path.insert(0, {packages!r})
import codesuture
from codesuture.diagnosis.crash import Crash
from codesuture.guards.registry import by_name, recognise
from codesuture.surgery.landing import Landing
import math

def crash_of(source):
    code = compile(source, "x", "exec")
    try:
        exec(code, {{"math": math}})
    except Exception as error:
        trace = error.__traceback__.tb_next
        return Crash(error, trace.tb_frame, code, Landing(code).site_at(trace.tb_lasti))

def name(source, off=()):
    guard = recognise(crash_of(source), dict.fromkeys(off, False))
    return guard and guard.name

print(name("None.x"), name("math.exp(1000)"), name("math.exp(1000)", ["money_guard"]))
print(by_name("money_guard").name, by_name("broken_guard"), by_name("null_guard").__module__)
print("importlib_metadata" in sys.modules)
"""


@pytest.fixture
def packages(tmp_path):
    info = tmp_path / "thirdparty-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thirdparty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[codesuture.guards]\n"
        "money_guard = thirdparty_guards:Money\n"
        "null_guard = thirdparty_guards:Greedy\n"
        "broken_guard = thirdparty_guards:Broken\n"
        "a_failing_guard = thirdparty_guards:Failing\n"
        "absent_guard = no_such_module_anywhere:Guard\n"
        "other_name_guard = thirdparty_guards:Money\n"
    )
    (tmp_path / "thirdparty_guards.py").write_text(GUARD)
    return tmp_path


def execute(program):
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CODESUTURE": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_guards_of_other_distributions(packages):
    done = execute(PROGRAM.format(packages=str(packages)))
    assert done.stdout.splitlines() == [
        "null_guard money_guard None",
        "money_guard None codesuture.guards.null",
        "True",
    ], done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 5, done.stderr
    for name in ("a_failing", "absent", "broken", "null", "other_name"):
        assert [line for line in lines if f" {name}_guard is not used: " in line], name


def test_a_crash_that_a_built_in_guard_knows_loads_no_others(packages):
    known, _, _ = PROGRAM.format(packages=str(packages)).partition("print(")
    done = execute(known + 'print(name("None.x"), "importlib_metadata" in sys.modules)')
    assert done.stdout == "null_guard False\n"
    assert done.stderr == ""


def test_the_names_are_in_the_order_of_the_registry():
    assert tuple(guard.name for guard in built_in()) == BUILT_IN


def test_every_operation_of_a_guard_is_one_of_a_site():
    """A guard for an operation that no instruction has would never be asked."""
    known = {row[0] for row in (*SIMPLE_SITES.values(), *RUNNING_SITES.values())}
    for by_argument in ARGUMENT_SITES.values():
        known |= {row[0] for number in range(64) if (row := by_argument(number))}
    for guard in built_in():
        # 3.11 has no super() of its own, and formats in one instruction.
        assert guard.operations - {"load_super_attribute", "slice", "store_slice"} <= known, (
            guard.name
        )


def test_by_name():
    assert by_name("key_guard").name == "key_guard"
    assert by_name("nothing_guard") is None


def test_off_and_on(run):
    assert run("result = {}['a']", off=("key_guard",)).guards == []
    assert run("result = {}['a']").guards == ["key_guard"]
