"""Tasks and jobs that nobody can ask for their result any more are healed; all others are not."""

from __future__ import annotations

import pytest

HEAD = """
import asyncio, time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

background = set()
kept = []

def crash(name):
    print(name, {}["x"] * 2, flush=True)

async def child(name, wait=True):
    if wait:
        await asyncio.sleep(0)
    crash(name)

def late(name, event):
    event.wait(30)
    crash(name)

async def settle():
    for _ in range(5):
        await asyncio.sleep(0)

def submit(name):
    event = Event()
    pool.submit(late, name, event)
    return event

async def in_loop(name):
    event = Event()
    asyncio.get_running_loop().run_in_executor(pool, late, name, event)
    await settle()
    event.set()

pool = ThreadPoolExecutor()
"""

HEALED = {
    "a task": """
async def main():
    asyncio.create_task(child("one"))
    await settle()
asyncio.run(main())
""",
    "a task that crashes at once": """
async def main():
    asyncio.create_task(child("one", False))
    await settle()
asyncio.run(main())
""",
    "a task in a set that lets go of it": """
async def main():
    task = asyncio.create_task(child("one"))
    background.add(task)
    task.add_done_callback(background.discard)
    del task
    await settle()
    assert not background
asyncio.run(main())
""",
    "a job of a pool": """
submit("one").set()
pool.shutdown()
""",
    "a job of a loop's executor": """
async def main():
    await in_loop("one")
    pool.shutdown()
asyncio.run(main())
""",
}

LEFT_ALONE = {
    "a task in a variable": """
async def main():
    task = asyncio.create_task(child("one"))
    await settle()
    try:
        await task
    except KeyError:
        print("handled")
asyncio.run(main())
""",
    "a task in a variable of a function that runs": """
def main(loop):
    task = loop.create_task(child("one"))
    loop.run_until_complete(settle())
    print("handled", type(task.exception()).__name__)
main(asyncio.new_event_loop())
""",
    "a task in a list": """
async def main():
    kept.append(asyncio.create_task(child("one")))
    await settle()
    print("handled", await asyncio.gather(*kept, return_exceptions=True))
asyncio.run(main())
""",
    "a task in a set that is gathered": """
async def main():
    background.update(asyncio.create_task(child(name)) for name in ("one", "two"))
    for task in background:
        task.add_done_callback(background.discard)
    try:
        await asyncio.gather(*background)
    except KeyError:
        print("handled")
asyncio.run(main())
""",
    "a task with a callback": """
async def main():
    asyncio.create_task(child("one")).add_done_callback(
        lambda task: print("handled", type(task.exception()).__name__))
    await settle()
asyncio.run(main())
""",
    "a loop with an exception handler": """
async def main():
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: print("handled", type(context["exception"]).__name__))
    asyncio.create_task(child("one"))
    await settle()
asyncio.run(main())
""",
    "a job that is kept": """
event = Event()
future = pool.submit(late, "one", event)
event.set()
print("handled", type(future.exception(30)).__name__)
""",
    "a job with a callback": """
event = Event()
pool.submit(late, "one", event).add_done_callback(
    lambda future: print("handled", type(future.exception()).__name__))
event.set()
pool.shutdown()
""",
    "a job of a loop's executor that is kept": """
async def main():
    event = Event()
    future = asyncio.get_running_loop().run_in_executor(pool, late, "one", event)
    event.set()
    try:
        await future
    except KeyError:
        print("handled")
asyncio.run(main())
""",
}

EAGER = """
async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    try:
        await asyncio.create_task(child("one", False))
    except KeyError:
        print("handled")
asyncio.run(main())
"""


@pytest.fixture
def run(installed_python, tmp_path):
    def run_program(text, **options):
        (tmp_path / "app.py").write_text(HEAD + text)
        done = installed_python.run("app.py", cwd=tmp_path, **options)
        assert done.returncode == 0, done.stderr
        return done

    return run_program


@pytest.mark.parametrize("case", HEALED)
def test_what_nobody_can_ask_for_is_healed(run, case):
    done = run(HEALED[case])
    assert done.stdout == "one 0\n", done.stderr
    assert "never retrieved" not in done.stderr


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_what_somebody_may_ask_for_is_left_alone(run, case):
    plain = run(LEFT_ALONE[case], agent=False)
    assert plain.stdout.startswith("handled")
    done = run(LEFT_ALONE[case])
    assert done.stdout == plain.stdout
    assert "Patch applied" not in done.stderr


def test_a_task_that_begins_before_it_is_given_to_anybody(run):
    if not hasattr(__import__("asyncio"), "eager_task_factory"):
        pytest.skip("tasks begin eagerly from Python 3.12 on")
    assert run(EAGER).stdout == "handled\n"
