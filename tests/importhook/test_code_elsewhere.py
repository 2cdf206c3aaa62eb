"""Code that others read, compile or send away: armed code is as good as plain there."""

from __future__ import annotations

import subprocess
import sys

import pytest

NUMBA = """\
import numba, numpy as np
@numba.njit
def nested(values, k):
    def inner(y): return y + k
    total = 0
    for i in range(len(values)):
        total += inner(values[i]) * 2
    return total
@numba.njit(cache=True)
def checked(x):
    return 12 // x
def plain(row): return row["a"]
values = np.arange(4.0)
print(nested(values, 1), checked(3))
try: checked(0)
except ZeroDivisionError as error: print("caught", error)
try: nested("x", object())
except Exception as error: print(type(error).__name__)
if "__codesuture_recover__" in plain.__code__.co_names:
    assert "__codesuture_recover__" in nested.py_func.__code__.co_names
    assert plain({}) is None
"""


def test_numba(installed_python, tmp_path):
    """It compiles the original, inner functions and its cache on disk included."""
    (tmp_path / "app.py").write_text(NUMBA)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Patch applied to plain()" in done.stderr
    assert done.stdout == "20.0 4\ncaught integer division by zero\nTypingError\n"


SENDER = """\
import pickle, sys
import {tool} as pickler
def make(step):
    table = {{"a": step}}
    def work(key, fallback=None):
        try:
            return table[key]
        except KeyError:
            return fallback
    return work
def crash(x):
    return x.missing.y
sys.stdout.buffer.write(pickler.dumps((make(3), crash){options}))
"""
RECEIVER = """\
import sys, {tool}, pickle, traceback
work, crash = pickle.load(open(sys.argv[1], "rb"))
print(work("a"), work("b"), work("b", 7))
assert "codesuture" not in sys.modules
sys.modules["codesuture"] = None  # as where it is not installed
try:
    crash(None)
except AttributeError as error:
    print(error, [(f.name, f.lineno) for f in traceback.extract_tb(error.__traceback__)])
    print(error.__context__, error.__cause__)
"""


#: dill knows 3.15 no better without codesuture.
PICKLERS = ["cloudpickle", "dill"] if sys.version_info < (3, 15) else ["cloudpickle"]


@pytest.mark.parametrize("tool", PICKLERS)
def test_armed_code_in_a_process_without_codesuture(installed_python, tmp_path, tool):
    options = ", recurse=True" if tool == "dill" else ""
    (tmp_path / "send.py").write_text(SENDER.format(tool=tool, options=options))
    (tmp_path / "receive.py").write_text(RECEIVER.format(tool=tool))
    outcomes = []
    for agent in (False, True):
        sent = subprocess.run(
            [installed_python.python, "send.py"],
            cwd=tmp_path,
            env=installed_python.environment(**({"CODESUTURE": "1"} if agent else {})),
            capture_output=True,
        )
        assert sent.returncode == 0, sent.stderr
        assert (b"codesuture_recover" in sent.stdout) is agent
        (tmp_path / "sent").write_bytes(sent.stdout)
        done = installed_python.run("receive.py", "sent", cwd=tmp_path, agent=False)
        assert done.returncode == 0, done.stderr
        outcomes.append(done.stdout)
    assert outcomes[0] == outcomes[1] and outcomes[0].startswith("3 None 7\n")


def test_readers_of_bytecode(both, tmp_path):
    (tmp_path / "read.py").write_text(
        "import ast, dis, inspect, marshal, pickle, copy, work, types\n"
        "code = work.loop.__code__\n"
        "print(inspect.getsource(work.loop), inspect.getsource(code))\n"
        "print(inspect.signature(work.first))\n"
        "print(sorted({line for *_, line in code.co_lines() if line}))\n"
        "print(inspect.getclosurevars(work.deep).globals.keys())\n"
        "again = marshal.loads(marshal.dumps(code))\n"
        "print(again == code, types.FunctionType(again, {'__builtins__': __builtins__})([]))\n"
        "print(copy.copy(work.Shop(['a'])).names, len({code, again}))\n"
    )
    plain, ours = both("read.py")
    assert ours == plain


JOBLIB = """\
import os, sys
from joblib import Parallel, delayed
def work(row):
    try:
        return row["a"]
    except KeyError:
        return -1
def make(k):
    def inner(row):
        return work(row) + k
    return inner
def where(x):
    return os.getpid(), "codesuture.importhook" in sys.modules
def crash(row):
    return row.missing
def name_of(row):
    try:
        crash(row)
    except AttributeError as error:
        return str(error)
if __name__ == "__main__":
    os.environ["CODESUTURE"] = "0"
    def run(jobs):
        return Parallel(n_jobs=2, backend="loky")(jobs)
    print(run(delayed(work)(row) for row in ({"a": 1}, {}, {"a": 2})))
    print(run(delayed(make(k))({"a": 1}) for k in range(4)))
    print(run([delayed(name_of)(None)]))
    try:
        run([delayed(crash)(1)])
    except AttributeError as error:
        print(error)
    print({armed for _, armed in run(delayed(where)(n) for n in range(4))})
"""


def test_joblib(installed_python, tmp_path):
    """Functions of `__main__` and closures are sent by value, here to workers without the agent."""
    (tmp_path / "app.py").write_text(JOBLIB)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[1, -1, 2]",
        "[1, 2, 3, 4]",
        "[\"'NoneType' object has no attribute 'missing'\"]",
        "'int' object has no attribute 'missing'",
        "{False}",
    ]
