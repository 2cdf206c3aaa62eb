"""Debuggers and tracers see the program; pads cause no event unless an exception comes to them."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .debug_adapter import Client
from .programs import lines_once

TRACER = """\
import sys
events = []
def trace(frame, event, argument):
    if frame.f_code.co_filename.endswith("work.py"):
        shown = type(argument).__name__ if event != "exception" else argument[0].__name__
        events.append((frame.f_code.co_name, event, frame.f_lineno, shown))
        return trace
import work
sys.settrace(trace)
result = work.run()
sys.settrace(None)
print(result)
for event in events: print(*event)
"""


def test_tracing_sees_the_same_lines(both, tmp_path):
    (tmp_path / "trace_it.py").write_text(TRACER)
    plain, ours = both("trace_it.py")
    assert "exception" in plain and lines_once(ours) == lines_once(plain)


MONITOR = """\
import sys, work
monitoring = sys.monitoring
E = monitoring.events
TOOL = monitoring.DEBUGGER_ID
monitoring.use_tool_id(TOOL, "test")
seen = []
def note(name):
    def callback(code, *rest):
        if code.co_filename.endswith("work.py"):
            place = rest[0] if rest and type(rest[0]) is int else None
            seen.append((code.co_name, name, place))
    return callback
names = {names}
for name in names:
    monitoring.register_callback(TOOL, getattr(E, name), note(name))
mask = 0
for name in names: mask |= getattr(E, name)
monitoring.set_events(TOOL, mask)
result = work.run()
monitoring.set_events(TOOL, 0)
print(result)
for event in seen: print(*event)
"""
#: Events that pads raise none of.
SILENT = ["PY_START", "PY_RETURN", "PY_YIELD", "PY_RESUME", "PY_UNWIND", "LINE", "RAISE"]


def test_monitoring_sees_the_same(both, tmp_path):
    if sys.version_info < (3, 12):
        assert not hasattr(sys, "monitoring")
        return
    (tmp_path / "monitor.py").write_text(MONITOR.replace("{names}", repr(SILENT)))
    plain, ours = both("monitor.py")
    assert " RAISE " in plain and lines_once(ours) == lines_once(plain)


#: Raises and handles exceptions of kinds that codesuture does not heal.
UNHEALED = """\
def check(n):
    if n > 2:
        raise RuntimeError(n)
    return [x + n for x in range(3)]
def run():
    total = 0
    for n in range(3):
        with open(__file__) as file:
            total += sum(check(n)) + len(file.name[:1])
    while total > 20:
        total = total // 2 if total % 2 else total - 1
    return total
"""
QUIET = """\
import sys, work
monitoring = sys.monitoring
E, TOOL = monitoring.events, monitoring.DEBUGGER_ID
monitoring.use_tool_id(TOOL, "test")
seen = []
def note(name):
    def callback(code, *rest):
        if code.co_filename.endswith("work.py"):
            seen.append((code.co_name, name, *(x for x in rest if type(x) is int)))
    return callback
names = [n for n in dir(E) if n.isupper() and n not in ("NO_EVENTS", "LINE")]
mask = 0
for name in names:
    monitoring.register_callback(TOOL, getattr(E, name), note(name))
    mask |= getattr(E, name)
monitoring.set_events(TOOL, mask & ~(E.C_RAISE | E.C_RETURN) if hasattr(E, "C_RAISE") else mask)
result = work.run()
monitoring.set_events(TOOL, 0)
print(result, len(seen))
for event in seen: print(*event)
"""


def test_not_one_event_where_nothing_is_raised(both, tmp_path):
    """Not even of branches, jumps and single instructions."""
    if sys.version_info < (3, 12):
        assert not hasattr(sys, "monitoring")
        return
    (tmp_path / "quiet.py").write_text(QUIET)
    (tmp_path / "work.py").write_text(UNHEALED)
    plain, ours = both("quiet.py")
    assert " INSTRUCTION " in plain and ours == plain


BDB = """\
import bdb, os, sys
class Notes(bdb.Bdb):
    def note(self, frame, *what):
        if os.path.basename(frame.f_code.co_filename) == "work.py":
            print(frame.f_code.co_name, *what)
        self.set_step()
    def user_call(self, frame, arguments): self.note(frame, "call")
    def user_line(self, frame): self.note(frame, "line", frame.f_lineno)
    def user_return(self, frame, value): self.note(frame, "return", type(value).__name__)
    def user_exception(self, frame, info): self.note(frame, "exception", info[0].__name__)
