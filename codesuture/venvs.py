"""Putting the agent into a virtual environment, taking it out, and telling what is there.

Installed, codesuture has a ``codesuture.pth`` in site-packages, whose line starts the agent where
``CODESUTURE=1`` is set. ``enable`` adds a second file whose line needs no variable; ``disable``
removes both (docs/agent.md says why). Nothing else of an environment is touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_START = (
    'sys.modules["_frozen_importlib_external"].PathFinder.find_spec("codesuture_agent")'
    ' and __import__("codesuture_agent").start()'
)
#: The files in site-packages, by name: what they say is one line each.
INSTALLED, ENABLED = "codesuture.pth", "codesuture-enabled.pth"
LINES = {
    INSTALLED: f'import os, sys; os.environ.get("CODESUTURE", "0") not in ("", "0") and {_START}\n',
    ENABLED: f'import os, sys; os.environ.get("CODESUTURE") != "0" and {_START}\n',
}
OFF_WORDS = ("0", "false", "no", "off")
_PATIENCE = 60

_PROBE = """\
import json, sys, sysconfig
from importlib.util import find_spec
spec = find_spec("codesuture")
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "prefix": sys.prefix,
    "base_prefix": sys.base_prefix,
    "folder": sysconfig.get_path("purelib"),
    "package": spec.origin if spec else None,
    "agent": find_spec("codesuture_agent") is not None,
}))
"""


_TRIAL = """\
import importlib.metadata, importlib.util, json, os, re, sys
lines = []
for folder in dict.fromkeys(sys.path):
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        continue
    for name in names:
        if name.endswith(".pth") and name not in OURS:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                if any(line.startswith(("import ", "import\\t")) for line in file):
                    lines.append(os.path.join(folder, name))
hooks = []
for hook in [*sys.meta_path, *sys.path_hooks]:
    kind = hook if isinstance(hook, type) else type(hook)
    module = getattr(hook, "__module__", None) or kind.__module__
    if not str(module).startswith(("_frozen_importlib", "importlib.", "zipimport", "codesuture")):
        hooks.append(f"{module}.{getattr(hook, '__qualname__', kind.__qualname__)}")
missing = []
for name, least in NEEDS.items():
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    found = importlib.util.find_spec(name.replace("-", "_")) is not None
    if not found or [int(part) for part in re.findall("[0-9]+", version)[:3]] < least:
        missing.append(name)
import codesuture
try:
    recorded = importlib.metadata.version("codesuture")
except importlib.metadata.PackageNotFoundError:
    recorded = ""
print(json.dumps({
    "active": "codesuture.importhook" in sys.modules,
    "hooks": hooks,
    "lines": lines,
    "missing": missing,
    "versions": [codesuture.__version__, recorded],
    "customized": [n for n in ("sitecustomize", "usercustomize") if n in sys.modules],
}))
"""
#: What codesuture needs, with the oldest version that will do (as in pyproject.toml).
NEEDS = {"bytecode": [0, 19, 1], "importlib-metadata": [1], "tomli-w": [1], "colorama": [0, 1]}


class VenvError(Exception):
    """Why nothing could be done: a sentence, and in ``hint`` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Place:
    """One interpreter: where it is, and what of codesuture it has.

    ``folder`` is its site-packages; ``is_venv`` is false for an interpreter of the system.
    """

    def __init__(self, python: str, facts: Mapping[str, object]) -> None:
        self.python = python
        self.prefix = str(facts["prefix"])
        self.is_venv = facts["prefix"] != facts["base_prefix"]
        self.folder = str(facts["folder"])
        self.implementation = str(facts["implementation"])
        version = facts["version"]
        assert isinstance(version, list)
        self.version: tuple[int, ...] = tuple(version)
        self.package = facts["package"]
        self.is_installed = self.package is not None and facts["agent"] is True

    def has(self, name: str) -> bool:
        """Whether one of the files of ``LINES`` is there."""
        return os.path.isfile(os.path.join(self.folder, name))


def enable(directory: str | None = None) -> Place:
    """Have every Python of the environment start the agent, unless ``CODESUTURE=0`` is set.

    ``directory`` is the environment's folder; the current one when left out. Raises VenvError.
    """
    place = _environment(directory)
    if not place.is_installed:
        raise VenvError(
            f"codesuture is not installed in {place.prefix}",
            f"install it: {place.python} -m pip install codesuture",
        )
    _check_supported(place)
    for name, line in LINES.items():
        _write(os.path.join(place.folder, name), line)
    return place


