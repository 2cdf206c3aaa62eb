"""Random programs with nested handlers: where plain ends without an exception, armed is the same.

Hypothesis gives seeds; each seed is a batch of programs that one subprocess runs plain and armed.
``TRANSPARENCY_BATCHES=1000 pytest tests/transparency/test_random_programs.py`` looks longer.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as start_from
from hypothesis import strategies as st

HERE = Path(__file__).parent
BATCHES = int(os.environ.get("TRANSPARENCY_BATCHES", "25"))
PROGRAMS = 100


def _writer() -> Any:
    spec = importlib.util.spec_from_file_location("random_source", HERE / "random_source.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_source = _writer()


def write_programs(seed: int) -> list[str]:
    """A batch of programs, the same for the same seed."""
    choose = random.Random(seed)
    return [_source.Writer(choose.choice).program() for _ in range(PROGRAMS)]


def compare(seed: int) -> int:
    """Run one batch; fails where a program differs, returns how often others were healed."""
    programs = write_programs(seed)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CODESUTURE")}
    done = subprocess.run(
        [sys.executable, str(HERE / "run_batch.py")],
        input=json.dumps(programs),
        text=True,
        capture_output=True,
        env={**environment, "PYTHONPATH": str(HERE.parent.parent)},
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-2000:]}"
    answer = json.loads(done.stdout)
    assert answer["ended"] > PROGRAMS // 5, f"seed {seed}: too many programs die"
    if answer["differing"]:
        number, plain, armed = min(answer["differing"], key=lambda one: len(programs[one[0]]))
        pytest.fail(
            f"seed {seed}: {len(answer['differing'])} of {PROGRAMS} programs differ; one of them:\n"
            f"{programs[number]}\n--- plain prints\n{plain}\n--- armed prints\n{armed}"
        )
    healed: int = answer["healed"]
    return healed


@pytest.mark.timeout(max(120, BATCHES * 10))
def test_programs_that_end_plain_are_the_same_armed(capsys: pytest.CaptureFixture[str]) -> None:
    first = int(os.environ.get("TRANSPARENCY_SEED") or random.SystemRandom().getrandbits(32))
    with capsys.disabled():
        print(f" TRANSPARENCY_SEED={first}", end=" ", flush=True)
    healed = []

    @start_from(first)
    @settings(
        max_examples=BATCHES,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(min_value=0, max_value=2**64 - 1))
    def look(seed: int) -> None:
        healed.append(compare(seed))

    look()
    assert len(healed) >= BATCHES
    assert sum(healed) > BATCHES, "the programs that die were not healed: nothing was at work"
