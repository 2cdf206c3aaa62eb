"""Programs with code that has no landing pads, and the engines of this Python."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

#: Guards off that would heal what the program crashes of.
UNHEALED = "null_guard=off,attribute_guard=off,key_guard=off"
HERE = Path(__file__).parent


@pytest.fixture
def engine() -> str:
    """The engine that watches on this Python."""
    return "monitoring" if sys.version_info >= (3, 12) else "trace"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """`app.py` and what it uses: code for `exec`, and a package in a site-packages of its own."""
    package = tmp_path / "lib" / "site-packages" / "frail"
    package.mkdir(parents=True)
    for source, place in (
        ("frail.txt", package / "__init__.py"),
        ("made.txt", tmp_path / "made.txt"),
        ("app.txt", tmp_path / "app.py"),
    ):
        place.write_text((HERE / source).read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path
