"""What supplied values reach, in every shape of code; the same on all versions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

SHAPES = (Path(__file__).parent / "shapes.txt").read_text()

#: Comprehensions are functions of their own up to 3.11, and inlined from 3.12 on.
_COMPREHENSION = re.compile(r"\.<locals>\.<(listcomp|genexpr)>")


def expected() -> dict[str, set[tuple[str, str, int]]]:
    """By function: kind, place and line of everything that its value reaches."""
    found: dict[str, set[tuple[str, str, int]]] = {}
    for number, line in enumerate(SHAPES.splitlines(), 1):
        _, mark, reached = line.partition("#! ")
        if mark and not line.startswith("#"):
            function, _, place = reached.partition(": ")
            kind, _, what = place.partition(" ")
            found.setdefault(function, set()).add((kind, what, number))
    return found


def test_every_shape(shadowed: Any, seen: Any, installed_python: Any, tmp_path: Path) -> None:
    with_it = shadowed(SHAPES)
    assert "fault in codesuture" not in with_it.stderr
    assert with_it.returncode == 0, with_it.stderr
    found: dict[str, set[tuple[str, str, int]]] = {}
    for function, known in seen().items():
        name = _COMPREHENSION.sub("", function)
        places = {(place["kind"], place["what"], place["line"]) for place in known["where"]}
        found.setdefault(name, set()).update(places)
        assert all(place["file"] == "app.py" for place in known["where"])
        assert known["seen"] > 0, function
        assert "" not in known["verdicts"], function
    wanted = expected()
    assert {name: places for name, places in found.items() if places} == wanted
    assert len(found) > len(wanted) + 10  # the contained ones

    # Each place is told of once, and where it is off the program does and prints the same.
    told = with_it.stderr.count("Shadow: ")
    assert told == sum(len(places) for places in wanted.values())
    without = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_SHADOW": "0"})
    assert "Shadow" not in without.stderr
    assert without.stdout == with_it.stdout
