"""CPython's own tests, with the standard library and the tests armed: the same outcomes as plain.

    python tests/transparency/cpython_suite.py [--tests FOLDER] [--details] [NAME ...]

Run it with the interpreter in question, in an environment that has codesuture. ``FOLDER`` holds a
``test`` package, for interpreters whose own is not complete (Debian has the rest in
``libpython3.x-testsuite``). Without names, all of
``standard_library_files.txt`` are run. What differs has to be in
``standard_library_differences.txt``, and what is there has to differ: that list only shrinks.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
DIFFERENCES = HERE / "standard_library_differences.txt"
TIMEOUT = 240


def files(quick: bool = False) -> list[str]:
    """The names in ``standard_library_files.txt``; ``quick``: those of the test suite only."""
    text = (HERE / "standard_library_files.txt").read_text(encoding="utf-8")
    text = text.partition("---")[0] if quick else text
    return [line for line in text.splitlines() if line and not line.startswith(("#", "-"))]


def available(names: list[str], folder: str | None = None) -> list[str]:
    """Those of the test files that are there."""
    roots = [Path(sysconfig.get_path("stdlib")), *([Path(folder)] if folder else [])]
    found = []
    for name in names:
        path = Path("test", *name.split("."))
        if any((root / path).is_dir() or (root / f"{path}.py").exists() for root in roots):
            found.append(name)
    return found


def run(way: str, name: str, folder: str | None = None) -> dict[str, dict[str, str]]:
    """The outcomes of one test file's tests."""
    with tempfile.TemporaryDirectory() as place:
        answer = os.path.join(place, "answer.json")
        command = [sys.executable, str(HERE / "unittest_outcomes.py"), way, f"test.{name}", answer]
        variables = {k: v for k, v in os.environ.items() if not k.startswith("CODESUTURE")}
        try:
            done = subprocess.run(
                [*command, *([folder] if folder else [])],
                cwd=place,
                env={**variables, "CODESUTURE": "0"},
                capture_output=True,
                timeout=TIMEOUT,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"outcomes": {f"test.{name}": "never ends"}, "details": {}}
        if not os.path.exists(answer):
            text = done.stderr.decode(errors="replace")[-2000:]
            died = f"died with {done.returncode}"
            return {"outcomes": {f"test.{name}": died}, "details": {f"test.{name}": text}}
        with open(answer, encoding="utf-8") as stream:
            found: dict[str, dict[str, str]] = json.load(stream)
    return found


def compare(name: str, folder: str | None = None) -> tuple[int, dict[str, str]]:
    """How many tests there are, and those whose outcome differs: how."""
    plain, armed = run("plain", name, folder), run("armed", name, folder)
    differing = {}
    for test in {**plain["outcomes"], **armed["outcomes"]}:
        before = plain["outcomes"].get(test, "absent")
        after = armed["outcomes"].get(test, "absent")
        if before != after:
            detail = armed["details"].get(test, plain["details"].get(test, ""))
            differing[test] = f"{before} -> {after}\n{detail}"
    return len(plain["outcomes"]), differing


def allowed() -> list[tuple[str, str]]:
    """The listed differences for this version: a pattern of test names, and why."""
    tag = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = []
    for line in DIFFERENCES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            versions, pattern, reason = line.split(None, 2)
            if versions == "all" or tag in versions.split(","):
                found.append((pattern, reason))
    return found


def unlisted(differing: dict[str, str]) -> dict[str, str]:
    """Of what differs, what the list does not have."""
    patterns = [pattern for pattern, _ in allowed()]
    return {
        test: how
        for test, how in differing.items()
        if not any(fnmatch.fnmatchcase(test, pattern) for pattern in patterns)
    }


def main() -> int:
    """Compare what the command line names; 1 where something differs that is not listed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tests", metavar="FOLDER")
    parser.add_argument("--details", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    names = available(options.names or files(), options.tests)
    total, everything = 0, {}
    for name in names:
        began = time.monotonic()
        count, differing = compare(name, options.tests)
        total += count
        everything.update(differing)
        seconds = time.monotonic() - began
        print(f"{name}: {count} tests, {len(differing)} differ ({seconds:.0f} s)", flush=True)
        for test, how in unlisted(differing).items():
            print(f"  {test}: {how if options.details else how.partition(chr(10))[0]}", flush=True)
    new = unlisted(everything)
    gone = [
        pattern
        for pattern, _ in allowed()
        if not options.names and not any(fnmatch.fnmatchcase(t, pattern) for t in everything)
    ]
    for pattern in gone:
        print(f"{pattern} does not differ any more: take it out of {DIFFERENCES.name}")
    print(f"{len(names)} files, {total} tests, {len(everything)} differ, {len(new)} not listed")
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())
