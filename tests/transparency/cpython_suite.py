"""CPython's own tests, with the standard library and the tests armed: the same outcomes as plain.

    python tests/transparency/cpython_suite.py [--tests FOLDER] [--details] [NAME ...]

Run it with the interpreter in question, in an environment that has codesuture. ``FOLDER`` holds a
``test`` package, for interpreters whose own is not complete (Debian has the rest in
``libpython3.x-testsuite``); links to both are put in one folder, where child processes find them
too. Without names, all of ``standard_library_files.txt`` are run. What differs has to be in
``standard_library_differences.txt``, and what is there has to differ: that list only shrinks.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
DIFFERENCES = HERE / "standard_library_differences.txt"
TIMEOUT = 240
FINE = ("ok", "skipped", "expected failure")


def files(quick: bool = False) -> list[str]:
    """The names in ``standard_library_files.txt``; ``quick``: those of the test suite only."""
    text = (HERE / "standard_library_files.txt").read_text(encoding="utf-8")
    text = text.partition("---")[0] if quick else text
    return [line for line in text.splitlines() if line and not line.startswith(("#", "-"))]


def available(names: list[str], folder: str | None = None) -> list[str]:
    """Those of the test files that are there."""
    root = Path(folder or sysconfig.get_path("stdlib"))
    paths = {name: root.joinpath("test", *name.split(".")) for name in names}
    return [name for name, path in paths.items() if path.is_dir() or Path(f"{path}.py").exists()]


def completed(folder: str, place: str) -> str:
    """``place``, with a ``test`` package of links to the interpreter's own and to ``folder``'s."""
    for root in (sysconfig.get_path("stdlib"), folder):
        shutil.copytree(
            Path(root, "test"),
            Path(place, "test"),
            copy_function=_link,
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )
    return place


def _link(source: str, target: str) -> None:
    if not os.path.lexists(target):
        os.symlink(os.path.realpath(source), target)


def run(way: str, name: str, folder: str | None = None) -> dict[str, dict[str, str]]:
    """The outcomes of one test file's tests; ``folder`` has a ``test`` package, if it is not
    the interpreter's own."""
    with tempfile.TemporaryDirectory() as place:
        answer = os.path.join(place, "answer.json")
        command = [sys.executable, str(HERE / "unittest_outcomes.py"), way, f"test.{name}", answer]
        variables = {k: v for k, v in os.environ.items() if not k.startswith("CODESUTURE")}
        if folder:
            variables["PYTHONPATH"] = folder
        try:
            done = subprocess.run(
                command,
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


def compare(name: str, folder: str | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """The tests' outcomes plain, and those whose outcome differs: how."""
    plain, armed = run("plain", name, folder), run("armed", name, folder)
    differing = {}
    for test in {**plain["outcomes"], **armed["outcomes"]}:
        before = plain["outcomes"].get(test, "absent")
        after = armed["outcomes"].get(test, "absent")
        if before != after:
            detail = armed["details"].get(test, plain["details"].get(test, ""))
            differing[test] = f"{before} -> {after}\n{detail}"
    return plain["outcomes"], differing


def allowed() -> list[tuple[str, str]]:
    """The listed differences for this version: a pattern of test names, and why. A pattern behind
    ``~`` is of tests that measure time, and differ on some days only."""
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
        if not any(fnmatch.fnmatchcase(test, pattern.removeprefix("~")) for pattern in patterns)
    }


def main() -> int:
    """Compare what the command line names; 1 where something differs that is not listed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tests", metavar="FOLDER")
    parser.add_argument("--details", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if options.tests:
            options.tests = completed(options.tests, place)
        return compare_all(options)


def compare_all(options: argparse.Namespace) -> int:
    """Compare the files, and the differences with those that are listed."""
    names = available(options.names or files(), options.tests)
    total, failing, everything = 0, 0, {}
    for name in names:
        began = time.monotonic()
        plain, differing = compare(name, options.tests)
        failed = [outcome for outcome in plain.values() if outcome not in FINE]
        total, failing = total + len(plain), failing + len(failed)
        everything.update(differing)
        seconds = time.monotonic() - began
        told = f", {len(failed)} fail plain" if failed else ""
        print(
            f"{name}: {len(plain)} tests{told}, {len(differing)} differ ({seconds:.0f} s)",
            flush=True,
        )
        for test, how in unlisted(differing).items():
            print(f"  {test}: {how if options.details else how.partition(chr(10))[0]}", flush=True)
    new = unlisted(everything)
    gone = [
        pattern
        for pattern, _ in allowed()
        if not (options.names or pattern.startswith("~"))
        and not any(fnmatch.fnmatchcase(t, pattern) for t in everything)
    ]
    for pattern in gone:
        print(f"{pattern} does not differ any more: take it out of {DIFFERENCES.name}")
    told = f"{len(names)} files, {total} tests, {failing} fail plain"
    print(f"{told}, {len(everything)} differ, {len(new)} not listed")
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())
