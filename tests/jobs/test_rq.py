"""Jobs of RQ's workers, on a Redis in memory: healed, unless something was given for failures.

The job horse of a worker that forks sees the queue as it was at the fork; what jobs do is written
to a file.
"""

from __future__ import annotations

import json

import pytest

JOBS = """
def say(*words):
    with open("said.txt", "a") as out:
        print(*words, file=out)

def total(order):
    say("begin")
    say("total", order["price"] * 2)

async def later(order):
    say("later", order["price"] * 2)

def failing(order):
    say("try")
    say("last try", order["price"] * 2)

def told(job, connection, kind, error, trace):
    say("told", kind.__name__)

def of_worker(job, kind, error, trace):
    say("worker told", kind.__name__)
"""

APP = """
import sys
import fakeredis
from rq import Queue, Retry, SimpleWorker, Webhook, Worker
import jobs

redis = fakeredis.FakeStrictRedis()
queue = Queue(connection=redis, is_async=CLASS is not None)
put = queue.enqueue
CALLS
if CLASS is not None:
    CLASS([queue], connection=redis, **OPTIONS).work(burst=True, logging_level="ERROR")
"""


@pytest.fixture
def work(installed_python, tmp_path):
    """Enqueue jobs and let a worker run them; what they said."""

    def run(worker, *calls, options="{}"):
        text = APP.replace("CLASS", str(worker)).replace("OPTIONS", options)
        (tmp_path / "jobs.py").write_text(JOBS)
        (tmp_path / "app.py").write_text(text.replace("CALLS", "\n".join(calls)))
        done = installed_python.run("app.py", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        said = tmp_path / "said.txt"
        return said.read_text().splitlines() if said.exists() else [], done.stderr

    return run


def patched(folder):
    files = sorted((folder / ".codesuture_store" / "patches").glob("*.json"))
    return {(patch := json.loads(path.read_text()))["qualname"]: patch["fate"] for path in files}


@pytest.mark.parametrize("worker", ["SimpleWorker", "Worker"])
def test_a_job_that_crashes_is_healed(work, tmp_path, worker):
    said, errors = work(worker, "put(jobs.total, {})", "put(jobs.later, {})", "put(jobs.total, {})")
    assert said == ["begin", "total 0", "later 0", "begin", "total 0"], errors
    fates = patched(tmp_path)
    assert set(fates) == {"total", "later"}
    assert all("perform_job" in fate for fate in fates.values())
    counters = (tmp_path / ".codesuture_store" / "counters").glob("*.json")
    assert sum(json.loads(path.read_text())["hits"] for path in counters) == 3
    assert "exception raised" not in errors


def test_a_job_that_runs_where_it_is_enqueued(work, tmp_path):
    said, errors = work(None, "put(jobs.total, {})", "put(jobs.total, {}, on_failure=jobs.told)")
    assert said == ["begin", "total 0", "begin", "told KeyError"], errors
    assert "run_sync" in patched(tmp_path)["total"]


def test_a_failure_callback_handles_it(work, tmp_path):
    said, errors = work("SimpleWorker", "put(jobs.failing, {}, on_failure=jobs.told)")
    assert said == ["try", "told KeyError"], errors
    assert patched(tmp_path) == {}


def test_a_webhook_for_failed_jobs_handles_it(work, tmp_path):
    hook = "Webhook('http://127.0.0.1:9/', 'failed', timeout=1)"  # nobody listens there
    said, errors = work("SimpleWorker", f"put(jobs.failing, {{}}, webhooks=[{hook}])")
    assert said == ["try"], errors
    assert patched(tmp_path) == {}


def test_retries_come_first(work, tmp_path):
    said, errors = work("SimpleWorker", "put(jobs.failing, {}, retry=Retry(max=2))")
    assert said == ["try", "try", "try", "last try 0"], errors
    assert list(patched(tmp_path)) == ["failing"]


def test_an_exception_handler_of_the_worker_handles_it(work, tmp_path):
    options = "{'exception_handlers': [jobs.of_worker]}"
    said, errors = work("SimpleWorker", "put(jobs.failing, {})", options=options)
    assert said == ["try", "worker told KeyError"], errors
    assert patched(tmp_path) == {}
