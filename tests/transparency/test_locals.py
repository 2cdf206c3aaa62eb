"""Looking at a frame's variables leaves nothing on the frame."""

from __future__ import annotations

from pathlib import Path

import pytest

PROGRAMS = {
    "what is let go of is gone": """
class Held:
    def __del__(self): print("gone")

def raises(table): return table["key"]

def function():
    kept = Held()
    try:
        with manager(kept):
            raises({})
    except KeyError as error:
        print(type(error))
    kept = None
    print("after")

class manager:
    def __init__(self, kept): self.kept = 1
    def __enter__(self): return self
    def __exit__(self, *what): return None

function()
""",
    "what locals() gave is not emptied": """
def raises(table): return table["key"]

def function(wanted):
    number = 1
    mine = locals()
    try:
        raises({})
    except wanted:
        pass
    print(mine["number"], mine["wanted"], locals() is mine, locals()["number"])

function(KeyError)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_handled_exception(installed_python, tmp_path: Path, name: str) -> None:
    (tmp_path / "app.py").write_text(PROGRAMS[name])
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
    armed = installed_python.run("app.py", cwd=tmp_path)
    assert plain.returncode == 0 and plain.stdout
    assert (armed.stdout, armed.stderr) == (plain.stdout, plain.stderr)
