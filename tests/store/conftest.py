"""Patches to store, and processes that store them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import codesuture.store
from codesuture.defaults.recipe import Recipe
from codesuture.store import Patch, Store

CHECKOUT = Path(codesuture.store.__file__).parents[2]
NOW = datetime(2025, 1, 31, 12, 0, 0, tzinfo=UTC)


def _make_patch(ordinal: int = 1, **changes: Any) -> Patch:
    fields: dict[str, Any] = {
        "module": "app",
        "qualname": "get_bio",
        "fingerprint": "0123456789abcdef" * 2,
        "ordinal": ordinal,
        "guard": "null_guard",
        "created": NOW,
        "expires": NOW + timedelta(days=7),
        "file": "app.py",
        "line": 8,
        "target": "profile",
        "operation": "load_attr",
        "exception": "AttributeError",
        "message": "'NoneType' object has no attribute 'bio'",
        "default": Recipe.constant(None),
        "rung": "guard",
        "reason": "It is the default of the guard.",
        "fate": "No frame has a handler.",
        "python": "3.13",
        "codesuture": "0.1.0",
    }
    return Patch.create(**(fields | changes))


@pytest.fixture
def make_patch() -> Callable[..., Patch]:
    """Makes a patch that differs from the others by its ordinal."""
    return _make_patch


@pytest.fixture
def now() -> datetime:
    """The moment at which ``make_patch`` creates its patches."""
    return NOW


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that does not exist yet."""
    return Store(tmp_path / ".codesuture_store")


@pytest.fixture
def start_python() -> Callable[..., subprocess.Popen[str]]:
    """Starts this Python with codesuture importable, on a program and its arguments."""

    def start(program: str, *arguments: str) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CODESUTURE")}
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            env=environment | {"PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def run_python(start_python: Callable[..., subprocess.Popen[str]]) -> Callable[..., str]:
    """Runs a program to its end and gives its output; it must succeed."""

    def run(program: str, *arguments: str) -> str:
        process = start_python(program, *arguments)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        return output

    return run
