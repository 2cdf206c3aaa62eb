"""Crashes that only asynchronous code has, in the first run and in the second."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

#: guard -> a statement of a coroutine in which ``nothing`` is None, and what it prints
CRASHES = {
    "await None": ("await_guard", "print(await nothing)", "None"),
    "await a method of None": ("null_guard", "value = await nothing.fetch(); print(value)", "None"),
    "async with": (
        "context_manager_guard",
        "async with nothing as entered:\n        print('inside', entered)",
        "inside None",
    ),
    "async for": (
        "iteration_guard",
        "async for row in nothing: print('never')\n    else: print('no rows')",
        "no rows",
    ),
    "async comprehension": (
        "iteration_guard",
        "print([row async for row in nothing])",
        "[]",
    ),
}

PROGRAM = """\
import asyncio

async def work(nothing):
    print('before')
    {statement}
    print('after')

async def main():
    {call}

asyncio.run(main())
"""
CALLS = {
    "awaited": "await work(None)",
    "task": "await asyncio.create_task(work(None))",
    "gathered": "await asyncio.gather(work(None), return_exceptions=False)",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("crash", CRASHES)
def test_the_coroutine_goes_on(installed_python, tmp_path: Path, crash: str, call: str) -> None:
    guard, statement, line = CRASHES[crash]
    source = PROGRAM.format(statement=statement, call=CALLS[call])
    (tmp_path / "app.py").write_text(source)
    assert installed_python.run("app.py", cwd=tmp_path, agent=False).returncode == 1
    for note in ("Patch applied to work()", "loaded persistent patch for work"):
        done = installed_python.run("app.py", cwd=tmp_path)
        assert done.stdout.splitlines() == ["before", line, "after"], done.stderr
        assert done.returncode == 0 and note in done.stderr
        assert "Traceback" not in done.stderr and "never awaited" not in done.stderr
    (patch,) = tmp_path.glob(".codesuture_store/patches/*.json")
    assert json.loads(patch.read_text())["guard"] == guard


@pytest.mark.parametrize("crash", CRASHES)
def test_a_task_whose_waiter_handles_it(installed_python, tmp_path: Path, crash: str) -> None:
    caught = "try: await asyncio.create_task(work(None))\n    except Exception as e: print(repr(e))"
    source = PROGRAM.format(statement=CRASHES[crash][1], call=caught)
    (tmp_path / "app.py").write_text(source)
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
    armed = installed_python.run("app.py", cwd=tmp_path)
    assert plain.returncode == 0 and "Error(" in plain.stdout
    assert (armed.stdout, armed.stderr) == (plain.stdout, plain.stderr)
    assert not (tmp_path / ".codesuture_store").exists()
