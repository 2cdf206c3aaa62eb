"""Jobs of APScheduler's executors: healed, unless a listener is told of errors."""

from __future__ import annotations

import json

import pytest

JOBS = """
prices = {"tea": 3}

def total(order):
    print("total", prices[order["item"]] * 2, flush=True)

async def total_async(order):
    total(order)
"""

BACKGROUND = """
import sys
from threading import Event
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from jobs import total

def told(event):
    print("told", type(event.exception).__name__, flush=True)

def main(how):
    executors = {"default": ProcessPoolExecutor(1)} if how == "processes" else {}
    scheduler = BackgroundScheduler(executors=executors)
    if how == "listener":
        scheduler.add_listener(told, EVENT_JOB_ERROR)
    ended = Event()
    scheduler.add_listener(lambda event: ended.set(), EVENT_JOB_EXECUTED)
    scheduler.start()
    scheduler.add_job(total, args=[{"item": "milk"}])
    if how in ("listener", "processes"):
        scheduler.add_job(total, args=[{"item": "tea"}])
    assert ended.wait(30)
    if how == "later":
        ended.clear()
        scheduler.add_listener(told, EVENT_JOB_ERROR)
        scheduler.add_listener(lambda event: ended.set(), EVENT_JOB_ERROR)
        scheduler.add_job(total, args=[{"item": "milk"}])
        assert ended.wait(30)
    scheduler.shutdown()

if __name__ == "__main__":
    main(sys.argv[1])
"""

ASYNCIO = """
import asyncio, sys
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from jobs import total, total_async

async def main(how):
    scheduler = AsyncIOScheduler()
    if how == "listener":
        scheduler.add_listener(lambda event: print("told", type(event.exception).__name__,
                                                   flush=True), EVENT_JOB_ERROR)
    ended = asyncio.Event()
    left = [total, total_async]
    def one_ended(event):
        left.pop()
        if not left:
            ended.set()
    scheduler.add_listener(one_ended, EVENT_JOB_EXECUTED)
    scheduler.start()
    for job in left[:]:
        scheduler.add_job(job, args=[{"item": "milk"}])
        if how == "listener":
            scheduler.add_job(job, args=[{"item": "tea"}])
    await asyncio.wait_for(ended.wait(), 30)
    scheduler.shutdown()

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "background.py").write_text(BACKGROUND)
    (tmp_path / "loop.py").write_text(ASYNCIO)
    return tmp_path


def lines(done):
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.splitlines())


def patch_of(folder):
    (path,) = (folder / ".codesuture_store" / "patches").glob("*.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("program", "totals"), [("background.py", 1), ("loop.py", 2)], ids=["threads", "asyncio"]
)
def test_a_job_that_crashes_is_healed(installed_python, app, program, totals):
    done = installed_python.run(program, "heal", cwd=app)
    assert lines(done) == ["total 0"] * totals, done.stderr
    assert "apscheduler.executors.base.run_" in patch_of(app)["fate"]


@pytest.mark.parametrize(
    ("program", "totals"), [("background.py", 1), ("loop.py", 2)], ids=["threads", "asyncio"]
)
def test_a_listener_for_errors_handles_them(installed_python, app, program, totals):
    done = installed_python.run(program, "listener", cwd=app)
    assert lines(done) == ["told KeyError"] * totals + ["total 6"] * totals, done.stderr
    assert not (app / ".codesuture_store").exists()


def test_a_listener_that_comes_later_is_asked_from_then_on(installed_python, app):
    done = installed_python.run("background.py", "later", cwd=app)
    assert lines(done) == ["told KeyError", "total 0"], done.stderr


def test_the_listeners_of_another_process_are_not_known(installed_python, app):
    done = installed_python.run("background.py", "processes", cwd=app)
    assert lines(done) == ["total 6"]
    assert "KeyError: 'milk'" in done.stderr
