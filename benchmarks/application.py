"""Applications to be imported: a generated one, and a real one.

The generated one is made like real packages. The modules of these have (``sqlalchemy``, ``pip``,
``trio``, ``hypothesis``, ``coverage``, ``anyio`` on 3.11; the mean of each package) 14 to 40 KB of
marshalled code, 17 to 60 code objects, 12 to 16 sites for each KB, 7 to 30 import statements, and
take 1 to 9 ms to import, with what they need of the standard library. Here it is 13 KB, 15 code
objects, 15 sites for each KB, 6 imports and 0.4 ms: small modules that are imported quickly, which
is where codesuture's part is largest. Their sizes differ as those of real ones do.

The real one is ``pip``, because every environment that can run this has it: some 400 modules.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pip

#: What a module begins with; every third of them has some of the imports.
HEAD = '''\
"""Part {number} of a generated application: rows are read, checked, converted and summed up.

It stands for a module of an application of ordinary size. Like those it has a text that says
what it is for, imports, constants, classes and functions with texts of their own.
"""
from __future__ import annotations

import os
import re
{imports}
NAMES = {{"low": {number}, "high": {number} * 10, "name": "part {number}", "kinds": ("a", "b")}}
PATTERN_{number} = r"(?P<key>[a-z_]+{number})\\s*=\\s*(?P<value>[^#\\n]*)"
DEFAULTS = ["utf-8", "latin-1", "part-{number}", "%Y-%m-%d", "https://example.org/{number}"]
MESSAGES = {{
{messages}
}}


class PartError(ValueError):
    """Something is wrong with part {number}."""
'''
STANDARD = ("import json", "import logging", "from collections import OrderedDict",
            "from functools import partial", "from typing import Any")  # fmt: skip

CLASS = '''

class Record{name}:
    """A record of kind {name}: what was read, and what was made of it.

    :param data: what was read, as a dictionary of names and values. ``name`` is what people call
        the record; ``rows`` has its rows, each a dictionary with a ``price`` and a ``count``,
        and with ``low`` and ``high`` where the count has limits of its own.
    :param parent: the record that this one is a part of. It is asked where this one has no answer.
    :param strict: whether keys that are not known are refused, rather than passed over in silence.

    Records are compared by their names. They can be read from files (:meth:`read`), and checked
    against what another record has (:meth:`check`); neither changes what they were made from.
    """

    kind = "record{name}"
    limits = {{"rows": {number}, "columns": {number} + 1}}

    def __init__(self, data, parent=None, *, strict=False):
        """Take over ``data``; ``strict`` refuses keys that are not known."""
        self.data = data
        self.parent = parent
        self.strict = strict
        self.name = data.get("name", "").strip()
        self.total = sum(row["price"] * row["count"] for row in data.get("rows", ()))

    def __repr__(self):
        return f"<{{type(self).__name__}} {{self.name}} of {{len(self.data)}}>"

    @property
    def label(self):
        """How people see it."""
        return f"{{self.name}}: {{self.total:.2f}} {{self.kind}}"

    @classmethod
    def read(cls, path, encoding="utf-8"):
        """A record from a file.

        The file has one value in a line, behind its name and an equals sign; lines that are empty,
        or have nothing but spaces, are passed over. Raises PartError for a file that cannot be
        read, with the reason that the system gives for it.
        """
        try:
            with open(os.path.join(path, "{name}.txt"), encoding=encoding) as file:
                lines = [line.rstrip().split("=") for line in file if line.strip()]
        except OSError as error:
            raise PartError(f"{{path}} cannot be read: {{error}}") from error
        return cls({{key.strip(): value.strip() for key, value in lines}})

    def row(self, key, default=None):
        """The row for a key, or the default."""
        try:
            return self.data["rows"][key]
        except (KeyError, IndexError):
            return default

    def check(self, found):
        """Say what is missing, as a list of sentences.

        A value that is missing is told of once, with the name of the record that lacks it; what the
        parent has to say comes last, and only where this record has fewer rows than it may have.
        """
        problems = []
        for key in self.data:
            if key not in found and self.strict:
                problems.append(f"{{self.name}} has an unknown key {{key!r}}")
            elif self.data[key] is None:
                problems.append("The value of " + key + " is missing in " + self.name)
        if self.parent is not None and len(found) < self.limits["rows"]:
            problems.extend(self.parent.check(found))
        for number, row in enumerate(self.data.get("rows", ())):
            low, high = row.get("low", 0), row.get("high", self.limits["columns"])
            if not low <= row["count"] <= high:
                problems.append(f"row {{number}} of {{self.name}} is not in {{low}} to {{high}}")
            elif row["price"] < 0 or row["count"] * row["price"] > 10_000:
                problems.append("{{}} costs {{:.2f}}".format(row["key"], row["price"]))
            self.total += row["price"] * row["count"] - row.get("discount", 0)
        return problems
'''

FUNCTIONS = '''

def convert_{name}(rows, table=None, *, fill=""):
    """Rows as a dictionary of numbers, by their first column.

    Rows that begin with a number sign are comments, and those of one column are titles: both are
    passed over. A row's other columns are numbers; what is missing counts as ``fill``, or as 0.
    ``table`` has the numbers that are added to each result, and those that limit it.
    """
    result = {{}}
    for first, *rest in rows:
        if first.startswith("#") or not rest:
            continue
        values = result.setdefault(first, [])
        for text in rest:
            values.append(int(text.strip() or fill or 0))
        if len(values) > 100:
            raise PartError(f"{{first}} has {{len(values)}} values, and 100 are the most")
    table = table or NAMES
    low, high = table["low"], table["high"]
    for key, values in sorted(result.items()):
        values.sort(reverse=True)
        first, last = values[0] + low, values[-1] - low
        result[key] = {{"key": key, "first": min(first, high), "last": max(last, 0), "all": values}}
    return result


def visit_{name}(node, seen=None):
    """Walk through nested lists and dictionaries, and count what is in them.

    Texts count as many as they have characters, everything else counts one, and what is missing
    nothing. What has been seen is not counted again, so structures that contain themselves come to
    an end; ``seen`` has what was seen before, by its identity.
    """
    seen = set() if seen is None else seen
    if id(node) in seen:
        return 0
    seen.add(id(node))
    total = 0
    for key in node:
        value = node[key] if isinstance(node, dict) else key
        if isinstance(value, (dict, list, tuple)):
            total += visit_{name}(value, seen)
        elif value is not None and value != NAMES["name"]:
            total += len(value) if isinstance(value, str) else 1
    return total


def describe_{name}(record, width=72):
    """A text about a record: its label, then each of its keys with what is known about it.

    ``width`` is how many characters a line may have. Values that are too long for it are cut off;
    those that look like an assignment are shown without the name in front, and without a comment.
    """
    lines = [record.label.center(width), "-" * width]
    for key, value in sorted(record.data.items()):
        match = re.match(PATTERN_{number}, f"{{key}} = {{value}}")
        text = match.group("value").strip() if match else str(value)
        lines.append(f"{{key:>20}}  {{text[:width - 22]}}")
    return "\\n".join(lines)
'''

#: What runs when a module is loaded, other than the making of functions and plain classes, and in
#: how many modules there is one: as often as in those packages.
EXTRAS = ((7, '''

from dataclasses import dataclass, field


@dataclass
class Options:
    """How part {number} is run."""

    name: str = "part{number}"
    limit: int = {number}
    tags: list[str] = field(default_factory=list)
    parent: Options | None = None
'''), (20, '''

from enum import Enum


class Level(Enum):
    """How much is said."""

    QUIET = 0
    NORMAL = {number}
    LOUD = {number} + 1
'''), (14, '''

from collections import namedtuple

Row = namedtuple("Row", "key value part_{number}")
'''), (3, '''

COMPILED = re.compile(PATTERN_{number}, re.MULTILINE)
'''), (2, '''

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Source(ABC, Generic[Item]):
    """Where records come from."""

    @abstractmethod
    def records(self) -> list[Item]:
        """All of them, in the order in which they are to be shown."""
'''))  # fmt: skip

#: How many classes, each with its functions, modules have by turns; the fewer, the more messages.
SIZES = (1, 0, 1, 1, 0, 1, 1, 0, 1, 4)
_IN_A_FOLDER = 12


def generate(folder: Path, modules: int) -> None:
    """Write ``application.py`` and the package that it imports."""
    package = folder / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""A generated application."""\n__version__ = "1.0"\n')
    parts = []
    for first in range(0, modules, _IN_A_FOLDER):
        numbers = range(first, min(first + _IN_A_FOLDER, modules))
        parent = _name(first).rpartition(".")[0]
        parts.append(f"import {parent}\n")
        part = folder.joinpath(*parent.split("."))
        part.mkdir()
        lines = [f"from {parent} import module{number}\n" for number in numbers]
        (part / "__init__.py").write_text("".join(lines))
        for number in numbers:
            (part / f"module{number}.py").write_text(_module(number))
    # The last ones first: they import others, which import others.
    (folder / "application.py").write_text(_timed("".join(reversed(parts))))


