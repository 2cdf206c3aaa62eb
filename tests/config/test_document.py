"""docs/configuration.md is what the key table says."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from codesuture.config.document import page
from codesuture.config.keys import KEYS
from codesuture.config.load import load

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "codesuture.config.document"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=PAGE.parents[1],
    )
    assert PAGE.read_text(encoding="utf-8") == done.stdout


def test_the_page_has_a_row_for_every_key() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [key.name for key in KEYS]


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    example = page().split("```toml\n")[1].split("```")[0]
    assert tomllib.loads(example)
    (tmp_path / "codesuture.toml").write_text(example, encoding="utf-8")
    config = load(str(tmp_path), {})
    assert config.ttl == 3.0 and config.breaker_frame == 100
