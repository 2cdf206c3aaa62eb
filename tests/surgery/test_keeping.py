"""Operators that keep their operands: the same code, with pads that know them."""

from __future__ import annotations

import dis
import traceback
from pathlib import Path
from types import CodeType

import pytest

from codesuture.surgery.arming import arm, disarm, disarm_all, original_of
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.gate import Rejected, verify
from codesuture.surgery.graph import read_again
from codesuture.surgery.instructions import decode
from codesuture.surgery.keeping import keep_operands
from codesuture.surgery.landing import Landing
from codesuture.surgery.sites import sites_of

SOURCE = """\
def add(left, right):
    return left() + (
        right()
    ) - left()

def text(n):
    s = "a"
    s += str(n)
    try:
        s = s + n()
    except TypeError as error:
        return repr(error)
    for i in range(2):
        s = "<" + chr(i + 65) + ">" + s
    return [x() * 2 for x in (list, tuple)], s

async def later(f):
    return await f() | await f()
"""


def operators(code: CodeType) -> frozenset[int]:
    return frozenset(site.ordinal for site in sites_of(code) if site.operation == "binary")


def kept(source: str = SOURCE) -> tuple[CodeType, CodeType]:
    code = compile(source, "kept.py", "exec")
    return code, keep_operands(arm(code), operators)


def functions(code: CodeType) -> dict[str, object]:
    namespace: dict[str, object] = {}
    exec(code, namespace)
    return namespace


def test_the_gate_accepts_it_and_the_original_comes_back() -> None:
    code, changed = kept()
    for seen in verify(code, changed):
        read_again(seen.original, seen.armed)
    assert disarm_all(changed) == code
    add = next(nested for nested in changed.co_consts if getattr(nested, "co_name", "") == "add")
    before = next(nested for nested in code.co_consts if getattr(nested, "co_name", "") == "add")
    assert original_of(add) == before != disarm(add)
    assert fingerprint(add) == fingerprint(before)
    landing = Landing(add)
    assert landing.sites == {site.ordinal: site for site in landing.sites.values()}
    assert landing.sites.keys() == {site.ordinal for site in sites_of(before)}


def test_it_computes_the_same() -> None:
    code, changed = kept()
    plain, keeping = functions(code), functions(changed)
    for name, arguments in [
        ("add", (lambda: 3, lambda: 4)),
        ("text", (lambda: "x",)),
        ("text", (lambda: 5,)),
    ]:
        assert plain[name](*arguments) == keeping[name](*arguments)


def test_a_traceback_points_at_the_operator() -> None:
    printed = []
    for code in kept():
        try:
            functions(code)["add"](lambda: "", lambda: 4)
        except TypeError as error:
            printed.append("".join(traceback.format_exception(error)))
            (entry,) = [e for e in traceback.extract_tb(error.__traceback__) if e.name == "add"]
            assert (entry.lineno, entry.end_lineno, entry.colno) == (2, 4, 11)
    assert printed[0] == printed[1]


@pytest.mark.parametrize("place", range(7))
def test_the_gate_rejects_another_copy(place: int) -> None:
    code = compile("def f(x): return x() - x()", "kept.py", "exec")
    changed = keep_operands(arm(code), operators)
    before = next(nested for nested in code.co_consts if isinstance(nested, CodeType))
    after = next(nested for nested in changed.co_consts if isinstance(nested, CodeType))
    verify(before, after)
    copy = [row for row in decode(disarm(after).co_code) if row[0] >= len(before.co_code)]
    offset, name = copy[place][1], dis.opname[copy[place][2]]
    body = bytearray(after.co_code)
    if name == "POP_TOP":
        body[offset] = dis.opmap["NOP"]
    else:
        body[offset + 1] ^= 1
    with pytest.raises(Rejected):
        verify(before, after.replace(co_code=bytes(body)))


APP = """\
def age():
    print("asked")
    return 25

def line():
    return "age: " + age() + " years, " + str(age()) + age()

def caught():
    try:
        return "age: " + age()
    except TypeError as error:
        return str(error)

class Own:
    def __radd__(self, other):
        return other + "own"

def other(value):
    return "it is " + value()

{calls}
"""


def test_the_next_run_knows_both_operands(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(calls="print(line())"))
    first = installed_python.run("app.py", cwd=tmp_path)
    assert first.stdout == "asked\nasked\nasked\nage:  years, \n", first.stderr
    second = installed_python.run("app.py", cwd=tmp_path)
    assert second.stdout == "asked\nasked\nasked\nage: 25 years, 2525\n", second.stderr


def test_who_handles_it_still_does(installed_python, tmp_path: Path) -> None:
    """The same function crashes unhandled once, and is called below a handler from then on."""
    calls = (
        "import sys\n"
        "if sys.argv[1:]:\n    print(other(age))\n"
        "else:\n"
        "    try: print(other(age))\n"
        "    except TypeError as error: print(error, error.__traceback__.tb_next.tb_lineno)\n"
        "    print(other(Own), caught())\n"
    )
    (tmp_path / "app.py").write_text(APP.format(calls=calls))
    assert installed_python.run("app.py", "crash", cwd=tmp_path).returncode == 0
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
    armed = installed_python.run("app.py", cwd=tmp_path)
    assert armed.stdout == plain.stdout and "can only concatenate str" in plain.stdout
    again = installed_python.run("app.py", "crash", cwd=tmp_path)
    assert again.stdout == "asked\nit is 25\n"
