"""What people decide about patches is what programs do from then on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """\
def port(config):
    return config["port"]
print("port", port({}))
"""


@pytest.fixture
def run(installed_python: Any, tmp_path: Path) -> Callable[..., Any]:
    """Write `app.py` (unless the text is empty) and run it in the test's folder."""

    def run_program(text: str = "", **options: Any) -> Any:
        if text:
            (tmp_path / "app.py").write_text(text)
        return installed_python.run("app.py", cwd=tmp_path, **options)

    return run_program


@pytest.fixture
def decide(installed_python: Any, tmp_path: Path) -> Callable[..., str]:
    """Run a command in the test's folder, which must succeed; its output."""

    def call(*words: str) -> str:
        done: subprocess.CompletedProcess[str] = installed_python.run(
            "-m", "codesuture", *words, cwd=tmp_path, agent=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def patches(folder: Path, where: str = "patches") -> list[Any]:
    found = sorted((folder / ".codesuture_store" / where).glob("*.json"))
    return [json.loads(path.read_text()) for path in found]


def states(document: Any) -> list[str]:
    return [event["state"] for event in document["history"]]


def test_from_the_crash_to_the_store(run, tmp_path):
    assert run(PROGRAM).stdout == "port \n"
    (patch,) = patches(tmp_path)
    assert patch["state"] == "persisted"
    assert states(patch) == ["detected", "patched", "persisted"]
    assert {event["by"] for event in patch["history"]} == {"codesuture"}
    run()
    assert patches(tmp_path) == [patch]  # a run that heals does not rewrite the recipe


def test_what_was_approved_is_supplied(run, decide, tmp_path):
    run(PROGRAM)
    (tmp_path / "codesuture.toml").write_text("[defaults]\nkey_guard = '1'\n")
    assert run().stdout == "port 1\n"
    decide("approve", "port", "--default", "80")
    assert run().stdout == "port 80\n"  # it comes before what is configured for the guard
    (tmp_path / "codesuture.toml").write_text("[defaults]\n'app:port' = '8'\n")
    assert run().stdout == "port 8\n"  # but not before what is configured for the place


def test_what_was_rejected_is_not_made_again(run, decide, tmp_path):
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
    assert len(patches(tmp_path)) == 1
    # Another expression is another crash.
    other = run(PROGRAM.replace('"port"]', '"port number"]'))
    assert other.returncode == 0
    decide("rollback", "port")
    assert run(PROGRAM).returncode == 0


def test_what_was_rolled_back_may_be_made_again(run, decide, tmp_path):
    run(PROGRAM)
    decide("approve", "port")
    decide("rollback", "port", "--by", "bob")
    (removed,) = patches(tmp_path, "removed")
    assert removed["state"] == "rolled back" and removed["history"][-1]["by"] == "bob"
    assert run().returncode == 0
    (patch,) = patches(tmp_path)
    assert states(patch) == [
        "detected", "patched", "persisted", "reviewed", "rolled back",
        "detected", "patched", "persisted",
    ]  # fmt: skip
    assert (patch["state"], patch["rung"]) == ("persisted", "consumer")
    assert patches(tmp_path, "removed") == []


def expire(folder: Path) -> None:
    """Let the days of the patch be over."""
    (path,) = (folder / ".codesuture_store" / "patches").glob("*.json")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "expires": document["created"]}))


def test_what_expires(run, decide, tmp_path):
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


def test_running_processes_follow(run):
    done = run(DECIDED_MEANWHILE)
    assert done.stdout == "\n80\n80\n"
    assert "Exception in thread" in done.stderr and "its patch was rejected by" in done.stderr
