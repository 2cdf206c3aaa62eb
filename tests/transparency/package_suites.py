"""The test suites of popular packages, from their sdists, with the agent on: the same outcomes.

    python tests/transparency/package_suites.py [--cache FOLDER] [NAME ...]

Run it with the interpreter in question, in an environment that has codesuture and pytest. Each
package's sdist is unpacked, so that it counts as user code, and its tests are run by pytest plain
and armed; outcomes are compared test by test. ``FOLDER`` keeps sdists and what the tests need.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

#: The sdist, where its package lies inside, its tests, and what they need besides pytest.
PACKAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "attrs": ("src", "tests", ("hypothesis", "cloudpickle")),
    "boltons": (".", "tests", ()),
    "click": ("src", "tests", ()),
    "idna": (".", "tests", ()),
    "itsdangerous": ("src", "tests", ("freezegun",)),
    "jinja2": ("src", "tests", ("markupsafe", "trio")),
    "markupsafe": ("src", "tests", ()),
    "more-itertools": (".", "tests", ()),
    "packaging": ("src", "tests", ("pretend", "tomli_w", "hypothesis")),
    "pluggy": ("src", "testing", ()),
    "pyparsing": (".", "tests", ()),
    "toolz": (".", "toolz/tests", ()),
}

_PIP = ["-m", "pip", "--disable-pip-version-check", "-q"]


def unpack(name: str, cache: Path) -> Path:
    """The folder of a package's sdist, downloaded and unpacked if it is not there yet."""
    folder = cache / name
    if not folder.exists():
        sdists = cache / "sdists" / name
        command = [*_PIP, "download", "--no-deps", "--no-binary", ":all:", "-d", str(sdists), name]
        subprocess.run([sys.executable, *command], check=True)
        (archive,) = sdists.glob("*.tar.gz")
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
    (inside,) = folder.iterdir()
    return inside


def needs(name: str, cache: Path) -> Path:
    """A folder with what a package's tests import, and with the package's metadata."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = cache / f"needs-{version}" / name
    wanted = PACKAGES[name][2]
    if wanted and not folder.exists():
        command = [*_PIP, "install", "--target", str(folder), *wanted]
        subprocess.run([sys.executable, *command], check=True)
    source = unpack(name, cache)
    metadata = folder / f"{source.name.replace('.tar', '')}.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_bytes((source / "PKG-INFO").read_bytes())
    return folder


def run(name: str, cache: Path, armed: bool) -> dict[str, str]:
    """The outcome of each test of a package."""
    source = unpack(name, cache)
    inside, tests, _ = PACKAGES[name]
    with tempfile.TemporaryDirectory() as place:
        report = Path(place, "report.xml")
        variables = {k: v for k, v in os.environ.items() if not k.startswith("CODESUTURE")}
        variables["PYTHONPATH"] = os.pathsep.join([str(source / inside), str(needs(name, cache))])
        variables["CODESUTURE"] = "1" if armed else "0"
        if armed:
            variables["CODESUTURE_STORE"] = str(Path(place, "store"))
        command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:timeout"]
        command += ["--continue-on-collection-errors"]
        command += ["--import-mode=prepend", f"--junitxml={report}", tests]
        done = subprocess.run(
            [sys.executable, *command],
            cwd=source,
            env=variables,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if not report.exists():
            return {"pytest": f"{done.returncode}: {done.stdout.decode(errors='replace')[-1500:]}"}
        return outcomes(report)


def outcomes(report: Path) -> dict[str, str]:
    """Test name to outcome, from a report in JUnit's format."""
    found = {}
    for case in ET.parse(report).iter("testcase"):
        marks = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}.{case.get('name')}"] = marks[0] if marks else "ok"
    return found


def main() -> int:
    """Compare the packages that the command line names; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", metavar="FOLDER", type=Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    total = differing = 0
    with tempfile.TemporaryDirectory() as temporary:
        cache = (options.cache or Path(temporary)).absolute()
        for name in options.names or PACKAGES:
            began = time.monotonic()
            plain, armed = run(name, cache, False), run(name, cache, True)
            found = [
                f"{test}: {plain.get(test, 'absent')} -> {armed.get(test, 'absent')}"
                for test in {**plain, **armed}
                if plain.get(test) != armed.get(test)
            ]
            total, differing = total + len(plain), differing + len(found)
            passed = sum(outcome == "ok" for outcome in plain.values())
            seconds = time.monotonic() - began
            print(
                f"{unpack(name, cache).name}: {len(plain)} tests, {passed} pass plain, "
                f"{len(found)} differ ({seconds:.0f} s)",
                *found,
                sep="\n  ",
                flush=True,
            )
    print(f"{total} tests, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
