"""Which Pythons have the agent: the `.pth` lines, the switch, enable, disable, status."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codesuture import venvs

IS_ON = "import sys; print('codesuture.importhook' in sys.modules)"
TOUCHED = "import sys; print([m for m in sys.modules if m.startswith('codesuture')])"


@pytest.fixture(scope="module")
def own(tmp_path_factory, wheel, make_venv):
    """An environment of this module's own."""
    return make_venv(tmp_path_factory.mktemp("own") / "venv", wheel)


@pytest.fixture
def restored(own):
    """The environment as it is after `pip install`."""
    (own.site_packages / venvs.ENABLED).unlink(missing_ok=True)
    (own.site_packages / venvs.INSTALLED).write_text(venvs.LINES[venvs.INSTALLED])
    return own


def is_on(python, **env: str) -> bool:
    done = python.run("-c", IS_ON, agent=False, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout == "True\n"


def test_the_wheel_carries_the_line_that_enable_restores(installed_python):
    root = Path(__file__).parents[2]
    assert (root / "codesuture.pth").read_text() == venvs.LINES[venvs.INSTALLED]
    carried = installed_python.site_packages / "codesuture.pth"
    assert carried.read_text() == venvs.LINES[venvs.INSTALLED]


@pytest.mark.parametrize("line", venvs.LINES.values(), ids=venvs.LINES)
def test_lines_are_one_readable_import_line(line):
    assert line.startswith("import ") and line.count("\n") == 1 and len(line) < 220
    assert "exec" not in line and "\\" not in line


@pytest.mark.parametrize(
    ("value", "installed", "enabled"),
    [
        (None, False, True),
        ("", False, True),
        ("0", False, False),
        ("off", False, False),
        ("False", False, False),
        ("no", False, False),
        ("1", True, True),
        ("yes", True, True),
    ],
)
def test_the_switch(restored, value, installed, enabled):
    env = {} if value is None else {"CODESUTURE": value}
    assert is_on(restored, **env) is installed
    venvs.enable(str(restored.folder))
    assert is_on(restored, **env) is enabled


def test_off_imports_nothing(restored):
    for env in ({}, {"CODESUTURE": "0"}, {"CODESUTURE": ""}):
        assert restored.run("-c", TOUCHED, agent=False, env=env).stdout == "[]\n"


#: Not to be imported where codesuture is on and the cache is warm.
NOT_AT_THE_START = {
    "bytecode", "importlib_metadata", "tomllib", "colorama", "argparse", "logging", "threading",
    "socket", "ssl", "typing", "dataclasses", "enum", "re", "json", "pathlib", "inspect",
}  # fmt: skip
IMPORTED = "import sys\nimport used\nprint(used.last([1]), *sys.modules)\n"
USED = "def last(items):\n    return items[-1]\n"


@pytest.mark.parametrize("words", [("app.py",), ("-m", "app"), ("-c", IMPORTED)], ids=str)
@pytest.mark.parametrize("configured", [False, True], ids=["", "codesuture.toml"])
def test_what_a_warm_start_imports(installed_python, tmp_path, words, configured):
    (tmp_path / "app.py").write_text(IMPORTED)
    (tmp_path / "used.py").write_text(USED)
    if configured:
        (tmp_path / "codesuture.toml").write_text("ttl = 3\n")

    def imported(**more: object) -> set[str]:
        done = installed_python.run(*words, cwd=tmp_path, **more)
        assert (done.stderr, done.stdout.split()[0]) == ("", "1"), done.stderr
        return set(done.stdout.split()[1:])

    plain = imported(agent=False)
    imported()
    assert list(tmp_path.glob("__pycache__/used.*codesuture*"))
    ours = imported() - plain
    assert "codesuture.importhook" in ours
    assert ours & NOT_AT_THE_START == set()
    healing = {name for name in ours if name.startswith(("codesuture.fate", "codesuture.guards"))}
    assert healing == set()


#: All of codesuture that runs when its caches are warm, nothing is configured and nothing crashes.
AT_THE_START = {
    "codesuture_agent", "codesuture_agent.boot", "codesuture_agent.script", "codesuture",
    "codesuture.afterimport", "codesuture.armedcache", "codesuture.cachekey", "codesuture.config",
    "codesuture.config.find", "codesuture.config.load", "codesuture.ending",
    "codesuture.importhook", "codesuture.kept", "codesuture.knowledge", "codesuture.runtime",
    "codesuture.scriptcache", "codesuture.session", "codesuture.surgery",
    "codesuture.surgery.library", "codesuture.surgery.names", "codesuture.verdicts",
}  # fmt: skip
#: What it takes along.
OF_PYTHON = {"__future__", "_operator", "atexit"}


def test_what_a_warm_start_of_a_script_imports(installed_python, tmp_path):
    """Each module is some 3 % of the start (docs/benchmarks.md): a new one needs a reason."""
    (tmp_path / "app.py").write_text(IMPORTED)
    (tmp_path / "used.py").write_text(USED)
    plain, _, ours = (
        set(installed_python.run("app.py", cwd=tmp_path, agent=agent).stdout.split())
        for agent in (False, True, True)
    )
    assert {name for name in ours if name.startswith("codesuture")} == AT_THE_START
    assert ours - plain - AT_THE_START <= OF_PYTHON


def test_patches_of_other_modules_are_not_read(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(IMPORTED)
    (tmp_path / "used.py").write_text(USED)
    (tmp_path / "crash.py").write_text("print(None.name)\n")

    def imported() -> set[str]:
        done = installed_python.run("app.py", cwd=tmp_path)
        assert done.stderr == ""
        return {name for name in done.stdout.split() if name.startswith("codesuture.store")}

    assert installed_python.run("crash.py", cwd=tmp_path).returncode == 0
    imported()
    assert imported() <= {
        "codesuture.store", "codesuture.store.glance", "codesuture.store.trust",
        "codesuture.store.errors",
    }  # fmt: skip
    (tmp_path / ".codesuture_store" / "patches" / "crash.x-000000000000.json").write_text("{\n}\n")
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stderr.count("Skipped the recipe") == 1


def test_disable_leaves_no_trace_until_enable(restored):
    before = {p.name for p in restored.site_packages.iterdir()}
    venvs.enable(str(restored.folder))
    place, removed = venvs.disable(str(restored.folder))
    assert sorted(Path(path).name for path in removed) == sorted(venvs.LINES)
    after = {p.name for p in restored.site_packages.iterdir()}
    assert after == before - {"codesuture.pth"}
    assert not is_on(restored) and not is_on(restored, CODESUTURE="1")
    assert venvs.disable(str(restored.folder))[1] == []
    venvs.enable(place.prefix)
    assert is_on(restored) and not is_on(restored, CODESUTURE="0")


@pytest.mark.parametrize("gone", ["codesuture", "codesuture_agent", "both"])
def test_half_uninstalled(tmp_path, wheel, make_venv, gone):
    python = make_venv(tmp_path / "venv", wheel)
    venvs.enable(str(python.folder))
    for name in ("codesuture", "codesuture_agent") if gone == "both" else (gone,):
        shutil.rmtree(python.site_packages / name)
    # The tests' own interpreter may have codesuture as well: leave its packages out.
    (python.site_packages / "zz_dependencies.pth").unlink()
    done = python.run("-c", "print('on we go')")
    assert (done.returncode, done.stdout) == (0, "on we go\n")
    if gone == "codesuture":
        assert done.stderr == (
            "[CodeSuture] could not start (ModuleNotFoundError: No module named 'codesuture'); "
            "running without it\n"
        )
    else:
        assert done.stderr == ""


def test_uninstalling_leaves_a_silent_interpreter(tmp_path, wheel, make_venv):
    python = make_venv(tmp_path / "venv", wheel)
    (python.site_packages / "zz_dependencies.pth").unlink()
    venvs.enable(str(python.folder))
    command = [sys.executable, "-m", "pip", "--python", python.python, "uninstall", "-qy"]
    subprocess.run([*command, "codesuture"], check=True, capture_output=True)
    left = [p.name for p in python.site_packages.iterdir() if "codesuture" in p.name]
    assert left == [venvs.ENABLED]  # enable put it there, disable takes it away
    done = python.run("-c", "print(1)")
    assert (done.stdout, done.stderr) == ("1\n", "")
    venvs.disable(str(python.folder))
    assert not (python.site_packages / venvs.ENABLED).exists()


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("codesuture.toml", "not active: "),
        ("mode", "not active: "),
    ],
)
def test_wrong_configuration_runs_plain(installed_python, tmp_path, broken, says):
    (tmp_path / "codesuture.toml").write_text(
        "ttl = \n" if broken == "codesuture.toml" else 'mode = "heall"\n'
    )
    (tmp_path / "app.py").write_text("print('on we go')\nraise KeyError('k')\n")
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
    ours = installed_python.run("app.py", cwd=tmp_path)
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout)
    said, rest = ours.stderr.split("\n", 1)
    assert said.startswith(f"[CodeSuture] {says}") and "codesuture.toml" in said
    assert rest == plain.stderr


