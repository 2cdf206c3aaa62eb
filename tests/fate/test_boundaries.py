"""Boundaries of the configuration, of installed packages, and what a rule may say."""

from __future__ import annotations

import pytest

from codesuture.fate import Boundary

WORKER = """
import contextlib

def loop(jobs):
    for job in jobs:
        try:
            job()
        except OSError:
            print("disk")
        except Exception as error:
            print("lost", type(error).__name__)

def crash():
    rows = {}
    print("row", rows["k"])

def full():
    open("/no/such/folder/file").read()

if __name__ == "__main__":
    loop([crash, full])
"""
CALLER = "from worker import crash, full, loop\nloop([crash, full])\n"
PLAIN = "lost KeyError\ndisk\n"
HEALED = "row \ndisk\n"


def write(folder, **texts):
    for name, text in texts.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_catch_all_handles_until_it_is_named_a_boundary(installed_python, tmp_path):
    write(tmp_path, worker__py=WORKER, app__py=CALLER)
    assert installed_python.run("app.py", cwd=tmp_path).stdout == PLAIN
    write(tmp_path, codesuture__toml='boundaries = ["worker:loop"]\n')
    assert installed_python.run("app.py", cwd=tmp_path).stdout == HEALED


@pytest.mark.parametrize("words", [["worker.py"], ["-m", "worker"]])
def test_a_boundary_in_the_main_module_goes_by_its_own_name(installed_python, tmp_path, words):
    write(tmp_path, worker__py=WORKER, codesuture__toml='boundaries = ["worker:loop"]\n')
    assert installed_python.run(*words, cwd=tmp_path).stdout == HEALED


def install(folder, points):
    info = folder / "jobs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jobs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[codesuture.boundaries]\n{points}\n")


def test_boundaries_of_installed_packages(installed_python, tmp_path):
    write(tmp_path, worker__py=WORKER, app__py=CALLER, jobs__py="FOUND = ['worker:loop']\n")
    install(tmp_path, "jobs = jobs:FOUND")
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stdout == HEALED, done.stderr


def test_a_rule_may_know_the_application_s_handler(installed_python, tmp_path):
    rules = (
        "from codesuture.fate import Boundary, HANDLED\n"
        "def find():\n"
        "    def rule(frame, kind):\n"
        "        return HANDLED, 'reaches a handler'\n"
        "    return [Boundary('worker', 'loop', rule)]\n"
    )
    write(tmp_path, worker__py=WORKER, app__py=CALLER, jobs__py=rules)
    install(tmp_path, "jobs = jobs:find")
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.stdout, done.stderr) == (PLAIN, "")


def test_a_rule_that_fails_leaves_the_exception_alone(installed_python, tmp_path):
    rules = "from codesuture.fate import Boundary\nFOUND = [Boundary('worker', 'loop', len)]\n"
    write(tmp_path, worker__py=WORKER, app__py=CALLER, jobs__py=rules)
    install(tmp_path, "jobs = jobs:FOUND")
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.stdout, done.stderr) == (PLAIN, "")


def test_a_package_whose_boundaries_cannot_be_read_is_named(installed_python, tmp_path):
    write(tmp_path, worker__py=WORKER, app__py=CALLER)
    install(tmp_path, "jobs = no_such_module:FOUND")
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stdout == PLAIN
    assert len(done.stderr.splitlines()) == 1
    assert "boundaries 'jobs'" in done.stderr


@pytest.mark.parametrize("text", ["worker", "worker:", ":loop", ""])
def test_a_boundary_is_named_by_module_and_qualname(text):
    with pytest.raises(ValueError, match="write module:qualname"):
        Boundary.named(text)
