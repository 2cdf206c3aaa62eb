"""Every guard heals in every context, each side effect once, in the first run and in the second."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from codesuture.guards.names import BUILT_IN


def _contexts() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "contexts", Path(__file__).with_name("contexts.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


contexts = _contexts()


def guards_of(folder: Path) -> set[str]:
    patches = folder.glob(".codesuture_store/patches/*.json")
    return {json.loads(path.read_text())["guard"] for path in patches}


def survives(installed_python, folder: Path, source: str, lines: list[str]) -> None:
    """Run the program twice: the first run makes the patches, the second loads them."""
    (folder / "app.py").write_text(source)
    plain = installed_python.run("app.py", cwd=folder, agent=False)
    assert plain.returncode == 1, "the program must crash without codesuture"
    first = installed_python.run("app.py", cwd=folder)
    assert first.stdout.splitlines() == lines, first.stderr
    assert first.returncode == 0
    assert first.stderr.count("Patch applied to") >= len(lines)
    second = installed_python.run("app.py", cwd=folder)
    assert second.stdout.splitlines() == lines, second.stderr
    assert second.returncode == 0
    assert "Patch applied to" not in second.stderr
    assert "Already healed, skipping: loaded persistent patch for" in second.stderr


@pytest.mark.parametrize("context", contexts.CONTEXTS)
def test_expressions(installed_python, tmp_path: Path, context: str) -> None:
    survives(installed_python, tmp_path, *contexts.program(context))
    crashes = {name.partition("_guard")[0] + "_guard" for name in contexts.CRASHES}
    assert guards_of(tmp_path) == crashes


def test_statements(installed_python, tmp_path: Path) -> None:
    survives(installed_python, tmp_path, *contexts.statements())
    assert guards_of(tmp_path) == {name.partition(" ")[0] for name in contexts.STATEMENTS}


def test_no_guard_is_left_out() -> None:
    tested = {name.partition("_guard")[0] + "_guard" for name in contexts.CRASHES}
    tested |= {name.partition(" ")[0] for name in contexts.STATEMENTS}
    elsewhere = {"await_guard": "test_async.py", "call_guard": "tests/calls"}
    assert set(BUILT_IN) - tested == set(elsewhere)
