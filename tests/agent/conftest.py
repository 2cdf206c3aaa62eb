"""Comparing a program under the agent with the same program in plain Python."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

Outcome = tuple[int, str, str]
Compare = Callable[..., Outcome]


def _lines(outcome: Outcome) -> list[str]:
    code, out, err = outcome
    return [f"exit code {code}", *out.split("\n"), "standard error:", *err.split("\n")]


@pytest.fixture
def same(installed_python, tmp_path: Path, steady: Callable[[str], str]) -> Compare:
    """Run a command line without and with the agent, assert that nothing differs, return it.

    With the agent it runs twice: a script's code is kept the first time. All run in the test's
    folder. What differs from run to run (`steady`) counts as equal.
    """

    def compare(*words: str | Path, **options) -> Outcome:
        outcomes = []
        for agent in (False, True, True):
            done = installed_python.run(*words, agent=agent, **{"cwd": tmp_path, **options})
            outcomes.append((done.returncode, steady(done.stdout), steady(done.stderr)))
        plain, *with_agent = map(_lines, outcomes)
        for run, lines in enumerate(with_agent, 1):
            difference = difflib.unified_diff(plain, lines, "plain", f"agent, run {run}", n=0)
            assert "\n".join(difference) == ""
        return outcomes[0]

    return compare


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """`write("pkg/mod.py", source)` in the test's folder."""

    def put(name: str, source: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        return path

    return put
