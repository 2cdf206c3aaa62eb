"""`codesuture config`: show and change the configuration."""

from __future__ import annotations

import json
import os
import sys

from codesuture.cli.failure import Failure, Parser
from codesuture.cli.terminal import Screen, counted
from codesuture.config.check import parse, unknown_key
from codesuture.config.find import OWN_FILE, PROJECT_FILE, TABLE, locate
from codesuture.config.keys import KEYS, find
from codesuture.config.load import DEFAULT_ORIGIN, Config, load
from codesuture.config.write import set_key, toml_value, unset_key, write_template

_USAGE = """\
codesuture config [show] [--json]     every value with where it comes from
       codesuture config get KEY             one value
       codesuture config set KEY VALUE       change codesuture.toml (lists: a,b,c)
       codesuture config unset KEY           take a key out of codesuture.toml
       codesuture config init                write a codesuture.toml with every default
       codesuture config path                which file counts
       codesuture config validate            whether file and variables are in order"""

_ARGUMENTS = {"show": 0, "get": 1, "set": 2, "unset": 1, "init": 0, "path": 0, "validate": 0}


def execute(words: list[str]) -> int:
    """Do one of the actions; 1 when a key or file is not there, 2 for wrong input."""
    parser = Parser(
        prog="codesuture config",
        usage=_USAGE,
        description="Show and change the configuration (docs/configuration.md has every key).",
    )
    parser.add_argument("action", nargs="?", default="show", choices=list(_ARGUMENTS))
    parser.add_argument("words", nargs="*", metavar="KEY VALUE")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse(words)
    wanted = _ARGUMENTS[asked.action]
    if len(asked.words) != wanted:
        needs = ("no further words", "a key", "a key and a value")[wanted]
        parser.error(f"config {asked.action} needs {needs}")
    if asked.action == "show":
        return _show(asked.json)
    if asked.action == "get":
        return _get(asked.words[0], asked.json)
    if asked.action == "set":
        return _set(asked.words[0], asked.words[1])
    if asked.action == "unset":
        return _unset(asked.words[0])
    if asked.action == "validate":
        return _validate(asked.json)
    return _init() if asked.action == "init" else _path(asked.json)


def _rows(config: Config) -> list[tuple[str, object, str]]:
    """Name, value and origin of every key; tables entry by entry."""
    rows: list[tuple[str, object, str]] = []
    for key in KEYS:
        value = config.value(key.name)
        if isinstance(value, dict) and value:
            for item in value:
                name = f"{key.name}.{item}"
                rows.append((name, value[item], config.origin(name)))
        else:
            rows.append((key.name, _as_toml(value), config.origin(key.name)))
    return rows


def _as_toml(value: object) -> object:
    """The value as it stands in a file: lists for tuples, days without needless fractions."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _show(as_json: bool) -> int:
    config = load(os.getcwd())
    if as_json:
        values = [
            {"key": name, "value": value, "origin": origin} for name, value, origin in _rows(config)
        ]
        said = {"path": config.path, "root": config.root, "notes": config.notes, "values": values}
        print(json.dumps(said, indent=2))
        return 0
    screen = Screen(sys.stdout, config.color)
    rows = [(name, _text(value), origin) for name, value, origin in _rows(config)]
    screen.table(("key", "value", "from"), rows)
    screen.line()
    screen.line(f"File: {config.path or 'none'}")
    for note in config.notes:
        screen.line(f"Note: {note}")
    return 0


def _validate(as_json: bool) -> int:
    """Say that all is in order; what is not is a ConfigError, which `main` reports (2)."""
    config = load(os.getcwd())
    found = [(name, origin) for name, _, origin in _rows(config) if origin != DEFAULT_ORIGIN]
    if as_json:
        said = {"path": config.path, "valid": True, "set": [name for name, _ in found],
                "notes": config.notes}
        print(json.dumps(said, indent=2))
        return 0
    print(f"{config.path or 'No configuration file, and that'} is in order; "
          f"{counted(len(found), 'value is', 'values are')} set.")
    for note in config.notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def _text(value: object) -> str:
    return "{}" if value == {} else toml_value(value)


def _get(name: str, as_json: bool) -> int:
    found = find(name)
    if found is None:
        raise unknown_key(name)
    key, entry = found
    config = load(os.getcwd())
    value = config.value(key.name)
    if entry and isinstance(value, dict):
        if entry not in value:
            raise Failure(f"{name!r} is not set")
        value = value[entry]
    value = _as_toml(value)
    if as_json:
        print(json.dumps({"key": name, "value": value, "origin": config.origin(name)}))
    else:
        print(value if isinstance(value, str) else _text(value))
    return 0


def _set(name: str, text: str) -> int:
    value = parse(name, text)
    path = _file_to_change()
    set_key(path, name, value)
    print(f"{name} = {_text(value)} in {path}")
    return 0


def _unset(name: str) -> int:
    if find(name) is None:
        raise unknown_key(name)
    path = _file_to_change()
    if not unset_key(path, name):
        raise Failure(f"{path} does not set {name!r}" if os.path.exists(path) else _no_file())
    print(f"{name} is no longer set in {path}")
    return 0


def _file_to_change() -> str:
    """The file that counts, or the one to create in the working directory."""
    return locate(os.getcwd()).path or os.path.join(os.getcwd(), OWN_FILE)


def _init() -> int:
    path = os.path.join(os.getcwd(), OWN_FILE)
    found = locate(os.getcwd()).path
    if found == os.path.join(os.getcwd(), PROJECT_FILE):
        raise Failure(
            f"{found} holds the configuration in [{'.'.join(TABLE)}]",
            f"a {OWN_FILE} beside it would make it count for nothing; move the table first",
        )
    if os.path.lexists(path):
        raise Failure(f"{path} exists already", "`codesuture config set KEY VALUE` changes it")
    write_template(path)
    print(f"Wrote {path}")
    return 0


def _path(as_json: bool) -> int:
    path = locate(os.getcwd()).path
    if as_json:
        print(json.dumps({"path": path}))
    elif path is not None:
        print(path)
    if path is None:
        raise Failure(_no_file(), "`codesuture config init` writes one")
    return 0


def _no_file() -> str:
    return f"there is no {OWN_FILE} here or above, and no [{'.'.join(TABLE)}] in a {PROJECT_FILE}"
