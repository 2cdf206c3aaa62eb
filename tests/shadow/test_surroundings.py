"""What following values leaves as it was: the interpreter's tools, tracers, lifetimes."""

from __future__ import annotations

import sys
from typing import Any

import pytest

HAS_MONITORING = sys.version_info >= (3, 12)

#: What every program here begins with: what of the interpreter's is in use.
IN_USE = """\
import sys
def in_use():
    monitoring = getattr(sys, "monitoring", None)
    tools = [] if monitoring is None else [monitoring.get_tool(n) for n in range(6)]
    return [tool for tool in tools if tool] + ([sys.gettrace()] if sys.gettrace() else [])
"""

FOLLOWING = (
    IN_USE
    + """
import weakref, threading
class Thing: pass
gone = []
def followed(d):
    thing = Thing()
    gone.append(weakref.ref(thing))
    x = d["k"]
    print("while", len(in_use()))
    return [x]
got = followed({})
print("behind", in_use(), gone[0]())

def left_by_an_exception(d):
    x = d["k"]
    if not x:
        raise RuntimeError
    return x
try:
    left_by_an_exception({})
except RuntimeError:
    pass
left_by_an_exception({"k": 1})
print("left", in_use())

def given_up(d):
    x = d["k"]
    yield 1
    yield x
next(given_up({}))
list(given_up({"k": 1}))
print("given up", in_use())

def suspended(d):
    x = d["k"]
    yield 1
    yield x
kept = suspended({})
next(kept)
got = []
thread = threading.Thread(target=lambda: got.extend(kept))
thread.start()
thread.join()
print("suspended", got)

def deep(n):
    return deep(n - 1) if n else sink({})
def sink(d):
    x = d["k"]
    try:
        return sink2(0)
    except RecursionError:
        return "too deep"
def sink2(n):
    return sink2(n + 1)
print(deep(100))
"""
)


def test_the_interpreter_gets_everything_back(shadowed: Any, seen: Any) -> None:
    done = shadowed(FOLLOWING)
    assert "fault" not in done.stderr
    assert done.stdout.splitlines() == [
        "while 1",
        "behind [] None",
        "left []",
        "given up []",
        "suspended [None]",
        "too deep",
    ], done.stderr
    found = seen()
    assert found["followed"]["verdicts"] == ["leaked"]
    assert found["left_by_an_exception"]["verdicts"] == ["contained"]
    assert found["given_up"]["verdicts"] == ["contained"]


def test_off_nothing_is_imported_and_nothing_is_switched_on(shadowed: Any, seen: Any) -> None:
    program = IN_USE + (
        "def f(d):\n"
        "    x = d['k']\n"
        "    print(in_use(), [name for name in sys.modules if 'shadow' in name])\n"
        "    return x\n"
        "f({})\n"
    )
    done = shadowed(program, env={"CODESUTURE_SHADOW": "0"})
    assert done.stdout == "[] []\n"
    assert seen()["f"]["verdicts"] == [""]


TRACED = """\
import sys
events = []
def tracer(frame, event, argument):
    if frame.f_code.co_name in ("f", "g"):
        events.append((frame.f_code.co_name, event, frame.f_lineno))
        return tracer if frame.f_code.co_name == "f" else None
def f(d):
    x = d["k"]
    return x
def g(d):
    x = d["k"]
    y = x
    return y
sys.settrace(tracer)
f({}); kept = g({})
print(sys.gettrace() is tracer)
sys.settrace(None)
print(events)
"""


def test_a_tracer_of_the_program_sees_what_it_sees_without(shadowed: Any, seen: Any) -> None:
    with_it = shadowed(TRACED)
    assert "fault" not in with_it.stderr
    found = seen()
    assert found["f"]["verdicts"] == [""]  # somebody traces this call
    assert found["g"]["verdicts"] == ["leaked"]
    without = shadowed(TRACED, env={"CODESUTURE_SHADOW": "0"})
    assert with_it.stdout == without.stdout


@pytest.mark.skipif(not HAS_MONITORING, reason="there are no tool ids before 3.12")
def test_where_all_tool_ids_are_taken_it_heals_and_says_so(shadowed: Any, seen: Any) -> None:
    done = shadowed(
        "import sys\n"
        "for tool in range(6): sys.monitoring.use_tool_id(tool, str(tool))\n"
        "def f(d):\n"
        "    return d['k']\n"
        "print(f({}), f({}))\n"
        "print([sys.monitoring.get_tool(tool) for tool in range(6)])\n"
    )
    assert done.stdout == "None None\n['0', '1', '2', '3', '4', '5']\n"
    assert done.stderr.count("all tool ids of sys.monitoring are taken") == 1
    assert seen()["f"]["verdicts"] == [""]


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork")
def test_a_forked_child_counts_for_itself(shadowed: Any, seen: Any) -> None:
    done = shadowed(
        "import os\n"
        "def f(d):\n"
        "    x = d['k']\n"
        "    return x\n"
        "a = f({})\n"
        "child = os.fork()\n"
        "b = f({})\n"
        "if child: os.waitpid(child, 0)\n"
        "print('done')\n"
    )
    assert done.stdout == "done\ndone\n"
    assert seen()["f"]["seen"] == 3


def test_a_value_that_is_held_too_long_is_left_without_a_verdict(shadowed: Any, seen: Any) -> None:
    done = shadowed(
        "def f(d):\n"
        "    x = d['k']\n"
        "    for n in range(300_000):\n"
        "        n += 1\n"
        "    return x\n"
        "print(f({}))\n"
    )
    assert done.stdout == "None\n"
    assert seen()["f"]["verdicts"] == [""]
