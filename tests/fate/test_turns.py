"""Verdicts that are kept hold where the chain goes on alike, and what it passes is alike."""

from __future__ import annotations

THREADS = """
import asyncio

profile = None

def crash():
    return profile.name

async def plain():
    return await asyncio.to_thread(crash)

async def handling():
    try:
        return await asyncio.to_thread(crash)
    except AttributeError:
        return "handled"

async def awaiting(task):
    return await task

async def main():
    for _ in range(3):
        print(await plain(), await handling(), await awaiting(asyncio.create_task(plain())))
        try:
            print(await awaiting(asyncio.create_task(plain())))
        except AttributeError:
            print("handled around")

asyncio.run(main())
"""
STACKS = """
import asyncio
import contextlib

profile, log = None, []

@contextlib.contextmanager
def passing():
    try:
        yield
    finally:
        log.append("left")

@contextlib.contextmanager
def handling():
    try:
        yield
    except AttributeError:
        log.append("handled")

async def run(*managers):
    async with contextlib.AsyncExitStack() as stack:
        for manager in managers:
            stack.enter_context(manager)
        print("healed", profile.name)

async def main():
    for _ in range(3):
        await run()
        await run(passing())
        await run(handling())
        await run(handling(), passing())
        await run(contextlib.suppress(AttributeError))
        await run(contextlib.suppress(KeyError))
        await run(contextlib.nullcontext())
    print(log)

asyncio.run(main())
"""


def test_who_awaits_the_job_of_a_thread_decides(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(THREADS, encoding="utf-8")
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stdout == "None handled None\nhandled around\n" * 3, done.stderr


def test_what_is_in_an_exit_stack_decides(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(STACKS, encoding="utf-8")
    done = installed_python.run("app.py", cwd=tmp_path)
    healed = "healed \n" * 4  # nothing, passing, suppress(KeyError), nullcontext
    log = ["left", "handled", "left", "handled"] * 3
    assert done.stdout == healed * 3 + f"{log}\n", done.stderr
