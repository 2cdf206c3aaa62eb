"""Where each statement of a TOML text stands: for line numbers in errors, and for edits.

`tomllib` reads the values; this only splits the text into statements, and it lets `tomllib`
decide where each of them ends.
"""

from __future__ import annotations

import tomllib


class Statement:
    """One `key = value` or one table header: its full path and its lines `[start, end)`.

    `head` is the table that a key stands in. `path` of a header is the table's own.
    """

    __slots__ = ("end", "head", "is_header", "path", "start")

    def __init__(
        self, head: tuple[str, ...], path: tuple[str, ...], start: int, end: int, is_header: bool
    ) -> None:
        self.head = head
        self.path = path
        self.start = start
        self.end = end
        self.is_header = is_header


def split(text: str) -> list[Statement]:
    """The statements of `text`, which must be valid TOML (else the result is incomplete)."""
    lines = text.splitlines(keepends=True)
    head: tuple[str, ...] = ()
    found: list[Statement] = []
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        if not line or line.startswith("#"):
            number += 1
            continue
        read = _read_one(lines, number)
        if read is None:
            break
        end, value = read
        if line.startswith("["):
            head = _path(value, None)
            found.append(Statement(head, head, number, end, True))
        else:
            equals = _position_of_equals("".join(lines[number:end]))
            key = _path(tomllib.loads("".join(lines[number:end])[:equals] + "= 0"), 0)
            found.append(Statement(head, head + key, number, end, False))
        number = end
    return found


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line (from 1) where `path` is set, or the nearest table around it that is named."""
    best: Statement | None = None
    for statement in split(text):
        size = len(statement.path)
        if path[:size] == statement.path and (best is None or size > len(best.path)):
            best = statement
    return best.start + 1 if best is not None else None


def value_span(statement: str) -> tuple[int, int]:
    """Where the value of a `key = value` statement begins and ends, comment and blanks left out."""
    whole = tomllib.loads(statement)
    begin = _position_of_equals(statement) + 1
    begin += len(statement[begin:]) - len(statement[begin:].lstrip(" \t"))
    for position in range(begin, len(statement)):
        if statement[position] == "#" and _loads(statement[:position]) == whole:
            return begin, len(statement[:position].rstrip())
    return begin, len(statement.rstrip())


def _read_one(lines: list[str], start: int) -> tuple[int, dict[str, object]] | None:
    """The end of the statement that begins at `start`, and what it says."""
    for end in range(start + 1, len(lines) + 1):
        value = _loads("".join(lines[start:end]))
        if value is not None:
            return end, value
    return None


def _position_of_equals(statement: str) -> int:
    """The `=` between key and value: the first with a whole key before it."""
    position = statement.index("=")
    while _loads(statement[:position] + "= 0") is None:
        position = statement.index("=", position + 1)
    return position


def _path(value: object, leaf: object) -> tuple[str, ...]:
    """The names that lead through the nested tables of one header or one dotted key."""
    names: list[str] = []
    while value and value != leaf:
        if isinstance(value, list):
            value = value[0]
            continue
        assert isinstance(value, dict)
        name = next(iter(value))
        names.append(name)
        value = value[name]
    return tuple(names)


def _loads(text: str) -> dict[str, object] | None:
    """`tomllib.loads`, with None for what is not valid."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
