"""A new patch that leads to a second crash is withdrawn."""

from __future__ import annotations

import pytest

DIES_OF_IT = """\
def amount(order):
    return order["amount"]
def bill(order):
    found = amount(order)
    if not isinstance(found, int):
        raise ValueError("no amount")
    return found
print(bill({}))
"""


def test_what_the_program_dies_of(run, decide, patches):
    plain = run(DIES_OF_IT, agent=False)
    first = run()
    assert first.returncode == 1 and "ValueError: no amount" in first.stderr
    assert "Patch of amount withdrawn, because it is new and a second crash" in first.stderr
    assert "ValueError in bill (app.py:6) reached the top of the program. " in first.stderr
    (patch,) = patches()
    assert patch["state"] == "withdrawn"
    assert patch["history"][-1]["note"] == (
        "ValueError in bill (app.py:6) reached the top of the program"
    )
    second = run()
    assert second.stderr.endswith(plain.stderr)
    assert "its patch was withdrawn on " in second.stderr
    decide("approve", "amount")
    third = run()
    assert "ValueError: no amount" in third.stderr and "withdrawn" not in third.stderr
    assert patches()[0]["state"] == "reviewed"


ELSEWHERE = """\
def amount(order):
    return order["amount"]
def fails():
    raise ValueError("something else")
amount({})
if MODE == "handled":
    try:
        fails()
    except ValueError:
        pass
if MODE == "exit":
    raise SystemExit(amount({}) or 3)
"""


@pytest.mark.parametrize(
    ("mode", "code", "state"),
    [("handled", 0, "persisted"), ("exit", 3, "persisted"), ("none", 0, "persisted")],
)
def test_what_is_no_second_crash(run, patches, mode, code, state):
    done = run(f"MODE = {mode!r}\n{ELSEWHERE}")
    assert done.returncode == code, done.stderr
    assert [patch["state"] for patch in patches()] == [state]


NOT_THROUGH_IT = """\
def amount(order):
    return order["amount"]
def load(order):
    return [amount(order)]
def middle(order):
    return load(order)
middle({})
raise ValueError("something else")
"""


def test_an_exception_that_came_neither_through_the_call_nor_its_caller(run, patches):
    done = run(NOT_THROUGH_IT)
    assert done.returncode == 1 and "withdrawn" not in done.stderr
    assert patches()[0]["state"] == "persisted"


@pytest.mark.parametrize("env", [{"CODESUTURE_PROBATION": "0"}, {"CODESUTURE_PROBATION": "1e-9"}])
def test_without_probation_and_after_it(run, patches, env):
    done = run(DIES_OF_IT, env=env)
    assert done.returncode == 1 and "withdrawn" not in done.stderr
    assert patches()[0]["state"] == "persisted"


THREADS = """\
import threading
def amount(order):
    return order["amount"]
def bill(order):
    if amount(order) != 3:
        raise ValueError("no amount")
for _ in range(2):
    thread = threading.Thread(target=bill, args=({},))
    thread.start()
    thread.join()
print("done")
"""


def test_what_reaches_the_top_of_a_thread(run, patches):
    done = run(THREADS)
    assert done.stdout == "done\n"
    assert patches()[0]["state"] == "withdrawn"
    assert "reached threading.Thread._bootstrap_inner" in patches()[0]["history"][-1]["note"]
    # The second thread dies of the first crash.
    assert "ValueError: no amount" in done.stderr and "KeyError: 'amount'" in done.stderr


def test_a_crash_that_is_learned_from_is_no_second_one(run, patches):
    program = """\
import contextlib
def name(d):
    return d["name"]
def untold(d):
    first = name(d)
    with getattr(contextlib, 'null' + 'context')():
        return first, d["title"]
print(untold({}))
"""
    assert "from now on it is healed in place" in run(program).stderr
    assert patches()[0]["state"] == "persisted"
    assert run().returncode == 0


def test_a_site_whose_patch_is_rejected_is_no_second_crash(run, decide, patches):
    program = "def f(d):\n    d['a']\n    return d['b']\nf({})\n"
    assert run(program).returncode == 0
    second = patches()[1]
    assert second["target"] == "d['b']"
    decide("reject", second["id"])
    done = run()
    assert done.returncode == 1 and "withdrawn" not in done.stderr
    assert [patch["state"] for patch in patches()] == ["persisted", "rejected"]


def test_a_loop_is_bounded_as_before(run):
    program = "def f(d):\n    while True:\n        d['a']\nf({})\n"
    done = run(program, env={"CODESUTURE_BREAKER_FRAME": "20"})
    assert done.returncode == 1 and "was used too often" in done.stderr
    assert "withdrawn" not in done.stderr


FLASK = """\
from flask import Flask
app = Flask(__name__)
def amount(order):
    return order["amount"]
@app.get("/")
def bill():
    if amount({}) != 3:
        raise ValueError("no amount")
    return "fine"
if __name__ == "__main__":
    client = app.test_client()
    print([client.get("/").status_code for _ in range(2)])
"""


def test_flask(run, patches):
    done = run(FLASK)
    assert "[500, 500]" in done.stdout, done.stderr
    assert patches()[0]["state"] == "withdrawn"
    assert "reached flask.app.Flask.wsgi_app" in patches()[0]["history"][-1]["note"]


LATER = """\
import codesuture.probation
codesuture.probation.SOON = -1.0
def bill(order):
    amount = order["amount"]
    return float(3) ** amount.real
print(bill({}))
"""


@pytest.mark.parametrize("shadow", ["1", ""])
def test_what_shadow_knows_to_follow_needs_not_be_soon(run, patches, shadow):
    guards = "null_guard=false,attribute_guard=false"  # what heals the second crash
    done = run(LATER, env={"CODESUTURE_SHADOW": shadow, "CODESUTURE_GUARDS": guards})
    assert done.returncode == 1 and "AttributeError" in done.stderr, done.stderr
    assert patches()[0]["state"] == ("withdrawn" if shadow else "persisted")
