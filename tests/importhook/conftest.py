"""Asking a program which of its modules are armed."""

from __future__ import annotations

from pathlib import Path

import pytest

from .programs import RUN, WORK

#: Put in front of a program: `armed(module)` is whether the code that it ran was armed.
PRELUDE = """\
import codesuture.importhook as _hook, sys
_armed = {}
_loaded = _hook.session.module_loaded
def _noting(module, code):
    _armed[code.co_filename] = True
    return _loaded(module, code)
_hook.session.module_loaded = _noting
def armed(module):
    return _armed.get(module.__spec__.origin if module.__spec__ else module.__file__, False)
"""


@pytest.fixture
def program(installed_python, tmp_path: Path):
    """Run source as a script under the agent in the test's folder, return what it printed."""

    def run(source: str, *words: str, **options) -> str:
        (tmp_path / "app.py").write_text(PRELUDE + source, encoding="utf-8")
        done = installed_python.run("app.py", *words, cwd=tmp_path, **options)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    return run


@pytest.fixture
def same_program(installed_python, tmp_path: Path, steady):
    """Run a program that imports `mod` and `pkg`, plain and under the agent: no difference."""
    (tmp_path / "mod.py").write_text('"""Text."""\ndef f(x):\n    return x.y\n')
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "pkg" / "data.txt").write_text("data")

    def compare(source: str) -> None:
        (tmp_path / "app.py").write_text(source)
        plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
        ours = installed_python.run("app.py", cwd=tmp_path)
        assert plain.returncode == 0, plain.stderr

        def seen(done) -> list[str]:
            return [str(done.returncode), *steady(done.stdout).split("\n"), done.stderr]

        assert seen(ours) == seen(plain)

    return compare


@pytest.fixture
def both(installed_python, tmp_path: Path):
    """Run a command line plain and with the agent, and give what both printed."""
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "run.py").write_text(RUN)

    def start(*words: str, **env: str) -> list[str]:
        outcomes = []
        for agent in (False, True, True):  # the third has a warm cache
            done = installed_python.run(*words, cwd=tmp_path, agent=agent, env=env)
            assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
            outcomes.append(done.stdout)
        assert outcomes[1] == outcomes[2]
        return outcomes[:2]

    return start
