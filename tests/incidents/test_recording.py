"""What is recorded of a crash, by real programs."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

SHAPES = """\
class Odd:
    def __repr__(self):
        print("RAN")
        return "odd"
    __str__ = __len__ = __repr__

data = {"user": None, "rows": [1, 2, 3]}

def get_bio(profile, password):
    return profile.bio

def outer(profile):
    return get_bio(profile, "hunter2")

def name():
    return data["user"]["name"]

def add(text, odd, api_token):
    return text + odd, api_token[9]

def look_up(mail):
    return {}[mail]

def number(text):
    return int(text)

for _ in range(4):
    outer(None)
name()
try:
    add("x", Odd(), "12345")
except TypeError:  # handled: no incident
    pass
add("x", 1, "12345")
look_up("alice@example.com")
number("4111-1111")
print("end")
"""


def by_function(found: list) -> dict:
    return {one["site"]["qualname"]: one for one in found}


def test_what_a_record_holds(installed_python, tmp_path, records, crashes):
    (tmp_path / "app.py").write_text(SHAPES)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "end\n")
    found = records(tmp_path)
    assert [one["site"]["qualname"] for one in found] == [
        "get_bio", "name", "add", "add", "look_up", "number",
    ]  # fmt: skip
    bio, named, added, indexed, looked, numbered = found
    assert bio["site"]["module"] == "app" and bio["site"]["file"] == "app.py"
    assert (bio["site"]["line"], bio["site"]["target"]) == (10, "profile")
    assert bio["site"]["expression"] == "profile.bio"
    assert bio["exception"] == {
        "type": "AttributeError",
        "message": "'NoneType' object has no attribute 'bio'",
    }
    assert (bio["action"], bio["severity"], bio["guard"]) == ("healed", "warning", "null_guard")
    assert bio["id"] == bio["patch"] and bio["default"] and bio["fate"]["verdict"] == "UNHANDLED"
    assert "top of the program" in bio["fate"]["evidence"]
    assert [(step["qualname"], step["line"]) for step in bio["chain"]] == [
        ("get_bio", 10), ("outer", 13), ("<module>", 28),
    ]  # fmt: skip
    assert bio["values"] == [{"name": "profile", "type": "NoneType"}]
    assert {"name": "data", "type": "dict", "length": 2} in named["values"]
    assert added["values"] == [
        {"name": "text", "type": "str", "length": 1},
        {"name": "odd", "type": "int"},
    ]
    assert indexed["values"] == [{"name": "api_token", "type": "str", "redacted": True}]
    # Contents stay out: of values, of keys, of messages.
    assert looked["exception"]["message"] == "…"
    assert numbered["exception"]["message"] == "invalid literal for int() with base 10: '…'"
    text = (tmp_path / ".codesuture_store" / "incidents" / "log.jsonl").read_text()
    assert not any(word in text for word in ("hunter2", "alice", "4111", "12345", "RAN"))
    assert crashes(tmp_path)[bio["id"]] == 4 and sum(crashes(tmp_path).values()) == 9
    mode = os.stat(tmp_path / ".codesuture_store" / "incidents" / "log.jsonl").st_mode
    assert mode & 0o077 == 0
    ignore = tmp_path / ".codesuture_store" / "incidents" / ".gitignore"
    assert ignore.read_text() == "*\n"


CONTENTS = """\
class Odd(str):
    def __repr__(self): raise SystemExit(9)
    __str__ = __repr__
table = {"a": [1, None], "password": "hunter2", "deep": {"x": {"y": 1}}, "o": Odd()}
def get(table):
    return table[0]
def size(text, odd, patient):
    return len(text, odd, patient)
get(table)
size("z" * 1000, Odd("x"), "Bob")
"""


def test_contents_where_they_are_asked_for(installed_python, tmp_path, records):
    (tmp_path / "app.py").write_text(CONTENTS)
    env = {"CODESUTURE_INCIDENTS_VALUES": "contents", "CODESUTURE_INCIDENTS_REDACT": "patient"}
    done = installed_python.run("app.py", cwd=tmp_path, env=env)
    assert done.returncode == 1 and "len() takes exactly one" in done.stderr
    found = records(tmp_path)
    assert found[0]["values"] == [
        {
            "name": "table",
            "type": "dict",
            "length": 4,
            "value": {"a": [1, None], "password": "hidden", "deep": {"x": "…"}, "o": "…"},
        }
    ]
    assert found[0]["exception"]["message"] == "0"
    assert found[1]["why"] == "no guard recognises it" and found[1]["severity"] == "error"
    assert found[1]["values"] == [
        {"name": "text", "type": "str", "length": 1000, "value": "z" * 99 + "…"},
        {"name": "odd", "type": "Odd"},
        {"name": "patient", "type": "str", "redacted": True},
    ]


LEFT = """\
import sys
def total(order):
    return order["sum"]
