"""What a heal costs, and an exception that the program handles itself.

    python benchmarks/heal_cost.py [--rounds 40] [--reach]

Microseconds that a repeated heal at one site takes on top of raising (and catching) the same
exception plain: below one frame, and below ten frames of functions and of methods. Ratios, armed to
plain, of raising and catching an exception in one function and three frames up. With ``--reach``
the code is armed as it is where ``library_calls`` names a distribution.
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

from codesuture.session import configure
from codesuture.surgery.arming import arm
from codesuture.surgery.names import armed_files

LOOPS = 400

SOURCE = '''
def site(row):
    return row["missing"]

def below(depth, row):
    return below(depth - 1, row) if depth else site(row)

class Shop:
    def below(self, depth):
        return self.below(depth - 1) if depth else self.last()
    def last(self):
        return self.rows["missing"]

shop = Shop()
shop.rows = {}

def healed_below_one(): site({})
def healed_below_ten(): below(8, {})
def healed_in_methods(): shop.below(8)

def raised_below_one():
    try:
        site({})
    except KeyError:
        pass

def raised_below_ten():
    try:
        below(8, {})
    except KeyError:
        pass

def raised_in_methods():
    try:
        shop.below(8)
    except KeyError:
        pass

def caught_here(row={}):
    try:
        row["missing"]
    except KeyError:
        return 0

def caught_by_exception(row={}):
    try:
        row["missing"]
    except Exception:
        return 0

def caught_three_up():
    try:
        below(1, {})
    except KeyError:
        return 0
'''


def load(armed: bool, reach: bool = False) -> dict[str, Any]:
    """The functions of SOURCE, plain or armed."""
    code = compile(SOURCE, "costs.py", "exec")
    names: dict[str, Any] = {"__name__": "costs"}
    exec(arm(code, reach) if armed else code, names)
    return names


def microseconds(function: Callable[[], object]) -> float:
    start = pyperf.perf_counter()
    for _ in range(LOOPS):
        function()
    return (pyperf.perf_counter() - start) / LOOPS * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--reach", action="store_true")
    reach = parser.parse_args().reach
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(CODESUTURE_STORE=folder, CODESUTURE_BREAKER_SITE=str(10**9))
        configure(None, folder)
        plain, armed = load(armed=False), load(True, reach)
        armed_files.add("costs.py")
        print(f"Python {sys.version.split()[0]}: median of {rounds} (quartiles)")
        for name in ("below_one", "below_ten", "in_methods"):
            healed, raised = armed["healed_" + name], plain["raised_" + name]
            healed()
            pairs = [(microseconds(healed), microseconds(raised)) for _ in range(rounds)]
            more = quartiles([one - other for one, other in pairs], digits=1)
            cost = statistics.median(other for _, other in pairs)
            print(f"  healed_{name:18} {more} microseconds on top of {cost:.1f}")
        for name in ("caught_here", "caught_by_exception", "caught_three_up"):
            pairs = [(microseconds(armed[name]), microseconds(plain[name])) for _ in range(rounds)]
            ratio = quartiles([one / other for one, other in pairs])
            cost = statistics.median(other for _, other in pairs)
            print(f"  {name:25} {ratio} armed/plain; plain {cost:.2f} microseconds")


if __name__ == "__main__":
    main()
