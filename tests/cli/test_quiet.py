"""`-q` and `-v`: of commands, and of `run`, which has a program behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

CRASHING = "import sys\nprint(sys.argv[1:])\ndef get(x): return x.name\nprint(get(None))\n"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(CRASHING)
    return path


def test_a_quiet_run_says_nothing_of_heals(cli, app):
    for words in (["-q"], ["--quiet"]):  # with a new patch, and with one that is loaded
        done = cli("run", *words, "app.py", "-q", "-v")
        assert (done.returncode, done.stdout) == (0, "['-q', '-v']\n\n"), done.stderr
        assert done.stderr == ""
    assert " 2 " in cli("audit").stdout


def test_what_is_no_heal_is_said_all_the_same(cli, app):
    app.write_text(CRASHING + "raise SystemExit('the program says so')\n")
    assert cli("run", "-q", "app.py").stderr == "the program says so\n"
    (app.parent / "codesuture.toml").write_text("mode = 'observe'\n")
    done = cli("run", "-q", "app.py")
    assert done.returncode == 1 and "Not applied at app.py:3" in done.stderr


def test_a_verbose_run(cli, app):
    done = cli("run", "-v", "app.py")
    assert "  fate: " in done.stderr and done.returncode == 0


@pytest.mark.parametrize("words", [["run", "-q", "-v", "app.py"], ["audit", "-q", "-v"]])
def test_both_at_once(cli, app, words):
    done = cli(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --quiet and --verbose exclude each other")


def test_commands(cli, app):
    assert cli("run", "-q", "app.py").returncode == 0
    quiet, verbose = cli("audit", "-q"), cli("audit", "-v", "--csv")
    assert quiet.returncode == 0 and (quiet.stdout, quiet.stderr) == ("", "")
    assert "null_guard" in verbose.stdout
    store = app.parent / ".codesuture_store"
    assert verbose.stderr == f"configuration: none, so the defaults\nstore: {store}\n"
    assert cli("audit", "--check", "-q").returncode == 1  # nobody has reviewed it
    done = cli("explain", "-q", "nothing_like_it")
    assert done.returncode == 1 and done.stderr.startswith("error: ")
    (app.parent / "codesuture.toml").write_text("ttl = 3\n")
    said = cli("config", "-v", "get", "ttl")
    assert said.stderr.startswith(f"configuration: {app.parent / 'codesuture.toml'}\n")