def test_a_directory_that_is_gone(installed_python, tmp_path):
    (tmp_path / "app.py").write_text("print('on we go')\n")
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && exec {installed_python.python} {tmp_path}/app.py"
    env = installed_python.environment(CODESUTURE="1")
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "on we go\n")
    assert done.stderr.count("\n") <= 1


@pytest.mark.parametrize("version", [(3, 10), (3, 16)])
def test_unsupported_versions_run_plain(restored, tmp_path, version):
    pretend = f"import sys; sys.version_info = type('V', (tuple,), {{}})({(*version, 0)})\n"
    (restored.site_packages / "aaa_pretend.pth").write_text(pretend)
    try:
        done = restored.run("-S", "-c", "print(1)")
        assert (done.stdout, done.stderr) == ("1\n", "")
        (tmp_path / "app.py").write_text("print(1)")
        done = restored.run("app.py", cwd=tmp_path)
    finally:
        (restored.site_packages / "aaa_pretend.pth").unlink()
    assert (done.returncode, done.stdout) == (0, "1\n")
    name = f"{version[0]}.{version[1]}"
    assert done.stderr == (
        f"[CodeSuture] not active: cpython {name} is not supported (CPython 3.11 to 3.15 is)\n"
    )


def test_lines_that_run_twice_start_once(restored, tmp_path):
    (restored.site_packages / "zz_again.pth").write_text(venvs.LINES[venvs.INSTALLED] * 2)
    (tmp_path / "app.py").write_text(
        "import sys, importlib._bootstrap_external as b\n"
        "print(sys.path_hooks, b.SourceLoader.get_code.__closure__[0].cell_contents)\n"
    )
    try:
        done = restored.run("app.py", cwd=tmp_path)
    finally:
        (restored.site_packages / "zz_again.pth").unlink()
    assert done.stderr == "" and "_offer" not in done.stdout
    assert "<function SourceLoader.get_code" in done.stdout


