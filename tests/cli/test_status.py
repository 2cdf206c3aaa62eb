"""`codesuture enable`, `disable` and `status`, on environments made for the test."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import codesuture

from .conftest import Cli, clean_environment, save_patch

ROOT = Path(codesuture.__file__).parents[1]


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment that has codesuture as an editable install would give it."""
    folder = tmp_path / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "_paths.pth").write_text("\n".join([str(ROOT), *_site_packages()]) + "\n")
    if (ROOT / "agent").is_dir():
        (packages / "codesuture_agent").symlink_to(ROOT / "agent")
    return folder


def _site_packages() -> list[str]:
    return [path for path in sys.path if path.endswith("site-packages")]


def test_enable_status_disable(cli: Cli, environment: Path, tmp_path: Path) -> None:
    packages = next(environment.glob("lib/python*/site-packages"))
    before = sorted(path.name for path in packages.iterdir())
    env = {"VIRTUAL_ENV": str(environment)}
    said = json.loads(cli("status", "--json", env=env).stdout)
    assert (said["active"], said["venv"], said["pth"]) == (False, str(environment), {})

    done = cli("enable", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Enabled in {environment}" in done.stdout
    said = json.loads(cli("status", "--json", env=env).stdout)
    assert said["active"]
    assert set(said["pth"]) == {
        str(packages / name) for name in ("codesuture.pth", "codesuture-enabled.pth")
    }
    assert all("codesuture_agent" in content for content in said["pth"].values())
    assert cli("status", env=env).stdout.startswith("codesuture is active: ")
    off = cli("status", env={**env, "CODESUTURE": "0"}).stdout
    assert off.startswith("codesuture is not active: CODESUTURE=0 is set")

    done = cli("disable", "--json", env=env)
    assert json.loads(done.stdout)["removed"] == sorted(said["pth"], reverse=True)
    assert sorted(path.name for path in packages.iterdir()) == before
    again = cli("disable", env=env)
    assert (again.returncode, again.stdout) == (0, f"It was not enabled in {environment}.\n")


def test_an_environment_by_name(cli: Cli, environment: Path) -> None:
    files = json.loads(cli("enable", "--venv", "env", "--json").stdout)["files"]
    assert files and all(Path(path).is_file() for path in files)
    assert json.loads(cli("status", "--venv", "env", "--json").stdout)["active"]
    assert cli("disable", "--venv", "env").returncode == 0
    assert not any(Path(path).exists() for path in files)


@pytest.mark.parametrize("command", ["enable", "disable", "status"])
def test_no_environment(cli: Cli, tmp_path: Path, command: str) -> None:
    done = cli(command, "--venv", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: nowhere is not a virtual environment\nhint: ")


def test_run_starts_the_agent_in_an_enabled_and_a_plain_environment(
    cli: Cli, environment: Path, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(
        "import sys; print(__name__, 'codesuture_agent' in sys.modules, sys.argv)\n"
    )
    python = str(environment / "bin" / "python")
    env = clean_environment()
    del env["PYTHONPATH"]
    for command in ("disable", "enable"):
        assert cli(command, "--venv", "env").returncode == 0
        done = subprocess.run(
            [python, "-m", "codesuture", "run", "app.py", "x"],
            cwd=tmp_path, env=env, capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "__main__ True ['app.py', 'x']\n")
        assert done.stderr.count("Session summary:") == 1


def test_configuration_and_store(cli: Cli, project: Path) -> None:
    (project / "codesuture.toml").write_text("mode = 'observe'\n", "utf-8")
    said = json.loads(cli("status", "--json").stdout)
    assert said["config"] == str(project / "codesuture.toml")
    assert said["mode"] == "observe"
    assert said["store"] == str(project / ".codesuture_store")
    assert (said["patches"], said["problems"]) == (3, [])
    save_patch(project, "get_bio", "load_attribute", guard="attribute_guard")
    text = cli("status").stdout
    assert f"{project / '.codesuture_store'} (4 patches)" in text
    cli("rollback", "app:Shop.total")
    cli("rollback", "app:get_bio")
    assert "(1 patch)" in cli("status").stdout
    assert "(1 patch)" in cli("doctor").stdout
    cli("rollback", "--all")
    assert "(no patches)" in cli("status").stdout


def test_what_is_wrong_is_said_and_is_no_failure(cli: Cli, project: Path) -> None:
    (project / ".codesuture_store").chmod(0o777)
    done = cli("status")
    assert done.returncode == 0
    assert "Problem       The store " in done.stdout
    (project / "codesuture.toml").write_text("ttll = 3\n", "utf-8")
    done = cli("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "there is no key 'ttll'" in done.stdout
    assert json.loads(cli("status", "--json").stdout)["patches"] is None
