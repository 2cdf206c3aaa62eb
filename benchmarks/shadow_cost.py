"""What ``--shadow`` costs where it is on.

    python benchmarks/shadow_cost.py [--rounds 20]

Microseconds that a repeated heal takes more when its value is followed: it is dropped at once,
returned, or held over a loop of a hundred turns. Then, for code that runs while a value is held:
a turn of the loop in the healed call; and a function that the healed call calls.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyperf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from in_turn import quartiles

from codesuture.session import Session, configure
from codesuture.surgery.arming import arm

LOOPS = 200
TURNS = 100

SOURCE = f'''
def dropped(row):
    row["missing"]

def returned(row):
    return row["missing"]

def called():
    total = 0
    for turn in range({TURNS}):
        total += turn
    return total

def loop(row):
    value = row["missing"]
    total = 0
    for turn in range({TURNS}):
        total += turn
    return value

def call(row):
    value = row["missing"]
    called()
    return value
'''


def microseconds(function: Callable[[dict[str, int]], object]) -> float:
    row: dict[str, int] = {}
    start = pyperf.perf_counter()
    for _ in range(LOOPS):
        kept = function(row)
    del kept
    return (pyperf.perf_counter() - start) / LOOPS * 1e6


def load() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "costs"}
    exec(arm(compile(SOURCE, "costs.py", "exec")), names)
    return names


def compare(session: Session, name: str, function: Callable[..., object], rounds: int) -> float:
    """Print and give the microseconds that following takes more."""
    more, without = [], []
    for number in range(rounds + 2):
        took = {}
        for on in (False, True) if number % 2 else (True, False):
            session.config.shadow = on
            took[on] = microseconds(function)
        if number >= 2:  # the first ones import, and read the code
            more.append(took[True] - took[False])
            without.append(took[False])
    print(f"  {name}: {quartiles(more, digits=1)} µs more than {statistics.median(without):.1f}")
    return statistics.median(more)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    # What is told once is not of interest here.
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as sys.stderr:
        os.environ.update(CODESUTURE_STORE=folder, CODESUTURE_BREAKER_SITE=str(10**9))
        session = configure(None, folder)
        functions = load()
        print(f"Python {sys.version.split()[0]}: median of {rounds} (quartiles)")
        compare(session, "dropped at once", functions["dropped"], rounds)
        returned = compare(session, "returned", functions["returned"], rounds)
        loop = compare(session, "held over a loop", functions["loop"], rounds)
        call = compare(session, "held over a call", functions["call"], rounds)
        print(f"  a turn of the loop in the healed call: {(loop - returned) / TURNS:.2f} µs more")
        print(f"  the call, with the loop in it: {call - returned:.2f} µs more")


if __name__ == "__main__":
    main()
