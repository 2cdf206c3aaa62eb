"""Programs that the interpreter compiles itself and would then run: armed, and run in its place.

``-c`` and standard input are read, compiled and run in C; no import hook and no path hook is asked.
But between compiling and running them the interpreter calls something that Python code can supply
(``command`` and ``stream`` say what), and goes on as if the program had raised what that raises.

What is called there is a subclass of ``Program``. Calling a type is two steps in C: ``__new__``,
written in Python, looks at what is the matter and returns; only where it gives an instance does
``__init__`` follow: built-in functions alone, which run the armed code. So no Python frame of ours
lies below the program, and what it raises is reported by the interpreter, as always.

A program that ends well must not be run once more: ``SystemExit`` ends the process as it would
have ended. Where a prompt follows (``-i``) it is another exception, and that is not reported.
"""

from __future__ import annotations

import os
import sys
from _operator import call

from .boot import is_active, say
from .script import forget_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, Self

#: Whether only ``run_eval_code_obj`` (Python/pythonrun.c) notes that KeyboardInterrupt ended the
#: program. An interpreter ends itself by the signal then.
EVALUATION_NOTES_INTERRUPTS = sys.version_info < (3, 14)
#: What the interpreter sets when it reports an exception (``_PyErr_PrintEx``).
_REPORTED = ("last_exc", "last_type", "last_value", "last_traceback")


class Program(filter):  # type: ignore[type-arg]  # cannot be subscripted
    """A call in which a program runs; see above."""

    #: ``sys.argv[0]`` as the interpreter begins: ``-c``, ``-``, the name of a script, or nothing.
    option = ""

    @classmethod
    def running(cls, code: CodeType) -> Self:
        """What ``__new__`` gives to have the code run, armed if that is possible."""
        functions: tuple[Callable[..., object], ...] = (exec, _end)
        first, second = (armed(code), None), (sys.modules["__main__"].__dict__, None)
        return filter.__new__(cls, None, map(call, functions, first, second))

    #: Reading it takes the first item of the filter: that runs the program, and ``_end`` raises.
    __init__ = property(next)


def can_run() -> bool:
    """Whether a program can be run in the interpreter's place. To be asked before that begins.

    With ``PYTHONINSPECT`` and no terminal the interpreter reports a ``SystemExit``, so a program
    that ends well could not be ended.
    """
    Program.option = sys.argv[0]
    if sys.flags.inspect and not _prompt_follows():
        return False
    if EVALUATION_NOTES_INTERRUPTS:
        _note_interrupts()
    return True


def _note_interrupts() -> None:
    """Have a KeyboardInterrupt of the program noted at the very end.

    What codesuture does at the end evaluates strings, and each takes the note away.
    """
    import atexit

    from codesuture import ending

    def note() -> None:
        if getattr(sys, "last_type", None) is KeyboardInterrupt and not _prompt_follows():
            try:
                exec("raise KeyboardInterrupt", {})
            except KeyboardInterrupt:
                return

    atexit.unregister(ending.finish)
    atexit.register(note)
    atexit.register(ending.finish)


def is_called_by_the_interpreter() -> bool:
    """Whether nothing runs below the function that asks, a ``__new__``."""
    try:
        sys._getframe(2)
    except ValueError:
        return True
    return False


def armed(code: Any) -> Any:
    """The code of a program, armed if codesuture is active and that is possible."""
    if not is_active():
        return code
    try:
        from codesuture import importhook

        return importhook.arm_script(code)
    except Exception as error:
        say(f"this program runs without codesuture ({type(error).__name__}: {error})")
        session = sys.modules.get("codesuture.session")
        if session is not None:
            session.leave()
        return code


def _prompt_follows() -> bool:
    """Whether the interpreter prompts behind the program (``pymain_repl`` in Modules/main.c)."""
    if Program.option in ("", "-"):
        return False
    asked = not sys.flags.ignore_environment and os.environ.get("PYTHONINSPECT")
    if not (sys.flags.inspect or asked):
        return False
    return bool(sys.flags.interactive or os.isatty(0))


def _end(_: None, __: None) -> None:
    """End a program that ended well. Always raises."""
    if _prompt_follows():
        _report_nothing()
        raise Exception
    if Program.option != "-c":  # the names that the interpreter gives to a file it takes away
        forget_file()
    raise SystemExit


def _report_nothing() -> None:
    """Let the report of the exception that is raised next leave no trace."""
    names = ("excepthook", *_REPORTED)
    before = {name: getattr(sys, name) for name in names if hasattr(sys, name)}

    def restore(*_: object) -> None:
        for name in names:
            if name in before:
                setattr(sys, name, before[name])
            elif hasattr(sys, name):
                delattr(sys, name)

    sys.excepthook = restore
