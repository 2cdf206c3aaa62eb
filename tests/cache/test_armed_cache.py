"""The cache of armed code: used when it is right, written again when it is not, never noticed."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

TAG = sys.implementation.cache_tag
#: Prints what was armed in this run, rather than read from the cache, then how it works.
APP = """\
import sys
made = []
from codesuture.surgery import arming
arm = arming.arm
def noting(code, reach=False):
    if code.co_name == "<module>": made.append(code.co_filename.rpartition("/")[2])
    return arm(code, reach)
arming.arm = noting
import mod
code = mod.f.__code__
print(made, mod.VALUE, mod.f(None), '__codesuture_recover__' in code.co_names, code.co_filename)
"""
MOD = "VALUE = 1\ndef f(x):\n    try: return x.y\n    except AttributeError: return 'caught'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "mod.py").write_text(MOD)
    return tmp_path


@pytest.fixture
def run(installed_python, folder):
    """Run the program; gives the modules that were armed anew, and the rest of what it printed."""

    def start(*options: str, cwd: Path = folder, **env: str) -> tuple[list[str], str]:
        done = installed_python.run(*options, "app.py", cwd=cwd, env=env)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        made, rest = done.stdout.rstrip("\n")[1:].split("] ")
        return [name.strip("'") for name in made.split(", ") if name], rest

    return start


def cached(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.opt-codesuture*.pyc"))


def right(folder: Path, value: int = 1) -> str:
    return f"{value} caught True {folder / 'mod.py'}"


def test_made_once_then_read(run, folder):
    assert run() == (["mod.py"], right(folder))
    (file,) = cached(folder)
    assert file.parent == folder / "__pycache__" and file.name.startswith(f"mod.{TAG}.opt-")
    assert importlib.util.source_from_cache(str(file)) == str(folder / "mod.py")
    assert run() == ([], right(folder))
    assert {path.name for path in folder.iterdir()} == {"app.py", "mod.py", "__pycache__"}
    assert [path.name for path in folder.glob("__pycache__/app.*")] == []


def test_a_large_module(run, folder):
    lines = [f"def f{number}(x): return x.a.b[{number}]\n" for number in range(2000)]
    (folder / "mod.py").write_text(MOD + "".join(lines))
    assert run() == (["mod.py"], right(folder))
    assert cached(folder)[0].stat().st_size > 1 << 17
    assert run() == ([], right(folder))


def test_a_source_with_another_ending(run, folder):
    """Its cache has the same name as that of `mod.py`, as its `.pyc` file has in plain Python."""
    (folder / "mod.data").write_text(MOD.replace("1", "22"))
    other = (
        "import importlib.util as u, importlib.machinery as m\n"
        "spec = u.spec_from_loader('other', m.SourceFileLoader('other', 'mod.data'))\n"
        "other = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(other)\n"
        "assert other.VALUE == 22\n"
    )
    (folder / "app.py").write_text(APP.replace("import mod\n", other + "import mod\n"))
    for _ in range(2):
        assert run()[1] == right(folder)


def test_a_folder_and_a_prefix_that_change(run, folder):
    """Where armed code is counts for one folder, one prefix and one name each."""
    (folder / "c.py").write_text("VALUE = 5\n")
    (folder / "app.py").write_text("import c, sys\nsys.pycache_prefix = 'elsewhere'\n" + APP)
    run()
    names = {path.relative_to(folder).parts[0] + path.name[:2] for path in cached(folder)}
    assert names == {"__pycache__c.", "elsewheremo"}
    assert run() == ([], right(folder))


def test_modules_that_are_run_are_cached_as_plain_python_does(installed_python, folder):
    (folder / "tool.py").write_text("import mod\nprint(mod.f(None))\n")
    for _ in range(2):
        assert installed_python.run("-m", "tool", cwd=folder).stdout == "caught\n"
    plain = {path.name.split(".")[0] for path in folder.glob(f"__pycache__/*.{TAG}.pyc")}
    assert {path.name.split(".")[0] for path in cached(folder)} == plain == {"mod", "tool"}


def test_a_changed_source(run, folder):
    run()
    (folder / "mod.py").write_text(MOD.replace("1", "23"))
    assert run() == (["mod.py"], right(folder, 23))
    assert run() == ([], right(folder, 23))
    (folder / "mod.py").write_text(MOD.replace("1", "45"))  # the same size
    later = os.stat(folder / "mod.py").st_mtime + 10
    os.utime(folder / "mod.py", (later, later))
    assert run() == (["mod.py"], right(folder, 45))
    assert len(cached(folder)) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: bytes(len(content)),
        lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
        lambda content: content[:-5] + bytes([content[-5] ^ 64]) + content[-4:],
        lambda content: bytes([content[0] ^ 1]) + content[1:],
    ],
    ids=["empty", "header", "cut", "longer", "zeros", "header bit", "code bit", "signature bit"],
)
def test_damage_is_mended_silently(run, folder, damage):
    run()
    (file,) = cached(folder)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert run() == (["mod.py"], right(folder))
    assert file.read_bytes()[8:36] == whole[8:36]
    assert run() == ([], right(folder))


def test_what_is_in_the_way(run, folder):
    run()
    (file,) = cached(folder)
    file.unlink()
    file.mkdir()
    assert run() == (["mod.py"], right(folder))
    assert run() == (["mod.py"], right(folder))
    assert [path.name for path in file.parent.iterdir() if ".opt-" in path.name] == [file.name]


def test_another_modules_code_does_not_count(run, folder):
    run()
    (file,) = cached(folder)
    other = folder / "app_of_other.py"
    other.write_text(MOD.replace("1", "2"))
    times = (folder / "mod.py").stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    (folder / "app.py").write_text(APP.replace("import mod", "import app_of_other as mod"))
    file.rename(file.with_name(file.name.replace("mod.", "app_of_other.")))
    assert run()[0] == ["app_of_other.py"]


def test_only_this_users_key_counts(run, folder, tmp_path_factory):
    run()
    (first,) = cached(folder)
    config = tmp_path_factory.mktemp("other")
    assert run(XDG_CONFIG_HOME=str(config)) == (["mod.py"], right(folder))
    key = config / "codesuture" / "cache.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    (second,) = set(cached(folder)) - {first}
    second.write_bytes(first.read_bytes())
    assert run(XDG_CONFIG_HOME=str(config)) == (["mod.py"], right(folder))
    assert run(XDG_CONFIG_HOME=str(config)) == ([], right(folder))
    assert run() == ([], right(folder))


@pytest.mark.parametrize("change", ["short", "open", "folder"])
def test_a_key_that_cannot_be_trusted(run, folder, tmp_path_factory, change):
    config = tmp_path_factory.mktemp("config")
    key = config / "codesuture" / "cache.key"
    run(XDG_CONFIG_HOME=str(config))
    before = key.read_bytes()
    if change == "short":
        key.write_bytes(before[:5])
    elif change == "open":
        key.chmod(0o644)
    else:
        key.unlink()
        key.mkdir()
    assert run(XDG_CONFIG_HOME=str(config)) == (["mod.py"], right(folder))
    again = run(XDG_CONFIG_HOME=str(config))[0]
    if change == "folder":
        assert again == ["mod.py"]
    else:
        assert again == [] and key.read_bytes() != before
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_no_home(run, folder):
    (folder / "file").write_text("")
    for place in ("/dev/null/nowhere", str(folder / "file")):
        assert run(XDG_CONFIG_HOME=place) == (["mod.py"], right(folder))
    assert cached(folder) == []


@pytest.mark.parametrize("how", ["-B", "PYTHONDONTWRITEBYTECODE"])
def test_nothing_is_written_where_python_writes_nothing(run, folder, how):
    options, env = (("-B",), {}) if how == "-B" else ((), {how: "1"})
    assert run(*options, **env) == (["mod.py"], right(folder))
    assert not (folder / "__pycache__").exists()
    run()
    assert run(*options, **env) == ([], right(folder))  # but it is read


def test_the_prefix_for_caches(run, folder, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    assert run(PYTHONPYCACHEPREFIX=str(prefix)) == (["mod.py"], right(folder))
    assert run(PYTHONPYCACHEPREFIX=str(prefix)) == ([], right(folder))
    assert not (folder / "__pycache__").exists() and len(cached(prefix)) == 1
    assert run("-X", f"pycache_prefix={prefix}") == ([], right(folder))


def test_where_python_cannot_write(run, folder):
    (folder / "__pycache__").write_text("in the way")  # root may write to read-only folders
    for _ in range(2):
        assert run() == (["mod.py"], right(folder))


def test_optimised_code_is_another(run, folder):
    (folder / "mod.py").write_text(MOD + "if not __debug__: VALUE = 2\n")
    for _ in range(2):
        assert run()[1] == right(folder)
        assert run("-O")[1] == right(folder, 2)
    assert len(cached(folder)) == 2 and run()[0] == run("-O")[0] == []


def test_python_that_tells_where_code_comes_from(installed_python, run, folder):
    run()
    said = installed_python.run("-v", "app.py", cwd=folder).stderr
    assert f"code object from '{folder / 'mod.py'}'" in said or "matches" in said


def test_moved(run, folder, tmp_path_factory):
    run()
    place = tmp_path_factory.mktemp("moved") / "project"
    os.rename(folder, place)
    folder.mkdir()
    assert run(cwd=place) == ([], right(place))


@pytest.mark.parametrize("mode", ["CHECKED_HASH", "UNCHECKED_HASH"])
def test_pyc_files_with_a_hash(run, folder, mode):
    """PEP 552: these are right as long as the hash is, whatever the date; or without a look."""
    kind = py_compile.PycInvalidationMode[mode]
    source = folder / "mod.py"

    def compile_it() -> None:
        done = py_compile.compile(str(source), dfile=str(source), invalidation_mode=kind)
        assert done is not None

    compile_it()
    assert run() == (["mod.py"], right(folder))
    os.utime(source, (1e9, 1e9))
    assert run() == ([], right(folder))
    source.write_text(MOD.replace("1", "2"))
    if mode == "CHECKED_HASH":
        assert run() == (["mod.py"], right(folder, 2))
        assert run() == ([], right(folder, 2))
    else:
        assert run() == ([], right(folder))
        assert run("--check-hash-based-pycs", "always") == (["mod.py"], right(folder, 2))
        source.write_text(MOD.replace("1", "3"))
        compile_it()
        assert run() == (["mod.py"], right(folder, 3))
    source.write_text(MOD.replace("1", "4"))
    assert run("--check-hash-based-pycs", "never")[0] == []
    py_compile.compile(str(source), dfile=str(source))
    assert run() == (["mod.py"], right(folder, 4))


def test_the_configuration_counts_at_once(run, folder):
    run()
    (folder / "codesuture.toml").write_text('exclude = ["mod"]\n')
    assert run() == ([], right(folder).replace("True", "False"))
    (folder / "codesuture.toml").write_text("")
    assert run() == ([], right(folder))


def test_another_codesuture(make_venv, wheel, tmp_path, folder):
    python = make_venv(tmp_path / "venv", wheel)

    def made() -> str:
        done = python.run("app.py", cwd=folder)
        assert done.stderr == ""
        return done.stdout[: done.stdout.index("]") + 1]

    assert [made(), made()] == ["['mod.py']", "[]"]
    package = python.site_packages / "codesuture"
    text = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text(text.replace('__version__ = "', '__version__ = "9'))
    assert [made(), made()] == ["['mod.py']", "[]"]
    os.utime(package / "surgery" / "pads.py", (1e9, 1e9))
    assert [made(), made()] == ["['mod.py']", "[]"]


def test_without_codesuture_it_is_not_there(installed_python, run, folder):
    run()
    (folder / "plain.py").write_text("import mod\nprint(mod.f.__code__.co_names)\n")
    seen = installed_python.run("plain.py", cwd=folder, agent=False).stdout
    assert "AttributeError" in seen and "recover" not in seen


def test_many_processes_at_once(installed_python, folder):
    for number in range(20):
        (folder / f"m{number}.py").write_text(MOD.replace("1", str(number)))
    names = [f"m{number}" for number in range(20)]
    (folder / "all.py").write_text(
        f"import {', '.join(names)}\nprint([m.VALUE for m in ({', '.join(names)})], m3.f(None))\n"
    )
    env = installed_python.environment(CODESUTURE="1")
    env["XDG_CONFIG_HOME"] = str(folder / "config")
    expected = f"{list(range(20))} caught\n"
    for _ in range(2):
        started = [
            subprocess.Popen(
                [installed_python.python, "all.py"],
                cwd=folder,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(6)
        ]
        assert [process.communicate()[0] for process in started] == [expected] * 6
    assert len(cached(folder)) == 20
    left = [path for path in folder.rglob("*") if path.is_file() and path.suffix.isdigit()]
    assert left == []
    own = {path.name for path in (folder / "config" / "codesuture").iterdir()}
    assert own == {"cache.key", "scripts", "verified"}


def test_a_full_disk(run, folder):
    """A disk that is full when the cache is written, and one that fails when it is renamed."""
    run()
    (file,) = cached(folder)
    before = (folder / "app.py").read_text()
    for name, number in (("write", "ENOSPC"), ("replace", "EIO")):
        file.unlink(missing_ok=True)
        (folder / "app.py").write_text(
            "import os, errno\nimport codesuture.armedcache as cache\n"
            "class Full:\n"
            "    def __getattr__(self, name): return getattr(os, name)\n"
            f"    def {name}(self, *words): raise OSError(errno.{number}, 'no')\n"
            "cache.os = Full()\n" + before
        )
        assert run() == (["mod.py"], right(folder))
        assert cached(folder) == []
        assert not [path for path in (folder / "__pycache__").iterdir() if ".opt-" in path.name]


@pytest.mark.parametrize("name", ["get_data", "source_to_code", "path_stats"])
def test_a_loader_that_somebody_changed_is_not_cached(run, folder, name):
    change = (
        "from importlib.machinery import SourceFileLoader as L\n"
        f"old = L.{name}\n"
        f"L.{name} = lambda self, *words, **more: old(self, *words, **more)\n"
    )
    (folder / "app.py").write_text(change + APP)
    for _ in range(2):
        assert run() == (["mod.py"], right(folder))
    assert cached(folder) == []


def test_a_loader_of_somebody_elses_is_not_cached(run, folder):
    change = (
        "import importlib.machinery as m, sys\n"
        "class Own(m.SourceFileLoader):\n"
        "    def source_to_code(self, data, *words, **more):\n"
        "        return super().source_to_code(data.replace(b'1', b'7'), *words, **more)\n"
        "sys.path_hooks.insert(0, m.FileFinder.path_hook((Own, ['.py'])))\n"
        "sys.path_importer_cache.clear()\n"
    )
    (folder / "app.py").write_text("import sys\nsys.dont_write_bytecode = True\n" + change + APP)
    assert run() == (["mod.py"], right(folder, 7))
    (folder / "app.py").write_text(APP)
    assert run() == (["mod.py"], right(folder))
    assert run() == ([], right(folder))
    (folder / "app.py").write_text(change + APP)
    (folder / "__pycache__" / f"mod.{TAG}.pyc").unlink()
    assert run() == (["mod.py"], right(folder, 7))


def test_processes_that_start_together_make_one_key(installed_python, tmp_path):
    ask = (
        "import sys, time\nfrom codesuture import cachekey\n"
        "while time.time() < float(sys.argv[1]): pass\n"
        "print(cachekey.load_or_create().tag(0))"
    )
    together = str(time.time() + 1)
    env = {**installed_python.environment(), "XDG_CONFIG_HOME": str(tmp_path)}
    started = [
        subprocess.Popen(
            [installed_python.python, "-c", ask, together],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    tags = {process.communicate()[0] for process in started}
    assert len(tags) == 1 and tags != {""}
    assert [path.name for path in (tmp_path / "codesuture").iterdir()] == ["cache.key"]
