"""`__main__` under the agent is `__main__` of plain Python, however Python was started."""

from __future__ import annotations

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

STATE = """\
import inspect, sys, warnings
NAMES = ("name", "file", "spec", "package", "loader", "cached", "doc", "builtins", "annotations")
for name in NAMES:
    name = f"__{name}__"
    print(name, globals().get(name, "-"), type(globals().get(name, "-")))
print(sorted(name for name in globals() if name.startswith("__")), list(globals()))
print(sys.modules["__main__"].__dict__ is globals())
print(sys.argv, sys.path, sys.flags)
print(sys.path_hooks, sys.meta_path)
print(sorted(path for path in sys.path_importer_cache if "codesuture" not in path))
print({k: v for k, v in sys.path_importer_cache.items() if k.endswith((".py", ".pyz"))})
print(sys.orig_argv, sys._getframe().f_back, len(inspect.stack()), "runpy" in sys.modules)
print(sys.excepthook, sys.displayhook, sys.gettrace(), sys.getprofile())
def called():
    warnings.warn("deep", stacklevel=2)
    warnings.warn("deeper", stacklevel=3)
    return [frame.function for frame in inspect.stack()]
print(called())
"""

DEATHS = {
    "error": "def f(x):\n    raise ZeroDivisionError(x)\nf(0)\n",
    "chain": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n",
    "context": "try:\n    {}['a']\nexcept KeyError:\n    raise ValueError('b')\n",
    "group": "raise ExceptionGroup('g', [ValueError(1), TypeError('x')])\n",
    "recursion": "def f(): f()\ntry:\n    f()\nexcept RecursionError:\n    raise SystemExit(9)\n",
    "exit": "raise SystemExit\n",
    "exit number": "import sys; sys.exit(7)\n",
    "exit text": "import sys; sys.exit('bye')\n",
    "exit huge": "import sys; sys.exit(2**40)\n",
    "interrupt": "raise KeyboardInterrupt\n",
    "generator exit": "raise GeneratorExit\n",
    "stop": "def f(): return next(iter(()))\nf()\n",
    "hook": (
        "import sys, traceback\n"
        "def hook(kind, value, trace):\n"
        "    print(kind, value, traceback.extract_tb(trace), value.__traceback__ is trace)\n"
        "    print(__file__)\n"
        "sys.excepthook = hook\n"
        "def f(): raise OSError(2, 'x')\n"
        "f()\n"
    ),
    "hook fails": "import sys\ndef hook(*a): raise OSError(1)\n"
    "sys.excepthook = hook\nraise ValueError(1)\n",
    "hook gone": "import sys\ndel sys.excepthook\nraise ValueError(1)\n",
    "no stderr": "import sys\nsys.stderr = None\nraise ValueError(1)\n",
    "exit at exit": "import atexit, sys\natexit.register(print, 'end')\nsys.exit(3)\n",
    "at exit, dead": (
        "import atexit\natexit.register(lambda: print('__doc__' in globals()))\nraise OSError\n"
    ),
    "at exit, exit": (
        "import atexit, sys\natexit.register(lambda: print(sorted(globals())))\nsys.exit(1)\n"
    ),
    "at exit": "import atexit\natexit.register(lambda: print(sorted(globals())))\n",
    "thread": (
        "import threading\ndef f(): raise KeyError('k')\n"
        "t = threading.Thread(target=f)\nt.start(); t.join()\n"
    ),
    "os exit": "import os; os._exit(5)\n",
    "abort": "import os; os.abort()\n",
    "syntax": "x = 1\ndef f(:\n    pass\n",
    "indentation": "if 1:\nx\n",
    "tabs": "if 1:\n\tx\n        y\n",
    "unclosed": "f(1,\n",
    "null": "x = 1\0\n",
    "future": "from __future__ import nonsense\n",
    "return": "return 1\n",
    "warning": "x = '\\d'\nprint(x is 1)\n",
    "warning, then error": "x = '\\d'\nf(:\n",
    "empty": "",
    "no end of line": "print(1)",
    "windows": "print(1)\r\nprint(__file__)\r\n",
    "bom": "\ufeffprint('b\u00f6m')\n",
    "latin": "# coding: latin-1\nprint('x')\n",
    "unknown encoding": "# coding: nonsense\nprint('x')\n",
    "missing module": "import nothing_of_that_name\n",
    "assert": "assert 0, 'no'\n",
    "last": (
        "import sys, atexit\n"
        "def end(): print(sys.last_value, sys.last_traceback.tb_frame.f_code.co_name)\n"
        "atexit.register(end)\nraise LookupError('gone')\n"
    ),
}


