"""However a program is started that is imported as `__main__`: as in plain Python.

Scripts are in `test_main`, `-c` and standard input in `test_command`.
"""

from __future__ import annotations

import subprocess
import sys
import zipapp
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .test_main import DEATHS, STATE

WAYS = {
    "module": ["-m", "mod"],
    "package": ["-m", "pkg"],
    "submodule": ["-m", "pkg.sub"],
    "folder": ["folder"],
    "archive": ["app.pyz"],
}
way = pytest.mark.parametrize("words", WAYS.values(), ids=WAYS)
one_of_each = pytest.mark.parametrize(
    "words", [["-m", "pkg"], ["folder"], ["app.pyz"]], ids=" ".join
)

Put = Callable[[str], None]


@pytest.fixture
def put(write, tmp_path: Path) -> Put:
    """`put(source)` makes it the program of every way of starting."""

    def put_everywhere(source: str) -> None:
        write("pkg/__init__.py", "print('init', __name__)\n")
        for name in ("app.py", "mod.py", "pkg/__main__.py", "pkg/sub.py", "folder/__main__.py"):
            write(name, source)
        with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
            archive.writestr("__main__.py", source)

    return put_everywhere


OPTIONS = "-O -B -I -E -S -P -u -Xdev -Werror -Xfrozen_modules=off"


@one_of_each
def test_options_of_the_interpreter(same, put, words):
    put("'doc'\nx: int = 1\n" + STATE)
    for option in OPTIONS.split():
        same(option, *words, "a", "-b")


@way
def test_safe_path(same, put, words):
    put(STATE)
    same(*words, env={"PYTHONSAFEPATH": "1"})


ENDINGS = ("error", "chain", "exit number", "exit text", "interrupt", "hook", "at exit", "syntax")


@one_of_each
def test_how_it_ends(same, put, words):
    for ending in ENDINGS:
        put(DEATHS[ending])
        same("-B", *words)


@way
def test_interactive_afterwards(same, put, words):
    put("from __future__ import annotations\nx: y = 1\nraise OSError(1)\n")
    asked = "import sys; print(sorted(globals()), sys.last_value)\nx: y = 1\n{}['x']\n"
    same("-i", *words, input=asked)


ANNOTATED = """\
from __future__ import annotations
import sys
x: int = 1
if x:
    y: nothing = 2
print(sorted(name for name in globals() if "annot" in name), __doc__)
print(sys.modules["__main__"].__annotations__)
"""


@pytest.mark.parametrize("words", [["app.py"], *WAYS.values()], ids=" ".join)
def test_annotations_and_future_flags(same, put, words):
    put(ANNOTATED)
    assert same(*words)[0] == 0
    put(ANNOTATED.replace("from __future__ import annotations", "").replace("nothing", "str"))
    assert same(*words)[0] == 0


PICKLES = """\
import copyreg, pickle, sys
class A:
    def __eq__(self, other): return type(other) is A
def f(): return 1
assert pickle.loads(pickle.dumps([A(), A, f])) == [A(), A, f]
print(pickle.dumps([A(), A, f]), A.__module__, A.__qualname__, f.__module__)
"""


@pytest.mark.parametrize("words", [["app.py"], *WAYS.values()], ids=" ".join)
def test_pickles(same, put, words):
    put(PICKLES)
    assert same(*words)[0] == 0


#: Workers that need nothing of `__main__`: plain Python gives spawned ones that of a script or
#: module only.
WORKERS = """\
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        print(list(pool.map(abs, [-3])))
    source = "import sys; m = sys.modules['__main__']; print(m.__name__, m.__spec__, sys.argv)"
    process = context.Process(target=exec, args=(source,))
    process.start(); process.join()
    print(process.exitcode)
"""


@one_of_each
def test_spawned_workers(same, put, words):
    put(WORKERS)
    code, out, _ = same(*words, "x")
    assert code == 0 and "[3]\n" in out and out.endswith("\n0\n")


def modules_of(report: str) -> list[str]:
    """The names that `-X importtime` gives, without codesuture's own."""
    lines = [line for line in report.splitlines() if line.startswith("import time:")]
    lines = [line.rpartition("|")[2].strip() for line in lines]
    return [name for name in lines if not name.startswith(("codesuture", "imported"))]


@pytest.mark.parametrize(
    "words", [["app.py"], ["-c", "import beside"], ["-"], *WAYS.values()], ids=" ".join
)
def test_import_time_report(installed_python, put, write, tmp_path, words):
    """It names what the program imports, in that order, and `runpy` only if plain Python does."""
    put("import beside\n")
    write("beside.py", "import behind\n")
    write("behind.py", "import colorsys\n")
    plain, ours = (
        modules_of(
            installed_python.run(
                *("-X", "importtime", *words),
                cwd=tmp_path,
                env={"PYTHONPATH": "."},
                input="import beside\n",
                agent=agent,
            ).stderr
        )
        for agent in (False, True)
    )
    own = ["colorsys", "behind", "beside"]
    assert [name for name in ours if name in own] == [name for name in plain if name in own]
    assert set(plain) <= set(ours)
    assert ("runpy" in ours) is ("runpy" in plain)
    # What codesuture needs of the standard library has been imported before the program begins.
    assert ours.index("colorsys") > max(map(ours.index, set(ours) - set(plain)), default=0)


