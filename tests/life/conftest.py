"""Programs in a folder of their own, and commands that decide about their patches."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def run(installed_python: Any, tmp_path: Path) -> Callable[..., Any]:
    """Write `app.py` (unless the text is empty) and run it in the test's folder."""

    def run_program(text: str = "", **options: Any) -> Any:
        if text:
            (tmp_path / "app.py").write_text(text)
        return installed_python.run("app.py", cwd=tmp_path, **options)

    return run_program


@pytest.fixture
def decide(installed_python: Any, tmp_path: Path) -> Callable[..., str]:
    """Run a command in the test's folder, which must succeed; its output."""

    def call(*words: str) -> str:
        done: subprocess.CompletedProcess[str] = installed_python.run(
            "-m", "codesuture", *words, cwd=tmp_path, agent=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture
def patches(tmp_path: Path) -> Callable[..., list[Any]]:
    """The recipes of the test's folder, by function; `patches("removed")`: those rolled back."""

    def read(where: str = "patches") -> list[Any]:
        found = (tmp_path / ".codesuture_store" / where).glob("*.json")
        documents = [json.loads(path.read_text()) for path in found]
        return sorted(documents, key=lambda patch: (patch["qualname"], patch["ordinal"]))

    return read
