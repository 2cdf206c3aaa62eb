"""What an engine sees of exceptions in code without pads, before any frame is unwound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .conftest import UNHEALED


def incidents(folder: Path) -> list[dict[str, Any]]:
    log = folder / ".codesuture_store" / "incidents" / "log.jsonl"
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def crashes(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for hour in (folder / ".codesuture_store" / "incidents" / "hours").glob("*.json"):
        for one, number in json.loads(hour.read_text(encoding="utf-8"))["crashes"].items():
            found[one] = found.get(one, 0) + number
    return found


def variables(call: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["type"] for one in call.get("variables", [])}


def test_only_crashes_that_nobody_handles_are_recorded(
    program: Path, installed_python, engine: str
) -> None:
    """In a thread and at the top, with callers and types of variables; the program is the same.

    Handled exceptions, `raise`, and what Python itself uses exceptions for are not.
    """
    plain = installed_python.run("app.py", cwd=program, agent=False)
    assert plain.returncode == 1 and "IndexError" in plain.stderr
    env = {"CODESUTURE_ENGINE": engine, "CODESUTURE_GUARDS": UNHEALED}
    done = installed_python.run("app.py", cwd=program, env=env)
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, plain.stderr, 1)
    log = program / ".codesuture_store" / "incidents" / "log.jsonl"
    assert "hunter2" not in log.read_text()
    in_thread, at_top = incidents(program)
    assert crashes(program) == {in_thread["id"]: 3, at_top["id"]: 1}
    assert in_thread["why"] == at_top["why"] == "its code has no landing pads"
    assert in_thread["exception"]["type"] == "AttributeError"
    assert in_thread["fate"]["verdict"] == "UNHANDLED"
    bio, outer, *_, bottom = in_thread["chain"]
    assert (bio["qualname"], bio["module"], bio["line"]) == ("bio", "made", 3)
    assert variables(bio) == {"profile": "NoneType", "password": "str"}
    assert in_thread["values"] == [
        {"name": "profile", "type": "NoneType"},
        {"name": "password", "type": "str", "redacted": True},
    ]
    assert (outer["qualname"], variables(outer)) == ("outer", {"profile": "NoneType"})
    assert (bottom["qualname"], bottom["module"]) == ("Thread._bootstrap", "threading")
    assert at_top["exception"]["type"] == "IndexError"
    first, caller = at_top["chain"]
    assert (first["qualname"], first["module"], first["line"]) == ("first", "frail", 6)
    assert variables(first) == {"rows": "list", "secret": "str"}
    assert (caller["qualname"], caller["module"], variables(caller)) == ("<module>", "app", {})


DOUBTED = """\
names = {"__name__": "names"}
exec('''
import contextlib
def crash(row):
    with getattr(contextlib, 'null' + 'context')():
        try:
            return row["x"]
        finally:
            row = 5
''', names)
try:
    names["crash"]([])
except TypeError:
    pass
names["crash"]({})
"""


def test_a_fate_that_was_not_known_is_known_at_the_top(
    installed_python, tmp_path: Path, engine: str
) -> None:
    """Variables are told as they were when it was raised."""
    (tmp_path / "app.py").write_text(DOUBTED)
    done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_ENGINE": engine})
    assert done.returncode == 1
    (incident,) = incidents(tmp_path)
    assert incident["fate"]["verdict"] == "UNKNOWN"
    assert incident["values"] == [{"name": "row", "type": "dict", "length": 0}]


def test_a_dry_run_records_nothing(program: Path, installed_python, engine: str) -> None:
    variables = {"CODESUTURE_ENGINE": engine, "CODESUTURE_DRY_RUN": "1"}
    assert installed_python.run("app.py", cwd=program, env=variables).returncode == 1
    assert not (program / ".codesuture_store").exists()


def test_without_an_engine_nothing_of_it_is_imported(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import sys\n"
        "exec('def f(x):\\n  return x.y\\ntry: f(0)\\nexcept AttributeError: pass', {})\n"
        "monitoring = getattr(sys, 'monitoring', None)\n"
        "print([name for name in sys.modules if name.startswith('codesuture.engines')],\n"
        "    sys.gettrace(), 'threading' in sys.modules,\n"
        "    [monitoring.get_tool(tool) for tool in range(6)] == [None] * 6 if monitoring else 1)\n"
    )
    for engine in ("auto", "inplace", ""):
        done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_ENGINE": engine})
        assert done.stdout.split()[:3] == ["[]", "None", "False"]
        assert done.stdout.split()[3] in ("True", "1")
        assert done.stderr == ""
