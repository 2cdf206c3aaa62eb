"""Programs that tools are tried on, and what is known of what they see."""

from __future__ import annotations

import sys

#: A module whose every branch and line is interesting, and which raises and handles.
WORK = """\
def first(data, key):
    try:
        return data[key]
    except KeyError:
        return None


def loop(rows):
    total = 0
    for row in rows:
        if row.get("skip"):
            continue
        total += row["count"] * 2
    else:
        total += 1
    return [x.real for x in (total, 2)] if total else None


class Shop:
    def __init__(self, names):
        self.names = names

    def all(self):
        with open(__file__) as file:
            return [name.upper() for name in self.names if name], file.name and 1


def steps():
    try:
        yield 1
        yield [][0]
    except IndexError:
        yield 3
    finally:
        yield 4


def run():
    shop = Shop(["a", "", "b"])
    return (
        first({}, "x"), first({"x": 1}, "x"), loop([{"skip": 1}, {"count": 2}]), loop([]),
        shop.all(), list(steps()), deep(3),
    )


def deep(n):
    if n:
        try:
            return deep(n - 1)
        finally:
            n = 0
    try:
        return {}["deep"].x
    except (LookupError, AttributeError) as error:
        return type(error).__name__
"""
RUN = "import work\nprint(work.run())\n"


def lines_once(events: str) -> list[str]:
    """The events, on 3.12 without those that repeat a function's last line.

    3.12 tells of a line again when a call of a Python function returns to an instruction that
    something jumps to, even from where nothing has been (`initialize_lines` of its
    instrumentation.c). Pads lead back to what follows a call.
    """
    if sys.version_info[:2] != (3, 12):
        return events.split("\n")
    kept: list[str] = []
    last: dict[str, str] = {}
    for event in events.split("\n"):
        function, _, rest = event.partition(" ")
        if rest.lower().startswith("line"):
            if last.get(function) == rest:
                continue
            last[function] = rest
        elif rest.startswith(("call", "PY_START", "PY_RESUME")):
            last.pop(function, None)
        kept.append(event)
    return kept
