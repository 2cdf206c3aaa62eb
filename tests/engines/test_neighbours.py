"""Tools that watch the program too: tool ids, tracers, coverage, debuggers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .conftest import UNHEALED

TRACE = pytest.mark.skipif(sys.version_info >= (3, 12), reason="the engine is for 3.11")
MONITORING = pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no sys.monitoring")

IDS = """\
import sys
taken = [int(word) for word in sys.argv[1:]]
for tool in taken:
    sys.monitoring.use_tool_id(tool, "other")
from codesuture_agent import boot
print(boot.activate())
print(" ".join(str(sys.monitoring.get_tool(tool)) for tool in range(6)))
from codesuture.engines import monitoring
monitoring.end()
for tool in set(range(6)) - set(taken):
    sys.monitoring.use_tool_id(tool, "next")
    assert not sys.monitoring.get_events(tool)
    assert sys.monitoring.register_callback(tool, sys.monitoring.events.RAISE, None) is None
print("free")
def heals(): return None.x
print(heals())
"""


@MONITORING
@pytest.mark.parametrize(
    ("taken", "got"), [("", 4), ("4", 3), ("3 4", 5), ("3 4 5", 2), ("0 1 2 3 4 5", None)]
)
def test_tool_ids_are_taken_politely_and_given_back(
    installed_python, tmp_path: Path, taken: str, got: int | None
) -> None:
    (tmp_path / "app.py").write_text(IDS)
    done = installed_python.run(
        "app.py", *taken.split(), cwd=tmp_path, agent=False, env={"CODESUTURE_ENGINE": "monitoring"}
    )
    active, tools, free, *_ = done.stdout.splitlines()
    expected = ["other" if str(tool) in taken.split() else "None" for tool in range(6)]
    if got is not None:
        expected[got] = "codesuture"
    assert (active, tools.split(), free) == ("True", expected, "free"), done.stderr
    assert done.stderr.count("have all six tool ids of sys.monitoring") == (got is None)


TRACERS = """\
import json, sys, threading
events = []
def local(frame, event, argument):
    events.append((frame.f_code.co_name, event, frame.f_lineno))
    return local
def tracer(frame, event, argument):
    if frame.f_code.co_name not in ("crash", "outer"):
        return None
    return local(frame, event, argument)
names = {"__name__": "names"}
exec('''
def crash(row):
    total = 1
    return row["x"]
def outer(row):
    for _ in range(2):
        total = 2
    return crash(row)
''', names)
if "first" in sys.argv:
    sys.settrace(tracer)
if "ours" in sys.argv:
    sys.path.insert(0, "")
    from codesuture_agent import boot
    boot.activate()
if "later" in sys.argv:
    sys.settrace(tracer)
    assert sys.gettrace() is tracer
def ended(kind, error, trace):
    if "ours" in sys.argv:
        from codesuture.engines import tracing
        tracing.end()
    print(json.dumps(events))
    print(sys.gettrace() is tracer, threading.gettrace())
sys.excepthook = ended
names["outer"]({})
"""


@TRACE
def test_another_tracer_sees_what_it_would_have_seen(installed_python, tmp_path: Path) -> None:
    """One that was there first is called as before; one that comes later has the place."""
    (tmp_path / "app.py").write_text(TRACERS)

    def run(*words: str) -> tuple[list, bool, str]:
        store = tmp_path / "-".join(words)
        variables = {"CODESUTURE_ENGINE": "trace", "CODESUTURE_STORE": str(store)}
        variables["CODESUTURE_GUARDS"] = UNHEALED
        done = installed_python.run("app.py", *words, cwd=tmp_path, agent=False, env=variables)
        assert done.returncode == 1 and done.stderr == ""
        first, second = done.stdout.splitlines()
        records = store / "incidents" / "log.jsonl"
        was_seen = records.exists() and "its code has no landing pads" in records.read_text()
        return json.loads(first), was_seen, second

    alone, _, left = run("first")
    assert len(alone) > 10 and left == "True None"
    assert run("first", "ours") == (alone, True, "True None")
    assert run("ours", "later") == (alone, False, "True None")
    assert run("ours") == ([], True, "False None")


@pytest.mark.parametrize("core", ["ctrace", pytest.param("sysmon", marks=MONITORING)])
def test_coverage_counts_the_same_lines(
    program: Path, installed_python, engine: str, core: str
) -> None:
    reports = []
    watched = {"CODESUTURE_ENGINE": engine, "CODESUTURE_GUARDS": UNHEALED}
    for variables in ({"CODESUTURE": "0"}, watched):
        env = {"COVERAGE_CORE": core, **variables}
        words = ("-m", "coverage", "run", "--source=.", "app.py")
        done = installed_python.run(*words, cwd=program, env=env)
        assert "IndexError" in done.stderr and "codesuture" not in done.stderr.lower()
        words = ("-m", "coverage", "json", "-q", "-o", "report.json")
        installed_python.run(*words, cwd=program, env={"CODESUTURE": "0"})
        files = json.loads((program / "report.json").read_text())["files"]
        reports.append({name: file["executed_lines"] for name, file in files.items()})
    assert reports[0] == reports[1]
    assert len(reports[0]["app.py"]) > 30


KEEPING = """\
names = {"__name__": "names", "kept": []}
exec('''
def crash(row):
    before, rows = 1, [row]
    try:
        return row["x"]
    finally:
        kept.append((before, rows, row))
def outer(row):
    word = "w"
    try:
        crash(row)
    finally:
        del row
        kept.append(sorted(locals()))
''', names)
try:
    names["outer"]({})
finally:
    print(names["kept"])
"""


@TRACE
def test_the_programs_variables_stay_what_they_are(installed_python, tmp_path: Path) -> None:
    """On 3.11 the interpreter writes a traced frame's dict of variables back into the frame."""
    (tmp_path / "app.py").write_text(KEEPING)
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
    assert plain.stdout == "[(1, [{}], {}), ['word']]\n"
    env = {"CODESUTURE_ENGINE": "trace", "CODESUTURE_GUARDS": UNHEALED}
    done = installed_python.run("app.py", cwd=tmp_path, env=env)
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, plain.stderr, 1)


def test_a_debugger_stops_at_the_same_lines(
    program: Path, installed_python, engine: str
) -> None:
    commands = "b 47\nc\nb lib/site-packages/frail/__init__.py:6\nc\nw\np rows\nn\nw\nq\n"
    outputs = []
    watched = {"CODESUTURE_ENGINE": engine, "CODESUTURE_GUARDS": UNHEALED}
    for variables in ({"CODESUTURE": "0"}, watched):
        done = installed_python.run(
            "-m", "pdb", "app.py", cwd=program, input=commands, env=variables
        )
        outputs.append(done.stdout)
    assert "(6)first()" in outputs[0] and "IndexError" in outputs[0], outputs[0]
    assert outputs[0] == outputs[1]
