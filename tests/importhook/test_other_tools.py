"""Other tools that hook imports, read bytecode or watch execution: both they and we work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: A module whose every branch and line is interesting, and which raises and handles.
WORK = """\
def first(data, key):
    try:
        return data[key]
    except KeyError:
        return None


def loop(rows):
    total = 0
    for row in rows:
        if row.get("skip"):
            continue
        total += row["count"] * 2
    else:
        total += 1
    return [x.real for x in (total, 2)] if total else None


class Shop:
    def __init__(self, names):
        self.names = names

    def all(self):
        with open(__file__) as file:
            return [name.upper() for name in self.names if name], file.name and 1


def steps():
    try:
        yield 1
        yield [][0]
    except IndexError:
        yield 3
    finally:
        yield 4


def run():
    shop = Shop(["a", "", "b"])
    return (
        first({}, "x"), first({"x": 1}, "x"), loop([{"skip": 1}, {"count": 2}]), loop([]),
        shop.all(), list(steps()), deep(3),
    )


def deep(n):
    if n:
        try:
            return deep(n - 1)
        finally:
            n = 0
    try:
        return {}["deep"].x
    except (LookupError, AttributeError) as error:
        return type(error).__name__
"""
RUN = "import work\nprint(work.run())\n"


@pytest.fixture
def both(installed_python, tmp_path: Path):
    """Run a command line plain and with the agent, and give what both printed."""
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "run.py").write_text(RUN)

    def start(*words: str, **env: str) -> list[str]:
        outcomes = []
        for agent in (False, True, True):  # the third has a warm cache
            done = installed_python.run(*words, cwd=tmp_path, agent=agent, env=env)
            assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
            outcomes.append(done.stdout)
        assert outcomes[1] == outcomes[2]
        return outcomes[:2]

    return start


CORES = ["ctrace", "sysmon"] if sys.version_info >= (3, 12) else ["ctrace"]


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
def test_coverage(both, installed_python, tmp_path, core, branch):
    if core == "sysmon" and branch and sys.version_info < (3, 14):
        core = "ctrace"  # coverage itself measures branches with it only from 3.14 on
    reports = []
    for agent in (False, True, True):
        for command in (
            ["run", *(["--branch"] if branch else []), "run.py"],
            ["json", "-q", "-o", "report.json"],
        ):
            done = installed_python.run(
                *("-m", "coverage", *command),
                cwd=tmp_path,
                agent=agent,
                env={"COVERAGE_CORE": core},
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        report = json.loads((tmp_path / "report.json").read_text())
        reports.append(report["files"])
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["work.py"]["summary"]["covered_lines"] > 30


TRACER = """\
import sys
events = []
def trace(frame, event, argument):
    if frame.f_code.co_filename.endswith("work.py"):
        shown = type(argument).__name__ if event != "exception" else argument[0].__name__
        events.append((frame.f_code.co_name, event, frame.f_lineno, shown))
        return trace
import work
sys.settrace(trace)
result = work.run()
sys.settrace(None)
print(result)
for event in events: print(*event)
"""


def lines_once(events: str) -> list[str]:
    """The events, on 3.12 without those that repeat a function's last line.

    3.12 tells of a line again when a call of a Python function returns to an instruction that
    something jumps to, even from where nothing has been (`initialize_lines` of its
    instrumentation.c). Pads lead back to what follows a call.
    """
    if sys.version_info[:2] != (3, 12):
        return events.split("\n")
    kept: list[str] = []
    last: dict[str, str] = {}
    for event in events.split("\n"):
        function, _, rest = event.partition(" ")
        if rest.lower().startswith("line"):
            if last.get(function) == rest:
                continue
            last[function] = rest
        elif rest.startswith(("call", "PY_START", "PY_RESUME")):
            last.pop(function, None)
        kept.append(event)
    return kept


def test_tracing_sees_the_same_lines(both, tmp_path):
    (tmp_path / "trace_it.py").write_text(TRACER)
    plain, ours = both("trace_it.py")
    assert "exception" in plain and lines_once(ours) == lines_once(plain)


MONITOR = """\
import sys, work
monitoring = sys.monitoring
E = monitoring.events
TOOL = monitoring.DEBUGGER_ID
monitoring.use_tool_id(TOOL, "test")
seen = []
def note(name):
    def callback(code, *rest):
        if code.co_filename.endswith("work.py"):
            place = rest[0] if rest and type(rest[0]) is int else None
            seen.append((code.co_name, name, place))
    return callback
