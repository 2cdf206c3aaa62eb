"""What counts as user code, asked of the function and of real imports."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig

import pytest

from codesuture import importhook
from codesuture.config.load import load


@pytest.fixture(autouse=True)
def folders(monkeypatch):
    """What `install` looks up, without installing anything in the tests' own process."""
    monkeypatch.setattr(importhook, "_own_folders", importhook._folders_of_codesuture())
    library = importhook._folders_of_the_standard_library()
    monkeypatch.setattr(importhook, "_library_folders", library)


@pytest.fixture
def config(tmp_path):
    return load(str(tmp_path), environ={})


@pytest.fixture
def wants(config):
    def ask(module: str, filename: str) -> bool:
        return importhook.is_user_code(module, filename, config)

    return ask


def test_places(wants, tmp_path):
    purelib = sysconfig.get_path("purelib")
    assert wants("shop", str(tmp_path / "shop.py"))
    assert wants("pkg.sub", "/srv/checkout/src/pkg/sub.py")
    assert not wants("json", os.path.join(os.path.dirname(os.__file__), "json", "__init__.py"))
    assert not wants("ctypes", os.path.join(sysconfig.get_path("stdlib"), "ctypes", "x.py"))
    assert not wants("pip", os.path.join(purelib, "pip", "__init__.py"))
    assert not wants("x", "<frozen x>") and not wants("x", "<string>")
    assert not wants("codesuture.runtime", importhook.__file__)
    assert not wants("renamed", importhook.__file__)
    assert wants("codesuture_demo", "/srv/codesuture_demo.py")


