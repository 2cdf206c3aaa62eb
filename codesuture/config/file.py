"""Reading one configuration file; imported only when there is one."""

from __future__ import annotations

import os
import sys

from codesuture import cachekey, kept
from codesuture.config.check import check, unknown_key
from codesuture.config.errors import ConfigError
from codesuture.config.find import PROJECT_FILE, TABLE
from codesuture.config.keys import BY_NAME, find

#: What is kept of a file is of this kind (`codesuture.kept`).
_KIND = "toml"


def read(path: str) -> list[tuple[str, object]]:
    """The keys that the file sets, each checked, in the file's order.

    Raises ConfigError (file, line where it can be told, key, nearest valid key).
    """
    text = read_text(path)
    table = tables(path)
    found: list[tuple[str, object]] = []
    try:
        _walk(_ours(_parsed(text, path), table, path), "", found)
    except ConfigError as problem:
        if not problem.key:
            raise
        raise problem.at(_place(path, text, table, problem.key)) from None
    return found


def tables(path: str) -> tuple[str, ...]:
    """The names of the tables around our keys in this file: none in `codesuture.toml`."""
    return TABLE if os.path.basename(path) == PROJECT_FILE else ()


def read_text(path: str) -> str:
    """The text of the file; ConfigError when it cannot be read."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as problem:
        raise ConfigError(f"{path} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text, which TOML must be") from None


def _parsed(text: str, path: str) -> dict[str, object]:
    """What `parse_toml` gives. It follows from the text alone, so that is kept for other processes:
    importing `tomllib` takes longer than all else at a start."""
    key, content = cachekey.load(), text.encode()
    name = repr((path, sys.hexversion)).encode()
    if key is not None:
        try:
            known = kept.load(key, _KIND, name, key.sign(content))
        except Exception:
            known = None
        if isinstance(known, dict):
            return known
    found = parse_toml(text, path)
    if not sys.dont_write_bytecode:
        _keep(name, content, found)
    return found


def _keep(name: bytes, content: bytes, found: dict[str, object]) -> None:
    """Keep what was parsed, where there is a key and no date in it."""
    try:
        key = cachekey.load_or_create()
        if key is not None:
            kept.save(key, _KIND, name, key.sign(content), found)
    except (OSError, ValueError):
        return


def parse_toml(text: str, path: str) -> dict[str, object]:
    """`tomllib.loads` with ConfigError for what is not valid."""
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError as problem:
        raise ConfigError(f"{path} is not valid TOML: {problem}") from None
    except RecursionError:
        raise ConfigError(f"{path} is not valid TOML: it is nested too deeply") from None


def _ours(data: dict[str, object], table: tuple[str, ...], path: str) -> dict[str, object]:
    """The table that holds our keys."""
    for name in table:
        inner = data.get(name, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{path}: '{'.'.join(table)}' must be a table")
        data = inner
    return data


def _walk(data: dict[str, object], prefix: str, found: list[tuple[str, object]]) -> None:
    """Check every name of a table and collect the values."""
    for name, value in data.items():
        full = prefix + name
        if full in BY_NAME:
            check(full, value)
            found.append((full, value))
        elif any(known.startswith(full + ".") for known in BY_NAME):
            if not isinstance(value, dict):
                raise ConfigError(f"{full!r} must be a table", key=full)
            _walk(value, full + ".", found)
        else:
            raise unknown_key(full)


def _place(path: str, text: str, table: tuple[str, ...], key: str) -> str:
    """File and line of a key."""
    from codesuture.config.statements import line_of

    known = find(key)
    if known is not None and known[1]:
        names: tuple[str, ...] = (known[0].name, known[1])
    else:
        names = tuple(key.split("."))
    line = line_of(text, table + names)
    return path if line is None else f"{path}, line {line}"
