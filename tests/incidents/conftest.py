"""Programs that crash under the agent, and the records that they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Records = Callable[[Path], list[dict[str, Any]]]
Crashes = Callable[[Path], dict[str, int]]


def _records(folder: Path) -> list[dict[str, Any]]:
    incidents = folder / ".codesuture_store" / "incidents"
    lines: list[str] = []
    for name in ("log.3", "log.2", "log.1", "log"):
        path = incidents / f"{name}.jsonl"
        if path.exists():
            lines += path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _crashes(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in (folder / ".codesuture_store" / "incidents" / "hours").glob("*.json"):
        for one, number in json.loads(path.read_text(encoding="utf-8"))["crashes"].items():
            found[one] = found.get(one, 0) + number
    return found


@pytest.fixture
def records() -> Records:
    """`records(folder)`: the records in the store of a folder, the oldest first."""
    return _records


@pytest.fixture
def crashes() -> Crashes:
    """`crashes(folder)`: how many crashes were counted there, by id."""
    return _crashes