@pytest.mark.parametrize("method", ["open", "zipapp"])
def test_archives_with_a_first_line(installed_python, write, tmp_path, method):
    write("folder/__main__.py", "import sys\nprint(sys.argv, __file__)\nraise OSError(1)\n")
    archive = tmp_path / "tool"
    zipapp.create_archive(tmp_path / "folder", archive, interpreter=installed_python.python)
    command = [archive] if method == "open" else [installed_python.python, archive]
    results = []
    for switch in ({}, {"CODESUTURE": "1"}):
        environment = installed_python.environment(**switch)
        done = subprocess.run([*command, "x"], env=environment, capture_output=True, text=True)
        results.append((done.returncode, done.stdout, done.stderr))
    assert results[0] == results[1] and "OSError" in results[0][2]


COUNT = """\
import pstats
stats = pstats.Stats("out.prof").stats
print(sorted((file.rpartition("/")[2], line, name, calls[:2]) for (file, line, name), calls
      in stats.items() if "codesuture" not in file and "app" in file or file == "~"))
"""


def test_profiles_count_the_same_calls(same, write):
    write("app.py", "def f(n): return len([n])\nfor i in range(7): f(i)\nprint(sum(map(f, [1])))\n")
    write("count.py", COUNT)
    same("-m", "cProfile", "-o", "out.prof", "app.py")
    code, out, _ = same("count.py")
    assert code == 0 and "'f', (8, 8)" in out


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "timeit", "-n", "1", "-r", "1", "-s", "import sys", "raise OSError(sys.argv)"],
        ["-m", "timeit", "-n1", "-r1", "def f(:"],
        ["-c", "import timeit; print(timeit.timeit('x.append(1)', 'x = []', number=3) > 0)"],
        ["-m", "trace", "--trace", "app.py"],
        ["-m", "pdb", "-c", "b 2", "-c", "c", "-c", "w", "-c", "c", "-c", "q", "app.py"],
        ["-m", "pdb", "-c", "c", "-c", "w", "-c", "q", "-m", "mod"],
        ["-m", "cProfile", "-o", "out.prof", "-m", "mod"],
        ["-m", "runpy", "pkg.sub", "x"],
        ["-m", "zipfile", "-l", "app.pyz"],
    ],
    ids=" ".join,
)
def test_tools_that_run_programs(same, put, words):
    put("def f(x):\n    return x\nprint(f(1), __name__)\nraise OSError(2)\n")
    same(*words)


SETUP = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "demo-tool"
version = "1"
[project.scripts]
demo = "demo_tool:main"
[tool.hatch.build]
include = ["demo_tool.py"]
"""
TOOL = """\
import sys
def main():
    main = sys.modules["__main__"]
    print(main.__file__, main.__spec__, type(main.__loader__), sys.argv, sys._getframe(1).f_back)
    if sys.argv[1:] == ["die"]:
        raise OSError(1)
    if sys.argv[1:] == ["crash"]:
        print(repr(None.name))
    return 5
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory, wheel, make_venv):
    """A Python with codesuture and a console script, both installed by pip."""
    folder = tmp_path_factory.mktemp("demo")
    project = folder / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(SETUP)
    (project / "demo_tool.py").write_text(TOOL)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ["-q", "--no-deps", "--no-index"]
    python = make_venv(folder / "venv", wheel)
    build = [*pip, "wheel", *offline, "--no-build-isolation", "-w", folder, project]
    subprocess.run(build, check=True)
    (built,) = folder.glob("*.whl")
    subprocess.run([*pip, "--python", python.python, "install", *offline, built], check=True)
    return python


def test_console_script(demo, tmp_path):
    script = Path(demo.python).with_name("demo")
    for words in (["a"], ["die"]):
        results = []
        for switch in ({}, {"CODESUTURE": "1"}):
            environment = demo.environment(**switch)
            done = subprocess.run(
                [script, *words], env=environment, cwd=tmp_path, capture_output=True, text=True
            )
            results.append((done.returncode, done.stdout, done.stderr))
        assert results[0] == results[1] and results[0][0] == (5 if words == ["a"] else 1)
    (tmp_path / "codesuture.toml").write_text('include = ["demo_tool"]\n')
    environment = demo.environment(CODESUTURE="1")
    done = subprocess.run(
        [script, "crash"], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 5 and "''" in done.stdout, done.stderr
