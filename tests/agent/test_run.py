"""`codesuture run` and what Python is given behind it: the same program, however it starts.

With a `.pth` line in place `run` becomes plain Python with the agent on; elsewhere it starts the
program by `codesuture_agent.launch` (see `test_launch`), two frames below it.
"""

from __future__ import annotations

import zipfile

import pytest

from .test_launch import STATE as STATE_WITHOUT_FRAMES
from .test_launch import bare  # noqa: F401
from .test_main import STATE

DEATH = "def f(n):\n    raise OSError(n)\nf(1)\n"
WAYS = ["app.py", "-m mod", "-m pkg", "folder", "app.pyz", "-c", "-"]


def without_summary(text: str) -> str:
    return text.partition("\nSession summary:")[0]


@pytest.fixture
def put(write, tmp_path):
    """`put(source)` makes it the program of every way of starting that names a file."""

    def put_everywhere(source: str) -> None:
        for name in ("app.py", "mod.py", "pkg/__main__.py", "folder/__main__.py"):
            write(name, source)
        with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
            archive.writestr("__main__.py", source)

    return put_everywhere


def compare(python, tmp_path, steady, words, source, **options):
    """Run a program plain and by `codesuture run`; give the latter's outcome."""
    words = [*words, source] if words == ["-c"] else words
    run = ["-m", "codesuture", "run", *words, "a", "--b", "-m"]
    plain = python.run(*run[3:], cwd=tmp_path, agent=False, input=source, **options)
    ours = python.run(*run, cwd=tmp_path, agent=False, input=source, **options)
    assert ours.returncode == plain.returncode
    assert steady(ours.stdout) == steady(plain.stdout)
    assert without_summary(ours.stderr) == plain.stderr
    return ours


@pytest.mark.parametrize("words", WAYS)
def test_with_the_line_in_place(installed_python, put, tmp_path, steady, words):
    put(STATE + DEATH)
    done = compare(installed_python, tmp_path, steady, words.split(), STATE + DEATH)
    assert done.returncode == 1 and "OSError: 1" in done.stderr


@pytest.mark.parametrize("words", WAYS)
def test_without_it(bare, put, tmp_path, steady, words):  # noqa: F811
    source = STATE_WITHOUT_FRAMES + DEATH
    put(source)
    compare(bare, tmp_path, steady, words.split(), source)


@pytest.mark.parametrize("words", ["-c", "-"])
def test_ends_without_it(bare, tmp_path, steady, words):  # noqa: F811
    for source in ("x = 1\ndef f(:\n", "import sys; sys.exit(7)\n"):
        compare(bare, tmp_path, steady, [words], source)


@pytest.mark.parametrize("words", WAYS)
def test_it_heals(installed_python, bare, put, tmp_path, words):  # noqa: F811
    source = "def f(x): return x.name\nprint(repr(f(None)))\n"
    put(source)
    words = words.split() if words != "-c" else ["-c", source]
    for python in (installed_python, bare):
        done = python.run(
            "-m", "codesuture", "run", *words, cwd=tmp_path, agent=False, input=source
        )
        assert (done.returncode, done.stdout) == (0, "''\n"), done.stderr
        assert "Session summary" in done.stderr


def test_commands_with_and_without_indentation(bare, tmp_path, steady):  # noqa: F811
    for source in ("  print(1)\n  raise OSError\n", "x = '''a\n    \nb'''\nprint(repr(x))"):
        compare(bare, tmp_path, steady, ["-c"], source)


def test_nothing_behind_an_option(installed_python, tmp_path):
    for option, needed in (("-m", "the name of a module"), ("-c", "a command")):
        done = installed_python.run("-m", "codesuture", "run", option, cwd=tmp_path, agent=False)
        assert done.returncode == 2 and f"{option} needs {needed}" in done.stderr