names = {names}
for name in names:
    monitoring.register_callback(TOOL, getattr(E, name), note(name))
mask = 0
for name in names: mask |= getattr(E, name)
monitoring.set_events(TOOL, mask)
result = work.run()
monitoring.set_events(TOOL, 0)
print(result)
for event in seen: print(*event)
"""
#: Events that pads raise none of.
SILENT = ["PY_START", "PY_RETURN", "PY_YIELD", "PY_RESUME", "PY_UNWIND", "LINE", "RAISE"]


def test_monitoring_sees_the_same(both, tmp_path):
    if sys.version_info < (3, 12):
        assert not hasattr(sys, "monitoring")
        return
    (tmp_path / "monitor.py").write_text(MONITOR.replace("{names}", repr(SILENT)))
    plain, ours = both("monitor.py")
    assert " RAISE " in plain and lines_once(ours) == lines_once(plain)


PYTEST_TESTS = """\
import helper

def test_rewritten():
    value = {"a": [1, 2]}
    assert value["a"] == [1, 3]

def test_armed():
    assert ("__codesuture_recover__" in test_armed.__code__.co_names) is ARMED
    assert "__codesuture_recover__" in helper.f.__code__.co_names
"""


@pytest.mark.parametrize("include", [False, True])
def test_pytest_rewrites_assertions_of_armed_tests(installed_python, tmp_path, include):
    """Tests are armed where they are included, and their cache holds what pytest wrote."""
    (tmp_path / "helper.py").write_text("def f(x):\n    return x.y\n")
    (tmp_path / "test_it.py").write_text(f"ARMED = {include}\n" + PYTEST_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    env = {"CODESUTURE_INCLUDE": "test_*"} if include else {}
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    for _ in range(2):
        done = installed_python.run(*command, cwd=tmp_path, env=env)
        assert "assert [1, 2] == [1, 3]" in done.stdout
        assert "1 failed, 1 passed" in done.stdout, done.stdout
    (cached,) = (tmp_path / "__pycache__").glob("test_it.*-pytest-*.pyc")
    assert b"codesuture.armed" not in cached.read_bytes()


def test_numba_compiles_the_original(installed_python, tmp_path):
    """A module with numba's names, whose function is used as numba uses it."""
    package = tmp_path / "numba" / "core"
    package.mkdir(parents=True)
    (tmp_path / "numba" / "__init__.py").write_text(
        "from .core import bytecode\nfrom . import later\n"
        "def njit(function):\n"
        "    return bytecode.get_code_object(function)\n"
    )
    (tmp_path / "numba" / "later.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "bytecode.py").write_text(
        "def get_code_object(obj):\n    return getattr(obj, '__code__', None)\n"
    )
    (tmp_path / "app.py").write_text(
        "import numba\n"
        "def f(x):\n    def inner(y): return y.z\n    return x.y + inner(x)\n"
        "inner = [c for c in numba.njit(f).co_consts if hasattr(c, 'co_code')][0]\n"
        "print(len(f.__code__.co_names), numba.njit(f).co_names, inner.co_names, numba.njit(1))\n"
    )
    for _ in range(2):
        done = installed_python.run("app.py", cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("5 ('y',) ('z',) None\n", "")


@pytest.mark.parametrize("tool", ["beartype", "typeguard"])
def test_hooks_that_check_types(installed_python, tmp_path, tool):
    installs = {
        "beartype": "from beartype.claw import beartype_packages\nbeartype_packages('typed')\n",
        "typeguard": "from typeguard import install_import_hook\ninstall_import_hook('typed')\n",
    }
    (tmp_path / "typed.py").write_text("def f(x: int) -> int:\n    return x.real\n")
    (tmp_path / "other.py").write_text("def g(x):\n    return x.y\n")
    (tmp_path / "app.py").write_text(
        installs[tool] + "import typed, other\n"
        "try: print(typed.f('text'))\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(typed.f(3), '__codesuture_recover__' in other.g.__code__.co_names)\n"
    )
    seen = []
    for agent in (False, True, True, False):
        done = installed_python.run("app.py", cwd=tmp_path, agent=agent)
        assert done.returncode == 0, done.stderr
        seen.append(done.stdout.split("\n"))
    assert [out[0] for out in seen] == [seen[0][0]] * 4
    assert "Error" in seen[0][0] or "Violation" in seen[0][0]
    assert [out[1] for out in seen] == ["3 False", "3 True", "3 True", "3 False"]


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


def test_circular_imports_threads_and_resources(both, tmp_path):
    (tmp_path / "a.py").write_text("import b\ndef f(): return b.g()\n")
    (tmp_path / "b.py").write_text("import a\ndef g(): return a.__name__\n")
    for number in range(12):
        (tmp_path / f"t{number}.py").write_text(
            # No ring: for one that several threads enter, Python itself raises an error.
            f"import time, t{min(number + 1, 11)} as other\ntime.sleep(0.001)\nN = {number}\n"
        )
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "leaf.py").write_text("def f(): return __spec__.name\n")
    (tmp_path / "space" / "data.txt").write_text("data")
    (tmp_path / "app.py").write_text(
        "import threading, importlib, importlib.resources as r, sys\n"
        "import a, space.leaf\n"
        "print(a.f(), space.leaf.f(), r.files('space').joinpath('data.txt').read_text())\n"
        "def load(n):\n"
        "    try: importlib.import_module(f't{n}')\n"
        "    except Exception as error: print(type(error))\n"
        "threads = [threading.Thread(target=load, args=(n,)) for n in range(12)]\n"
        "[t.start() for t in threads]; [t.join(30) for t in threads]\n"
        "print([sys.modules[f't{n}'].N for n in range(12)], importlib.reload(a) is a)\n"
    )
    plain, ours = both("app.py")
    assert ours == plain and "data" in plain


