"""`codesuture config`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Cli


def test_show_names_the_origin(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "codesuture.toml").write_text("ttl = 3\n[guards]\nkey_guard = false\n", "utf-8")
    done = cli("config", env={"CODESUTURE_MODE": "observe"})
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["ttl", "3", "codesuture.toml"] in rows
    assert ["mode", '"observe"', "CODESUTURE_MODE"] in rows
    assert ["guards.key_guard", "false", "codesuture.toml"] in rows
    assert ["retries", "3", "default"] in rows
    assert ["File:", str(tmp_path / "codesuture.toml")] in rows
    assert cli("config", "show", env={"CODESUTURE_MODE": "observe"}).stdout == done.stdout


def test_show_says_what_is_ignored(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "codesuture.toml").write_text("", "utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.codesuture]\n", "utf-8")
    assert "pyproject.toml is ignored because" in cli("config").stdout


def test_json(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.codesuture]\nttl = 0.5\n", "utf-8")
    said = json.loads(cli("config", "--json").stdout)
    assert said["path"] == str(tmp_path / "pyproject.toml")
    values = {row["key"]: (row["value"], row["origin"]) for row in said["values"]}
    assert values["ttl"] == (0.5, "pyproject.toml")
    assert values["include"] == ([], "default")
    got = json.loads(cli("config", "get", "ttl", "--json").stdout)
    assert got == {"key": "ttl", "value": 0.5, "origin": "pyproject.toml"}


def test_set_get_unset(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "codesuture.toml"
    assert cli("config", "set", "include", "shop.*, billing").returncode == 0
    assert cli("config", "set", "guards.null_guard", "off").returncode == 0
    assert cli("config", "set", "defaults.app:get_bio", '""').returncode == 0
    assert cli("config", "set", "mode", "observe").stdout == f'mode = "observe" in {path}\n'
    assert cli("config", "get", "include").stdout == '["shop.*", "billing"]\n'
    assert cli("config", "get", "mode").stdout == "observe\n"
    assert cli("config", "get", "guards.null_guard").stdout == "false\n"
    assert cli("config", "get", "defaults.app:get_bio").stdout == '""\n'
    assert cli("config", "unset", "mode").returncode == 0
    assert cli("config", "get", "mode").stdout == "heal\n"
    again = cli("config", "unset", "mode")
    assert (again.returncode, again.stderr) == (1, f"error: {path} does not set 'mode'\n")


def test_set_changes_the_file_that_counts(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "codesuture.toml").write_text("# mine\n", "utf-8")
    below = tmp_path / "below"
    below.mkdir()
    assert cli("config", "set", "ttl", "2", cwd=below).returncode == 0
    assert (tmp_path / "codesuture.toml").read_text("utf-8") == "# mine\nttl = 2\n"
    assert list(below.iterdir()) == []


def test_pyproject_is_not_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.codesuture]\nttl = 1\n", "utf-8")
    done = cli("config", "set", "ttl", "2")
    assert done.returncode == 2
    assert "which codesuture only reads" in done.stderr
    assert "hint: edit 'ttl' in its [tool.codesuture] table" in done.stderr
    assert cli("config", "init").returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


def test_init_and_path(cli: Cli, tmp_path: Path) -> None:
    done = cli("config", "path")
    assert (done.returncode, done.stdout) == (1, "")
    assert "codesuture config init" in done.stderr
    assert cli("config", "init").returncode == 0
    assert cli("config", "path").stdout == f"{tmp_path / 'codesuture.toml'}\n"
    assert '"default"' in cli("config", "--json").stdout
    assert '"codesuture.toml"' not in cli("config", "--json").stdout
    again = cli("config", "init")
    assert again.returncode == 1 and "exists already" in again.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["set", "ttll", "3"], "error: there is no key 'ttll'\nhint: did you mean 'ttl'?"),
        (["set", "ttl", "soon"], "error: 'ttl' must be a number of days"),
        (["set", "ttl"], "error: config set needs a key and a value"),
        (["get"], "error: config get needs a key"),
        (["get", "guards.nothing_guard"], "error: 'guards.nothing_guard' is not set"),
        (["get", "breaker"], "error: there is no key 'breaker'"),
        (["unset", "nothing"], "error: there is no key 'nothing'"),
        (["path", "x"], "error: config path needs no further words"),
        (["frobnicate"], "error: argument action: invalid choice: 'frobnicate'"),
    ],
)
def test_mistakes(cli: Cli, tmp_path: Path, words: list[str], sentence: str) -> None:
    done = cli("config", *words)
    assert done.returncode == (1 if "is not set" in sentence else 2)
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["config", "audit", "explain", "rollback --all", "run app.py"])
def test_a_broken_file_is_one_sentence_everywhere(cli: Cli, tmp_path: Path, command: str) -> None:
    (tmp_path / "app.py").write_text("print('ran')\n", "utf-8")
    path = tmp_path / "codesuture.toml"
    path.write_text("\nttll = 3\n", "utf-8")
    done = cli(*command.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {path}, line 2: there is no key 'ttll'\nhint: did you mean 'ttl'?\n"
    )
    path.write_text("ttl = [\n", "utf-8")
    done = cli(*command.split())
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {path} is not valid TOML: ")


def test_a_file_that_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "codesuture.toml").mkdir()
    done = cli("config", "init")
    assert done.returncode == 1 and "Traceback" not in done.stderr
