"""`codesuture run`: which program, with which arguments, and its own exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from codesuture.cli.program import split
from codesuture.cli.run import FLAGS

from .conftest import Cli, clean_environment

SHOW = """\
import json, os, sys
print(json.dumps({
    "argv": sys.argv,
    "name": __name__,
    "variables": {k: v for k, v in os.environ.items() if k.startswith("CODESUTURE")},
    "first": sys.path[0],
    "input": sys.stdin.read(),
    "flags": [sys.flags.optimize, sys.flags.dont_write_bytecode],
}))
"""

NOTE = "behind the script: taken as codesuture's"


@pytest.fixture
def show(tmp_path: Path) -> Path:
    path = tmp_path / "show.py"
    path.write_text(SHOW, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "own", "behind", "program"),
    [
        ("app.py", "", "", "app.py"),
        ("app.py a --b -c", "", "", "app.py a --b -c"),
        ("--verbose --ttl 3 app.py", "--verbose --ttl 3", "", "app.py"),
        ("--ttl=3 app.py", "--ttl=3", "", "app.py"),
        ("server.py --verbose --retries 3",) + ("--verbose --retries 3",) * 2 + ("server.py",),
        ("server.py --retries=3 x",) + ("--retries=3",) * 2 + ("server.py x",),
        ("--ttl 1 app.py --dry-run", "--ttl 1 --dry-run", "--dry-run", "app.py"),
        ("app.py --verbose -v", "--verbose", "--verbose", "app.py -v"),
        ("app.py --verbose=1", "", "", "app.py --verbose=1"),
        ("app.py --verbosely", "", "", "app.py --verbosely"),
        ("app.py x --verbose", "", "", "app.py x --verbose"),
        ("app.py -- --verbose", "", "", "app.py --verbose"),
        ("app.py --dry-run -- --verbose", "--dry-run", "--dry-run", "app.py --verbose"),
        ("app.py x -- --verbose", "", "", "app.py x -- --verbose"),
        ("-- app.py --verbose", "", "", "app.py --verbose"),
        ("--verbose -- app.py -- x", "--verbose", "", "app.py -- x"),
        ("-m pkg.mod --verbose", "", "", "-m pkg.mod --verbose"),
        ("-mpkg --verbose", "", "", "-m pkg --verbose"),
        ("--dry-run -m pkg -- x", "--dry-run", "", "-m pkg -- x"),
        ("-m", "", "", "-m"),
        ("--dry-run -c 1/0 --verbose", "--dry-run", "", "-c 1/0 --verbose"),
        ("-c1/0 -- --verbose", "", "", "-c 1/0 -- --verbose"),
        ("-c", "", "", "-c"),
        ("- --verbose", "--verbose", "--verbose", "-"),
        ("--frob app.py", "--frob", "", "app.py"),
        ("-h", "-h", "", ""),
        ("", "", "", ""),
    ],
)
def test_whose_option_it_is(line: str, own: str, behind: str, program: str) -> None:
    target = split(line.split(), FLAGS)
    assert (target.own, target.behind, target.program) == (
        own.split(),
        behind.split(),
        program.split(),
    )


def test_the_program_gets_its_arguments_and_input(cli: Cli, show: Path) -> None:
    done = cli("run", "show.py", "a b", "--verbose", "-m", input="given")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["argv"] == ["show.py", "a b", "--verbose", "-m"]
    assert (said["name"], said["input"]) == ("__main__", "given")
    assert said["first"] == str(show.parent)
    assert NOTE not in done.stderr


def test_children_inherit_the_switch_but_not_the_flags(cli: Cli, show: Path) -> None:
    done = cli("run", "--verbose", "--ttl", "3", "show.py")
    assert json.loads(done.stdout)["variables"] == {"CODESUTURE": "1"}
    assert "Session summary:" in done.stderr


def test_options_behind_the_script_are_taken_and_said(cli: Cli, show: Path) -> None:
    done = cli("run", "show.py", "--verbose", "--retries", "3")
    assert json.loads(done.stdout)["argv"] == ["show.py"]
    assert f"[CodeSuture] --verbose --retries 3 {NOTE}" in done.stderr


def test_two_dashes_give_them_to_the_program(cli: Cli, show: Path) -> None:
    for words in (["show.py", "--", "--verbose"], ["--", "show.py", "--verbose"]):
        done = cli("run", *words)
        assert json.loads(done.stdout)["argv"] == ["show.py", "--verbose"]
        assert NOTE not in done.stderr


def test_a_module(cli: Cli, show: Path, tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SHOW, encoding="utf-8")
    said = json.loads(cli("run", "-m", "pkg", "--verbose").stdout)
    assert said["argv"] == [str(package / "__main__.py"), "--verbose"]
    said = json.loads(cli("run", "-m", "show").stdout)
    assert said["argv"] == [str(show)]


def test_a_directory_and_a_zip_file(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "tool"
    folder.mkdir()
    (folder / "__main__.py").write_text(SHOW, encoding="utf-8")
    assert json.loads(cli("run", "tool", "x").stdout)["argv"] == ["tool", "x"]
    with zipfile.ZipFile(tmp_path / "tool.pyz", "w") as archive:
        archive.write(folder / "__main__.py", "__main__.py")
    assert json.loads(cli("run", "tool.pyz", "x").stdout)["argv"] == ["tool.pyz", "x"]


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("", 0),
        ("raise SystemExit(7)", 7),
        ("raise SystemExit('words')", 1),
        ("import os; os._exit(42)", 42),
        ("raise ValueError('mine')", 1),
        ("def (", 1),
    ],
)
def test_exit_codes_are_the_programs(cli: Cli, tmp_path: Path, program: str, code: int) -> None:
    (tmp_path / "app.py").write_text(program, encoding="utf-8")
    done = cli("run", "app.py")
    assert done.returncode == code
    assert ("Traceback" in done.stderr) == ("mine" in program)


def test_a_signal_stays_a_signal(cli: Cli, tmp_path: Path) -> None:
    program = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n"
    (tmp_path / "app.py").write_text(program, encoding="utf-8")
    assert cli("run", "app.py").returncode == -signal.SIGTERM


def test_interpreter_flags_are_passed_on(show: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-O", "-B", "-m", "codesuture", "run", str(show)],
        env=clean_environment(),
        cwd=show.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout)["flags"] == [1, 1]


def test_the_off_switch_wins(cli: Cli, show: Path) -> None:
    done = cli("run", "show.py", env={"CODESUTURE": "0"})
    assert json.loads(done.stdout)["variables"] == {"CODESUTURE": "0"}
    assert done.stderr == "[CodeSuture] CODESUTURE=0 is set: running without codesuture\n"


def test_a_missing_script(cli: Cli, show: Path) -> None:
    done = cli("run", "shwo.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: there is no file 'shwo.py'\nhint: did you mean 'show.py'?\n"
    assert cli("run", "no/such/folder/x.py").returncode == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "error: which program?\n"),
        (["-m"], "error: -m needs the name of a module\n"),
        (["--frob", "show.py"], "error: unrecognized arguments: --frob\n"),
        (["--ttl"], "error: argument --ttl: expected one argument\n"),
        (["--ttl", "soon", "show.py"], "error: --ttl: 'ttl' must be a number of days"),
        (["--ttl", "0", "show.py"], "error: --ttl: 'ttl' must be a number of days"),
        (["--retries", "-1", "show.py"], "error: --retries: 'retries' must be an integer"),
        (["--retries=x", "show.py"], "error: --retries: 'retries' must be an integer"),
    ],
)
def test_wrong_usage(cli: Cli, show: Path, words: list[str], sentence: str) -> None:
    done = cli("run", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr


def test_a_wrong_option_behind_the_script_says_how_to_pass_it_on(cli: Cli, show: Path) -> None:
    done = cli("run", "show.py", "--ttl", "soon")
    assert done.returncode == 2
    assert "hint: to give it to the program, write: codesuture run show.py -- ..." in done.stderr


def test_a_store_that_must_not_be_used_stops_it_before_it_begins(cli: Cli, show: Path) -> None:
    store = show.parent / ".codesuture_store"
    store.mkdir()
    store.chmod(0o777)
    done = cli("run", "show.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "every user can write to it" in done.stderr


def test_nothing_is_left_in_the_folder(cli: Cli, show: Path) -> None:
    cli("run", "show.py")
    assert {path.name for path in show.parent.iterdir()} <= {"show.py", "__pycache__"}