def test_lazy_imports(both, tmp_path):
    """3.15 (PEP 810): the module is loaded, and armed, when its name is first used."""
    word = "lazy import" if sys.version_info >= (3, 15) else "import"
    (tmp_path / "app.py").write_text(
        f"import sys\n{word} work\nbefore = 'work' in sys.modules\n"
        "print(before, work.run()[0], 'work' in sys.modules)\n"
    )
    plain, ours = both("app.py")
    assert ours == plain


def test_finders_and_loaders_of_somebody_elses(both, tmp_path):
    (tmp_path / "app.py").write_text(
        "import importlib.abc, importlib.util, sys\n"
        "class Loader(importlib.abc.InspectLoader):\n"
        "    def get_source(self, name): return f'NAME = {name!r}\\ndef f(x): return x.y\\n'\n"
        "class Bare:\n"
        "    def create_module(self, spec): return None\n"
        "    def exec_module(self, module): exec('N = 1', module.__dict__)\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name in ('virtual', 'bare'):\n"
        "            loader = Loader() if name == 'virtual' else Bare()\n"
        "            return importlib.util.spec_from_loader(name, loader)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import virtual, bare\n"
        "print(virtual.NAME, bare.N, type(virtual.__loader__), virtual.f.__code__.co_filename)\n"
    )
    plain, ours = both("app.py")
    assert ours == plain
