"""Projects with crashes that were healed for real, and the command line on them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import codesuture

Done = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    """The environment without what would change the outcome, and with our package importable."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CODESUTURE")
        and name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONDONTWRITEBYTECODE")
    }
    kept["PYTHONPATH"] = str(Path(codesuture.__file__).parents[1])
    return {**kept, "PYTHONIOENCODING": "utf-8", **more}


def run(*words: str, cwd: Path, **more: str) -> Done:
    """Run Python there."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


class Project:
    """A folder whose programs were run with codesuture."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, content: str | bytes, name: str = "app.py") -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def heal(self, name: str = "app.py") -> Done:
        """Run a program with codesuture; it has to live."""
        done = run("-m", "codesuture", "run", name, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done

    def cli(self, *words: str, **more: str) -> Done:
        """Run a command of codesuture."""
        return run("-m", "codesuture", *words, cwd=self.folder, **more)

    def suggestions(self, *words: str) -> list[dict[str, Any]]:
        """What `suggest --json` says."""
        done = self.cli("suggest", "--json", *words)
        assert done.stdout, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)["suggestions"]
        return found

    def apply(self, *words: str) -> Done:
        """`suggest --apply`, which has to succeed."""
        done = self.cli("suggest", "--apply", *words)
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project; nothing around it is a repository of git."""
    return Project(tmp_path)


@pytest.fixture(scope="session")
def _healed_already(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {}


@pytest.fixture
def healed(
    project: Project, _healed_already: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Project]:
    """`healed(source)`: a project whose app.py was run with codesuture (a copy of one)."""

    def make(source: str) -> Project:
        if source not in _healed_already:
            first = Project(tmp_path_factory.mktemp("healed"))
            first.write(source)
            first.heal()
            _healed_already[source] = first.folder
        shutil.copytree(_healed_already[source], project.folder, dirs_exist_ok=True)
        return project

    return make
