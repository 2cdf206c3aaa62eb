"""CPython's own tests, those that are quick, run armed: each of them with the outcome it has plain.

``cpython_suite.py`` runs many more. What an interpreter's distribution leaves out is not run here
(Debian's packages have next to none of ``test``).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


def _driver() -> Any:
    path = Path(__file__).parent / "cpython_suite.py"
    spec = importlib.util.spec_from_file_location("cpython_suite", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


suite = _driver()
FILES = suite.available([*suite.files(quick=True), "test_support"])


@pytest.mark.parametrize("name", FILES)
def test_outcomes_are_those_of_plain_python(name: str) -> None:
    plain, differing = suite.compare(name)
    assert plain, f"{name} has no tests"
    assert not suite.unlisted(differing)