import work
Notes(**({"backend": sys.argv[1]} if len(sys.argv) > 1 else {})).runcall(work.run)
"""


@pytest.mark.parametrize("backend", ["", "settrace", "monitoring"])
def test_bdb(both, tmp_path, backend):
    (tmp_path / "debug.py").write_text(BDB)
    words = [backend] if backend and sys.version_info >= (3, 14) else []
    plain, ours = both("debug.py", *words)
    assert "exception KeyError" in plain and lines_once(ours) == lines_once(plain)


#: Into functions and out of them, over lines that raise, up and down, into a generator.
PDB = """\
b work:3, key == "x"
c
w
n
n
s
r
u
p sorted(locals())
d
cl 1
tbreak work:11
c
n
n
until
tbreak work:30
c
s
s
s
a
tbreak work:52
c
s
s
j 55
q
"""


def test_pdb(installed_python, tmp_path, both):
    outcomes = []
    for agent in (False, True):
        done = installed_python.run("-m", "pdb", "run.py", cwd=tmp_path, agent=agent, input=PDB)
        outcomes.append(done.stdout + done.stderr)
    assert all(text in outcomes[0] for text in ("-> yield [][0]", "(53)deep()", "(4)first()"))
    assert outcomes[0] == outcomes[1]


def debugged(python, folder: Path, agent: bool) -> list[str]:
    """Where debugpy says that the program is, step by step, and with which variables."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = ["-Xfrozen_modules=off", "-m", "debugpy", "--listen", f"127.0.0.1:{port}"]
    program = subprocess.Popen(
        [python.python, *words, "--wait-for-client", "run.py"],
        cwd=folder,
        env=python.environment(**({"CODESUTURE": "1"} if agent else {})),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        return [*session(Client(port), folder), program.communicate(timeout=30)[0]]
    finally:
        program.kill()
        program.wait()


STEPS = "next next stepIn stepOut next continue next next next stepIn next continue next stepIn"


def session(client: Client, folder: Path) -> list[str]:
    places = []
    client.ask("initialize", adapterID="test", pathFormat="path")
    client.send("attach", justMyCode=False)
    client.event("initialized")
    breakpoints = [{"line": line} for line in (3, 11, 29, 55)]
    client.ask(
        "setBreakpoints", source={"path": str(folder / "work.py")}, breakpoints=breakpoints
    )
    client.ask("configurationDone")
    for step in [*STEPS.split(), *["continue"] * 6]:
        stopped = client.event("stopped", "terminated")
        if stopped["event"] == "terminated":
            break
        thread = stopped["body"]["threadId"]
        frames = client.ask("stackTrace", threadId=thread)["stackFrames"]
        scope = client.ask("scopes", frameId=frames[0]["id"])["scopes"][0]["variablesReference"]
        variables = client.ask("variables", variablesReference=scope)["variables"]
        shown = [(one["name"], one["value"]) for one in variables if " at 0x" not in one["value"]]
        where = [(frame["name"], frame["line"]) for frame in frames[:3]]
        places.append(f"{stopped['body']['reason']} {where} {shown}")
        client.ask(step, threadId=thread)
    client.ask("disconnect", terminateDebuggee=False)
    client.close()
    return places


def test_debugpy(installed_python, tmp_path, both):
    with ThreadPoolExecutor(2) as pool:  # it takes its time to end
        plain, ours = pool.map(
            lambda agent: debugged(installed_python, tmp_path, agent), (False, True)
        )
    assert len(plain) > 15 and plain == ours
