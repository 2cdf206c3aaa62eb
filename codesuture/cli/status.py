"""`codesuture status`: active or not, where, and why not."""

from __future__ import annotations

import json
import os
import sys

from codesuture.cli.failure import Failure, Parser
from codesuture.cli.terminal import Screen, counted, plain
from codesuture.config.errors import ConfigError
from codesuture.config.load import Config, load
from codesuture.store import Store, StoreError
from codesuture.venvs import LINES, Place, Status, VenvError, status


def execute(words: list[str]) -> int:
    """Tell how things stand; 0 whether codesuture is active or not, 1 where that is not known."""
    parser = Parser(
        prog="codesuture status",
        description="Say whether programs that this Python starts here have codesuture on, "
        "where, and why not.",
    )
    parser.add_argument("--venv", metavar="DIR", help="the environment (default: the current one)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse(words)
    try:
        found = status(asked.venv)
    except VenvError as problem:
        raise Failure(str(problem), problem.hint) from None
    project = Project()
    if asked.json:
        said = {**found.to_json(), "pth": _pth_files(found.place), **project.to_json()}
        print(json.dumps(said, indent=2))
    else:
        _print(found, project)
    return 0


class Project:
    """What configuration and store say in the working directory, or why they cannot."""

    def __init__(self) -> None:
        self.config: Config | None = None
        self.patches: int | None = None
        self.problems: list[str] = []
        try:
            self.config = load(os.getcwd())
            store = Store(self.config.store)
            self.patches = len(store.patches())
            self.problems = store.problems
        except (ConfigError, StoreError) as problem:
            self.problems = [str(problem)]

    def to_json(self) -> dict[str, object]:
        """For `--json`; what is not known is null."""
        return {
            "config": self.config.path if self.config else None,
            "mode": self.config.mode if self.config else None,
            "store": self.config.store if self.config else None,
            "patches": self.patches,
            "problems": self.problems,
        }


def _pth_files(place: Place) -> dict[str, str]:
    """Path and content of each file of ours that starts the agent."""
    found = {}
    for name in LINES:
        path = os.path.join(place.folder, name)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found[path] = file.read()
        except OSError:
            continue
    return found


def _print(found: Status, project: Project) -> None:
    screen = Screen(sys.stdout, project.config.color if project.config else "auto")
    place = found.place
    screen.line(screen.paint(f"codesuture is {found.conclusion}", "BRIGHT"))
    version = ".".join(str(part) for part in place.version)
    kind = "virtual environment" if place.is_venv else "not a virtual environment"
    _fact(screen, "Python", f"{version} ({place.python})")
    _fact(screen, "Environment", f"{place.prefix} ({kind})")
    _fact(screen, "Package", str(place.package or "not installed there"))
    files = _pth_files(place)
    for path, content in files.items():
        _fact(screen, "Start file", path)
        for line in content.splitlines():
            screen.line(f"{'':14}{plain(line)}")
    if not files:
        _fact(screen, "Start file", "none")
    if project.config is not None:
        _fact(screen, "Configuration", project.config.path or "none, all defaults")
        for note in project.config.notes:
            _fact(screen, "", note)
        patches = project.patches
        count = "cannot be read" if patches is None else counted(patches, "patch", "patches")
        _fact(screen, "Store", f"{project.config.store} ({count})")
    for problem in project.problems:
        _fact(screen, "Problem", problem)


def _fact(screen: Screen, name: str, value: str) -> None:
    screen.line(f"{name:<14}{plain(value)}")