def charge(order):
    return order["sum"]
if sys.argv[1] == "charge":
    charge({})
total({})
print("end")
"""


def test_what_is_left_alone(installed_python, tmp_path, records, crashes):
    (tmp_path / "app.py").write_text(LEFT)
    run = installed_python.run
    protected = {"CODESUTURE_PROTECT": "app"}
    assert run("app.py", "charge", cwd=tmp_path, env=protected).returncode == 1
    (one,) = records(tmp_path)
    assert (one["action"], one["severity"]) == ("left_alone", "critical")
    assert (one["why"], one["guard"]) == ("app is protected", "key_guard")
    assert "patch" not in one and crashes(tmp_path) == {one["id"]: 1}
    observed = {"CODESUTURE_MODE": "observe"}
    assert run("app.py", "charge", cwd=tmp_path, env=observed).returncode == 1
    two = records(tmp_path)[1]
    assert (two["action"], two["severity"], two["id"]) == ("observed", "error", one["id"])
    assert crashes(tmp_path) == {one["id"]: 2}
    # Neither a dry run nor one without records leaves a trace.
    for env in ({"CODESUTURE_DRY_RUN": "1"}, {"CODESUTURE_INCIDENTS_RECORD": "0"}):
        run("app.py", "total", cwd=tmp_path, env=env)
    assert len(records(tmp_path)) == 2 and crashes(tmp_path) == {one["id"]: 2}


def test_severity_by_rules(installed_python, tmp_path, records):
    (tmp_path / "app.py").write_text(
        "def a(d): return d['x']\ndef b(d): return d['x']\n"
        "def c(d): return d.x\ndef e(d): return d / 0\n"
        "a({}), b({}), c(None), e(1)\nimport mod\nmod.f({})\n"
    )
    (tmp_path / "mod.py").write_text("def f(d): return d['x']\n")
    (tmp_path / "codesuture.toml").write_text(
        '[severity]\n"app:a" = "critical"\nkey_guard = "error"\nAttributeError = "info"\n'
        'healed = "error"\nmod = "info"\n"m*" = "critical"\n'
    )
    assert installed_python.run("app.py", cwd=tmp_path).returncode == 0
    found = {one["site"]["qualname"]: one["severity"] for one in records(tmp_path)}
    assert found == {"a": "critical", "b": "error", "c": "info", "e": "error", "f": "critical"}


def test_what_the_program_dies_of(installed_python, tmp_path, records):
    """A crash in code without landing pads, one that a `raise` makes, and one that is caught."""
    (tmp_path / "app.py").write_text(
        "import sys\n"
        "source = {'crash': '(lambda rows: rows[3])([])', 'raise': 'raise KeyError(1)',\n"
        "'caught': 'try: {}[1]\\nexcept KeyError: pass\\nsys.exit(3)'}[sys.argv[1]]\n"
        "exec(compile(source, 'rules.txt', 'exec'))\n"
    )
    assert installed_python.run("app.py", "raise", cwd=tmp_path).returncode == 1
    assert installed_python.run("app.py", "caught", cwd=tmp_path).returncode == 3
    assert records(tmp_path) == []
    assert installed_python.run("app.py", "crash", cwd=tmp_path).returncode == 1
    (one,) = records(tmp_path)
    assert (one["action"], one["exception"]["type"]) == ("left_alone", "IndexError")
    assert one["site"]["qualname"] == "<lambda>" and one["fate"]["verdict"] == "UNKNOWN"
    assert "reached the top of the program" in one["fate"]["evidence"].lower()
    assert [step["qualname"] for step in one["chain"]][-1] == "<module>"


DOUBTFUL = """\
import contextlib
def get(d):
    with getattr(contextlib, "null" + "context")():
        return d["name"]
