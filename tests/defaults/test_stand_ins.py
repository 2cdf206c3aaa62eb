"""The objects that recipes build behave as the real thing with nothing to do."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import inspect
import io
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from codesuture.defaults.recipe import Recipe
from codesuture.defaults.stand_ins import EmptyBinaryFile, EmptyTextFile


def test_callable_takes_anything() -> None:
    call: Any = Recipe.callable(Recipe.constant(7)).build()
    assert callable(call)
    assert call() == call(1, *range(3), self=2, **{"any name": 3}) == 7
    assert repr(call) == "<codesuture: a callable that returns 7>"


def test_awaitable_is_finished_and_works_wherever_a_coroutine_does() -> None:
    awaitable: Any = Recipe.awaitable(Recipe.sequence(2)).build()
    found = inspect.isawaitable(awaitable)  # not asserted directly: that would narrow Any
    assert found

    async def main() -> list[object]:
        return [
            await awaitable,
            await awaitable,
            await asyncio.create_task(awaitable),
            await asyncio.ensure_future(awaitable),
            await asyncio.wait_for(awaitable, 5),
            *await asyncio.gather(awaitable, awaitable),
        ]

    assert asyncio.run(main()) == [(None, None)] * 7
    assert asyncio.run(awaitable) == (None, None)
    assert repr(awaitable) == "<codesuture: an awaitable that gives (None, None)>"


def test_a_cancelled_task_on_an_awaitable_is_cancelled() -> None:
    async def main() -> None:
        awaitable: Any = Recipe.awaitable().build()
        task = asyncio.create_task(awaitable)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


def test_throwing_into_an_awaitable() -> None:
    awaitable: Any = Recipe.awaitable().build()
    for arguments in [(KeyError("x"),), (KeyError,), (KeyError, "x"), (KeyError, KeyError("x"))]:
        with pytest.raises(KeyError):
            awaitable.throw(*arguments)
    with pytest.raises(TypeError):
        awaitable.throw(1)


def test_context_manager_in_with_and_async_with() -> None:
    manager: Any = Recipe.context_manager(Recipe.empty("list")).build()

    async def main() -> object:
        async with manager as value:
            return value

    with manager as value:
        assert value == []
    assert asyncio.run(main()) == []
    assert repr(manager) == "<codesuture: a context manager that enters []>"


def test_context_manager_never_swallows() -> None:
    manager: Any = Recipe.context_manager().build()

    async def main() -> None:
        async with manager:
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"), manager:
        raise KeyError("inside")
    with pytest.raises(KeyError, match="inside"):
        asyncio.run(main())


def test_iterators_are_exhausted() -> None:
    iterator: Any = Recipe.iterator().build()
    assert list(iterator) == []
    assert next(iterator, "end") == "end"

    async def main() -> list[object]:
        iterator: Any = Recipe.async_iterator().build()
        async with contextlib.aclosing(iterator):
            return [item async for item in iterator]

    assert asyncio.run(main()) == []
    assert repr(Recipe.async_iterator().build()) == "<codesuture: an empty async iterator>"


@pytest.mark.parametrize("mode", ["r", "rb"])
def test_an_empty_file_is_like_a_real_empty_file(mode: str, tmp_path: Path) -> None:
    """The same calls on both, and the same answers."""
    real = tmp_path / "empty"
    real.touch()

    def answers(file: Any) -> list[object]:
        found: list[object] = []
        with file as opened:
            assert opened is file
            found += [opened.readable(), opened.writable(), opened.seekable(), opened.isatty()]
            found += [opened.read(), opened.read(5), opened.readline()]
            found += [opened.readlines(), list(opened), opened.tell(), opened.closed]
            found += [opened.mode, opened.name]
            if mode == "r":
                found += [opened.encoding, opened.errors]
                found += [opened.buffer.read(), opened.buffer.mode]
            else:
                found += [opened.peek()]
            data = "x" if mode == "r" else b"x"
            for forbidden in (
                partial(opened.write, data),
                partial(opened.writelines, [data]),
                partial(opened.truncate, 0),
            ):
                with pytest.raises(io.UnsupportedOperation):
                    forbidden()
        found.append(file.closed)
        with pytest.raises(ValueError, match="closed"):
            file.read()
        return found

    stand_in: Any = EmptyTextFile(str(real)) if mode == "r" else EmptyBinaryFile(str(real))
    encoding = None if mode == "rb" else "utf-8"
    with open(real, mode, encoding=encoding) as opened:
        expected = answers(opened)
    assert answers(stand_in) == expected


def test_an_empty_file_remembers_how_it_was_opened() -> None:
    file = EmptyTextFile("data.txt", "latin-1", "replace")
    assert (file.name, file.encoding, file.errors) == ("data.txt", "latin-1", "replace")
    assert repr(file) == "<codesuture: an empty text file, name='data.txt', encoding='latin-1'>"
    assert repr(EmptyBinaryFile(b"x")) == "<codesuture: an empty binary file, name=b'x'>"
    assert isinstance(Recipe.file("text").build(), io.TextIOBase)
    assert isinstance(Recipe.file("binary").build(), io.BufferedIOBase)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe.callable(),
        Recipe.awaitable(),
        Recipe.context_manager(),
        Recipe.async_iterator(),
    ],
    ids=Recipe.describe,
)
def test_stand_ins_can_be_copied_and_pickled(recipe: Recipe) -> None:
    value: Any = recipe.build()
    for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert type(again) is type(value)
        assert repr(again) == repr(value)
    call = pickle.loads(pickle.dumps(Recipe.callable(Recipe.empty("list")).build()))
    assert call("anything") == []
