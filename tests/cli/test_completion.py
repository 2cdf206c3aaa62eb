"""Shell completion, the manual page, and the help that both are made from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codesuture.cli import COMMANDS
from codesuture.cli.describing import commands
from codesuture.cli.manual import page

from .conftest import Cli, clean_environment

ROOT = Path(__file__).resolve().parents[2]

ASK = """
COMP_WORDS=({words}); COMP_CWORD={at}
_codesuture
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def complete(cli: Cli, tmp_path: Path):
    """What bash offers for the last word."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    script = cli("completion", "bash").stdout
    # The script asks `codesuture`, which need not be on the path here.
    script += f'codesuture() {{ {sys.executable} -m codesuture "$@"; }}\n'

    def call(*words: str) -> list[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(
            ["bash", "--norc", "-c", script + ASK.format(words=quoted, at=len(words) - 1)],
            cwd=tmp_path, env=clean_environment(), text=True, capture_output=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return [word for word in done.stdout.splitlines() if word]

    return call


def test_bash(complete, project: Path) -> None:
    assert set(complete("codesuture", "")) == {*COMMANDS, "--help", "--version"}
    assert complete("codesuture", "appr") == ["approve"]
    assert complete("codesuture", "audit", "--c") == ["--csv", "--check"]
    assert complete("codesuture", "rollback", "get_") == ["get_bio"]
    assert "validate" in complete("codesuture", "config", "")
    assert complete("codesuture", "nothing", "") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_others_name_every_command_and_option(here: Cli, shell: str) -> None:
    done = here("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    for command in commands():
        assert command.name in done.stdout and command.about in done.stdout
        assert all(flag.lstrip("-") in done.stdout for flag in command.flags)
    if shutil.which(shell):
        parsed = subprocess.run([shell, "-n"], input=done.stdout, text=True, capture_output=True)
        assert (parsed.returncode, parsed.stderr) == (0, "")


def test_names_where_there_is_no_store_or_a_broken_configuration(here: Cli, tmp_path: Path) -> None:
    assert here("completion", "names").stdout == ""
    (tmp_path / "codesuture.toml").write_text("ttl = 'x'\n", "utf-8")
    done = here("completion", "names")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert here("completion", "tcsh").returncode == 2


def test_every_help_has_examples() -> None:
    for command in commands():
        _, found, examples = (command.parser.epilog or "").partition("examples:\n")
        assert found, command.name
        assert f"codesuture {command.name}" in examples.splitlines()[0], command.name


def test_the_manual_page_is_up_to_date() -> None:
    text = (ROOT / "docs" / "codesuture.1").read_text("utf-8")
    assert text == page(), "run: python -m codesuture.cli.manual > docs/codesuture.1"
    assert all(f".SS codesuture {name}\n" in text for name in COMMANDS)


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff")
def test_the_manual_page_can_be_shown() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", str(ROOT / "docs" / "codesuture.1")],
        env={**os.environ, "LC_ALL": "C.UTF-8"}, text=True, capture_output=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "codesuture approve" in done.stdout


def test_config_validate(here: Cli, tmp_path: Path) -> None:
    assert here("config", "validate").stdout.endswith("is in order; no values are set.\n")
    file = tmp_path / "codesuture.toml"
    file.write_text("ttl = 3\n[guards]\nkey_guard = false\n", "utf-8")
    done = here("config", "validate", env={"CODESUTURE_VERBOSE": "1"})
    assert (done.returncode, done.stdout) == (0, f"{file} is in order; 3 values are set.\n")
    file.write_text("tll = 3\n", "utf-8")
    done = here("config", "validate")
    assert done.returncode == 2 and "did you mean 'ttl'?" in done.stderr
