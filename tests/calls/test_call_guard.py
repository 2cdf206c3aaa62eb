"""A crash in an installed package ends at the program's call of it, where that is configured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CALL = """\
import frail
seen = []
def side(value):
    seen.append(value)
    return value
def work(text):
    return [side(1), frail.parse(side(text)), side(2)]
print(work(None), seen)
"""


def patches(folder: Path) -> list[dict]:
    files = sorted((folder / ".codesuture_store").glob("*/*.json"))
    documents = [json.loads(file.read_text()) for file in files]
    return [document for document in documents if "guard" in document]


def test_every_kind_of_call_is_supplied_once(run) -> None:
    """Plain and nested calls, beside other sites; generators, coroutines, managers, operators."""
    program, expected = (HERE / name for name in ("program.txt", "expected.txt"))
    for _ in range(2):  # then with what was loaded from the store and the cache
        done = run(program.read_text())
        assert (done.stdout, done.returncode) == (expected.read_text(), 0), done.stderr


def test_the_record_names_frame_line_and_distribution(run, python_with_package, tmp_path) -> None:
    done = run(CALL, '["frail_things"]')
    assert done.stdout == "[1, None, 2] [1, None, 2]\n", done.stderr
    (patch,) = patches(tmp_path)
    source = (HERE / "frail.txt").read_text().splitlines()
    line = source.index("def parse(text):") + 2
    place = f"frail/__init__.py:{line} in parse (Frail-Things 1.2.3)"
    assert (patch["guard"], patch["library"]) == ("call_guard", place)
    assert patch["target"] == "frail.parse(side(text))"
    assert f"inside {place}" in done.stderr
    told = python_with_package.run("-m", "codesuture", "explain", agent=False, cwd=tmp_path)
    assert place in " ".join(told.stdout.split())
    listed = python_with_package.run(
        "-m", "codesuture", "audit", "--json", agent=False, cwd=tmp_path
    )
    assert json.loads(listed.stdout)["patches"][0]["library"] == place


@pytest.mark.parametrize(
    ("library_calls", "more"),
    [
        ("", ""),
        ('["requests", "frail"]', ""),
        ('["*"]', 'exclude = ["frail"]'),
        ('["*"]', 'protect = ["frail"]'),
        ('["*"]', 'exclude = ["app"]'),
        ('["*"]', "[guards]\ncall_guard = false"),
    ],
)
def test_what_is_not_asked_for_stays_as_it_is(run, library_calls: str, more: str) -> None:
    plain = run(CALL, agent=False)
    assert plain.returncode == 1
    done = run(CALL, library_calls, more)
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, plain.stderr, 1)


@pytest.mark.parametrize("more", ["dry_run = true", 'protect = ["app"]', 'mode = "observe"'])
def test_it_is_only_reported(run, tmp_path, more: str) -> None:
    plain = run(CALL, agent=False)
    done = run(CALL, more=more)
    assert done.returncode == 1 and done.stderr.endswith(plain.stderr)
    assert "Would apply call_guard on 'frail.parse(side(text))'" in done.stderr
    assert patches(tmp_path) == []


HANDLED = """\
import asyncio, contextlib, frail, functools
def here(text):
    try:
        return frail.parse(text)
    except AttributeError as error:
        return str(error)
def passing(text):
    try:
        return [0, frail.parse(text), 1]
    finally:
        print("finally")
def outer(text):
    try:
        return passing(text)
    except (KeyError, AttributeError):
        return "outer"
def suppressed():
    with contextlib.suppress(AttributeError):
        passing(None)
        print("not reached")
    return "suppressed"
def in_library(text):
    return frail.attempt(passing, text)
def looping():
    for entry in frail.entries(["a", None, "b"]):
        print(entry)
async def awaiting():
    return await frail.fetch_later(None)
async def gathered():
    found = await asyncio.gather(awaiting(), frail.fetch("x"), return_exceptions=True)
    return [type(one).__name__ for one in found]
