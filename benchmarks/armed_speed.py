"""How fast armed code runs that does not crash: a ratio to plain code, workload by workload.

    python benchmarks/armed_speed.py [--rounds 40]

Plain and armed are timed in turn, round by round, with pyperf's clock; each round gives one
ratio, the median is printed with its spread. A second table times code whose exceptions are handled
by the program itself: there the pads are entered.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

import pyperf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from codesuture.session import configure
from codesuture.surgery.arming import arm

SOURCE = Path(__file__).with_name("workloads.py")


def load(armed: bool) -> dict[str, object]:
    """The workloads' names, from plain or from armed code."""
    code = compile(SOURCE.read_text(encoding="utf-8"), str(SOURCE), "exec")
    names: dict[str, object] = {"__name__": "workloads"}
    exec(arm(code) if armed else code, names)
    return names


def seconds(function: Callable[[], object], loops: int) -> float:
    start = pyperf.perf_counter()
    for _ in range(loops):
        function()
    return pyperf.perf_counter() - start


def compare(plain: FunctionType, armed: FunctionType, rounds: int) -> list[float]:
    """One ratio for each round, in each of which plain and armed run for about 20 ms."""
    assert plain() == armed()
    for _ in range(20):  # let the interpreter specialise both
        plain(), armed()
    loops = max(1, int(0.02 / (seconds(plain, 5) / 5)))
    ratios = []
    for number in range(rounds):
        if number % 2:
            one, other = seconds(plain, loops), seconds(armed, loops)
        else:
            other, one = seconds(armed, loops), seconds(plain, loops)
        ratios.append(other / one)
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    configure(None, str(SOURCE.parent))
    plain, armed = load(armed=False), load(armed=True)
    print(f"Python {sys.version.split()[0]}: armed/plain, median of {rounds} (quartiles)")
    for group in ("NO_CRASH", "HANDLED"):
        medians = []
        for workload in plain[group]:
            name = workload.__name__
            ratios = compare(workload, armed[name], rounds)
            low, median, high = statistics.quantiles(ratios, n=4)
            medians.append(median)
            print(f"  {name:28} {median:.3f}  ({low:.3f}-{high:.3f})")
        if group == "NO_CRASH":
            print(f"  {'geometric mean':28} {statistics.geometric_mean(medians):.3f}")


if __name__ == "__main__":
    main()
