"""A patch is fixed when its function has changed and runs without the crash."""

from __future__ import annotations

import sys

import pytest

PROGRAM = """\
def port(config):
    return config["port"]
def call():
    print("port", port({}))
call()
"""
MENDED = PROGRAM.replace('config["port"]', 'config.get("port", 80)')


def states(patch):
    return [event["state"] for event in patch["history"]]


def test_the_function_has_changed_and_runs(run, decide, patches):
    run(PROGRAM)
    assert run(MENDED).stdout == "port 80\n"
    (patch,) = patches()
    assert patch["state"] == "fixed"
    last = patch["history"][-1]
    assert (last["by"], last["note"]) == ("codesuture", "port has changed, and ran without a crash")
    assert "fixed" in decide("lifecycle") and "fixed" in decide("audit", "--check")
    run()
    assert patches() == [patch]  # it is stored once
    # The change is undone.
    assert run(PROGRAM).returncode == 0
    (patch,) = patches()
    assert patch["state"] == "persisted" and states(patch)[-2:] == ["fixed", "persisted"]


def test_other_code_has_changed(run, patches):
    run(PROGRAM)
    run("import sys\n\n" + PROGRAM)
    assert patches()[0]["state"] == "persisted"


def test_it_still_crashes(run, patches):
    run(PROGRAM)
    run(PROGRAM.replace("    return config", "    config = dict(config)\n    return config"))
    assert [patch["state"] for patch in patches()] == ["persisted", "persisted"]
    run(PROGRAM.replace("    return config", "    1 / 0\n    return config"), env={
        "CODESUTURE_GUARDS": "division_guard=false"})  # fmt: skip
    assert {patch["state"] for patch in patches()} == {"persisted"}


def test_it_is_not_there_any_more(run, patches):
    run(PROGRAM)
    run(PROGRAM.replace("port(", "harbour("))
    fixed = next(patch for patch in patches() if patch["qualname"] == "port")
    assert fixed["state"] == "fixed"
    assert fixed["history"][-1]["note"] == "port is not there any more"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="there it cannot be told")
def test_it_did_not_run(run, patches):
    run(PROGRAM)
    run(MENDED.removesuffix("call()\n"))
    assert patches()[0]["state"] == "persisted"
    run(MENDED)
    assert patches()[0]["state"] == "fixed"


def test_what_was_taken_for_fixed_crashes_again(run, patches):
    run(PROGRAM)
    lucky = PROGRAM.replace("    return config", "    config = dict(config)\n    return config")
    run(lucky.replace("port({})", "port({'port': 1})"))
    assert patches()[0]["state"] == "fixed"
    run(lucky)
    old, new = sorted(patches(), key=lambda patch: len(patch["history"]), reverse=True)
    assert (old["state"], new["state"]) == ("persisted", "persisted")
    assert old["history"][-1]["note"] == f"it crashed again ({new['id']})"


def test_a_dry_run_stores_nothing(run, patches):
    run(PROGRAM)
    run(MENDED, env={"CODESUTURE_DRY_RUN": "1"})
    assert patches()[0]["state"] == "persisted"
