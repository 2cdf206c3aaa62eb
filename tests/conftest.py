"""What tests of every package share: an interpreter that has codesuture installed for real."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[1]

Done = subprocess.CompletedProcess[str]

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_DURATION = re.compile(r"\bin \d+\.\d+s\b")


def _steady(text: str) -> str:
    return _DURATION.sub("in 0s", _ADDRESS.sub("0x", text))


@pytest.fixture(scope="session")
def steady() -> Callable[[str], str]:
    """`steady(text)`: what a program printed, without what differs from run to run: addresses of
    objects, and the seconds that a test runner took ("Ran 1 test in 0.001s")."""
    return _steady


class InstalledPython:
    """A virtual environment's Python with codesuture installed from a wheel of this checkout.

    Its dependencies are those of the interpreter that runs the tests. The environment is shared by
    all tests of a session: do not change it (`make_venv` gives you one of your own).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = str(folder / "bin" / "python")

    @property
    def site_packages(self) -> Path:
        """Where `codesuture.pth` is."""
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return self.folder / "lib" / version / "site-packages"

    def environment(self, **more: str) -> dict[str, str]:
        """The environment without variables that would change how Python or codesuture start.

        The user's configuration is in a folder of the environment, so that nobody's own is used.
        """
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CODESUTURE", "PYTHON", "VIRTUAL_ENV"))
            and name not in ("NO_COLOR", "FORCE_COLOR")
        }
        return {**kept, "XDG_CONFIG_HOME": str(self.folder / "config"), **more}

    def run(
        self,
        *words: str | Path,
        agent: bool = True,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        input: str = "",
        stdin: IO[bytes] | None = None,
        timeout: float = 60,
    ) -> Done:
        """Run this Python with `words`, with `CODESUTURE=1` or without.

        Standard input is the text `input`, or the open file `stdin`, from its start.
        """
        if stdin is not None:
            stdin.seek(0)
        switch = {"CODESUTURE": "1"} if agent else {}
        return subprocess.run(
            [self.python, *map(str, words)],
            cwd=cwd,
            env={**self.environment(**switch), **(env or {})},
            **({"input": input} if stdin is None else {"stdin": stdin}),
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            capture_output=True,
            timeout=timeout,
            check=False,
        )


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let programs that are started be interrupted, also where a shell runs the tests in the
    background: such a shell has SIGINT ignored, and that is inherited."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


MakeVenv = Callable[[Path, Path | None], InstalledPython]


def build_wheel(folder: Path) -> Path:
    """Build a wheel of the checkout into `folder`, without a network."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--disable-pip-version-check", "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def _make_venv(folder: Path, wheel: Path | None) -> InstalledPython:
    venv.EnvBuilder(symlinks=True).create(folder)
    made = InstalledPython(folder)
    dependencies = sysconfig.get_path("purelib")
    (made.site_packages / "zz_dependencies.pth").write_text(dependencies + "\n", encoding="utf-8")
    if wheel is not None:
        command = [sys.executable, "-m", "pip", "--python", made.python, "install", "-q"]
        command += ["--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="session")
def make_venv() -> MakeVenv:
    """`make_venv(folder, wheel)` makes an environment of your own; `None`: nothing installed."""
    return _make_venv


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed_python(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> InstalledPython:
    """A Python with codesuture installed: `installed_python.run("app.py", cwd=folder)`."""
    return _make_venv(tmp_path_factory.mktemp("installed") / "venv", wheel)
