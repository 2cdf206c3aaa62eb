"""What an interpreter's start costs, and the import of a large application.

    python benchmarks/start_up.py [--rounds 40] [--modules 500]

Makes two virtual environments, one of them with codesuture (from this checkout, without its
dependencies: none is imported at the start), and runs an empty script and an import of a generated
package in turn: without codesuture, with it and off, with it and on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from in_turn import Command, measure_in_turn, quartiles, ratios

ROOT = Path(__file__).resolve().parents[1]

MODULE = '''\
"""One module of a generated application."""
import os
from collections import namedtuple

LIMITS = {{"low": {number}, "high": {number} * 10}}
Row = namedtuple("Row", "key value")


class Record:
    kind = "record{number}"

    def __init__(self, data):
        self.data = data
        self.name = data.get("name", "").strip()
        self.total = sum(row["price"] * row["count"] for row in data.get("rows", ()))

    @property
    def label(self):
        return f"{{self.name}}: {{self.total:.2f}}"

    def row(self, key):
        try:
            return Row(key, self.data["rows"][key])
        except (KeyError, IndexError):
            return None

    def average(self, field):
        values = [row[field] for row in self.data["rows"] if row.get(field) is not None]
        return sum(values) / len(values) if values else 0


def load(path):
    with open(os.path.join(path, "{number}.txt")) as file:
        return [line.rstrip().split(",") for line in file if line.strip()]


def convert(rows):
    result = {{}}
    for first, *rest in rows:
        result.setdefault(first, []).extend(int(text) for text in rest)
    return {{key: min(values) + LIMITS["low"] for key, values in sorted(result.items())}}
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--modules", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare, installed = environment(folder / "bare"), environment(folder / "installed")
        install(installed)
        generate(folder / "work", asked.modules)
        print(f"Python {sys.version.split()[0]}: median of {asked.rounds} (quartiles)")
        print("  start of an empty script:")
        compare(bare, installed, folder / "work", "empty.py", asked.rounds)
        print(f"  import of {asked.modules} modules:")
        compare(bare, installed, folder / "work", "application.py", max(5, asked.rounds // 4))


def environment(folder: Path) -> str:
    """A virtual environment without pip; its Python."""
    venv.EnvBuilder(symlinks=True).create(folder)
    return str(folder / "bin" / "python")


def install(python: str) -> None:
    """Install this checkout."""
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "--no-deps", str(ROOT)], check=True)


def generate(folder: Path, modules: int) -> None:
    """An empty script, and an application that imports a package of so many modules."""
    package = folder / "package"
    package.mkdir(parents=True)
    (folder / "empty.py").write_text("")
    (package / "__init__.py").write_text("")
    for number in range(modules):
        (package / f"m{number}.py").write_text(MODULE.format(number=number))
    lines = [f"import package.m{number}\n" for number in range(modules)]
    (folder / "application.py").write_text("".join(lines))


def compare(bare: str, installed: str, folder: Path, script: str, rounds: int) -> None:
    """Print the three, as times and as ratios to a Python without codesuture."""
    commands = [
        Command([bare, script], str(folder)),
        Command([installed, script], str(folder)),
        Command([installed, script], str(folder), CODESUTURE="1"),
    ]
    walls, _ = measure_in_turn(commands, rounds)
    print(f"    without codesuture, ms  {quartiles(walls[0], 1000, 1)}")
    print(f"    installed and off, ms   {quartiles(walls[1], 1000, 1)}")
    print(f"    on, ms                  {quartiles(walls[2], 1000, 1)}")
    print(f"    off / without           {ratios(walls[1], walls[0])}")
    print(f"    on / without            {ratios(walls[2], walls[0])}")


if __name__ == "__main__":
    main()