def disable(directory: str | None = None) -> tuple[Place, list[str]]:
    """Take the agent out of the environment; returns what was removed, as paths.

    ``directory`` as for ``enable``. It makes no difference whether codesuture is still installed.
    Raises VenvError.
    """
    place = _environment(directory)
    removed = []
    for name in LINES:
        path = os.path.join(place.folder, name)
        try:
            os.remove(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise VenvError(f"{path} cannot be removed: {error.strerror}") from None
        removed.append(path)
    return place, removed


class Status:
    """What ``codesuture status`` tells."""

    def __init__(self, place: Place, switch: str | None, active: bool, reason: str, do: str):
        self.place = place
        self.switch = switch
        self.active = active
        self.reason = reason
        self.do = do

    @property
    def supported(self) -> bool:
        """Whether codesuture knows this version of Python."""
        return _is_supported(self.place)

    @property
    def conclusion(self) -> str:
        """One sentence, with what to do where codesuture is not active."""
        if self.active:
            return f"active: {self.reason}"
        return f"not active: {self.reason}" + (f"; {self.do}" if self.do else "")

    def to_json(self) -> dict[str, object]:
        """The same for programs."""
        place = self.place
        return {
            "active": self.active,
            "reason": self.reason,
            "do": self.do,
            "python": place.python,
            "version": ".".join(str(part) for part in place.version),
            "supported": _is_supported(place),
            "venv": place.prefix if place.is_venv else None,
            "own_interpreter": _is_own(place),
            "site": not (_is_own(place) and sys.flags.no_site),
            "installed": place.is_installed,
            "package": place.package,
            "site_packages": place.folder,
            "files": [name for name in LINES if place.has(name)],
            "CODESUTURE": self.switch,
        }


def status(directory: str | None = None) -> Status:
    """Whether programs started by the environment's Python, here and now, have the agent.

    Outside of a virtual environment it is about the interpreter that this runs in. Raises
    VenvError where ``directory`` is no environment.
    """
    if directory is None and _current() is None:
        place = _probe(sys.executable)
    else:
        place = _environment(directory)
    switch = os.environ.get("CODESUTURE")
    return Status(place, switch, *_judge(place, switch))


def _judge(place: Place, switch: str | None) -> tuple[bool, str, str]:
    """Whether it is active, why, and what to do about it if not."""
    if not _is_supported(place):
        return False, _unsupported(place), "use CPython 3.11 to 3.15"
    if not place.is_installed:
        return (
            False,
            f"codesuture is not installed for {place.python}",
            f"install it: {place.python} -m pip install codesuture",
        )
    if _is_own(place) and sys.flags.no_site:
        return False, "this Python was started with -S, which reads no .pth files", "leave out -S"
    if switch is not None and switch.strip().lower() in OFF_WORDS:
        return False, f"CODESUTURE={switch} is set", "unset it"
    wrong = _configuration()
    if wrong:
        return False, *wrong
    if place.has(ENABLED):
        return True, f"every Python of {place.prefix} starts with it (enabled)", ""
    enabling = "codesuture enable" if place.is_venv else "install codesuture again"
    if not place.has(INSTALLED):
        return False, f"it was disabled in {place.prefix}", f"to put it back: {enabling}"
    if switch:
        return True, f"CODESUTURE={switch} is set and {place.prefix} has codesuture", ""
    do = "set it (CODESUTURE=1 python app.py)"
    return (
        False,
        "CODESUTURE is not set",
        f"{do}, or switch it on for good: codesuture enable" if place.is_venv else do,
    )


def _configuration() -> tuple[str, str] | None:
    """Why the configuration that counts in this directory keeps codesuture off."""
    from codesuture.config.errors import ConfigError, in_words
    from codesuture.config.load import load

    try:
        config = load(os.getcwd())
    except ConfigError as problem:
        return f"the configuration is wrong: {problem}", problem.hint
    except OSError as problem:
        return f"the configuration cannot be read: {in_words(problem)}", ""
    if config.mode == "off":
        return f'mode is "off" ({config.origin("mode")})', "codesuture config set mode heal"
    return None


class Trial:
    """What a Python of an environment is like when it is started with ``CODESUTURE=1``.

    ``problem`` says why there was no answer, ``said`` is what codesuture wrote on standard error,
    ``hooks`` and ``lines`` are other tools' import hooks and ``.pth`` files, ``versions`` are those
    of codesuture's files and of what the installer has recorded (empty where it has nothing).
    """

    def __init__(self, facts: Mapping[str, object], said: str, problem: str = "") -> None:
        def texts(name: str) -> list[str]:
            found = facts.get(name, [])
            return [str(item) for item in found] if isinstance(found, list) else []

        self.problem = problem
        self.said = said
        self.active = facts.get("active") is True
        self.hooks = texts("hooks")
        self.lines = texts("lines")
        self.missing = texts("missing")
        self.versions = texts("versions")
        self.customized = texts("customized")


def try_agent(place: Place) -> Trial:
    """Start the environment's Python in the working directory, and see what it does."""
    source = f"OURS, NEEDS = {tuple(LINES)!r}, {NEEDS!r}\n{_TRIAL}"
    try:
        done = subprocess.run(
            [place.python, "-c", source],
            env={**os.environ, "CODESUTURE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
        said = [
            line
            for line in done.stderr.decode(errors="replace").splitlines()
            if line.startswith("[CodeSuture]")
        ]
        return Trial(json.loads(done.stdout), " ".join(said))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return Trial({}, "", f"{place.python} does not start ({_briefly(error)})")


def _environment(directory: str | None) -> Place:
    """The virtual environment that is meant. Raises VenvError where there is none."""
    folder = directory if directory is not None else _current()
    if folder is None:
        raise VenvError(
            "this is not a virtual environment, and none is active",
            "name one: --venv DIR; or make one: python -m venv .venv",
        )
    python = _python_of(folder)
    if not os.path.isfile(os.path.join(folder, "pyvenv.cfg")) or python is None:
        raise VenvError(
            f"{folder} is not a virtual environment",
            f"make one: python -m venv {folder}",
        )
    return _probe(python)


def _current() -> str | None:
    """The folder of the current virtual environment: the active one, else this interpreter's."""
    active = os.environ.get("VIRTUAL_ENV")
    if active:
        return active
    return sys.prefix if sys.prefix != sys.base_prefix else None


def _python_of(folder: str) -> str | None:
    for parts in (("bin", "python"), ("Scripts", "python.exe")):
        path = os.path.join(os.path.abspath(folder), *parts)
        if os.path.isfile(path):
            return path
    return None


def _probe(python: str) -> Place:
    """Ask an interpreter about itself. Raises VenvError where it does not answer."""
    environ = {**os.environ, "CODESUTURE": "0"}
    try:
        answer = subprocess.run(
            [python, "-I", "-c", _PROBE],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        ).stdout
        return Place(python, json.loads(answer))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        raise VenvError(
            f"{python} does not work ({_briefly(error)})",
            "make the environment again: python -m venv --clear DIR",
        ) from None


def _briefly(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else str(error)
    return str(error)


def _is_own(place: Place) -> bool:
    return os.path.normpath(place.prefix) == os.path.normpath(sys.prefix)


def _is_supported(place: Place) -> bool:
    return place.implementation == "cpython" and (3, 11) <= place.version[:2] < (3, 16)


def _unsupported(place: Place) -> str:
    version = ".".join(str(part) for part in place.version)
    return f"{place.implementation} {version} is not supported"


def _check_supported(place: Place) -> None:
    if not _is_supported(place):
        raise VenvError(f"{_unsupported(place)} ({place.python})", "use CPython 3.11 to 3.15")


def _write(path: str, line: str) -> None:
    """Write one of the files, whole or not at all."""
    beside = f"{path}.{os.getpid()}.new"  # the name does not end in .pth: nobody reads it
    try:
        with open(beside, "w", encoding="utf-8", newline="\n") as file:
            file.write(line)
        os.replace(beside, path)
    except OSError as error:
        if os.path.exists(beside):
            os.remove(beside)
        raise VenvError(f"{path} cannot be written: {error.strerror}") from None
