"""What loading the configuration imports, because it happens at interpreter start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN = {
    "typing", "dataclasses", "enum", "re", "json", "logging", "argparse", "threading", "tomllib",
    "pathlib", "bytecode", "importlib_metadata", "colorama", "inspect", "contextlib", "functools",
    "collections", "tomli_w", "difflib",
}  # fmt: skip

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from codesuture.config.load import load
from codesuture.config.runflags import decode
load(sys.argv[2], {"CODESUTURE_TTL": "3"}, decode("verbose=1"))
print(" ".join(set(sys.modules) - before))
"""


@pytest.mark.parametrize("pyproject", ["", "[project]\nname = 'codesuture-user'\n"])
def test_without_a_file_next_to_nothing_is_imported(tmp_path: Path, pyproject: str) -> None:
    (tmp_path / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, root, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "codesuture.config.load" in imported
    assert not imported & FORBIDDEN
