"""What a suggestion promises, over a corpus: each guard, in each place where its crash can stand.

With the change, plain Python gives on crashing input what the healed program gave, and on other
input what the program gave before; and the same calls happen, once each and in the same order.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from . import corpus
from .conftest import Project

HERE = Path(__file__).parent
#: Each shape is tried in every nineteenth place (they take turns), and returned.
EVERY = 19
#: A heal supplies a default for an operand that is gone; the source still has it, and does better.
BETTER = {
    "a, b = give(p)\nreturn a, b": ["(1, 2)", ["[1, 2, 3]"]],
    'return f"<{give(p):>8}>"': ["'<    None>'", ["None"]],
}


def _calls(project: Project, mode: str, codesuture: bool) -> dict[str, Any]:
    from .conftest import run

    words = ["-m", "codesuture", "run", "--"] if codesuture else []
    done = run(*words, "run_corpus.py", mode, cwd=project.folder)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(re.sub("0x[0-9a-f]+", "", done.stdout))
    return found


def _corpus() -> dict[str, str]:
    names = list(corpus.CONTEXTS)
    files = {"corpus_support.py": corpus.SUPPORT}
    for number, shape in enumerate(corpus.SHAPES):
        places = {
            name: corpus.CONTEXTS[name]
            for place, name in enumerate(names)
            if place == 0 or (place + number) % EVERY == 0
        }
        files[f"corpus_{number:03}.py"] = corpus.module([shape], places)
    files[f"corpus_{len(corpus.SHAPES):03}.py"] = corpus.module(corpus.STATEMENTS, None)
    return files


def test_a_change_does_what_the_heal_did_and_nothing_else(project: Project) -> None:
    for name, text in _corpus().items():
        project.write(text, name)
    shutil.copy(HERE / "run_corpus.py", project.folder)
    before = _calls(project, "good", False)
    _calls(project, "crash", True)
    healed = _calls(project, "crash", True)  # operators keep their operands from now on
    done = project.cli("suggest", "--apply", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["suggestions"]
    assert [one for one in said if one["reason"] or one["left_out"]] == []
    assert {one["guard"] for one in said} == {
        shape.guard for shape in (*corpus.SHAPES, *corpus.STATEMENTS)
    }
    assert [one for one in said if one["trial"]["state"] == "failed"] == []
    tried = [one for one in said if one["trial"]["state"] == "passed"]
    assert len(tried) > len(said) / 2
    assert _calls(project, "good", False) == before
    fixed = _calls(project, "fixed", False)
    number = len(corpus.SHAPES)
    for place, shape in enumerate(corpus.STATEMENTS):
        if shape.expression in BETTER:
            healed[f"corpus_{number:03}:f{place}({shape.crash})"] = BETTER[shape.expression]
    assert fixed == healed


def test_what_has_no_form_in_the_source_says_so(project: Project) -> None:
    project.write(corpus.SUPPORT, "corpus_support.py")
    text = corpus.module(corpus.NOTHING, None)
    calls = "".join(f"f{number}({shape.crash})\n" for number, shape in enumerate(corpus.NOTHING))
    path = project.write(text + calls)
    project.heal()
    content = path.read_bytes()
    said = project.suggestions()
    assert {one["function"] for one in said} == {f"app:f{n}" for n in range(len(corpus.NOTHING))}
    assert all(one["state"] == "none" and one["reason"].endswith(".") for one in said)
    done = project.cli("suggest", "--apply")
    assert done.returncode == 0
    assert "Nothing to suggest:" in done.stdout and path.read_bytes() == content
    done = project.cli("suggest", "f0")
    assert done.returncode == 1


@pytest.mark.parametrize("name", sorted(corpus.CONTEXTS))
def test_every_place_is_tried(name: str) -> None:
    number = list(corpus.CONTEXTS).index(name)
    tried = sum((number + place) % EVERY == 0 for place in range(len(corpus.SHAPES)))
    assert tried >= len(corpus.SHAPES) // EVERY
