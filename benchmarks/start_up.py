"""What an interpreter's start costs, and the import of a large application.

    python benchmarks/start_up.py [--rounds 40] [--modules 500]

Makes two virtual environments, one of them with codesuture (from this checkout, and with the
packages that it needs: the first time that code is armed ``bytecode`` reads it, which is not
measured; a warm start imports none of them), and runs in turn, without codesuture, with it and off,
with it and on: an empty script, and the import of two applications (``application.py``), one
generated and one real. Times are of whole processes, from their start to their end, and of the
imports alone, which the application measures itself.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from application import copy_pip, generate
from in_turn import Command, measure_in_turn, quartiles, ratios

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--modules", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare, installed = environment(folder / "bare"), environment(folder / "installed")
        install(installed)
        (folder / "empty").mkdir()
        (folder / "empty" / "application.py").write_text("")
        generate(folder / "generated", asked.modules)
        copied = copy_pip(folder / "pip", bare)
        print(f"Python {sys.version.split()[0]}: median of {asked.rounds} (quartiles)")
        print("  start of an empty script:")
        compare(bare, installed, folder / "empty", asked.rounds)
        print(f"  import of {asked.modules} generated modules:")
        compare(bare, installed, folder / "generated", asked.rounds)
        print(f"  import of {copied} modules of pip:")
        compare(bare, installed, folder / "pip", asked.rounds // 2)


def environment(folder: Path) -> str:
    """A virtual environment without pip; its Python."""
    venv.EnvBuilder(symlinks=True).create(folder)
    return str(folder / "bin" / "python")


def install(python: str) -> None:
    """Install this checkout and what it needs."""
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", str(ROOT)], check=True)


def compare(bare: str, installed: str, folder: Path, rounds: int) -> None:
    """Print the three, as times and as ratios to a Python without codesuture."""
    commands = [
        Command([bare, "application.py"], str(folder)),
        Command([installed, "application.py"], str(folder)),
        Command([installed, "application.py"], str(folder), CODESUTURE="1"),
    ]
    walls, processors, imports = measure_in_turn(commands, rounds)
    print(f"    without codesuture, ms  {quartiles(walls[0], 1000, 1)}")
    print(f"    installed and off, ms   {quartiles(walls[1], 1000, 1)}")
    print(f"    on, ms                  {quartiles(walls[2], 1000, 1)}")
    print(f"    off / without           {ratios(walls[1], walls[0])}")
    print(f"    on / without            {ratios(walls[2], walls[0])}")
    print(f"    the same, of processor  {ratios(processors[2], processors[0])}")
    if any(imports[0]):
        print(f"    the imports alone, ms   {quartiles(imports[0], 1000, 1)}")
        print(f"    on / without            {ratios(imports[2], imports[0])}")


if __name__ == "__main__":
    main()
