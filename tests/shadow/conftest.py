"""Programs that are run with ``--shadow``, and what their stores say then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: What a program's crashes get: ``None``, whatever the code around would need.
CONFIGURATION = """\
shadow = true
[defaults]
key_guard = "None"
null_guard = "None"
"""


@pytest.fixture
def shadowed(installed_python: Any, tmp_path: Path) -> Callable[..., Any]:
    """``shadowed(program, *words)``: run it in a folder of its own, with ``shadow`` on."""

    def run(program: str, *words: str, **more: Any) -> Any:
        (tmp_path / "app.py").write_text(program)
        (tmp_path / "codesuture.toml").write_text(CONFIGURATION)
        return installed_python.run("app.py", *words, cwd=tmp_path, **more)

    return run


@pytest.fixture
def seen(tmp_path: Path) -> Callable[[], dict[str, dict[str, Any]]]:
    """``seen()``: by function, what the store says about its patches' values."""

    def read() -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for path in (tmp_path / ".codesuture_store" / "patches").glob("*.json"):
            patch = json.loads(path.read_text())
            shadow = patch.get("shadow", {"verdict": "", "seen": 0, "where": []})
            known = found.setdefault(patch["qualname"], {"seen": 0, "where": [], "verdicts": []})
            known["seen"] += shadow["seen"]
            known["where"] += shadow["where"]
            known["verdicts"].append(shadow["verdict"])
        return found

    return read
