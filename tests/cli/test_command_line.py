"""What all commands have in common."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import codesuture
from codesuture.cli import COMMANDS

from .conftest import Cli, clean_environment


def test_version(cli: Cli) -> None:
    done = cli("--version")
    assert (done.returncode, done.stdout) == (0, f"codesuture {codesuture.__version__}\n")


def test_help_names_every_command(cli: Cli) -> None:
    done = cli("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help_and_refuses_what_it_does_not_know(cli: Cli, command: str) -> None:
    done = cli(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: codesuture {command}")
    wrong = cli(command, "--frobnicate")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("error: ")
    assert f"hint: `codesuture {command} --help` shows the usage" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_no_command(cli: Cli) -> None:
    done = cli()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: codesuture COMMAND")


def test_an_unknown_command(cli: Cli) -> None:
    done = cli("aduit")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: there is no command 'aduit'\nhint: did you mean 'audit'?\n"
    )
    assert "hint: to run a program: codesuture run app.py" in cli("app.py").stderr


def test_a_reader_that_goes_away(project: object) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "codesuture", "audit"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            cwd=str(project),
            text=True,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_errors_are_coloured_only_when_asked(cli: Cli) -> None:
    assert "\x1b[" not in cli("aduit").stderr
    assert cli("aduit", env={"FORCE_COLOR": "1"}).stderr.startswith("\x1b[31merror:\x1b[0m ")
