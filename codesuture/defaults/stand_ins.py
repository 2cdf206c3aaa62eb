"""The objects that recipes build when no literal will do.

Each behaves as the real thing would when there is nothing to do, and says in its
``repr`` that codesuture supplied it. They can be pickled and copied.
"""

from __future__ import annotations

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import NoReturn

NO_NAME = "<codesuture: an empty file>"


class _StandIn:
    """``make`` builds the value that is handed out; ``text`` is the recipe's description."""

    __slots__ = ("_make", "_text")

    def __init__(self, make: Callable[[], object], text: str) -> None:
        self._make = make
        self._text = text

    def __repr__(self) -> str:
        return f"<codesuture: {self._text}>"


class StandInCallable(_StandIn):
    """Accepts any arguments and returns a fresh default."""

    __slots__ = ()

    def __call__(self, /, *args: object, **kwargs: object) -> object:
        return self._make()


class FinishedAwaitable(_StandIn):
    """Gives its value at once; may be awaited again.

    ``send``, ``throw`` and ``close`` make it a ``collections.abc.Coroutine``, so that
    ``asyncio.create_task`` and ``asyncio.run`` take it as well as ``await`` does.
    """

    __slots__ = ()

    def __await__(self) -> Generator[None, None, object]:
        return self._make()
        yield  # makes this a generator, which is what ``await`` asks for

    def send(self, value: object) -> NoReturn:
        raise StopIteration(self._make())

    def throw(self, kind: object, value: object = None, traceback: object = None) -> NoReturn:
        if isinstance(kind, BaseException):
            raise kind
        if isinstance(value, BaseException):
            raise value
        if isinstance(kind, type) and issubclass(kind, BaseException):
            raise kind() if value is None else kind(value)
        raise TypeError("throw() takes an exception")

    def close(self) -> None:
        """Nothing to close."""


class StandInContextManager(_StandIn):
    """For ``with`` and ``async with``; never swallows an exception."""

    __slots__ = ()

    def __enter__(self) -> object:
        return self._make()

    def __exit__(self, *exception: object) -> None:
        return None

    async def __aenter__(self) -> object:
        return self._make()

    async def __aexit__(self, *exception: object) -> None:
        return None


class EmptyAsyncIterator:
    """An asynchronous iterator that is exhausted from the start."""

    __slots__ = ()

    def __aiter__(self) -> EmptyAsyncIterator:
        return self

    async def __anext__(self) -> NoReturn:
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Nothing to close (``contextlib.aclosing`` calls it)."""

    def __repr__(self) -> str:
        return "<codesuture: an empty async iterator>"


class EmptyBinaryFile(io.BytesIO):
    """What ``open(name, "rb")`` gives for a file with nothing in it."""

    def __init__(self, name: str | bytes | int = NO_NAME) -> None:
        super().__init__()
        self.name = name

    @property
    def mode(self) -> str:
        return "rb"

    def peek(self, size: int = 0, /) -> bytes:
        """Nothing lies ahead (``io.BufferedReader.peek``)."""
        return b""

    def writable(self) -> bool:
        return False

    def write(self, data: object, /) -> NoReturn:
        raise io.UnsupportedOperation("write")

    def writelines(self, lines: object, /) -> NoReturn:
        raise io.UnsupportedOperation("write")

    def truncate(self, size: int | None = None, /) -> NoReturn:
        raise io.UnsupportedOperation("truncate")

    def __repr__(self) -> str:
        return f"<codesuture: an empty binary file, name={self.name!r}>"


class EmptyTextFile(io.StringIO):
    """What ``open(name)`` gives for a file with nothing in it."""

    def __init__(
        self,
        name: str | bytes | int = NO_NAME,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> None:
        super().__init__()
        self.name = name
        self._encoding = encoding
        self._errors = errors

    @property
    def mode(self) -> str:
        return "r"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding that was asked for; ``io.StringIO`` itself says ``None``."""
        return self._encoding

    @property
    def errors(self) -> str:  # type: ignore[override]
        """The error handler that was asked for."""
        return self._errors

    @property
    def buffer(self) -> EmptyBinaryFile:
        """The binary file beneath, as ``io.TextIOWrapper.buffer``."""
        return EmptyBinaryFile(self.name)

    def writable(self) -> bool:
        return False

    def write(self, text: object, /) -> NoReturn:
        raise io.UnsupportedOperation("not writable")

    def writelines(self, lines: object, /) -> NoReturn:
        raise io.UnsupportedOperation("not writable")

    def truncate(self, size: int | None = None, /) -> NoReturn:
        raise io.UnsupportedOperation("not writable")

    def __repr__(self) -> str:
        return f"<codesuture: an empty text file, name={self.name!r}, encoding={self.encoding!r}>"
