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
from queue import Queue
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from jobs import total

ended = Queue()

def told(event):
    print("told", type(event.exception).__name__, flush=True)
    ended.put(event)

def main(how):
    executors = {"default": ProcessPoolExecutor(1)} if how == "processes" else {}
    scheduler = BackgroundScheduler(executors=executors)
    if how == "listener":
        scheduler.add_listener(told, EVENT_JOB_ERROR)
    scheduler.add_listener(ended.put, EVENT_JOB_EXECUTED)
    scheduler.start()
    scheduler.add_job(total, args=[{"item": "milk"}])
    if how != "processes":
        ended.get(timeout=30)
    if how == "later":
        scheduler.add_listener(told, EVENT_JOB_ERROR)
        scheduler.add_job(total, args=[{"item": "milk"}])
        ended.get(timeout=30)
    if how in ("listener", "processes"):
        scheduler.add_job(total, args=[{"item": "tea"}])
        ended.get(timeout=30)
    scheduler.shutdown()

if __name__ == "__main__":
    main(sys.argv[1])
"""

ASYNCIO = """
import asyncio, sys
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from jobs import total, total_async

async def main(how):
    scheduler = AsyncIOScheduler()
    ended = asyncio.Queue()
    def told(event):
        print("told", type(event.exception).__name__, flush=True)
        ended.put_nowait(event)
    if how == "listener":
        scheduler.add_listener(told, EVENT_JOB_ERROR)
    scheduler.add_listener(ended.put_nowait, EVENT_JOB_EXECUTED)
    scheduler.start()
    orders = [{"item": "milk"}] + [{"item": "tea"}] * (how == "listener")
    for order in orders:
        scheduler.add_job(total, args=[order])
        scheduler.add_job(total_async, args=[order])
    for _ in range(2 * len(orders)):
        await asyncio.wait_for(ended.get(), 30)
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
