"""Where README.md says that a crash is left to the program, it is."""

from __future__ import annotations

import pytest

CRASH = "AttributeError: 'NoneType' object has no attribute 'x'\n"
MANAGER = "class C:\n  def __enter__(self): pass\n  __exit__ = staticmethod(any)\n"


def test_the_prompt(installed_python, tmp_path):
    done = installed_python.run("-i", "-q", cwd=tmp_path, input="print(None.x)\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert CRASH in done.stderr and "CodeSuture" not in done.stderr


def test_what_is_given_to_exec_crashes_once(installed_python, tmp_path):
    (tmp_path / "app.py").write_text("exec('print([None.x])')\n")
    first, second = (installed_python.run("app.py", cwd=tmp_path) for _ in range(2))
    assert (first.returncode, first.stdout) == (1, "")
    assert CRASH in first.stderr and "from now on" in first.stderr
    assert (second.returncode, second.stdout) == (0, "[None]\n"), second.stderr


@pytest.mark.parametrize("include", ["", "otherpeople"])
def test_third_party_code_unless_it_is_included(make_venv, wheel, tmp_path, include):
    python = make_venv(tmp_path / "venv", wheel)
    (python.site_packages / "otherpeople.py").write_text("def x(of): return of.x\n")
    (tmp_path / "app.py").write_text("import otherpeople\nprint([otherpeople.x(None)])\n")
    done = python.run("app.py", cwd=tmp_path, env={"CODESUTURE_INCLUDE": include})
    if include:
        assert (done.returncode, done.stdout) == (0, "[None]\n")
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.endswith(CRASH)


@pytest.mark.parametrize(
    "program",
    ["raise AttributeError('mine')", "assert None, 'mine'",
     "import json\njson.loads('no')",
     "import random\nrandom.choice([])", "print(undefined)", "len(1, 2)",
     MANAGER + "with C(): None.x\nprint('swallowed')"],
)  # fmt: skip
def test_what_is_left_to_the_program(installed_python, tmp_path, program):
    (tmp_path / "app.py").write_text(program + "\n")
    plain = installed_python.run("app.py", agent=False, cwd=tmp_path)
    under = installed_python.run("app.py", cwd=tmp_path)
    assert (under.returncode, under.stdout) == (plain.returncode, plain.stdout)
    assert under.stderr == plain.stderr
    assert not list(tmp_path.glob(".codesuture_store/patches/*"))


POOL = """\
import multiprocessing, concurrent.futures

def job(user):
    return user.x

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        try:
            pool.map(job, [None])
        except AttributeError as error:
            print("handled", error)
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        print(pool.submit(job, None).exception())
"""


def test_what_another_process_is_handed(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(POOL)
    plain = installed_python.run("app.py", agent=False, cwd=tmp_path)
    under = installed_python.run("app.py", cwd=tmp_path)
    assert plain.stdout.count("has no attribute 'x'") == 2
    assert (under.returncode, under.stdout) == (plain.returncode, plain.stdout)
    assert "CodeSuture" not in under.stderr
    assert not (tmp_path / ".codesuture_store").exists()