def caught(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        trace, lines = error.__traceback__, []
        while trace is not None:
            lines.append((trace.tb_frame.f_code.co_name, trace.tb_lineno, trace.tb_lasti))
            trace = trace.tb_next
        return lines
for _ in range(3):
    print(here(None), outer(None), suppressed(), in_library(None))
    print(caught(looping), caught(frail.keyed), caught(passing, None), getattr(frail, "x", 1))
    print(caught(lambda: [frail.Lazy().size, 1]), caught(lambda: frail.parse(frail.Lazy()["x"])))
    print(asyncio.run(gathered()), caught(asyncio.run, awaiting()))
"""


def test_what_the_program_or_the_package_handles_is_left_alone(run) -> None:
    plain = run(HANDLED, agent=False)
    done = run(HANDLED)
    assert plain.returncode == 0, plain.stderr
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, "", 0)


@pytest.mark.parametrize(
    "call",
    [
        "frail.speak(None)",
        "frail.respeak(None)",
        "frail.checked(None)",
        "frail.call(frail.call)",
        "frail.call(bytes.decode, b'\\xff')",
        "frail.parse()",
        "__import__('frail_half')",
        "frail.call(__import__, 'frail_half')",
    ],
)
def test_what_is_no_crash_of_the_package_is_left_alone(run, call: str) -> None:
    """Its own ``raise`` and ``assert``, calls that do not fit, modules that are being imported."""
    program = f"import frail\ndef work():\n    return [1, {call}]\nprint(work())\n"
    plain = run(program, agent=False)
    done = run(program)
    assert (done.stdout, done.stderr, done.returncode) == ("", plain.stderr, 1)


@pytest.mark.parametrize(
    "call", ["eval('frail.parse(None)')", "frail.call(eval('lambda: None.x'))"]
)
def test_code_that_is_made_while_the_program_runs_crashes_once(run, call: str) -> None:
    """Nothing is armed there: it is learned when it has come to the top (``codesuture.live``)."""
    program = f"import frail\ndef work():\n    return [1, {call}]\nprint(work())\n"
    plain = run(program, agent=False)
    done = run(program)
    said = [line for line in done.stderr.splitlines() if not line.startswith("[CodeSuture]")]
    assert (done.stdout, said, done.returncode) == ("", plain.stderr.splitlines(), 1)
    assert "reached the top of the program; from now on" in done.stderr
    assert run(program).returncode == 0



def test_a_callback_that_crashes_is_healed_in_itself(run, tmp_path) -> None:
    done = run(
        "import frail\n"
        "def own(row):\n"
        "    return [row['k'], 1]\n"
        "print(frail.call(own, {}), frail.call(frail.call, own, {}))\n"
    )
    assert done.stdout == "[None, 1] [None, 1]\n", done.stderr
    assert [patch["guard"] for patch in patches(tmp_path)] == ["key_guard"]


def test_operators_that_keep_their_operands(run) -> None:
    """Code is changed in two ways then: the first run makes the patch, later ones keep."""
    program = (
        "import frail\n"
        "def age():\n    return 25\n"
        "def work():\n"
        "    found = ['age: ' + age(), frail.parse(None), age() + frail.Lazy(), 'x' + age()]\n"
        "    for entry in frail.entries(['a', None, 'b']):\n"
        "        found.append(entry)\n"
        "    return found\n"
        "print(work())\n"
    )
    first, second, third = (run(program).stdout for _ in range(3))
    assert first == "['age: ', None, None, 'x', 'A']\n"
    assert second == third == "['age: 25', None, None, 'x25', 'A']\n"


def test_what_was_unknown_is_learned(run) -> None:
    program = (
        "import contextlib, frail\n"
        "def work(text):\n"
        "    with getattr(contextlib, 'null' + 'context')():\n"
        "        return [0, frail.parse(text), 1]\n"
        "print(work(None))\n"
    )
    first = run(program)
    assert first.returncode == 1 and "from now on it is healed in place" in first.stderr
    second = run(program)
    assert (second.stdout, second.returncode) == ("[0, None, 1]\n", 0), second.stderr


def test_the_metadata_is_read_at_the_first_such_crash_only(run) -> None:
    program = (
        "import frail, sys\n"
        "print(frail.parse('x'), frail.attempt(frail.parse, None), frail.handled(None))\n"
        "try: frail.parse(None)\n"
        "except AttributeError: print('importlib_metadata' in sys.modules)\n"
        "frail.parse(None)\n"
        "print('importlib_metadata' in sys.modules)\n"
    )
    done = run(program)
    assert done.stdout == "x AttributeError None\nFalse\nTrue\n", done.stderr


REAL = {
    "Markdown": ("'[' + markdown.markdown(None) + ']'", "[]\n", "markdown/core.py"),
    "humanize": ("'size: ' + humanize.naturalsize(None)", "size: \n", "humanize/filesize.py"),
    "prettytable": (
        "[prettytable.PrettyTable(['a']).add_row(None)]", "[None]\n", "prettytable/prettytable.py",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_packages(run, tmp_path, name: str) -> None:
    expression, printed, file = REAL[name]
    program = f"import {name.lower()}\ndef work():\n    return {expression}\nprint(work())\n"
    done = run(program, json.dumps([name.lower()]))
    assert done.stdout == printed, done.stderr
    (patch,) = patches(tmp_path)
    assert patch["library"].startswith(file) and f"({name} " in patch["library"]


def test_nothing_is_looked_up_where_no_distribution_is_named(run) -> None:
    """Code that says `open` has pads that exceptions of others enter in any case."""
    program = (
        "import atexit, frail, sys\n"
        "atexit.register(lambda: print('importlib_metadata' in sys.modules))\n"
        "def work():\n    open\n    return [frail.parse(None), 1]\n"
        "work()\n"
    )
    plain = run(program, agent=False)
    done = run(program, "")
    assert (done.stdout, done.stderr, done.returncode) == ("False\n", plain.stderr, 1)
