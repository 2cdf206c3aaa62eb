"""Measuring processes in turn, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
from collections.abc import Mapping, Sequence

import pyperf


class Command:
    """A process to be measured: its words, and variables added to a clean environment."""

    def __init__(self, words: Sequence[str], cwd: str, **variables: str) -> None:
        self.words = list(words)
        self.cwd = cwd
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CODESUTURE", "PYTHON", "VIRTUAL_ENV"))
        }
        self.environment: Mapping[str, str] = {**kept, **variables}

    def measure(self) -> tuple[float, float, float]:
        """Run it once: seconds by the clock, seconds of the processor (user and system), and the
        seconds that it prints itself (0 where it prints none)."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = pyperf.perf_counter()
        done = subprocess.run(
            self.words, cwd=self.cwd, env=self.environment, capture_output=True, check=False
        )
        wall = pyperf.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode or done.stderr:
            raise SystemExit(f"{self.words} failed:\n{done.stderr.decode()[-2000:]}")
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        said = done.stdout.decode().strip()
        return wall, processor, float(said) if said.replace(".", "", 1).isdigit() else 0.0


def measure_in_turn(
    commands: Sequence[Command], rounds: int
) -> tuple[list[list[float]], list[list[float]], list[list[float]]]:
    """What ``measure`` gives, three lists for each command; the order changes every round."""
    for command in commands:
        command.measure()  # so that .pyc files are written and read
    walls: list[list[float]] = [[] for _ in commands]
    processors: list[list[float]] = [[] for _ in commands]
    printed: list[list[float]] = [[] for _ in commands]
    for number in range(rounds):
        order = list(range(len(commands)))
        for index in order[number % len(order) :] + order[: number % len(order)]:
            wall, processor, seconds = commands[index].measure()
            walls[index].append(wall)
            processors[index].append(processor)
            printed[index].append(seconds)
    return walls, processors, printed


def ratios(numerator: Sequence[float], denominator: Sequence[float]) -> str:
    """The median of the rounds' ratios, with its quartiles."""
    return quartiles([a / b for a, b in zip(numerator, denominator, strict=True)])


def quartiles(values: Sequence[float], scale: float = 1.0, digits: int = 3) -> str:
    """`median (lower quartile-upper quartile)`."""
    low, median, high = (scale * value for value in statistics.quantiles(values, n=4))
    return f"{median:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