def test_refusals(tmp_path, monkeypatch, make_venv):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    with pytest.raises(venvs.VenvError, match="is not a virtual environment"):
        venvs.enable(str(tmp_path / "nowhere"))
    bare = make_venv(tmp_path / "bare", None)
    (bare.site_packages / "zz_dependencies.pth").unlink()
    with pytest.raises(venvs.VenvError, match="not installed in") as refused:
        venvs.enable(str(bare.folder))
    assert f"{bare.python} -m pip install codesuture" in refused.value.hint
    assert not list(bare.site_packages.glob("*codesuture*"))
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    with pytest.raises(venvs.VenvError, match="none is active"):
        venvs.disable()
    monkeypatch.setenv("VIRTUAL_ENV", str(bare.folder))
    assert venvs.disable()[0].prefix == str(bare.folder)
    os.remove(bare.folder / "bin" / "python")
    (bare.folder / "bin" / "python").write_text("#!/bin/sh\necho nonsense\n")
    (bare.folder / "bin" / "python").chmod(0o755)
    with pytest.raises(venvs.VenvError, match="does not work"):
        venvs.enable()


def test_status(restored, monkeypatch, tmp_path):
    folder = str(restored.folder)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CODESUTURE")]:
        monkeypatch.delenv(name)

    def conclusion() -> str:
        return venvs.status(folder).conclusion

    assert conclusion().startswith("not active: CODESUTURE is not set; set it")
    monkeypatch.setenv("CODESUTURE", "1")
    assert conclusion().startswith("active: CODESUTURE=1 is set")
    monkeypatch.setenv("CODESUTURE", "0")
    assert conclusion() == "not active: CODESUTURE=0 is set; unset it"
    monkeypatch.delenv("CODESUTURE")
    venvs.enable(folder)
    assert conclusion().startswith(f"active: every Python of {folder}")
    monkeypatch.setenv("CODESUTURE_MODE", "off")
    assert conclusion().startswith('not active: mode is "off"')
    monkeypatch.delenv("CODESUTURE_MODE")
    (tmp_path / "codesuture.toml").write_text("nonsense")
    assert conclusion().startswith("not active: the configuration is wrong")
    (tmp_path / "codesuture.toml").unlink()
    venvs.disable(folder)
    assert conclusion().startswith("not active: it was disabled")
    facts = venvs.status(folder).to_json()
    assert facts["files"] == [] and facts["installed"] is True and facts["venv"] == folder
    assert facts["own_interpreter"] is False and facts["supported"] is True
