"""Random programs: what fate says of each crash is what becomes of that exception."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@pytest.mark.parametrize(
    ("first", "count"), [(0, 250), (random.randrange(10**9), 150)], ids=["known", "fresh"]
)
def test_fate_is_right_about_random_programs(first: int, count: int) -> None:
    finished = subprocess.run(
        [sys.executable, str(HERE / "random_programs.py"), str(first), str(count)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=100,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    wrong, asked, unknown = json.loads(finished.stdout.splitlines()[-1])
    assert wrong == []
    assert asked > count / 2, f"{asked} crashes in {count} programs from seed {first}"
    assert unknown < asked / 5, f"{unknown} of {asked} unknown from seed {first}"
