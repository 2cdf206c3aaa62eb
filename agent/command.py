"""Running the armed code of ``python -c`` as ``__main__``; ``called`` says how, this says when.

From 3.14 on the interpreter shows a command's code to ``linecache._register_code`` before it runs
it, so that tracebacks have its lines (``run_mod`` in CPython's Python/pythonrun.c).

Before that, the last thing that it does is to look up ``__builtins__`` among the names of
``__main__`` (``run_eval_code_obj``). A key of the same hash that lies before it is compared with
it. That is all it takes; the key is gone when the program begins.
"""

from __future__ import annotations

import sys

from . import called
from .script import compile_silently

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

#: Whether tracebacks show the lines of a command, which ``linecache._register_code`` is given.
LINES_ARE_KNOWN = sys.version_info >= (3, 13)
#: Whether a command runs without the indentation that all its lines have (``_PyUnicode_Dedent``).
TAKES_INDENTATION = sys.version_info >= (3, 14)
#: Whether ``_register_code`` is given the code too.
SHOWS_CODE = sys.version_info >= (3, 14)
#: How the commands begin by which ``multiprocessing`` starts its processes. It is the library's.
_MACHINERY = (
    "from multiprocessing.spawn import spawn_main;",
    "from multiprocessing.forkserver import main;",
    "import sys; from multiprocessing.forkserver import main;",
    "from multiprocessing.resource_tracker import main;",
)


def install() -> None:
    """Wait for the interpreter to run the command."""
    command = _given(sys.orig_argv)
    if not called.can_run() or command.startswith(_MACHINERY):
        return
    if SHOWS_CODE:
        import linecache

        _Shown.original = linecache._register_code  # type: ignore[attr-defined]
        linecache._register_code = _Shown  # type: ignore[attr-defined]
    else:
        _LookedUp.command = command
        _put_key()


def _given(words: list[str]) -> str:
    """The command of a command line: behind ``-c``, in the same word or in the next."""
    rest = iter(words[1:])
    for word in rest:
        if word == "--check-hash-based-pycs":
            next(rest, None)
            continue
        for place, letter in enumerate(word):
            if letter == "c" and word[:2] != "--":
                return word[place + 1 :] or next(rest, "")
            if letter in "WX":
                if not word[place + 1 :]:
                    next(rest, None)
                break
    return ""


class _Shown(called.Program):
    """Stands where ``linecache._register_code`` is, for one call."""

    original: Callable[..., object]

    def __new__(cls, code: CodeType, source: str, name: str) -> Any:
        """Do what ``_register_code`` does; then run the command, if this is it."""
        if not called.is_called_by_the_interpreter():
            return cls.original(code, source, name)
        sys.modules["linecache"]._register_code = cls.original  # type: ignore[attr-defined]
        cls.original(code, source, name)
        return cls.running(code)


class _LookedUp(called.Program):
    """What comparing the key with ``__builtins__`` calls."""

    command = ""

    def __new__(cls, name: str) -> Any:
        """Run the command if the interpreter is about to do so. No other key is equal."""
        if name != "__builtins__" or not called.is_called_by_the_interpreter():
            return False
        _take_out_key()
        try:
            code = compile_silently(cls.command + "\n", "<string>")
        except Exception:
            return False  # the interpreter has compiled it, and runs it
        return cls.running(code)


class _Key(str):
    """The key. It has the hash of its text."""

    __hash__ = str.__hash__
    __eq__ = _LookedUp


def _put_key() -> None:
    """Put the key before all others in ``__main__``."""
    namespace = sys.modules["__main__"].__dict__
    names = dict(namespace)
    namespace.clear()
    namespace[_Key("__builtins__")] = None
    namespace.update(names)


def _take_out_key() -> None:
    """Give ``__main__`` its names, in their order, and a table of names that are plain strings."""
    namespace = sys.modules["__main__"].__dict__
    names = {name: value for name, value in namespace.items() if type(name) is not _Key}
    namespace.clear()
    namespace.update(names)
