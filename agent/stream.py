"""Running the armed code of standard input and of pipes as ``__main__``.

``called`` says how; this says when. What is read in C is shown to audit hooks alone: the event
``exec`` comes between compiling and running it (``run_mod`` in CPython's Python/pythonrun.c), and
the hook is the program's type.

An audit hook cannot be removed, and while there is one every audited function costs about a tenth
of a microsecond more (``id`` is one). So there is none for other programs; and the one that stays
here calls the cheapest function there is.
"""

from __future__ import annotations

import sys
from _functools import partial  # type: ignore[import-not-found]
from _operator import is_

from . import called

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: What the interpreter says before it reads the program.
BEGINNINGS = ("cpython.run_stdin", "cpython.run_file")


def install() -> None:
    """Wait for the interpreter to run what it reads."""
    if called.can_run():
        # Without it the interpreter calls no trace or profile functions below a hook.
        _hook.__cantrace__ = True
        sys.addaudithook(_hook)


class _Audited(called.Program):
    begins = False

    def __new__(cls, event: str, arguments: tuple[Any, ...]) -> Any:
        """Look at an event; run the program if it is the program's."""
        if event in BEGINNINGS:
            cls.begins = True
        elif event == "exec" and called.is_called_by_the_interpreter():
            # The program or, if it has not begun, something that a subinterpreter runs.
            _hook.__setstate__((is_, (), {}, None))
            if cls.begins:
                return cls.running(arguments[0])
        return None


_hook = partial(_Audited)
