"""Programs that die of crashes which teach something, and ways to run them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

#: Nobody can tell what the context manager does, so the crash is left alone the first time.
CRASH = """\
import contextlib
def crash(value):
    with getattr(contextlib, 'null' + 'context')():
        return value["name"]
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(installed_python, tmp_path: Path) -> Run:
    """`run("app.py", "x", retries=1, stdin=file)`: `codesuture run` in the test's folder.

    Without `stdin` it is the null device.
    """

    def call(*words: str | Path, stdin=subprocess.DEVNULL, python=installed_python, **flags):
        own = [f"--{flag}={value}" for flag, value in flags.items()]
        return subprocess.run(
            [python.python, "-m", "codesuture", "run", *own, *map(str, words)],
            cwd=tmp_path,
            env=installed_python.environment(GIVEN="1"),
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return call


@pytest.fixture
def app(tmp_path: Path) -> Callable[..., Path]:
    """`app(source)` writes `app.py`, in which `crash({})` crashes."""

    def write(source: str) -> Path:
        path = tmp_path / "app.py"
        path.write_text(CRASH + source)
        return path

    return write


@pytest.fixture
def terminal():
    """`master, slave`: a terminal of its own."""
    master, slave = os.openpty()
    yield master, slave
    for descriptor in (master, slave):
        os.close(descriptor)