get({})
"""


def test_proved_and_then_healed(installed_python, tmp_path, records, crashes):
    (tmp_path / "app.py").write_text(DOUBTFUL)
    assert installed_python.run("app.py", cwd=tmp_path).returncode == 1
    (first,) = records(tmp_path)
    assert (first["action"], first["fate"]["verdict"]) == ("left_alone", "UNKNOWN")
    assert "; it reached the top of the program" in first["fate"]["evidence"]
    installed_python.run("app.py", cwd=tmp_path)
    assert [one["action"] for one in records(tmp_path)] == ["left_alone", "healed"]
    assert sorted(crashes(tmp_path).values()) == [1, 1]


def test_run_again(installed_python, tmp_path, records, crashes):
    (tmp_path / "app.py").write_text(DOUBTFUL)
    with open(os.devnull, "rb") as nothing:
        command = ("-m", "codesuture", "run", "app.py")
        done = installed_python.run(*command, cwd=tmp_path, agent=False, stdin=nothing)
    assert done.returncode == 0 and "Re-executing" in done.stderr, done.stderr
    left, replayed, healed = records(tmp_path)
    assert [left["action"], replayed["action"], healed["action"]] == [
        "left_alone", "replayed", "healed",
    ]  # fmt: skip
    assert left["record"] == replayed["record"] and replayed["severity"] == "error"
    assert sum(crashes(tmp_path).values()) == 2


def test_a_killed_process_loses_nothing(installed_python, tmp_path: Path, records, crashes):
    (tmp_path / "app.py").write_text(
        "import sys\ndef f(d): return d['x']\n"
        "for _ in range(1000): f({})\nprint('healed', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [installed_python.python, "app.py"], cwd=tmp_path, text=True,
        env=installed_python.environment(CODESUTURE="1"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "healed\n"
        process.send_signal(signal.SIGKILL)
    (one,) = records(tmp_path)
    # Whoever counts next takes over what was left behind.
    (tmp_path / "next.py").write_text("def f(d): return d['x']\nf({})\n")
    assert installed_python.run("next.py", cwd=tmp_path).returncode == 0
    assert crashes(tmp_path)[one["id"]] == 1000


WEB = """\
import contextlib, http.client, threading
from wsgiref.simple_server import make_server

def bio(profile):
    return profile.bio or "none"

def doubtful(profile):
    with getattr(contextlib, "null" + "context")():
        return profile.name or "none"

def twice(profile):
    with getattr(contextlib, "null" + "context")():
        return profile.age or "none"

def application(environ, start):
    do = {"/bio/7": bio, "/name": doubtful, "/age": twice}[environ["PATH_INFO"]]
    body = str(do(None)).encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]

server = make_server("127.0.0.1", 0, application)
threading.Thread(target=server.serve_forever, daemon=True).start()
for method, path in (("GET", "/bio/7?api=hunter2"), ("POST", "/name"), ("GET", "/age")):
    client = http.client.HTTPConnection(*server.server_address, timeout=30)
    client.request(method, path)
    print(client.getresponse().status)
server.shutdown()
"""


def test_the_request_in_which_it_crashed(installed_python, tmp_path, records):
    (tmp_path / "app.py").write_text(WEB)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stdout == "200\n500\n200\n", done.stderr
    bio, left, first, again, healed = records(tmp_path)
    assert bio["request"] == {"method": "GET", "path": "/bio/7"} and bio["action"] == "healed"
    assert (left["action"], left["request"]) == ("left_alone", {"method": "POST", "path": "/name"})
    assert left["fate"]["verdict"] == "UNKNOWN" and "; it reached" in left["fate"]["evidence"]
    # The second line about the same crash takes the place of the first.
    assert (first["action"], again["action"]) == ("left_alone", "replayed")
    assert first["record"] == again["record"] and again["request"]["path"] == "/age"
    assert healed["action"] == "healed" and healed["site"]["qualname"] == "twice"
    log = tmp_path / ".codesuture_store" / "incidents" / "log.jsonl"
    assert "hunter2" not in log.read_text()
    steps = [step["module"] for one in (bio, left) for step in one["chain"]]
    assert "app" in steps and not [name for name in steps if name.startswith("codesuture")]


AGAIN = """\
import os, sys
import codesuture.ending, codesuture.incidents.reporting
def f(table): return table["x"]
def g(table): return table.x
for _ in range(3): f({})
print(os.getpid(), flush=True)
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
else:
    for _ in range(3): f({})
    print(os.getpid(), flush=True)
    sys.exit()
codesuture.ending.INTERVAL = 0
codesuture.incidents.reporting.AGAIN = -1  # the hour is over
for _ in range(3): g(None)
"""


def test_who_gets_a_full_record_again(installed_python, tmp_path, records, crashes):
    """A forked child, and everybody after an hour."""
    (tmp_path / "app.py").write_text(AGAIN)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    parent, child = map(int, done.stdout.split())
    found = [(one["site"]["qualname"], one["process"]["pid"]) for one in records(tmp_path)]
    assert found == [("f", parent), ("f", child), *[("g", parent)] * 3]
    assert sorted(crashes(tmp_path).values()) == [3, 6]
