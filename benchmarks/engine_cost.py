"""What an engine costs that watches the program: ratios to the same work with the engine off.

    python benchmarks/engine_cost.py [--rounds 20]

For ``monitoring`` (Python 3.12 and later) or ``trace`` (3.11): the workloads that do not crash
(geometric mean), in code with pads and in code without; then an exception that the program
handles itself, in the function that raises it and three frames further up. Each round runs
everything once with the engine on and once with it off.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyperf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from in_turn import quartiles

from codesuture.engines.choice import obstacle
from codesuture.session import configure
from codesuture.surgery.arming import arm

HERE = Path(__file__).resolve().parent

EXCEPTIONS = '''
def site(row):
    return row["missing"]

def below(depth, row):
    return below(depth - 1, row) if depth else site(row)

def caught_here(row={}):
    try:
        row["missing"]
    except KeyError:
        return 0

def caught_three_up():
    try:
        below(1, {})
    except KeyError:
        return 0
'''


def load(source: str, name: str, armed: bool) -> dict[str, Any]:
    """The names of a module of the program, with pads or without."""
    code = compile(source, name, "exec")
    names: dict[str, Any] = {"__name__": Path(name).stem}
    exec(arm(code) if armed else code, names)
    return names


def microseconds(function: Callable[[], object], loops: int) -> float:
    start = pyperf.perf_counter()
    for _ in range(loops):
        function()
    return (pyperf.perf_counter() - start) / loops * 1e6


def switch(engine: str) -> SimpleNamespace:
    """`on()` and `off()` of an engine."""
    session = configure(None, os.getcwd())
    if engine == "monitoring":
        from codesuture.engines import monitoring

        return SimpleNamespace(on=lambda: monitoring.begin(session), off=monitoring.end)
    from codesuture.engines import tracing

    return SimpleNamespace(on=lambda: tracing.begin(session), off=tracing.end)


def compare(
    functions: list[Callable[[], object]], loops: int, engine: SimpleNamespace, rounds: int
) -> list[list[tuple[float, float]]]:
    """For each function one pair, on and off, for each round."""
    found: list[list[tuple[float, float]]] = [[] for _ in functions]
    for number in range(rounds + 1):
        times: dict[bool, list[float]] = {}
        for on in (True, False) if number % 2 else (False, True):
            (engine.on if on else engine.off)()
            for function in functions:  # new frames, and what is decided once for each code
                function()
            times[on] = [microseconds(function, loops) for function in functions]
        engine.off()
        if number:
            for pairs, one, other in zip(found, times[True], times[False], strict=True):
                pairs.append((one, other))
    return found


def measure(name: str, rounds: int) -> None:
    """Print one engine's table."""
    source = (HERE / "workloads.py").read_text(encoding="utf-8")
    engine = switch(name)
    print(f"Python {sys.version.split()[0]}, {name}: on/off, median of {rounds} (quartiles)")
    for armed in (True, False):
        code = "with pads" if armed else "without"
        work = load(source, str(HERE / "workloads.py"), armed)
        pairs = compare(work["NO_CRASH"], 3, engine, rounds)
        means = [
            statistics.geometric_mean(one / other for one, other in row)
            for row in zip(*pairs, strict=True)
        ]
        print(f"  {'workloads ' + code:26} {quartiles(means)}")
        raising = load(EXCEPTIONS, str(HERE / "raising.py"), armed)
        functions = [raising["caught_here"], raising["caught_three_up"]]
        for function, found in zip(functions, compare(functions, 400, engine, rounds), strict=True):
            ratios = quartiles([one / other for one, other in found])
            more = statistics.median(one - other for one, other in found)
            print(f"  {function.__name__ + ' ' + code:26} {ratios}; {more:+.2f} microseconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CODESUTURE_STORE"] = folder
        for engine in ("monitoring", "trace"):
            if obstacle(engine) is None:
                measure(engine, rounds)


if __name__ == "__main__":
    main()
