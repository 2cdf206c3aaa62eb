"""What is said of a value, what is kept of it, and which crashes are laid to it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

TWICE = """\
import sys
def name(user):
    value = user["name"]
    if len(sys.argv) > 1:
        return value
    return "nobody"
print(name({}))
"""


def test_runs_add_up(shadowed: Any, seen: Any, installed_python: Any, tmp_path: Path) -> None:
    def command(*words: str) -> str:
        done = subprocess.run(
            [installed_python.python, "-m", "codesuture", *words],
            cwd=tmp_path, env=installed_python.environment(), capture_output=True, text=True,
            check=True, timeout=60,
        )  # fmt: skip
        return done.stdout

    shadowed(TWICE)
    assert seen()["name"] == {"seen": 1, "where": [], "verdicts": ["contained"]}
    assert "  contained" in command("audit")
    assert "Verdict: contained. One value of it got nowhere" in command("explain", "name")

    warned = shadowed(TWICE, "x").stderr
    place = {"kind": "return", "what": "name()", "file": "app.py", "line": 5}
    assert seen()["name"] == {"seen": 2, "where": [place], "verdicts": ["leaked"]}
    assert (
        "[CodeSuture] Shadow: the value that key_guard supplied for 'user['name']' at app.py:3 "
        "was returned by name() at app.py:5.\n"
    ) in warned
    assert "leaked to the return value of name(), app.py:5" in command("audit")
    told = command("explain", "name")
    assert "Verdict: it leaked. (Followed to the end: 2 values.)" in told
    assert "It leaked to the return value of name(), app.py:5." in told

    shadowed(TWICE, "x")
    assert seen()["name"] == {"seen": 3, "where": [place], "verdicts": ["leaked"]}
    (patch,) = json.loads(command("audit", "--json"))["patches"]
    assert patch["shadow"] == {"verdict": "leaked", "seen": 3, "where": [place]}

    # Without the option nothing is added, and nothing is lost.
    shadowed(TWICE, "x", env={"CODESUTURE_SHADOW": "0"})
    assert seen()["name"]["seen"] == 3


def test_the_flag_of_run(installed_python: Any, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(TWICE)
    command = [installed_python.python, "-m", "codesuture", "run", "--shadow", "app.py", "x"]
    done = subprocess.run(
        command, cwd=tmp_path, env=installed_python.environment(), capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "\n"
    assert "was returned by name() at app.py:5" in done.stderr


DYING = """\
import sys, textwrap, threading
def load(d):
    return d["text"]
def inside_the_library(d):
    text = d["text"]
    return textwrap.dedent(text)
def not_healed(d):
    text = d["text"]
    return len(text)
def in_the_caller():
    text = load({})
    return len(text)
def by_a_raise(d):
    text = d["text"]
    if not text:
        raise LookupError("no text")
try:
    globals()[sys.argv[1]](*[{}] * int(sys.argv[2]))
finally:
    print("done")
"""


def test_what_the_program_dies_of(shadowed: Any, seen: Any, tmp_path: Path) -> None:
    def dies(function: str, arguments: int) -> Any:
        done = shadowed(DYING, function, str(arguments), env={"CODESUTURE_GUARDS": off})
        assert done.returncode == 1, done.stderr
        assert done.stdout == "done\n"
        assert "fault" not in done.stderr
        return seen()

    off = "length_guard=off,argument_guard=off"
    place = {"kind": "crash", "what": "TypeError in inside_the_library()", "file": "app.py"}
    found = dies("inside_the_library", 1)["inside_the_library"]
    assert {**place, "line": 6} in found["where"]
    assert found["verdicts"] == ["caused"]

    found = dies("not_healed", 1)["not_healed"]
    place["what"] = "TypeError in not_healed()"
    assert found["where"] == [{**place, "line": 9}]

    found = dies("in_the_caller", 0)["load"]
    place["what"] = "TypeError in in_the_caller()"
    assert {**place, "line": 12} in found["where"]

    # What the program raises itself is no crash.
    assert dies("by_a_raise", 1)["by_a_raise"]["verdicts"] == ["contained"]


KEEPING = """\
CACHE = {}
def age(n):
    return 25
def greet(d):
    name = d["name"]
    for n in (1, 2):
        text = "age: " + age(n)
    CACHE["text"] = text
    return name, text
print(greet({}))
"""


def test_operators_that_keep_their_operands(shadowed: Any, seen: Any) -> None:
    assert shadowed(KEEPING).stdout == "(None, 'age: ')\n"
    once = seen()["greet"]
    again = shadowed(KEEPING)
    assert again.stdout == "(None, 'age: 25')\n"
    assert seen()["greet"] == {**once, "seen": 2 * once["seen"]}
    assert {place["kind"] for place in once["where"]} == {"return", "item"}