def test_a_folder_of_packages_is_one_by_what_it_is_for(wants, tmp_path, monkeypatch):
    below = tmp_path / "site-packages" / "project"
    assert wants("shop", str(below / "shop.py"))
    assert wants("shop", str(below / "src" / "shop.py"))
    nested = below / ".venv" / "lib" / "python3" / "site-packages"
    monkeypatch.setattr(sys, "path", [str(below), str(nested)])
    assert not wants("flask", str(nested / "flask.py"))
    assert wants("shop", str(below / "shop.py"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site-packages")])
    assert not wants("shop", str(below / "shop.py"))


def test_the_environment_inside_the_project_and_the_project_inside_the_prefix(wants, monkeypatch):
    monkeypatch.setattr(sys, "prefix", "/srv/app")
    assert wants("app.main", "/srv/app/app/main.py")
    assert not wants("flask", "/srv/app/lib/python3.13/site-packages/flask/app.py")
    assert not wants("flask", "/srv/app/lib64/python3.13/site-packages/flask/app.py")
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    assert not wants("yaml", "/usr/lib/python3/dist-packages/yaml/__init__.py")
    assert wants("tool", "/usr/src/tool.py")


def test_main_always_is(wants):
    inside = os.path.join(sysconfig.get_path("purelib"), "bin", "tool")
    assert wants("__main__", inside) and wants("__mp_main__", inside)


def test_patterns(tmp_path):
    (tmp_path / "codesuture.toml").write_text(
        'include = ["flask", "flask.*"]\nexclude = ["flask.json", "shop.legacy*", "script"]\n'
    )
    config = load(str(tmp_path), environ={})
    site = os.path.join(sysconfig.get_path("purelib"), "x.py")

    def wants(module: str, filename: str) -> bool:
        return importhook.is_user_code(module, filename, config)

    assert wants("flask", site) and wants("flask.app", site) and not wants("jinja2", site)
    assert not wants("flask.json", site)
    assert wants("shop.new", "/srv/shop/new.py") and not wants("shop.legacy2", "/srv/shop/l.py")
    assert not wants("__main__", "/srv/script.py") and wants("__main__", "/srv/other.py")


def test_real_imports(program, tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("from . import sub\n")
    (tmp_path / "pkg" / "sub.py").write_text("")
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "leaf.py").write_text("")
    out = program(
        "import pkg, pkg.sub, names.leaf, json, iniconfig, codesuture.store, colorsys\n"
        "print([armed(m) for m in (pkg, pkg.sub, names.leaf)])\n"
        "print([armed(m) for m in (json, iniconfig, codesuture.store, colorsys)])\n"
    )
    assert out == "[True, True, True]\n[False, False, False, False]\n"


def test_sourceless_zipped_and_reloaded_modules(program, tmp_path):
    import py_compile
    import zipfile

    (tmp_path / "source.py").write_text("x = 1\n")
    py_compile.compile(str(tmp_path / "source.py"), str(tmp_path / "bare.pyc"), dfile="bare.py")
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("zipped.py", "y = 2\n")
    out = program(
        "import sys, importlib\n"
        "sys.path.append('lib.zip')\n"
        "import bare, zipped, source\n"
        "print(list(map(armed, (zipped, source))), len(_armed))\n"
        "_armed.clear(); importlib.reload(source); print(armed(source))\n"
    )
    assert out == "[True, True] 3\nTrue\n"


def test_extension_modules_are_left_alone(program, tmp_path):
    """Those of the tests' own tools, as if they were the project's."""
    import coverage.tracer as tracer

    name = os.path.basename(tracer.__file__)
    shutil.copy(tracer.__file__, tmp_path / name)
    out = program(
        "import tracer, os\n"
        f"print(tracer.__file__ == os.path.abspath({name!r}), type(tracer.__loader__).__name__)\n"
        "print(armed(tracer), tracer.CTracer)\n"
    )
    assert out == "True ExtensionFileLoader\nFalse <class 'coverage.CTracer'>\n"


@pytest.mark.skipif(sys.version_info < (3, 15), reason="lazy imports are new in 3.15")
def test_lazy_imports_are_armed_when_they_happen(program, tmp_path):
    """PEP 810: one that is used, one that is used in a thread, one that is not."""
    for name in ("used", "threaded", "unused"):
        (tmp_path / f"{name}.py").write_text("def f(x): return x.y\n")
    out = program(
        "import threading\n"
        "lazy import used\nlazy import unused\nlazy from threaded import f\n"
        "def loaded(): return [n in sys.modules for n in ('used', 'threaded', 'unused')]\n"
        "print(loaded(), len(_armed))\n"
        "used.f\n"
        "thread = threading.Thread(target=lambda: f); thread.start(); thread.join()\n"
        "print(loaded(), armed(used), len(_armed))\n"
    )
    assert out == "[False, False, False] 0\n[True, True, False] True 2\n"


def test_modules_run_with_m(installed_python, tmp_path):
    (tmp_path / "mod.py").write_text("def f(): pass\nprint(len(f.__code__.co_names))\n")
    (tmp_path / "real.py").write_text(
        "def f(x): return x.y\nprint(len(f.__code__.co_code) > 60, len(f.__code__.co_names))\n"
    )
    plain = installed_python.run("-m", "real", cwd=tmp_path, agent=False).stdout
    ours = installed_python.run("-m", "real", cwd=tmp_path).stdout
    assert plain == "False 1\n" and ours != plain


def test_scripts_of_worker_processes_are_armed(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(
        "import multiprocessing\n"
        "def work(x): return len(work.__code__.co_names), x.real\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(work, [1]) == [work(1)], work(1)[0])\n"
    )
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False).stdout
    ours = installed_python.run("app.py", cwd=tmp_path)
    assert ours.stdout.startswith("True ") and ours.stdout != plain, ours.stderr


def test_readers_of_source_and_resources_see_no_difference(same_program):
    same_program(
        "import inspect, mod, linecache, importlib.resources as r, pkgutil, mod as m\n"
        "print(inspect.getsource(mod), inspect.getsource(mod.f), mod.__spec__, mod.__loader__)\n"
        "print(mod.f.__code__.co_code[:4], mod.f.__code__.co_firstlineno, mod.__dict__.keys())\n"
        "print(pkgutil.get_data('pkg', 'data.txt'), list(mod.f.__code__.co_lines())[:2])\n"
        "print(mod.f.__code__.co_varnames, mod.f.__code__.co_flags, mod.f.__code__.co_qualname)\n"
        "print(mod.__spec__.loader.get_source('mod'), mod.__cached__ if 0 else mod.__file__)\n"
        "import importlib._bootstrap_external as b\n"
        "print(b.SourceLoader.get_code.__qualname__, b.SourceLoader.get_code.__doc__)\n"
    )


def test_written_caches_are_plain(installed_python, tmp_path):
    (tmp_path / "app.py").write_text("import mod\nmod.f\n")
    (tmp_path / "mod.py").write_text("def f(x): return x.y\n")
    contents = []
    for agent in (False, True):
        for cached in tmp_path.glob("__pycache__/mod.*"):
            cached.unlink()
        assert installed_python.run("app.py", cwd=tmp_path, agent=agent).returncode == 0
        (cached,) = tmp_path.glob(f"__pycache__/mod.{sys.implementation.cache_tag}.pyc")
        contents.append(cached.read_bytes())
    assert contents[0] == contents[1]


def test_a_fault_while_arming_is_one_line_and_the_modules_run(installed_python, tmp_path):
    for name in ("mod", "other", "third"):
        (tmp_path / f"{name}.py").write_text(f"print('{name}', __name__)\n")
    (tmp_path / "app.py").write_text(
        "from codesuture.surgery import arming\n"
        "def arm(code, *_): raise OSError('odd' if 'third' in code.co_filename else 'broken')\n"
        "arming.arm = arm\n"
        "import mod, other, third, importlib\nimportlib.reload(mod)\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (
        0,
        "mod mod\nother other\nthird third\nmod mod\n",
    )
    again = "runs without codesuture, and so does each module where this happens again"
    assert done.stderr == (
        f"[CodeSuture] mod {again}: OSError: broken\n"
        f"[CodeSuture] third {again}: OSError: odd\n"
    )


FORBIDDEN = {
    *("typing", "dataclasses", "enum", "re", "json", "logging", "argparse", "threading"),
    *("tomllib", "bytecode", "importlib_metadata", "colorama", "inspect", "contextlib"),
    *("functools", "collections", "socket", "ssl", "runpy", "subprocess", "tempfile", "pathlib"),
    *("random", "hashlib", "datetime", "fnmatch", "warnings"),
}


def test_starting_imports_next_to_nothing(installed_python, tmp_path):
    (tmp_path / "app.py").write_text("import sys, mod; print(*sorted(sys.modules))\n")
    (tmp_path / "mod.py").write_text("def f(x): return x.y\n")
    plain, first, again = (
        set(installed_python.run("app.py", cwd=tmp_path, agent=agent).stdout.split())
        for agent in (False, True, True)
    )
    assert "codesuture.importhook" in again
    assert (first - plain) & FORBIDDEN == {"warnings"}  # does the compiler have any to give?
    assert (again - plain) & FORBIDDEN == set()
    assert not (plain - first) and not (plain - again)
