"""What is broken around codesuture costs a line at most; the program runs as plain Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

APP = """\
import sys, mod
print(mod.f({"a": 1}))
try:
    mod.f({})
except KeyError as error:
    print("caught", error)
mod.f({})
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "mod.py").write_text("def f(data):\n    return data['a']\n")
    return tmp_path


def stores(folder: Path) -> list[tuple[str, dict[str, str]]]:
    """Stores that cannot be used: a file, a folder for everybody, one below a file."""
    (folder / "file").write_text("")
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    (folder / "loop").symlink_to("loop")
    names = ["file", "open", "loop", "file/below", "/proc/nowhere", "/dev/full"]
    return [(name, {"CODESUTURE_STORE": name}) for name in names]


def test_stores_that_cannot_be_used(installed_python, app):
    """The crash is healed or not; nothing but a line or two is said, and the rest is as plain."""
    plain = installed_python.run("app.py", cwd=app, agent=False)
    for name, env in stores(app):
        done = installed_python.run("app.py", cwd=app, env=env)
        assert "Traceback" not in done.stderr or done.stderr.endswith(plain.stderr), name
        assert done.stdout.startswith("1\ncaught 'a'\n"), (name, done.stderr)
        assert done.returncode in (0, plain.returncode)
        assert not [p for p in app.iterdir() if p.name == ".codesuture_store"]


def test_stores_that_cannot_be_used_by_programs_that_do_not_crash(installed_python, app):
    (app / "app.py").write_text("import mod\nprint(mod.f({'a': 1}))\n")
    for name, env in stores(app):
        done = installed_python.run("app.py", cwd=app, env=env)
        assert (done.returncode, done.stdout) == (0, "1\n"), name
        assert done.stderr.count("\n") <= 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize("gone", ["importhook.py", "armedcache.py", "surgery", "config", "fate"])
def test_a_package_that_lost_a_part(make_venv, wheel, tmp_path, app, gone):
    python = make_venv(tmp_path / "venv", wheel)
    (python.site_packages / "codesuture" / gone).rename(tmp_path / "gone")
    for cached in (python.site_packages / "codesuture" / "__pycache__").glob("*.pyc"):
        cached.unlink()
    plain = python.run("app.py", cwd=app, agent=False)
    done = python.run("app.py", cwd=app)
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    lines = done.stderr.splitlines()
    assert lines[0].startswith("[CodeSuture] ") or lines == plain.stderr.splitlines()
    said = [line for line in lines if line.startswith("[CodeSuture]")]
    assert 1 <= len(said) <= 2
    assert [line for line in lines if line not in said] == plain.stderr.splitlines()


def test_a_program_without_sys_argv(installed_python, tmp_path):
    (tmp_path / "app.py").write_text("import sys\ndel sys.argv\nimport used\nprint(used.VALUE)\n")
    (tmp_path / "used.py").write_text("VALUE = 1\n")
    for _ in range(2):
        done = installed_python.run("app.py", cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("1\n", "")


def test_an_old_python(tmp_path):
    """The line and the agent are read by every Python that finds them, 3.10 for one."""
    import ast

    root = Path(__file__).parents[2]
    for path in (root / "agent").glob("*.py"):
        ast.parse(path.read_text(), str(path), feature_version=(3, 8))
    ast.parse((root / "codesuture.pth").read_text(), feature_version=(3, 8))
    assert os.path.getsize(root / "codesuture.pth") < 300


def old_pythons() -> list[str]:
    """Interpreters of this machine that are older than 3.11."""
    home = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found = sorted(Path(home).glob("versions/3.10.*/bin/python"))
    named = shutil.which("python3.10")
    return [str(path) for path in found[-1:]] or ([named] if named else [])


@pytest.mark.skipif(not old_pythons(), reason="there is no Python 3.10 here")
def test_python_310_itself(installed_python, tmp_path):
    """A folder of packages is read by an interpreter that codesuture does not know."""
    folder = tmp_path / "env"
    subprocess.run([*old_pythons(), "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python3.10/site-packages")
    for name in ("codesuture", "codesuture_agent"):
        shutil.copytree(installed_python.site_packages / name, packages / name)
    shutil.copy(installed_python.site_packages / "codesuture.pth", packages)
    (tmp_path / "app.py").write_text("print('on we go')\nraise KeyError('k')\n")
    for value in ("1", "0"):
        done = subprocess.run(
            [str(folder / "bin" / "python"), "app.py"],
            cwd=tmp_path,
            env=installed_python.environment(CODESUTURE=value),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (1, "on we go\n")
        said = "[CodeSuture] not active: cpython 3.10 is not supported (CPython 3.11 to 3.15 is)\n"
        assert done.stderr.startswith((said if value == "1" else "") + "Traceback")
        assert done.stderr.count("\n") == (5 if value == "1" else 4)


@pytest.mark.parametrize("color", ["never", "always"])
def test_without_the_packages_that_it_needs(make_venv, wheel, tmp_path, app, color):
    """Said once, with what to do; nothing of the program is at fault, nor is codesuture."""
    python = make_venv(tmp_path / "venv", wheel)
    (python.site_packages / "zz_dependencies.pth").unlink()
    (app / "other.py").write_text("def f(data):\n    return data.name\n")
    (app / "app.py").write_text("import other\n" + APP)
    plain = python.run("app.py", cwd=app, agent=False)
    for _ in range(2):
        done = python.run("app.py", cwd=app, env={"CODESUTURE_COLOR": color})
        assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
        said, _, rest = done.stderr.partition("\n")
        assert rest == plain.stderr
        assert said == (
            "[CodeSuture] The package bytecode, which codesuture needs, is missing: code that was "
            "not armed before runs without codesuture. Install it again "
            f"({python.python} -m pip install --force-reinstall codesuture); `codesuture doctor` "
            "tells whether all is well then."
        )
    assert not list(app.glob(".codesuture_store/rejections/*"))