def test_state_of_a_script(same, write):
    write("app.py", STATE)
    code, out, err = same("app.py", "a", "-b")
    assert code == 0 and "__main__" in out and "deep" in err


@pytest.mark.parametrize(
    "options",
    [
        *("-O", "-OO", "-B", "-P", "-I", "-E", "-s", "-S", "-b", "-u", "-x", "-q", "-Werror"),
        *("-Wignore", "-Bx", "-Xdev", "-Xutf8", "-X frozen_modules=off", "-X no_debug_ranges"),
        *("-X dev -x", "-IO"),
    ],
)
def test_options_of_the_interpreter(same, write, options):
    write("app.py", "'first line'\n" + STATE)
    same(*options.split(), "app.py")


def test_state_by_other_names(same, write, tmp_path: Path):
    write("deep/er/app.py", STATE)
    (tmp_path / "link.py").symlink_to("deep/er/app.py")
    (tmp_path / "elsewhere").mkdir()
    same("deep/er/app.py")
    same(tmp_path / "deep" / "er" / "app.py")
    same("link.py")
    same("./deep/../deep/er/app.py")
    same("../app.py", cwd=tmp_path / "deep" / "er" / "..")
    same("../deep/er/app.py", cwd=tmp_path / "elsewhere", env={"PYTHONSAFEPATH": "1"})


@pytest.mark.parametrize("name", ["no_suffix", "app.txt", "with space.py", "ünï.py", "-c.py"])
def test_odd_names(same, write, name):
    write(name, STATE)
    same("./" + name)


def test_compiled_script(same, write, installed_python, tmp_path: Path):
    write("mod.py", STATE)
    compile_it = "import py_compile; py_compile.compile('mod.py', 'mod.pyc', dfile='mod.py')"
    installed_python.run("-c", compile_it, cwd=tmp_path)
    code, out, _ = same("mod.pyc")
    assert code == 0 and "SourcelessFileLoader" in out
    (tmp_path / "bad.pyc").write_bytes(b"\0" * 32)
    assert same("bad.pyc")[0] == 1


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
def test_how_a_script_ends(same, tmp_path: Path, death):
    (tmp_path / "app.py").write_bytes(death.encode())
    same("app.py")


@pytest.mark.parametrize("how", ["script", "module"])
@pytest.mark.parametrize("death", ["syntax", "error", "warning", "null", "chain", "future"])
def test_errors_in_imported_modules(same, tmp_path: Path, death, how):
    (tmp_path / "bad.py").write_bytes(DEATHS[death].encode())
    (tmp_path / "app.py").write_text("def main():\n    import bad\nmain()\n")
    start = "app.py" if how == "script" else "-mapp"
    same("-B", start)
    same("-B", "-m", "bad")
    same("-W", "ignore", start)  # writes the cache, then reads it


def test_unreadable_files(same, write, tmp_path: Path):
    same("missing.py")
    (tmp_path / "bytes.py").write_bytes(b"x = '\xff'\n")
    same("bytes.py")
    write("app.py", "import bytes_\n")
    (tmp_path / "bytes_.py").write_bytes(b"x = '\xff'\n")
    same("app.py")
    (tmp_path / "folder.py").mkdir()
    same("folder.py")
    write("app.py", "import loop\n")
    (tmp_path / "loop.py").symlink_to("loop.py")
    same("app.py")
    same("loop.py")
    same("-m", "missing")
    same("-m", "json.missing")


def test_damaged_cache(same, write, tmp_path: Path):
    write("app.py", "import mod\n")
    write("mod.py", "x = 1\n")
    same("app.py")
    for cached in (tmp_path / "__pycache__").glob("mod.*.pyc"):
        cached.write_bytes(cached.read_bytes()[:16] + b"junk")
    same("app.py")