def _timed(imports: str) -> str:
    begin = "from time import perf_counter\nbegun = perf_counter()\n"
    return f"{begin}{imports}print(perf_counter() - begun)\n"


def _name(number: int) -> str:
    return f"package.part{number // _IN_A_FOLDER}.module{number}"


def _module(number: int) -> str:
    lines = [line for place, line in enumerate(STANDARD) if (number + place) % 3 == 0]
    for other in sorted({number // 2, number // 3} - {number}):
        parent, _, name = _name(other).rpartition(".")
        lines.append(f"from {parent} import {name}")
    size = SIZES[number % len(SIZES)]
    messages = "\n".join(
        f'    "E{number}{place:02}": "What is at place {place} of part {number} is not right",'
        for place in range(60 if size == 0 else 25)
    )
    text = HEAD.format(number=number, imports="\n".join(lines), messages=messages)
    for part in range(size):
        text += CLASS.format(number=number, name=f"{number}_{part}")
        text += FUNCTIONS.format(number=number, name=f"{number}_{part}")
    for every, extra in EXTRAS:
        if number % every == 0:
            text += extra.format(number=number)
    return text


def copy_pip(folder: Path, python: str) -> int:
    """Write ``application.py`` beside a copy of pip; gives the number of modules that it imports.

    Those are left out that cannot be imported: they are for other systems, or want what is not
    there.
    """
    shutil.copytree(
        Path(pip.__file__).parent, folder / "pip", ignore=shutil.ignore_patterns("__pycache__")
    )
    names = [
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((folder / "pip").rglob("*.py"))
        if path.stem != "__main__" and path.stem.isidentifier()
    ]
    script = f"""
for name in {names}:
    try:
        __import__(name)
    except Exception:
        continue
    print(name)
"""
    words = [python, "-W", "ignore", "-c", script]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    found = done.stdout.split()
    (folder / "application.py").write_text(_timed("".join(f"import {name}\n" for name in found)))
    return len(found)
