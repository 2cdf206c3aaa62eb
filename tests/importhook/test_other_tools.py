"""Other tools that hook imports, read bytecode or watch execution: both they and we work."""

from __future__ import annotations

import json
import sys

import pytest

CORES = ["ctrace", "sysmon"] if sys.version_info >= (3, 12) else ["ctrace"]


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
def test_coverage(both, installed_python, tmp_path, core, branch):
    if core == "sysmon" and branch and sys.version_info < (3, 14):
        core = "ctrace"  # coverage itself measures branches with it only from 3.14 on
    reports = []
    for agent in (False, True, True):
        for command in (
            ["run", *(["--branch"] if branch else []), "run.py"],
            ["json", "-q", "-o", "report.json"],
        ):
            done = installed_python.run(
                *("-m", "coverage", *command),
                cwd=tmp_path,
                agent=agent,
                env={"COVERAGE_CORE": core},
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        report = json.loads((tmp_path / "report.json").read_text())
        reports.append(report["files"])
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["work.py"]["summary"]["covered_lines"] > 30


PYTEST_TESTS = """\
import helper

def test_rewritten():
    value = {"a": [1, 2]}
    assert value["a"] == [1, 3]

def test_armed():
    assert ("__codesuture_recover__" in test_armed.__code__.co_names) is ARMED
    assert "__codesuture_recover__" in helper.f.__code__.co_names
"""


@pytest.mark.parametrize("include", [False, True])
def test_pytest_rewrites_assertions_of_armed_tests(installed_python, tmp_path, include):
    """Tests are armed where they are included, and their cache holds what pytest wrote."""
    (tmp_path / "helper.py").write_text("def f(x):\n    return x.y\n")
    (tmp_path / "test_it.py").write_text(f"ARMED = {include}\n" + PYTEST_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    env = {"CODESUTURE_INCLUDE": "test_*"} if include else {}
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    for _ in range(2):
        done = installed_python.run(*command, cwd=tmp_path, env=env)
        assert "assert [1, 2] == [1, 3]" in done.stdout
        assert "1 failed, 1 passed" in done.stdout, done.stdout
    (cached,) = (tmp_path / "__pycache__").glob("test_it.*-pytest-*.pyc")
    assert b"codesuture.armed" not in cached.read_bytes()


@pytest.mark.parametrize("tool", ["beartype", "typeguard"])
def test_hooks_that_check_types(installed_python, tmp_path, tool):
    installs = {
        "beartype": "from beartype.claw import beartype_packages\nbeartype_packages('typed')\n",
        "typeguard": "from typeguard import install_import_hook\ninstall_import_hook('typed')\n",
    }
    (tmp_path / "typed.py").write_text("def f(x: int) -> int:\n    return x.real\n")
    (tmp_path / "other.py").write_text("def g(x):\n    return x.y\n")
    (tmp_path / "app.py").write_text(
        installs[tool] + "import typed, other\n"
        "try: print(typed.f('text'))\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(typed.f(3), '__codesuture_recover__' in other.g.__code__.co_names)\n"
    )
    seen = []
    for agent in (False, True, True, False):
        done = installed_python.run("app.py", cwd=tmp_path, agent=agent)
        assert done.returncode == 0, done.stderr
        seen.append(done.stdout.split("\n"))
    assert [out[0] for out in seen] == [seen[0][0]] * 4
    assert "Error" in seen[0][0] or "Violation" in seen[0][0]
    assert [out[1] for out in seen] == ["3 False", "3 True", "3 True", "3 False"]


def test_circular_imports_threads_and_resources(both, tmp_path):
    (tmp_path / "a.py").write_text("import b\ndef f(): return b.g()\n")
    (tmp_path / "b.py").write_text("import a\ndef g(): return a.__name__\n")
    for number in range(12):
        (tmp_path / f"t{number}.py").write_text(
            # No ring: for one that several threads enter, Python itself raises an error.
            f"import time, t{min(number + 1, 11)} as other\ntime.sleep(0.001)\nN = {number}\n"
        )
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "leaf.py").write_text("def f(): return __spec__.name\n")
    (tmp_path / "space" / "data.txt").write_text("data")
    (tmp_path / "app.py").write_text(
        "import threading, importlib, importlib.resources as r, sys\n"
        "import a, space.leaf\n"
        "print(a.f(), space.leaf.f(), r.files('space').joinpath('data.txt').read_text())\n"
        "def load(n):\n"
        "    try: importlib.import_module(f't{n}')\n"
        "    except Exception as error: print(type(error))\n"
        "threads = [threading.Thread(target=load, args=(n,)) for n in range(12)]\n"
        "[t.start() for t in threads]; [t.join(30) for t in threads]\n"
        "print([sys.modules[f't{n}'].N for n in range(12)], importlib.reload(a) is a)\n"
    )
    plain, ours = both("app.py")
    assert ours == plain and "data" in plain


def test_lazy_imports(both, tmp_path):
    """3.15 (PEP 810): the module is loaded, and armed, when its name is first used."""
    word = "lazy import" if sys.version_info >= (3, 15) else "import"
    (tmp_path / "app.py").write_text(
        f"import sys\n{word} work\nbefore = 'work' in sys.modules\n"
        "print(before, work.run()[0], 'work' in sys.modules)\n"
    )
    plain, ours = both("app.py")
    assert ours == plain


def test_finders_and_loaders_of_somebody_elses(both, tmp_path):
    (tmp_path / "app.py").write_text(
        "import importlib.abc, importlib.util, sys\n"
        "class Loader(importlib.abc.InspectLoader):\n"
        "    def get_source(self, name): return f'NAME = {name!r}\\ndef f(x): return x.y\\n'\n"
        "class Bare:\n"
        "    def create_module(self, spec): return None\n"
        "    def exec_module(self, module): exec('N = 1', module.__dict__)\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name in ('virtual', 'bare'):\n"
        "            loader = Loader() if name == 'virtual' else Bare()\n"
        "            return importlib.util.spec_from_loader(name, loader)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import virtual, bare\n"
        "print(virtual.NAME, bare.N, type(virtual.__loader__), virtual.f.__code__.co_filename)\n"
    )
    plain, ours = both("app.py")
    assert ours == plain
