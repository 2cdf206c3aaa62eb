"""A whole program of about a second, plain and with `CODESUTURE=1`, in turn.

    python benchmarks/whole_process.py [--rounds 15]

The Python that runs this must have codesuture installed. Start-up and arming are part of what is
measured. The program does not crash (`mixed.py`, with the work of `workloads.py`).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from in_turn import Command, measure_in_turn, quartiles, ratios

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        for name in ("mixed.py", "workloads.py"):
            shutil.copy(HERE / name, folder)
        words = [sys.executable, "mixed.py"]
        check(folder)
        plain, armed = Command(words, folder), Command(words, folder, CODESUTURE="1")
        walls, processors, _ = measure_in_turn([plain, armed], rounds)
    print(f"Python {sys.version.split()[0]}: a whole program, median of {rounds} (quartiles)")
    print(f"  plain, seconds of processor  {quartiles(processors[0])}")
    print(f"  armed/plain, processor       {ratios(processors[1], processors[0])}")
    print(f"  armed/plain, wall            {ratios(walls[1], walls[0])}")


def check(folder: str) -> None:
    """End where the agent does not start, so that plain is not compared with plain."""
    is_on = "import sys; sys.exit('codesuture.importhook' not in sys.modules)"
    words = [sys.executable, "-c", is_on]
    try:
        Command(words, folder, CODESUTURE="1").measure()
    except SystemExit:
        raise SystemExit("CODESUTURE=1 starts no agent in this Python: install it") from None


if __name__ == "__main__":
    main()
