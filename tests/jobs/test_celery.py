"""Tasks of Celery in real workers: healed where nobody gets the exception, else left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

TASKS = """
import os
from celery import Celery, Task

here = os.path.dirname(os.path.abspath(__file__))
for name in ("queue", "control"):
    os.makedirs(os.path.join(here, name), exist_ok=True)
app = Celery("tasks", backend=os.environ.get("BACKEND"))
app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={
        "data_folder_in": here + "/queue", "data_folder_out": here + "/queue",
        "control_folder": here + "/control", "polling_interval": 0.02,
    },
    task_always_eager=bool(os.environ.get("EAGER")),
    task_eager_propagates=os.environ.get("EAGER") == "propagates",
)

def say(*words):
    with open(here + "/said.txt", "a") as out:
        print(*words, file=out)

@app.task
def total(order):
    say("begin")
    say("total", order["price"] * 2)

@app.task(ignore_result=True)
def ignored(order):
    say("ignored", order["price"] * 2)

class Told(Task):
    def on_failure(self, exc, *rest):
        say("told", type(exc).__name__)

@app.task(base=Told)
def told(order):
    say("not reached", order["price"] * 2)

@app.task(throws=(LookupError,))
def throws(order):
    say("not reached", order["price"] * 2)

@app.task
def failing(order):
    say("not reached", order["price"] * 2)

@app.task
def linked(uuid):
    say("linked")

@app.task(autoretry_for=(KeyError,), max_retries=1, default_retry_delay=0)
def retried(order):
    say("try")
    say("not reached", order["price"] * 2)
"""


class Celery:
    """An application with its queue in a folder, and the workers that are started for it."""

    def __init__(self, installed, folder: Path) -> None:
        self.installed = installed
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        (folder / "tasks.py").write_text(TASKS)

    def send(self, *calls: str, **variables: str) -> None:
        """Put tasks into the queue: `total.delay({})`."""
        text = "\n".join(("from tasks import *", *calls))
        done = self.installed.run("-c", text, cwd=self.folder, agent=False, env=variables)
        assert done.returncode == 0, done.stderr

    def said(self) -> list[str]:
        said = self.folder / "said.txt"
        return said.read_text().splitlines() if said.exists() else []

    def work(self, pool: str, said: list[str], failed: int = 0, **variables: str) -> None:
        """Let a worker run what is in the queue, until the tasks have said this, in whatever order,
        and so many have failed."""
        command = [self.installed.python, "-m", "celery", "-A", "tasks", "worker", "-P", pool]
        command += ["-c", "1", "-l", "warning", "--without-gossip", "--without-mingle"]
        with (self.folder / "log.txt").open("w") as log:
            worker = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.installed.environment(CODESUTURE="1", **variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        deadline = time.monotonic() + 60
        while len(self.said()) < len(said) or self.log.count("KeyError: 'price'\n") < failed:
            assert worker.poll() is None and time.monotonic() < deadline, (self.said(), self.log)
            time.sleep(0.05)
        assert sorted(self.said()) == sorted(said), self.log

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def patches(self) -> list[dict[str, object]]:
        files = (self.folder / ".codesuture_store" / "patches").glob("*.json")
        return [json.loads(path.read_text()) for path in sorted(files)]


@pytest.fixture
def celery(installed_python, tmp_path: Path) -> Iterator[Celery]:
    made = Celery(installed_python, tmp_path)
    yield made
    for worker in made.workers:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(30)


@pytest.mark.parametrize("pool", ["solo", "prefork", "threads"])
def test_a_task_that_crashes_is_healed(celery, pool):
    celery.send("total.delay({})", "total.delay({'price': 4})", "total.delay({})")
    celery.work(pool, ["begin", "total 0", "begin", "total 8", "begin", "total 0"])
    (patch,) = celery.patches()
    assert "celery.app.trace" in patch["fate"]
    assert celery.log.count("Patch applied to total()") == 1
    assert "raised" not in celery.log


HANDLED = [
    "told.delay({})",
    "throws.delay({})",
    "failing.apply_async(({},), link_error=linked.s())",
    "retried.delay({})",
]


def test_what_a_task_has_for_failures_wins(celery):
    celery.send(*HANDLED)
    celery.work("solo", ["linked", "told KeyError", "try", "try"], failed=3)
    assert celery.patches() == []


def test_a_failure_that_somebody_may_ask_for_is_left_alone(celery):
    (celery.folder / "results").mkdir()
    backend = f"file://{celery.folder}/results"
    celery.send("total.delay({})", "ignored.delay({})", BACKEND=backend)
    celery.work("solo", ["begin", "ignored 0"], failed=1, BACKEND=backend)
    assert [patch["qualname"] for patch in celery.patches()] == ["ignored"]


EAGER = """
from tasks import *
result = total.delay({})
print(type(result.result).__name__)
"""
PROPAGATES = """
from tasks import *
try:
    total.delay({})
except KeyError as error:
    print("handled", error)
failing.delay({})
print("healed")
"""


def test_an_eager_task_gives_its_exception_to_the_result(celery):
    done = celery.installed.run("-c", EAGER, cwd=celery.folder, env={"EAGER": "yes"})
    assert done.stdout == "KeyError\n", done.stderr
    assert celery.patches() == []


def test_an_eager_task_that_propagates_is_a_call(celery):
    done = celery.installed.run("-c", PROPAGATES, cwd=celery.folder, env={"EAGER": "propagates"})
    assert done.stdout == "handled 'price'\nhealed\n", done.stderr
    assert celery.said() == ["begin", "not reached 0"]
