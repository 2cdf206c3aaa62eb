"""What people decide about patches is what programs do from then on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PROGRAM = """\
def port(config):
    return config["port"]
print("port", port({}))
"""


def states(document: Any) -> list[str]:
    return [event["state"] for event in document["history"]]


def test_from_the_crash_to_the_store(run, patches, tmp_path):
    assert run(PROGRAM).stdout == "port \n"
    (patch,) = patches()
    assert patch["state"] == "persisted"
    assert states(patch) == ["detected", "patched", "persisted"]
    assert {event["by"] for event in patch["history"]} == {"codesuture"}
    run()
    assert patches() == [patch]  # a run that heals does not rewrite the recipe


def test_what_was_approved_is_supplied(run, decide, patches, tmp_path):
    run(PROGRAM)
    (tmp_path / "codesuture.toml").write_text("[defaults]\nkey_guard = '1'\n")
    assert run().stdout == "port 1\n"
    decide("approve", "port", "--default", "80")
    assert run().stdout == "port 80\n"  # it comes before what is configured for the guard
    (tmp_path / "codesuture.toml").write_text("[defaults]\n'app:port' = '8'\n")
    assert run().stdout == "port 8\n"  # but not before what is configured for the place


def test_what_was_rejected_is_not_made_again(run, decide, patches, tmp_path):
    plain = run(PROGRAM, agent=False)
    run()
    decide("reject", "port", "--by", "ada", "--reason", "no port is no port")
    refused = run()
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.endswith(plain.stderr)
    said = refused.stderr.removesuffix(plain.stderr)
    assert "Patch of port is not applied: it is rejected.\n" in said
    assert "its patch was rejected by ada on " in said and ": no port is no port;" in said
    # The same expression in other code of the function.
    changed = run(PROGRAM.replace("    return", "    config = dict(config)\n    return"))
    assert changed.returncode == 1 and "rejected by ada" in changed.stderr
    assert len(patches()) == 1
    # Another expression is another crash.
    other = run(PROGRAM.replace('"port"]', '"port number"]'))
    assert other.returncode == 0
    decide("rollback", "port")
    assert run(PROGRAM).returncode == 0


def test_what_was_rolled_back_may_be_made_again(run, decide, patches, tmp_path):
    run(PROGRAM)
    decide("approve", "port")
    decide("rollback", "port", "--by", "bob")
    (removed,) = patches("removed")
    assert removed["state"] == "rolled back" and removed["history"][-1]["by"] == "bob"
    assert run().returncode == 0
    (patch,) = patches()
    assert states(patch) == [
        "detected", "patched", "persisted", "reviewed", "rolled back",
        "detected", "patched", "persisted",
    ]  # fmt: skip
    assert (patch["state"], patch["rung"]) == ("persisted", "consumer")
    assert patches("removed") == []


def expire(folder: Path) -> None:
    """Let the days of the patch be over."""
    (path,) = (folder / ".codesuture_store" / "patches").glob("*.json")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "expires": document["created"]}))


def test_what_expires(run, decide, patches, tmp_path):
    run(PROGRAM)
    expire(tmp_path)
    off = {"CODESUTURE_ON_EXPIRY": "disable"}
    assert "expired on" in run().stderr  # it reminds, and heals
    assert run(env=off).returncode == 1
    decide("renew", "port")
    assert run(env=off).returncode == 0
    expire(tmp_path)
    decide("pin", "port")
    pinned = run(env=off)
    assert pinned.returncode == 0 and "expired" not in pinned.stderr


DECIDED_MEANWHILE = """\
import subprocess, sys, threading, time
def port(config):
    return config["port"]
def call(*words):
    subprocess.run([sys.executable, "-m", "codesuture", *words], check=True, capture_output=True)
def work():
    print(port({}), flush=True)
def once():
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
once()
for words in (["approve", "port", "--default", "80"], ["reject", "port"], ["approve", "port"]):
    call(*words)
    time.sleep(1.1)
    once()
"""


def test_running_processes_follow(run, patches):
    done = run(DECIDED_MEANWHILE)
    assert done.stdout == "\n80\n80\n"
    assert "Exception in thread" in done.stderr and "its patch was rejected by" in done.stderr
