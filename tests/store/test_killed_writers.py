"""`kill -9` at any moment of a write: the store loads, and nothing that was written is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .conftest import CHECKOUT


def test_writers_that_are_killed_at_every_step(tmp_path: Path) -> None:
    program = Path(__file__).with_name("killing.py")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CODESUTURE")}
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "store"), os.environ.get("KILLS", "0")],
        env={**kept, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rounds = int(done.stdout.split()[0])
    assert rounds >= max(300, int(os.environ.get("KILLS", "0"))), done.stdout
