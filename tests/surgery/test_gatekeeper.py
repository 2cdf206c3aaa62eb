"""Only code that passed the gate runs, and what has passed costs nothing the next time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

APP = """\
import sys
import used

def age():
    return 25

def line():
    return "age: " + age()

def attribute(item):
    return item.name

if __name__ == "__main__":
    print(line(), attribute(None), used.last([1]))
    print(*sorted(name for name in sys.modules if name in WATCHED))
"""
WATCHED = ["bytecode", "codesuture.surgery.gate", "codesuture.surgery.graph"]
USED = "def last(items):\n    return items[-1]\n"
#: Arms functions that exist already, as an application does that is started without the agent.
LIVE = """\
import sys
import used
from codesuture.middleware import CodeSutureMiddleware

def attribute(item):
    return item.name

CodeSutureMiddleware(lambda environ, start_response: [])
print(attribute(None), used.last([1]))
print(*sorted(name for name in sys.modules if name in WATCHED))
"""


def write(folder: Path) -> None:
    watched = f"WATCHED = {WATCHED!r}\n"
    (folder / "app.py").write_text(watched + APP)
    (folder / "live.py").write_text(watched + LIVE)
    (folder / "used.py").write_text(USED)


@pytest.mark.parametrize("agent", [True, False], ids=["imported", "live"])
@pytest.mark.parametrize("cached", [True, False], ids=["", "not cached"])
def test_what_passed_once_is_not_read_again(installed_python, tmp_path, agent, cached) -> None:
    """Scripts, modules, functions that exist already, and operators that are rewritten because of
    a patch; with the cache of armed code and without it."""
    write(tmp_path)
    own = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    if not cached:
        own["PYTHONDONTWRITEBYTECODE"] = "1"

    def read() -> set[str]:
        words = ["app.py"] if agent else ["live.py"]
        done = installed_python.run(*words, cwd=tmp_path, agent=agent, env=own)
        assert done.returncode == 0 and "rejected" not in done.stderr, done.stderr
        return set(done.stdout.splitlines()[1].split())

    assert read() == set(WATCHED)
    read()  # with the patches of the first run some operators are rewritten
    assert read() == set()
    # Another file of the same forms: it is looked at, and bytecode is not needed for that.
    (tmp_path / "used.py").write_text(USED + "\ndef first(items):\n    return items[0]\n")
    if not cached or agent:
        assert read() == {"codesuture.surgery.gate"}
    # What is damaged, or somebody else's, is no mark.
    verified = tmp_path / "config" / "codesuture" / "verified"
    assert verified.stat().st_mode & 0o777 == 0o600
    verified.write_bytes(b"x" + verified.read_bytes())
    if not cached:
        assert read() == set(WATCHED)
    read()
    assert read() == set()


BROKEN = """\
def attribute(item):
    return item.name

try:
    attribute(None)
finally:
    print("cleaned up")
"""


def test_a_faulty_pad_does_not_run(make_venv, wheel, tmp_path: Path) -> None:
    """A mistake in the code that arms: its pads lose a value of the stack. The program runs as it
    does without codesuture, one line says why, and the store has it."""
    python = make_venv(tmp_path / "venv", wheel)
    pads = python.site_packages / "codesuture" / "surgery" / "pads.py"
    right = '_assemble_all(("SWAP", 4), "POP_TOP", "POP_TOP", "POP_EXCEPT")'
    assert pads.read_text().count(right) == 1
    pads.write_text(pads.read_text().replace(right, right.replace('"POP_TOP", ', "", 1)))
    (tmp_path / "app.py").write_text(BROKEN)
    plain = python.run("app.py", cwd=tmp_path, agent=False)
    for _ in range(2):
        done = python.run("app.py", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, plain.stdout)
        line, _, rest = done.stderr.partition("\n")
        assert rest == plain.stderr
        assert "The gate rejected what was to be done to __main__" in line
        assert "has no POP_TOP where it should (in attribute)" in line
    (record,) = (tmp_path / ".codesuture_store" / "rejections").iterdir()
    found = json.loads(record.read_text())
    assert (found["module"], found["qualname"]) == ("app", "<module>")
    assert "(in attribute)" in found["reason"]
    doctor = python.run("-m", "codesuture", "doctor", "--json", cwd=tmp_path, agent=False)
    findings = json.loads(doctor.stdout)["findings"]
    (said,) = [one for one in findings if one["subject"] == "Gate"]
    assert said["state"] == "wrong" and "has no POP_TOP where it should" in said["sentence"]


def test_verbose_tells_what_is_added(installed_python, tmp_path: Path) -> None:
    write(tmp_path)
    first = installed_python.run("-m", "codesuture", "run", "--verbose", "app.py", cwd=tmp_path)
    again = installed_python.run("-m", "codesuture", "run", "--verbose", "app.py", cwd=tmp_path)
    assert " -0 instructions (allowed <= 64)" in first.stderr
    assert "change: +8 -1 instructions in app" in again.stderr
    assert "change: +8 -1" not in first.stderr


def test_a_guard_that_would_need_more_than_its_budget(installed_python, tmp_path) -> None:
    (tmp_path / "app.py").write_text(
        "import codesuture.guards.null as null\nnull.NullGuard.budget = 3\nprint(None.name)\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 1 and "AttributeError" in done.stderr
    assert "instructions, and null_guard may add 3" in done.stderr