def test_fifo_is_read_once(same, tmp_path: Path, installed_python):
    source = "import sys; print(sys.argv[0][:5]); raise OSError(1)"
    script = f"exec {installed_python.python} <(echo '{source}')"
    results = []
    for switch in ({}, {"CODESUTURE": "1"}):
        done = subprocess.run(
            ["bash", "-c", script],
            env=installed_python.environment(**switch),
            capture_output=True,
            text=True,
        )
        results.append((done.returncode, done.stdout, done.stderr))
    assert results[0] == results[1] and "OSError" in results[0][2]


def test_modules_packages_folders_and_archives(same, write, tmp_path: Path):
    write("mod.py", STATE)
    write("pkg/__init__.py", "print('init', __name__)\n")
    write("pkg/__main__.py", STATE)
    write("pkg/sub.py", STATE + "raise KeyError('x')\n")
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", STATE + "import inside\n")
        archive.writestr("inside.py", "print(__file__, __loader__)\nraise ValueError(1)\n")
    write("folder/__main__.py", STATE + "raise OSError(1)\n")
    write("no_main/x.py", "")
    for command in ("-m mod", "-mmod x", "-m pkg", "-m pkg.sub", "-P -m mod", "-I -m json.tool"):
        same(*command.split(), input="{}")
    for command in ("app.pyz a", "folder", "-P folder", "no_main", "pkg"):
        same(*command.split())


def test_commands_and_standard_input(same):
    same("-c", STATE + "raise OSError(1)\n", "x")
    same("-c", "def f(:")
    same("-", "x", input=STATE + "raise OSError(1)\n")
    same(input=STATE)


