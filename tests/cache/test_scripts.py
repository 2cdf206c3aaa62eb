"""A script that runs again is neither compiled nor armed, and does what it does in plain Python."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

#: Prints whether it was armed in this run, and how it works.
APP = """\
import sys
VALUE = 1
def f(x):
    try: return x.y
    except AttributeError: return 'caught'
code = f.__code__
print("codesuture.surgery.arming" in sys.modules, VALUE, f(None),
      "__codesuture_recover__" in code.co_names, code.co_filename)
"""


class Script:
    """A script in a folder of its own, and a user who has run nothing yet."""

    def __init__(self, python, folder: Path) -> None:
        self.python = python
        self.path = folder / "project" / "app.py"
        self.config = folder / "config"
        self.path.parent.mkdir()
        self.path.write_text(APP)

    def run(self, *options: str, agent: bool = True, **env: str):
        env.setdefault("XDG_CONFIG_HOME", str(self.config))
        words = (*options, self.path.name)
        return self.python.run(*words, cwd=self.path.parent, agent=agent, env=env)

    def says(self, *options: str, value: int = 1, **env: str) -> bool:
        """Run it; whether it was armed anew. All else that it says is as it must be."""
        done = self.run(*options, **env)
        made, _, rest = done.stdout.partition(" ")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert rest == f"{value} caught True {self.path}\n"
        return made == "True"

    def kept(self) -> list[Path]:
        return sorted((self.config / "codesuture" / "scripts").glob("*"))


@pytest.fixture
def script(installed_python, tmp_path: Path) -> Script:
    return Script(installed_python, tmp_path)


def test_armed_once_and_nothing_is_left_beside_it(script):
    assert [script.says(), script.says(), script.says()] == [True, False, False]
    (file,) = script.kept()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(script.path.parent.iterdir()) == [script.path]


def test_what_runs_is_the_source_as_it_is(script):
    """Also where a date says that nothing has changed, and a moment later."""
    script.says()
    before = script.path.stat()
    for value in (2, 3):
        script.path.write_text(APP.replace("1", str(value)))
        os.utime(script.path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert script.says(value=value) is True
    assert script.says(value=3) is False
    assert len(script.kept()) == 1


def test_crashes_are_healed_in_kept_code(script):
    script.path.write_text("def f(x): return x.name\nprint(f(None))\n")
    first, again, third = (script.run() for _ in range(3))
    assert first.returncode == again.returncode == third.returncode == 0
    assert first.stdout == again.stdout == third.stdout == "\n"
    assert "loaded persistent patch for f" in again.stderr and again.stderr == third.stderr


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content[:-5] + bytes([content[-5] ^ 64]) + content[-4:],
        lambda content: bytes([content[0] ^ 1]) + content[1:],
    ],
    ids=["empty", "header", "cut", "longer", "code bit", "signature bit"],
)
def test_damage_is_mended_silently(script, damage):
    script.says()
    (file,) = script.kept()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert [script.says(), script.says()] == [True, False]
    assert file.read_bytes()[8:40] == whole[8:40]


def test_what_is_in_the_way(script):
    script.says()
    (file,) = script.kept()
    file.unlink()
    file.mkdir()
    assert [script.says(), script.says()] == [True, True]
    shutil.rmtree(file.parent)
    file.parent.write_text("")
    assert [script.says(), script.says()] == [True, True]


def test_another_scripts_code_does_not_count(script):
    script.says()
    (file,) = script.kept()
    other = script.path.with_name("other.py")
    script.path = script.path.rename(other)
    assert script.says() is True
    (written,) = set(script.kept()) - {file}
    written.write_bytes(file.read_bytes())
    assert [script.says(), script.says()] == [True, False]


def test_another_users_code_does_not_count(script):
    script.says()
    (script.config / "codesuture" / "cache.key").unlink()
    (file,) = script.kept()
    copy = file.read_bytes()
    assert [script.says(), script.says()] == [True, False]
    for place in script.kept():
        place.write_bytes(copy)
    assert script.says() is True


def test_without_a_home_nothing_is_kept(script):
    assert [script.says(XDG_CONFIG_HOME="/dev/null/nowhere") for _ in range(2)] == [True, True]


@pytest.mark.parametrize("how", ["-B", "PYTHONDONTWRITEBYTECODE"])
def test_nothing_is_written_where_python_writes_nothing(script, how):
    options, env = ((how,), {}) if how == "-B" else ((), {how: "1"})
    script.says(*options, **env)
    assert script.kept() == []
    script.says()
    assert script.says(*options, **env) is False  # but it is read


def test_what_else_the_compiler_looks_at(script):
    """`-O`, columns in tracebacks, and how long a number may be."""
    number = "7" * 700
    script.path.write_text(f"{APP}n = {number}\nassert VALUE == 2, next(code.co_positions())\n")
    ways = [(), ("-O",), ("-Xno_debug_ranges",), ("-Xint_max_str_digits=640",)]
    for _ in range(2):
        for options in ways:
            plain, ours = (script.run(*options, agent=agent) for agent in (False, True))
            assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)
        assert plain.returncode == 1 and "SyntaxError" in plain.stderr
    assert len(script.kept()) == 3


WARNS = {
    "hidden before 3.12": APP + "pattern = '\\d'\n",
    "shown": APP + "print(VALUE is 1)\n",
}


@pytest.mark.parametrize("source", WARNS.values(), ids=WARNS)
def test_the_compiler_warns_each_time(script, source):
    """Also where a run before has filtered its warnings."""
    script.path.write_text(source)
    for options in (("-Wignore",), ("-Wignore",), (), ("-Xdev",), ("-Werror",), (), ("-Wignore",)):
        plain, ours = (script.run(*options, agent=agent) for agent in (False, True))
        assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)
    assert len(script.kept()) == 1
    assert script.kept()[0].stat().st_size < 100
    script.path.write_text(APP)
    assert [script.says(), script.says()] == [True, False]


def test_audit_hooks_see_the_script_as_in_plain_python(script):
    script.path.with_name("sitecustomize.py").write_text(
        "import sys\n"
        "def hook(event, arguments):\n"
        "    if event == 'compile' and str(arguments[1]).endswith('app.py'):\n"
        "        print(event, arguments)\n"
        "sys.addaudithook(hook)\n"
    )
    script.path.write_text("print('ran')\n")
    here = {"PYTHONPATH": str(script.path.parent)}
    script.run(**here)
    plain, ours = (script.run(agent=agent, **here) for agent in (False, True))
    assert ours.stdout == plain.stdout and ours.stdout.startswith("compile (None, ")


def test_excluded_scripts_stay_as_they_are(script):
    script.says()
    script.path.with_name("codesuture.toml").write_text('exclude = ["app"]\n')
    assert "caught False" in script.run().stdout
    script.path.with_name("codesuture.toml").unlink()
    assert script.says() is False
