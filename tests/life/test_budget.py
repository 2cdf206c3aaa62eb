"""A budget of heals: for one site, over all processes of some days; then the patch is disarmed."""

from __future__ import annotations

import json

PROGRAM = """\
import sys
def port(config):
    return config["port"]
for number in range(int(sys.stdin.read())):
    print(port({}))
"""
BUDGET = {"CODESUTURE_BUDGET_HEALS": "5"}
DISARMED = "is disarmed: it has had 5 heals in 1 day, its budget. The exception goes on; "


def test_no_budget(run, patches):
    assert run(PROGRAM, input="50").returncode == 0
    assert patches()[0]["state"] == "persisted"


def test_within_one_run(run, patches):
    done = run(PROGRAM, input="9", env=BUDGET)
    assert (done.returncode, done.stdout.count("\n")) == (1, 5)
    assert done.stderr.count(DISARMED) == 1 and done.stderr.rstrip().endswith("KeyError: 'port'")
    (patch,) = patches()
    assert patch["state"] == "disarmed"
    assert patch["history"][-1]["note"] == "5 heals in 1 day, its budget"


def test_over_several_runs_until_somebody_approves(run, decide, patches, tmp_path):
    assert run(PROGRAM, input="3", env=BUDGET).returncode == 0
    second = run(input="3", env=BUDGET)
    assert (second.returncode, second.stdout.count("\n")) == (1, 2)
    assert second.stderr.count(DISARMED) == 1
    third = run(input="1", env=BUDGET)
    assert (third.returncode, third.stdout) == (1, "")
    assert "its patch was disarmed on " in third.stderr
    assert run(input="1").returncode == 1  # also where there is no budget any more
    assert "disarmed" in decide("audit", "--state", "disarmed")
    decide("approve", "port")
    again = run(input="6", env=BUDGET)
    assert (again.returncode, again.stdout.count("\n")) == (1, 5)
    # A day later the budget is a new one; the patch stays as it is until somebody decides.
    decide("approve", "port")
    (counter,) = (tmp_path / ".codesuture_store" / "counters").glob("*.json")
    document = json.loads(counter.read_text())
    assert document["hits"] == 10 and "days" not in document
    counter.write_text(json.dumps({**document, "days": {"2025-01-31": 5}}))
    assert run(input="5", env=BUDGET).returncode == 0
    two_days = {**BUDGET, "CODESUTURE_BUDGET_DAYS": "31"}
    assert run(input="1", env=two_days).returncode == 1


SHARED = """\
import os, sys, time
def port(config):
    return config["port"]
def children(number):
    for _ in range(number):
        if not (child := os.fork()):
            try:
                for _ in range(25):
                    port({})
                    time.sleep(0.1)
            except KeyError:
                os._exit(1)
            os._exit(0)
    return [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(number)]
print(children(3))
"""


def test_processes_that_run_at_the_same_time(run, patches):
    # `except KeyError` would handle it, so it is asked for where nobody does.
    program = SHARED.replace("except KeyError:", "except ZeroDivisionError:")
    done = run(program, env={"CODESUTURE_BUDGET_HEALS": "50"})
    assert done.returncode == 0 and done.stderr.count("is disarmed: it has had 50 heals") >= 1
    (patch,) = patches()
    assert patch["state"] == "disarmed"
