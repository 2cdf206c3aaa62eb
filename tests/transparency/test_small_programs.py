"""Small programs that handle their exceptions themselves: armed, they do what they do plain.

Each program of ``programs/`` runs plain, armed with an empty store, and armed with a store that
holds a patch for every site at which it crashes (``forge`` makes it). Output, standard error with
its tracebacks, and exit code have to be equal. In programs marked ``# HEALED:`` nobody handles
the exception: plain they die, armed they print what the mark says.

Marks: ``# SINCE: 3.12``; ``# HEALED: first line | second line``; ``# NO PATCH: reason`` where
no site of the program can have a patch.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
_SHOWN_AT_LOADING = re.compile(r"^\[CodeSuture\] Already healed, skipping: .*\n", re.MULTILINE)

Done = subprocess.CompletedProcess[str]


class Program:
    """One program: its name, its text and its marks."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.since = tuple(map(int, (self._mark("SINCE") or "3.11").split(".")))
        healed = self._mark("HEALED")
        self.healed = None if healed is None else [part.strip() for part in healed.split("|")]
        self.has_patch = self._mark("NO PATCH") is None

    def _mark(self, word: str) -> str | None:
        found = re.search(rf"^# {word}:(.*)$", self.text, re.MULTILINE)
        return found[1].strip() if found else None


def read_programs() -> list[Program]:
    """The programs of all files that this version of Python can run."""
    found = []
    for path in sorted(PROGRAMS.glob("*.txt")):
        parts = re.split(r"^=== (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            found.append(Program(f"{path.stem}: {name}", text))
    return [program for program in found if sys.version_info[:2] >= program.since]


class Runs:
    """Runs one program in several ways, each in a folder of its own."""

    def __init__(
        self, python: Any, folder: Path, program: Program, steady: Callable[[str], str]
    ) -> None:
        self._python = python
        self._steady = steady
        self._folder = folder
        self._program = program

    def run(self, way: str, agent: bool = True, timeout: float = 60, **environment: str) -> Done:
        """Run the program; its folder's name is taken out of what it prints."""
        folder = self._folder / way
        folder.mkdir()
        (folder / "program.py").write_text(self._program.text, encoding="utf-8")
        done = self._python.run(
            "program.py", agent=agent, cwd=folder, env=environment, timeout=timeout
        )
        for stream in ("stdout", "stderr"):
            text = getattr(done, stream).replace(str(folder), "FOLDER")
            setattr(done, stream, self._steady(text))
        return done

    def forge(self) -> Path:
        """A store with patches for all sites at which the program crashes."""
        store = self._folder / "forged_store"
        # Healed where it should not be, a program may run for ever; its patches are there.
        with suppress(subprocess.TimeoutExpired):
            self.run(
                "forging",
                timeout=20,
                CODESUTURE_STORE=str(store),
                CODESUTURE_BREAKER_SITE="50",
                CODESUTURE_PROBATION="0",  # what is forged leads to second crashes
                PYTHONPATH=str(HERE / "forge"),
            )
        return store


def recipes(store: Path) -> dict[str, str]:
    """The files of a store and what is in them; not incidents: what nobody handles is recorded."""
    return {
        str(path.relative_to(store)): path.read_text(encoding="utf-8")
        for path in sorted(store.rglob("*.json"))
        if "incidents" not in path.relative_to(store).parts
    }


def told(done: Done) -> tuple[int, str, str]:
    """What a run has shown, without the lines that say which patches were loaded."""
    return done.returncode, done.stdout, _SHOWN_AT_LOADING.sub("", done.stderr)


@pytest.fixture(scope="module")
def workers() -> Any:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize("program", read_programs(), ids=lambda program: program.name)
def test_small_program(
    program: Program,
    installed_python: Any,
    tmp_path: Path,
    workers: ThreadPoolExecutor,
    steady: Callable[[str], str],
) -> None:
    runs = Runs(installed_python, tmp_path, program, steady)
    forging: Future[Path] = workers.submit(runs.forge)
    plain_run: Future[Done] = workers.submit(runs.run, "plain", agent=False)
    armed, plain = runs.run("armed"), plain_run.result()
    store = forging.result()
    before = recipes(store)
    assert bool(before) == program.has_patch, "the program crashes nowhere"
    patched = runs.run("patched", CODESUTURE_STORE=str(store))
    if program.healed is None:
        assert told(armed) == told(plain)
        assert told(patched) == told(plain)
        assert recipes(store) == before, "the store counted a heal"
        assert recipes(tmp_path / "armed" / ".codesuture_store") == {}
    else:
        assert plain.returncode != 0 or "Traceback" in plain.stderr, "nothing is to be healed"
        assert (armed.returncode, armed.stdout.splitlines()) == (0, program.healed), armed.stderr
        assert (patched.returncode, patched.stdout) == (0, armed.stdout), patched.stderr
    shutil.rmtree(tmp_path)


#: Modes that change nothing are looked at with some of the programs: of so many one.
SOME = 6


@pytest.mark.parametrize("program", read_programs()[::SOME], ids=lambda program: program.name)
@pytest.mark.parametrize("mode", ["observe", "off"])
def test_mode_that_only_looks(
    mode: str,
    program: Program,
    installed_python: Any,
    tmp_path: Path,
    workers: ThreadPoolExecutor,
    steady: Callable[[str], str],
) -> None:
    runs = Runs(installed_python, tmp_path, program, steady)
    plain_run: Future[Done] = workers.submit(runs.run, "plain", agent=False)
    done, plain = runs.run("looked_at", CODESUTURE_MODE=mode), plain_run.result()
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    printed = [line for line in done.stderr.splitlines() if not line.startswith("[CodeSuture]")]
    assert printed == plain.stderr.splitlines()
    if mode == "off" or program.healed is None:
        assert done.stderr == plain.stderr
    store = tmp_path / "looked_at" / ".codesuture_store"
    assert recipes(store) == {} and not (mode == "off" and store.exists())
