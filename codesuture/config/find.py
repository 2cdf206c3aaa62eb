"""Where the configuration file is: the nearest one from a directory upward."""

from __future__ import annotations

import os

OWN_FILE = "codesuture.toml"
PROJECT_FILE = "pyproject.toml"

TABLE = ("tool", "codesuture")
"""Where our table stands in a pyproject.toml."""

_TABLES = (b"[tool.codesuture]", b"[tool.codesuture.")


STORE_FOLDER = ".codesuture_store"


class Found:
    """What the search from a directory upward found.

    `path` is the configuration file that counts, None when there is none; `ignored` the one
    beside it that therefore does not. `root` is the project's folder: the nearest one with a
    configuration file or a store, else the directory the search began in.
    """

    __slots__ = ("ignored", "path", "root")

    def __init__(self, path: str | None, root: str, ignored: str | None = None) -> None:
        self.path = path
        self.root = root
        self.ignored = ignored


def locate(directory: str) -> Found:
    """Search `directory` and its parents; in one folder `codesuture.toml` wins.

    A `pyproject.toml` counts only if it has a `[tool.codesuture]` table.
    """
    folder = os.path.abspath(directory)
    root = ""
    while True:
        own = os.path.join(folder, OWN_FILE)
        project = os.path.join(folder, PROJECT_FILE)
        has_table = os.path.isfile(project) and _mentions_us(project)
        if os.path.isfile(own):
            return Found(own, root or folder, project if has_table else None)
        if has_table:
            return Found(project, root or folder)
        if not root and os.path.lexists(os.path.join(folder, STORE_FOLDER)):
            root = folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return Found(None, root or os.path.abspath(directory))
        folder = parent


def _mentions_us(project: str) -> bool:
    """Whether a pyproject.toml has our table; told from the bytes, so that nothing is parsed."""
    try:
        with open(project, "rb") as file:
            content = file.read()
    except OSError:
        return False  # somebody else's file; it is no mistake in our configuration
    if b"[tool.codesuture" not in content:
        return False
    return any(line.lstrip().startswith(_TABLES) for line in content.splitlines())
