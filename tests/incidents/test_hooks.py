"""Healed crashes reach what a program has for its errors: the real `logging`, the real Sentry."""

from __future__ import annotations

import json
from pathlib import Path

CRASH = """\
def get_bio(profile):
    secret = "hunter2"
    return profile.bio
for _ in range(3):
    get_bio(None)
"""

LOGGING = f"""\
import logging, sys
class Kept(logging.Handler):
    def emit(self, record):
        kept.append(record)
kept = []
logging.getLogger().addHandler(Kept(level=sys.argv[1]))
{CRASH}
def raising(record):
    raise RuntimeError("a handler of the program")
logging.getLogger().handlers[0].emit = raising
def late(profile):
    return profile.name
late(None)
for record in kept:
    kind, error, trace = record.exc_info
    frames = []
    while trace is not None:
        frames.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    print(record.name, record.levelname, kind.__name__, error, frames, record.getMessage())
    print(record.pathname, record.lineno, record.funcName, record.codesuture["site"]["module"])
print("end")
"""

SAID = (
    "codesuture WARNING AttributeError 'NoneType' object has no attribute 'bio' ['get_bio'] "
    "Healed in place: AttributeError in app:get_bio by null_guard, which supplied None"
)


def test_logging(installed_python, tmp_path: Path):
    (tmp_path / "app.py").write_text(LOGGING)
    done = installed_python.run("app.py", "INFO", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [SAID, "app.py 9 get_bio app", "end"]
    # The levels of the program's handlers count, and so does the switch.
    assert installed_python.run("app.py", "ERROR", cwd=tmp_path).stdout == "end\n"
    off = {"CODESUTURE_INCIDENTS_LOGGING": "0"}
    assert installed_python.run("app.py", "INFO", cwd=tmp_path, env=off).stdout == "end\n"


def test_logging_that_is_not_set_up_hears_nothing(installed_python, tmp_path: Path):
    (tmp_path / "app.py").write_text(f"import logging\n{CRASH}print(logging.root.handlers)\n")
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stdout == "[]\n" and "Traceback" not in done.stderr
    (tmp_path / "bare.py").write_text(
        f"{CRASH}import sys\nprint([n for n in ('logging', 'sentry_sdk') if n in sys.modules])\n"
    )
    assert installed_python.run("bare.py", cwd=tmp_path).stdout == "[]\n"


SENTRY = f"""\
import json, sys
import sentry_sdk
from sentry_sdk.transport import Transport
class Local(Transport):
    def capture_envelope(self, envelope):
        for item in envelope.items:
            if item.headers.get("type") == "event":
                events.append(item.payload.json)
    def flush(self, timeout, callback=None): pass
    def kill(self): pass
events = []
if sys.argv[1] == "on":
    sentry_sdk.init("http://key@localhost/1", transport=Local)
import logging
logging.basicConfig()
{CRASH}
def total(order):
    return order["sum"]
total({{}})
print(json.dumps(events))
"""


def test_sentry(installed_python, tmp_path: Path):
    (tmp_path / "app.py").write_text(SENTRY)
    (tmp_path / "codesuture.toml").write_text('[severity]\nKeyError = "critical"\n')
    done = installed_python.run("app.py", "on", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    bio, total = json.loads(done.stdout)  # one for each kind, and none twice through logging
    assert (bio["level"], total["level"]) == ("warning", "fatal")
    (error,) = bio["exception"]["values"]
    assert error["type"] == "AttributeError" and error["mechanism"]["handled"] is True
    assert [frame["function"] for frame in error["stacktrace"]["frames"]] == ["get_bio"]
    assert bio["tags"]["codesuture.action"] == "healed"
    assert bio["tags"]["codesuture.guard"] == "null_guard"
    assert bio["contexts"]["codesuture"]["default"] == "None"
    off = {"CODESUTURE_INCIDENTS_SENTRY": "0", "CODESUTURE_INCIDENTS_LOGGING": "0"}
    assert installed_python.run("app.py", "on", cwd=tmp_path, env=off).stdout == "[]\n"
    assert installed_python.run("app.py", "off", cwd=tmp_path).stdout == "[]\n"
