"""Small programs: would plain Python die of this exception, raised at this line?

Each program marks its crashing line with ``# SITE``. It is run plainly, and what is printed tells
whether that exception was the one nobody handled; it is run armed, and fate must say so.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PROGRAMS = HERE / "programs"
_FRAME = re.compile(r'^[ |]*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_CHAINED = ("During handling of the above", "The above exception was the direct cause")


class Program:
    """One program of a file in ``programs``: a name, its text, and what its comments ask for."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        lines = text.splitlines()
        self.sites = [number for number, line in enumerate(lines, 1) if "# SITE" in line]
        self.unknown = next((line for line in lines if line.startswith("# UNKNOWN:")), None)
        self.answer = next(
            (line.split()[2] for line in lines if line.startswith("# FATE:")), None
        )
        since = next((line for line in lines if line.startswith("# SINCE:")), None)
        self.since = tuple(map(int, since.split()[2].split("."))) if since else (3, 11)


def programs() -> list[Program]:
    found = []
    for path in sorted(PROGRAMS.glob("*.txt")):
        parts = re.split(r"^=== (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            found.append(Program(f"{path.stem}: {name}", text))
    return [one for one in found if sys.version_info[:2] >= one.since]


class Finished:
    """A program that has run: its exit code and what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.printed, self.reported = process.communicate(timeout=60)
        self.code = process.returncode


def start(folder: Path, program: Program, **environment: str) -> subprocess.Popen[str]:
    folder.mkdir()
    script = folder / "program.py"
    script.write_text(program.text, encoding="utf-8")
    variables = {k: v for k, v in os.environ.items() if not k.startswith("CODESUTURE")}
    variables.pop("PYTHONPATH", None)
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**variables, **environment},
        cwd=folder,
    )


def died_at(printed: str, script: Path, sites: list[int]) -> bool:
    """Whether a printed, final traceback ends at one of the lines."""
    last: tuple[str, int] | None = None
    died = ignored = False
    for line in [*printed.splitlines(), "Traceback"]:
        if line.startswith("Exception ignored"):
            ignored = True
        match = _FRAME.match(line)
        if match:
            last = (match["file"], int(match["line"]))
        elif "Traceback" in line or line.startswith(_CHAINED) or "----" in line:
            if last and not line.startswith(_CHAINED) and not ignored:
                died = died or (last[0] == str(script) and last[1] in sites)
            if last:
                ignored = False
            last = None
    return died


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_fate_agrees_with_plain_python(program: Program, tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    paths = os.pathsep.join([str(HERE / "live"), str(ROOT)])
    processes = [
        start(tmp_path / "plain", program),
        start(tmp_path / "armed", program, FATE_ANSWERS=str(answers), PYTHONPATH=paths),
    ]
    plain, armed = (Finished(process) for process in processes)
    expected = program.answer
    if expected is None:
        died = died_at(plain.reported, tmp_path / "plain" / "program.py", program.sites)
        expected = "UNHANDLED" if died else "HANDLED"
    assert (armed.code, armed.printed) == (plain.code, plain.printed), armed.reported
    said = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    verdicts = [(fate, evidence) for line, fate, evidence, _ in said if line in program.sites]
    assert verdicts, f"no crash at {program.sites}; seen: {said}; printed: {armed.reported}"
    allowed = {expected, "UNKNOWN"} if program.unknown else {expected}
    assert {fate for fate, _ in verdicts} <= allowed, (expected, verdicts, plain.reported)
