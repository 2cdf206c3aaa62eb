"""Conversions and files that the standard library handles in Python are healed at the call."""

from __future__ import annotations

from pathlib import Path

PROGRAM = """\
from datetime import datetime
from fractions import Fraction
from pathlib import Path
import ipaddress, time, uuid
seen = []
def side(what):
    seen.append(what)
    return what
def function(path):
    print([side(1), Fraction("x"), side(2)])
    print([side(3), Path("/none/x").read_text(encoding="utf-8"), side(4)])
    print(Path("/none/x").read_bytes())
    print([side(5), path.read_text(), side(6)])
    with Path("/none/x").open() as file:
        print(repr(file.read()))
    print([datetime.strptime("x", "%Y"), uuid.UUID("x"), ipaddress.ip_address("x")])
    print([side(7), time.strptime("x", side("%Y")), side(8)])
function(Path("/none/y"))
print(seen)
"""

OUTPUT = """\
[1, Fraction(0, 1), 2]
[3, '', 4]
b''
[5, '', 6]
''
[None, None, None]
[7, None, 8]
[1, 2, 3, 4, 5, 6, 7, '%Y', 8]
"""


def test_they_are_healed_once_each(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    for _ in range(2):
        done = installed_python.run("app.py", cwd=tmp_path)
        assert (done.stdout, done.returncode) == (OUTPUT, 0), done.stderr


ENVIRONMENT = """\
import collections, os
def read():
    return os.environ["NO_SUCH_NAME"] or "nothing"
for _ in range(60):  # first by the general way, then by the specialised one
    text = read()
def delete(name):
    del os.environ[name]
    return name + " is gone"
def other(mapping):
    os.environ
    return mapping["x"]
def handled():
    try:
        return os.environ["NO_SUCH_NAME"]
    except KeyError as error:
        return error.args
print(text, delete("NO_SUCH_NAME"), [other(collections.ChainMap({}))], handled(), sep="; ")
"""


def test_the_environment_is_a_mapping_like_any_other(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ENVIRONMENT)
    for _ in range(2):
        done = installed_python.run("app.py", cwd=tmp_path)
        assert done.stdout == "nothing; NO_SUCH_NAME is gone; [None]; ('NO_SUCH_NAME',)\n"


def test_what_the_program_handles_or_raises_itself_is_left_alone(
    installed_python, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(
        "from fractions import Fraction\n"
        "from pathlib import Path\n"
        "def handled():\n"
        "    try:\n"
        "        return Fraction('x')\n"
        "    except ValueError:\n"
        "        return 'handled'\n"
        "def outer():\n"
        "    try:\n"
        "        return Path('/none/x').read_text()\n"
        "    except OSError as error:\n"
        "        return type(error).__name__\n"
        "class Own:\n"
        "    def open(self, name):\n"
        "        raise FileNotFoundError(name)\n"
        "print(handled(), outer())\n"
        "Own().open('x')\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stdout == "handled FileNotFoundError\n"
    assert done.returncode == 1
    assert done.stderr.endswith("FileNotFoundError: x\n")
    assert "CodeSuture" not in done.stderr


def test_calls_beside_each_other_do_not_take_each_others_pads(
    installed_python, tmp_path: Path
) -> None:
    """3.12+ looks the handler of a Python callee's exception up beside the call."""
    (tmp_path / "app.py").write_text(
        "import ipaddress\n"
        "def text(): return 'x'\n"
        "def function():\n"
        "    for _ in range(50):\n"
        "        values.append(str(ipaddress.ip_address(text())))\n"
        "values = []\n"
        "try:\n"
        "    function()\n"
        "except ValueError as error:\n"
        "    print(error)\n"
        "def generate(rows):\n"
        "    return list(row for row in rows.items)\n"
        "class Rows: items = None\n"
        "print(generate(Rows()))\n"
    )
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stdout.splitlines()[0] == plain.stdout.splitlines()[0]
    # Healed where the interpreter allows it, else exactly as without codesuture.
    assert done.stdout.endswith("[]\n") or done.stderr == plain.stderr
