"""`codesuture doctor` on environments that are sound, and on ones that are broken in one way."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from codesuture import venvs


@pytest.fixture
def own(make_venv, wheel, tmp_path):
    """An environment of the test's own."""
    return make_venv(tmp_path / "env", wheel)


def examine(python, cwd: Path, **env: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code, and the findings by subject (the last of several)."""
    done = python.run("-m", "codesuture", "doctor", "--json", cwd=cwd, agent=False, env=env)
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert said["healthy"] is (done.returncode == 0)
    return done.returncode, {finding["subject"]: finding for finding in said["findings"]}


def test_all_is_well(own, tmp_path):
    (tmp_path / "project").mkdir()
    code, found = examine(own, tmp_path / "project")
    assert code == 0
    sound = ("Python", "Package", "Needs", "Start file", "Agent", "Configuration", "Store", "Cache")
    assert [found[subject]["state"] for subject in sound] == ["ok"] * len(sound)
    assert found["Active here"]["state"] == "note" and "CODESUTURE=1" in found["Active here"]["do"]
    assert list((tmp_path / "project").iterdir()) == []
    done = own.run("-m", "codesuture", "doctor", cwd=tmp_path, agent=False)
    assert done.stdout.startswith("ok    Python") and done.stdout.endswith("All is well.\n")
    active = examine(own, tmp_path, CODESUTURE="1")[1]["Active here"]
    assert active["state"] == "ok"


def old_line(own, folder: Path) -> None:
    (own.site_packages / venvs.INSTALLED).write_text("import codesuture_agent\n")


def no_dependency(own, folder: Path) -> None:
    place = own.site_packages / "bytecode-0.1.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: bytecode\nVersion: 0.1\n")


def another_version(own, folder: Path) -> None:
    path = own.site_packages / "codesuture" / "__init__.py"
    path.write_text(path.read_text().replace('__version__ = "', '__version__ = "9.'))


def wrong_configuration(own, folder: Path) -> None:
    (folder / "codesuture.toml").write_text('mode = "heall"\n')


def open_store(own, folder: Path) -> None:
    (folder / ".codesuture_store").mkdir()
    (folder / ".codesuture_store").chmod(0o777)


def fault(own, folder: Path) -> None:
    with open(own.site_packages / "codesuture" / "importhook.py", "a") as file:
        file.write("\nraise RuntimeError('broken')\n")


@pytest.mark.parametrize(
    ("damage", "subject", "says", "do"),
    [
        (old_line, "Start file", "not the one of this version", "reinstall codesuture"),
        (no_dependency, "Needs", "bytecode", "pip install --force-reinstall bytecode"),
        (another_version, "Package", "files are of version 9.", "reinstall codesuture"),
        (wrong_configuration, "Configuration", "heall", "config show"),
        (open_store, "Store", "every user can write", ""),
        (fault, "Agent", "RuntimeError: broken", ""),
    ],
)
def test_what_is_wrong_is_said(own, tmp_path, damage, subject, says, do):
    folder = tmp_path / "project"
    folder.mkdir()
    damage(own, folder)
    code, found = examine(own, folder)
    assert code == 1
    assert found[subject]["state"] == "wrong"
    assert says in found[subject]["sentence"] and do in found[subject]["do"]


def test_half_an_installation(own, installed_python, tmp_path):
    """Examined by another Python, because this one cannot."""
    shutil.rmtree(own.site_packages / "codesuture")
    (own.site_packages / "zz_dependencies.pth").unlink()
    done = installed_python.run(
        *("-m", "codesuture", "doctor", "--venv", own.folder), cwd=tmp_path, agent=False
    )
    assert done.returncode == 1 and "wrong Package" in done.stdout
    assert f"{own.python} -m pip install" in done.stdout


def test_without_start_files(own, tmp_path):
    (own.site_packages / venvs.INSTALLED).unlink()
    code, found = examine(own, tmp_path)
    assert code == 0 and found["Start file"]["state"] == "note"
    assert found["Start file"]["do"] == "codesuture enable"
    assert found["Agent"]["state"] == "note"


def test_other_tools(own, tmp_path):
    (own.site_packages / "aa_tool.pth").write_text("import tool\n")
    (own.site_packages / "tool.py").write_text(
        "import sys\nclass Finder:\n    @staticmethod\n    def find_spec(*a): return None\n"
        "sys.meta_path.insert(0, Finder)\n"
    )
    (own.site_packages / "sitecustomize.py").write_text("")
    done = own.run("-m", "codesuture", "doctor", cwd=tmp_path, agent=False)
    assert done.returncode == 0
    assert "tool.Finder" in done.stdout and "aa_tool.pth" in done.stdout
    assert "sitecustomize" in done.stdout


def test_caches_that_are_not_written(own, tmp_path):
    _, found = examine(own, tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert found["Cache"]["state"] == "note" and "PYTHONDONTWRITEBYTECODE" in str(found["Cache"])
    config = tmp_path / "config"
    (config / "codesuture").mkdir(parents=True)
    key = config / "codesuture" / "cache.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o644)
    _, found = examine(own, tmp_path, XDG_CONFIG_HOME=str(config))
    assert "others can read it" in found["Cache"]["sentence"]
    _, found = examine(own, tmp_path, XDG_CONFIG_HOME="/dev/null/x")
    assert found["Cache"]["state"] == "note" and found["Cache"]["do"] != ""


def test_a_file_that_takes_the_place_of_the_line(own, tmp_path):
    """PEP 829, from 3.15 on: `name.start` counts instead of the import lines of `name.pth`."""
    (own.site_packages / "codesuture.start").write_text("")
    code, found = examine(own, tmp_path)
    if sys.version_info >= (3, 15):
        assert code == 1 and "PEP 829" in found["Start file"]["sentence"]
        assert found["Agent"]["state"] == "wrong"
    else:
        assert code == 0 and found["Agent"]["state"] == "ok"


def test_half_a_dependency(make_venv, wheel, tmp_path):
    """Its record is there, its files are not."""
    own = make_venv(tmp_path / "env", wheel)
    source = Path((own.site_packages / "zz_dependencies.pth").read_text().strip())
    (own.site_packages / "zz_dependencies.pth").unlink()
    for path in source.iterdir():
        if path.name.lower().startswith(("bytecode", "importlib_metadata", "tomli_w", "zipp")):
            (own.site_packages / path.name).symlink_to(path)
    for path in source.glob("colorama-*.dist-info"):
        (own.site_packages / path.name).symlink_to(path)
    code, found = examine(own, tmp_path)
    assert code == 1 and found["Needs"]["sentence"].endswith(": colorama")
