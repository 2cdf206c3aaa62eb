"""What is built and installed: wheel, source distribution, editable install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BUILD = """\
import os, sys
from hatchling import build
os.chdir(sys.argv[2])
print(getattr(build, "build_" + sys.argv[1])(sys.argv[3]))
"""


def build(kind: str, source: Path, target: Path) -> Path:
    """Build "wheel", "sdist" or "editable" with the backend itself."""
    command = [sys.executable, "-c", BUILD, kind, str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


def tracked() -> set[str]:
    """The files of the checkout that belong to it; all that are there when it is not from git."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return {name for name in done.stdout.split("\0") if name and (ROOT / name).exists()}
    return {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if not any(part.startswith((".", "__pycache__")) for part in path.parts)
    }


def test_the_source_distribution_has_everything(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked() - names == set()
    assert {"pyproject.toml", "codesuture.pth", "LICENSE", ".ci/hatch_build.py"} <= names
    assert not [name for name in names if "__pycache__" in name or ".codesuture_store" in name]


def test_the_wheel_built_from_it_is_the_same(tmp_path):
    for name in ("sdist", "tree", "again"):
        (tmp_path / name).mkdir()
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    wheel = build("wheel", ROOT, tmp_path / "tree")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    again = build("wheel", source, tmp_path / "again")
    assert again.name == wheel.name and again.read_bytes() == wheel.read_bytes()


def test_the_wheel(tmp_path):
    with zipfile.ZipFile(build("wheel", ROOT, tmp_path)) as archive:
        names = set(archive.namelist())
        metadata = message_from_bytes(archive.read("codesuture-0.1.0.dist-info/METADATA"))
        scripts = archive.read("codesuture-0.1.0.dist-info/entry_points.txt").decode()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        "codesuture",
        "codesuture_agent",
        "codesuture.pth",
        "codesuture-0.1.0.data",
        "codesuture-0.1.0.dist-info",
    }
    data = {name for name in names if name.startswith("codesuture-0.1.0.data/")}
    assert data == {"codesuture-0.1.0.data/data/share/man/man1/codesuture.1"}
    modules = {
        str(path.relative_to(ROOT)).replace(f"agent{os.sep}", f"codesuture_agent{os.sep}")
        for folder in ("codesuture", "agent")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name for name in names if name.endswith(".py")} == modules
    assert {"codesuture/py.typed", "codesuture-0.1.0.dist-info/licenses/LICENSE"} <= names
    required = [line for line in metadata.get_all("Requires-Dist") or [] if "extra ==" not in line]
    assert sorted(required) == ["bytecode>=0.19.1", "colorama", "importlib-metadata", "tomli-w"]
    assert metadata["Requires-Python"] == ">=3.11" and metadata["License-Expression"] == "MIT"
    for minor in range(11, 16):
        assert f"Programming Language :: Python :: 3.{minor}" in metadata.get_all("Classifier")
    assert "codesuture = codesuture.cli:main" in scripts


def test_installed(installed_python, tmp_path):
    for command in (["-m", "codesuture"], [installed_python.folder / "bin" / "codesuture"]):
        done = installed_python.run(*command, "--version", agent=False, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "codesuture 0.1.0\n", "")


def test_uninstalling_leaves_nothing(make_venv, wheel, tmp_path):
    python = make_venv(tmp_path / "venv", None)
    before = {path for path in python.folder.rglob("*")}
    pip = [sys.executable, "-m", "pip", "--python", python.python, "--disable-pip-version-check"]
    for command in (["install", "-q", "--no-deps", "--no-index", str(wheel)], ["uninstall", "-qy"]):
        words = command if command[0] == "install" else [*command, "codesuture"]
        done = subprocess.run([*pip, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if command[0] == "install":
            (tmp_path / "app.py").write_text("print(None.x)\n")
            assert python.run("app.py", cwd=tmp_path).returncode == 0
            assert (python.folder / "share" / "man" / "man1" / "codesuture.1").is_file()
    # pip removes the folder of a file, and none above it.
    folders = {python.folder / "share", python.folder / "share" / "man"}
    left = {path for path in python.folder.rglob("*")} - before - folders
    # The user's own folder, which stands in the environment in these tests, has the user's key.
    assert [path for path in left if not path.is_relative_to(python.folder / "config")] == []


def test_editable(make_venv, tmp_path):
    """Changes in the checkout count at once, in the package and in the agent."""
    checkout = tmp_path / "checkout"
    without = shutil.ignore_patterns("__pycache__")
    for folder in ("codesuture", "agent", ".ci"):
        shutil.copytree(ROOT / folder, checkout / folder, ignore=without)
    for name in ("pyproject.toml", "codesuture.pth", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout / name)
    (tmp_path / "out").mkdir()
    python = make_venv(tmp_path / "venv", build("editable", checkout, tmp_path / "out"))
    assert (python.site_packages / "codesuture.pth").read_text() == (
        ROOT / "codesuture.pth"
    ).read_text()
    (tmp_path / "app.py").write_text(
        "import codesuture, codesuture_agent.boot, sys\n"
        "print(codesuture.__file__, codesuture_agent.boot.__file__)\n"
        "print('codesuture.importhook' in sys.modules)\n"
    )
    done = python.run("app.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [
        str(checkout / "codesuture" / "__init__.py"),
        str(checkout / "agent" / "boot.py"),
        "True",
    ]
    boot = checkout / "agent" / "boot.py"
    boot.write_text(boot.read_text() + "\nsys.stderr.write('changed\\n')\n")
    assert python.run("app.py", cwd=tmp_path).stderr == "changed\n"
    checkout.rename(tmp_path / "moved")
    done = python.run("-c", "print(1)")
    # Python 3.15 says before that a folder named in a .pth file is not there.
    own = [line for line in done.stderr.splitlines() if line.startswith("[CodeSuture]")]
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert own == [f"[CodeSuture] not active: its checkout is gone from {checkout}"]
