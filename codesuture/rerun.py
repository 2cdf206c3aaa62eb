"""Running a script again that died, after a crash that taught something.

Only under ``codesuture run``, and only what could not be healed in place: the crash has reached the
top of the program, that was proved, and from now on it is healed. The fresh process takes the place
of the dying one (``exec``): its process id, parent, terminal and place in the job stay what they
were, no second process watches over the program, and one that does not die is run as ever.

``exec`` ends a process on the spot, so it comes last of all: when the program's threads have ended,
its ``atexit`` functions have run and Python has taken down its modules, so that files are flushed
and objects are finalized as they are at any other end. The last thing that Python takes down that
may hold an object of ours is the ``sys`` module, name by name in the order in which they were
added (``finalize_modules`` in CPython's Python/pylifecycle.c, ``_PyModule_ClearDict``): so ``Last``
is put there when all is decided, and its ``__del__`` does it.
"""

from __future__ import annotations

import os
import sys
from itertools import islice

from codesuture.config.keys import RUN_VARIABLE
from codesuture.config.runflags import encode
from codesuture.messages import emit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from codesuture.given import Given, Step
    from codesuture.session import Session

#: The name in ``sys`` that holds ``Last``; not one with a single underscore, those go first.
_NAME = "__codesuture_rerun__"


class Run:
    """``codesuture run`` as this process knows it: its flags, and the attempts before this one.

    ``options`` are what it was started with, ``reruns`` how many attempts there were before,
    ``crashes`` what they died of, ``applied`` and ``healed`` what was done in them.
    """

    def __init__(self, options: Mapping[str, str], given: Given | None) -> None:
        self.options = options
        self.given = given
        self.reruns = _number(options, "reruns")
        self.applied = _number(options, "applied")
        self.healed = _number(options, "healed")
        self.crashes = [crash for crash in options.get("crashes", "").split(",") if crash]


def _number(options: Mapping[str, str], name: str) -> int:
    text = options.get(name, "0")
    return int(text) if text.isdecimal() else 0


def run_again(session: Session, died_of: BaseException, has_taught: bool) -> bool:
    """Whether the script is going to be run again, which is then said and prepared.

    To be asked when the process ends, and what the crash may teach has been learned.
    """
    run = session.run
    if run is None or session.process != os.getpid() or not isinstance(died_of, Exception):
        return False
    crash = identity(died_of)
    if crash in run.crashes:
        emit("The same crash has come back: not run again.")
        return False
    if not has_taught or session.config.retries < 1 or _prompts():
        return False
    obstacle = _obstacle(session, run)
    if obstacle or run.given is None:
        emit(f"Not run again: {obstacle}.", "What was learned counts from the next start on.")
        return False
    _prepare(session, run, run.given, crash)
    emit(
        f"Re-executing after {session.learned} patch(es)...",
        "What this attempt has written, sent and changed has happened, and happens again.",
    )
    return True


def identity(exception: BaseException) -> str:
    """A short text that is the same for the same crash in another process: its type, and the
    places in the source that it came through."""
    from hashlib import blake2b

    seen = blake2b(type(exception).__name__.encode("utf-8", "replace"), digest_size=8)
    trace = exception.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = next(islice(code.co_positions(), trace.tb_lasti // 2, None), None)
        seen.update(f"{code.co_filename}:{code.co_qualname}:{place}".encode("utf-8", "replace"))
        trace = trace.tb_next
    return seen.hexdigest()


def _prompts() -> bool:
    """Whether Python prompts before it ends, so that a person is there who saw the crash."""
    return bool(sys.flags.inspect or os.environ.get("PYTHONINSPECT"))


def _obstacle(session: Session, run: Run) -> str:
    if run.reruns >= session.config.retries:
        return f"that was attempt {run.reruns + 1} of {session.config.retries + 1} (--retries)"
    if run.given is None:
        return "on this system a process cannot be replaced"
    return run.given.obstacle()


def _prepare(session: Session, run: Run, given: Given, crash: str) -> None:
    options = {
        **run.options,
        "reruns": str(run.reruns + 1),
        "crashes": ",".join([*run.crashes, crash]),
        "applied": str(run.applied + len(session.applied)),
        "healed": str(run.healed + session.healed),
    }
    environment = {**given.environment, RUN_VARIABLE: encode(options)}
    given.restore_early()
    import gc

    # What refers to itself is left over where ``sys.excepthook``, say, is a function of the script.
    steps: list[Step] = [(gc.collect, ()), *given.steps()]
    steps.append((os.execve, (given.command[0], given.command, environment)))
    setattr(sys, _NAME, Last(steps, given.process))


class Last:
    """Replaces the process when it is let go of. By then no module can be relied on, so all that it
    needs it has itself."""

    def __init__(self, steps: list[Step], process: int) -> None:
        self._steps = steps
        self._process = process
        self._own_process = os.getpid
        self._write = os.write

    def __del__(self) -> None:
        if self._own_process() != self._process:  # forked meanwhile
            return
        try:
            for function, arguments in self._steps:
                function(*arguments)
        except Exception as error:
            self._write(2, f"[CodeSuture] It could not be run again: {error}\n".encode())
