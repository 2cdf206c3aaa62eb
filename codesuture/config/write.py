"""Changing one key of `codesuture.toml`, and writing a commented template.

An edit touches the lines of its key and nothing else, so comments and order stay. The new text is
read again before it replaces the file: if anything but the wanted change happened, the file is
left as it is.
"""

from __future__ import annotations

import os
import shutil
import tomllib

from codesuture.config.check import check
from codesuture.config.errors import ConfigError
from codesuture.config.file import parse_toml, read_text
from codesuture.config.find import OWN_FILE, PROJECT_FILE, TABLE
from codesuture.config.keys import find
from codesuture.config.statements import Statement, split, value_span


def set_key(path: str, name: str, value: object) -> None:
    """Set the key (or table entry) `name` in the file, which is created if it is missing.

    Raises ConfigError for a wrong value, for a `pyproject.toml`, for a file that is broken and
    for one whose shape does not allow the edit; the file is then unchanged.
    """
    check(name, value)
    _refuse_project_file(path, name)
    names = names_of(name)
    if not os.path.exists(path):
        _write(path, _dump(_nested(names, value)))
        return
    text = read_text(path)
    wanted = parse_toml(text, path)
    _assign(wanted, names, value)
    _replace(path, _with_value(text, names, value), wanted, name)


def unset_key(path: str, name: str) -> bool:
    """Take the key (or table entry) out of the file; False when the file does not set it.

    Raises ConfigError as `set_key` does.
    """
    _refuse_project_file(path, name)
    names = names_of(name)
    if not os.path.exists(path):
        return False
    text = read_text(path)
    wanted = parse_toml(text, path)
    if not _delete(wanted, names):
        return False
    _replace(path, _without(text, names), wanted, name)
    return True


def write_template(path: str) -> None:
    """Write a new file with every key at its default, commented out.

    Raises ConfigError when the file exists.
    """
    from codesuture.config.document import template

    if os.path.lexists(path):
        raise ConfigError(f"{path} exists already", "change it with `codesuture config set`")
    _write(path, template())


def names_of(name: str) -> tuple[str, ...]:
    """The path in TOML of a key or table entry: an entry's own dots are part of its name."""
    found = find(name)
    if found is not None and found[1]:
        return found[0].name, found[1]
    return tuple(name.split("."))


def toml_value(value: object) -> str:
    """`value` as TOML writes it, on one line where it is not a table."""
    import tomli_w

    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").strip()


def _refuse_project_file(path: str, name: str) -> None:
    if os.path.basename(path) == PROJECT_FILE:
        raise ConfigError(
            f"the configuration stands in {path}, which codesuture only reads",
            f"edit {name!r} in its [{'.'.join(TABLE)}] table, or move the table to {OWN_FILE}",
        )


def _dump(data: dict[str, object]) -> str:
    import tomli_w

    return tomli_w.dumps(data)


def _nested(names: tuple[str, ...], value: object) -> dict[str, object]:
    for name in reversed(names[1:]):
        value = {name: value}
    return {names[0]: value}


def _assign(data: dict[str, object], names: tuple[str, ...], value: object) -> None:
    """Set `names` in nested tables; what is not a table on the way is replaced."""
    for name in names[:-1]:
        inner = data.get(name)
        if not isinstance(inner, dict):
            inner = data[name] = {}
        data = inner
    data[names[-1]] = value


def _delete(data: dict[str, object], names: tuple[str, ...]) -> bool:
    """Delete `names` from nested tables; False when it is not there."""
    for name in names[:-1]:
        inner = data.get(name)
        if not isinstance(inner, dict):
            return False
        data = inner
    if names[-1] not in data:
        return False
    del data[names[-1]]
    return True


def _with_value(text: str, names: tuple[str, ...], value: object) -> str:
    """The text with `names` set: in its place, in its table, or behind everything else."""
    lines = text.splitlines(keepends=True)
    statements = split(text)
    shown = toml_value(value)
    for found in statements:
        if found.path == names and not found.is_header:
            statement = "".join(lines[found.start : found.end])
            begin, end = value_span(statement)
            new = statement[:begin] + shown + statement[end:]
            return "".join(lines[: found.start]) + new + "".join(lines[found.end :])
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    at, written = _place_for(lines, statements, names)
    if written is None:
        header = _key_text(names[:-1])
        return "".join(lines) + f"\n[{header}]\n{_key_text(names[-1:])} = {shown}\n"
    return "".join(lines[:at]) + f"{_key_text(written)} = {shown}\n" + "".join(lines[at:])


def _place_for(
    lines: list[str], statements: list[Statement], names: tuple[str, ...]
) -> tuple[int, tuple[str, ...] | None]:
    """The line to insert at and the key as it is written there; None for a new table."""
    table = names[:-1]
    headers = [found.start for found in statements if found.is_header]
    if not table:
        end = _above_comments(lines, headers[0]) if headers else len(lines)
        return _line_within(lines, statements, 0, end, names[0]), names
    for found in statements:
        if found.is_header and found.path == table:
            end = min((start for start in headers if start >= found.end), default=len(lines))
            return _line_within(lines, statements, found.end, end, names[-1]), names[-1:]
    for found in reversed(statements):
        if not found.is_header and found.path[:-1] == table:  # written as a dotted key
            return found.end, names[len(found.head) :]
    return len(lines), None


def _line_within(
    lines: list[str], statements: list[Statement], start: int, end: int, name: str
) -> int:
    """The line in `[start, end)` behind the key's commented default, or behind the last key.

    Without either it is `start` for a table, which stands right behind its header, and `end` for
    the top of the file, which may begin with comments about the whole.
    """
    for number in range(start, end):
        if lines[number].startswith(f"# {name} = "):
            return number + 1
    inside = [found.end for found in statements if start <= found.start < end]
    return inside[-1] if inside else (start or end)


def _above_comments(lines: list[str], number: int) -> int:
    """The first line of the comment that stands directly above line `number`."""
    while number > 0 and lines[number - 1].startswith("#"):
        number -= 1
    return number


def _without(text: str, names: tuple[str, ...]) -> str:
    """The text without the statement that sets `names`."""
    lines = text.splitlines(keepends=True)
    for found in split(text):
        if found.path == names and not found.is_header:
            return "".join(lines[: found.start]) + "".join(lines[found.end :])
    return text


def _key_text(names: tuple[str, ...]) -> str:
    """Names as a dotted key, quoted where TOML needs it."""
    return ".".join(_quoted(name) for name in names)


def _quoted(name: str) -> str:
    return _dump({name: 0}).removesuffix(" = 0\n")


def _replace(path: str, text: str, wanted: dict[str, object], name: str) -> None:
    """Write `text` if it says exactly what is wanted (an empty table may be left behind)."""
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError):
        said = None
    if said is None or _without_empty(said) != _without_empty(wanted):
        raise ConfigError(
            f"{path} is written in a way that {name!r} cannot be changed in safely",
            "change it in an editor; the file is as it was",
        )
    _write(path, text)


def _without_empty(data: dict[str, object]) -> dict[str, object]:
    """The data without empty tables."""
    kept: dict[str, object] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            value = _without_empty(value)
            if not value:
                continue
        kept[name] = value
    return kept


def _write(path: str, text: str) -> None:
    """Replace the file in one step; a link is followed, the permissions are kept."""
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".codesuture-{os.getpid()}.toml.tmp")
    try:
        with open(temporary, "x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(target):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except OSError as problem:
        raise ConfigError(f"{path} cannot be written: {problem.strerror}") from None
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