@pytest.mark.parametrize("source", [STATE, STATE + "raise OSError\n", "import sys\nsys.exit(4)\n"])
def test_interactive_afterwards(same, write, source):
    write("app.py", source)
    asked = "import sys; print(sorted(globals()), getattr(sys, 'last_value', None))\n"
    if source != STATE and sys.version_info < (3, 14):
        # Plain Python has taken `__file__` away by now; here it is left there after a death.
        asked = "import sys; print(sys.last_value, sys.last_traceback.tb_frame)\n"
    same("-i", "app.py", input=asked)
    same("-i", "-c", "print(1)", input="1/0\n")
    same("-i", input="print(__name__)\n{}['x']\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(same, write, number):
    write("app.py", f"import os, time\nos.kill(os.getpid(), {int(number)})\ntime.sleep(20)\n")
    assert same("app.py")[0] == -number
    assert same("-m", "app")[0] == -number


def test_import_time_report_names_no_more_of_the_program(installed_python, write, tmp_path: Path):
    write("app.py", "import mod\n")
    write("mod.py", "")
    done = installed_python.run("-X", "importtime", "app.py", cwd=tmp_path)
    assert done.returncode == 0 and "runpy" not in done.stderr and "| mod" in done.stderr


def test_pickle_and_shebang(same, write, installed_python, tmp_path: Path):
    source = (
        "import pickle\nclass A: pass\n"
        "assert type(pickle.loads(pickle.dumps(A()))) is A\nprint(A, A.__module__)\n"
    )
    path = write("app", f"#!{installed_python.python}\n" + source)
    same("app")
    path.chmod(0o755)
    env = installed_python.environment(CODESUTURE="1")
    done = subprocess.run([path], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "__main__.A" in done.stdout


WORKERS = """\
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor

class Point:
    def __init__(self, x): self.x = x
    def double(self): return Point(self.x * 2)

def work(point):
    main = sys.modules["__main__"]
    return point.double().x, __name__, main.__name__, main.__spec__, sys.argv[1:]

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        print(pool.map(work, [Point(1), Point(2)]))
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        print(list(pool.map(work, [Point(3)])))
    process = context.Process(target=print, args=("child", os.getpid() != 0), )
    process.start(); process.join()
    print(process.exitcode)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("start", ["script", "module"])
def test_worker_processes(same, write, method, start):
    write("app.py", WORKERS)
    words = ["app.py"] if start == "script" else ["-m", "app"]
    code, out, _ = same(*words, method)
    assert code == 0 and "[(2, " in out and "child True\n0" in out


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "pdb", "-c", "continue", "-c", "quit", "app.py", "x"],
        ["-m", "trace", "--count", "--summary", "-C", "counts", "app.py"],
        ["-m", "trace", "--listfuncs", "app.py"],
        ["-m", "runpy", "app"],
        ["-m", "cProfile", "-o", "out.prof", "app.py", "x"],
        ["-m", "compileall", "-q", "."],
        ["-m", "unittest", "-q", "test_it.T.missing"],
        ["-m", "doctest", "app.py"],
        ["-c", "import runpy; print(runpy.run_path('app.py')['__name__'])"],
        ["-c", "import runpy; runpy.run_path('bad.py')"],
        ["-c", "import runpy; runpy.run_module('app', run_name='__main__', alter_sys=True)"],
        ["-c", "import app, importlib; importlib.reload(app)"],
    ],
    ids=" ".join,
)
def test_tools_that_run_programs(same, write, words):
    write("app.py", "import sys\nprint(sys.argv[1:], __name__)\ndef f(): return 1\nf()\n")
    write("bad.py", "def f(:\n")
    write("test_it.py", "import unittest, app\nclass T(unittest.TestCase): pass\n")
    same(*words)


def test_children_inherit_once(same, write):
    write(
        "app.py",
        "import os, subprocess, sys\n"
        "print(os.environ.get('CODESUTURE_RUN'), flush=True)\n"
        "if len(sys.argv) == 1:\n"
        "    subprocess.run([sys.executable, 'app.py', 'child'], check=True)\n"
        "    os.execv(sys.executable, [sys.executable, 'app.py', 'exec'])\n",
    )
    assert same("app.py") == (0, "None\nNone\nNone\n", "")


def test_no_site_means_no_agent(installed_python, write, tmp_path: Path):
    write("app.py", "import sys; print('codesuture' in sys.modules)")
    assert installed_python.run("-S", "app.py", cwd=tmp_path).stdout == "False\n"
    assert installed_python.run("app.py", cwd=tmp_path).stdout == "True\n"
    assert installed_python.run("app.py", cwd=tmp_path, agent=False).stdout == "False\n"
    off = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE": "0"})
    assert off.stdout == "False\n"


def test_recursion_depth(installed_python, write, tmp_path: Path):
    """Before 3.12 C calls count as well: starting through built-in functions costs a few."""
    source = "def f(n):\n    try: return f(n + 1)\n    except RecursionError: return n\nprint(f(0))"
    write("app.py", source)
    plain, ours = (
        int(installed_python.run("app.py", cwd=tmp_path, agent=agent).stdout)
        for agent in (False, True)
    )
    assert plain - ours <= (6 if sys.version_info < (3, 12) else 0)


SUBINTERPRETER = """\
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import sibling
run = getattr(interpreters, "exec", interpreters.run_string)
source = "import sys, sibling; print(sys.path, sys.path_hooks)"
print(run(interpreters.create(), source))
"""


def test_subinterpreters(same, write):
    write("sibling.py", "print('sibling')\n")
    write("app.py", SUBINTERPRETER)
    code, out, _ = same("app.py")
    # Before 3.12 plain Python gives subinterpreters no path to the script's folder.
    assert code == (0 if sys.version_info >= (3, 12) else 1)
    assert out.count("sibling\n") == (2 if code == 0 else 1)


@pytest.mark.parametrize("end", ["raise OSError(1)", "sys.exit('bye')", "pass", "sys.exit(3)"])
@pytest.mark.parametrize("start", ["app.py", "-m app"])
def test_order_of_output_in_one_stream(installed_python, write, tmp_path: Path, end, start):
    write("app.py", f"import sys\nprint('out')\nsys.stderr.write('err\\n')\n{end}\n")
    merged = [
        subprocess.run(
            [installed_python.python, *start.split()],
            cwd=tmp_path,
            env=installed_python.environment(**switch),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout
        for switch in ({}, {"CODESUTURE": "1"})
    ]
    assert merged[0] == merged[1] and "out" in merged[0]
