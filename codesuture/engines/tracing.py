"""The engine ``trace``: ``sys.settrace`` tells of each exception in the frames that are traced.

Traced are frames of code without pads; in all others the interpreter calls us once, as they
begin. A tracer that is there already is called as before, and gets what it asks for. One that
comes later takes our place, as ``sys.settrace`` has it: a debugger or coverage is there to see the
program, and we are not. A tracer in C that puts itself back when it is called (coverage's) does
so here too.

Only for Python 3.11. From 3.12 on ``sys.monitoring`` costs a fraction, and debuggers that use it
share ``frame.f_trace`` with tracers (bdb of 3.14), which would not go together.

Threads that begin through ``threading`` are traced; those that are running already are not.
"""

from __future__ import annotations

import atexit
import sys

from codesuture.engines import watching
from codesuture.engines.watching import UNWANTED, kinds
from codesuture.messages import report_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from codesuture.session import Session

_began = False


class _Tracer:
    """What the interpreter calls as frames begin; ``before`` is the tracer that was there."""

    __slots__ = ("before",)

    def __init__(self, before: Any) -> None:
        self.before = before

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        local = None if self.before is None else self.before(frame, event, argument)
        if event != "call" or not _is_watched(frame):
            return local
        if local is not None:
            return _Both(local)
        # Lines are not asked for: each would be a call.
        frame.f_trace_lines = False
        return _on_event


class _Both:
    """Traces one frame for another tracer, which has the first word, and for us."""

    __slots__ = ("other",)

    def __init__(self, other: Any) -> None:
        self.other = other

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        given = self.other(frame, event, argument)
        _on_event(frame, event, argument)
        if given is not None:
            self.other = given
        return self


def begin(session: Session) -> None:
    """Watch for exceptions in this thread, and in those that ``threading`` begins from now on."""
    global _began
    if _began:
        return
    _began = True
    import threading

    watching.begin(session)
    threading.settrace(_Tracer(threading.gettrace()))
    sys.settrace(_Tracer(sys.gettrace()))
    atexit.register(end)


def end() -> None:
    """Put the tracers back that were there before, where ours still are in their place."""
    global _began
    import threading

    _began = False

    own, of_threads = sys.gettrace(), threading.gettrace()
    if type(own) is _Tracer:
        sys.settrace(own.before)
    if type(of_threads) is _Tracer:
        threading.settrace(of_threads.before)


def _is_watched(frame: FrameType) -> bool:
    try:
        known = kinds.get(id(frame.f_code))
        kind = known[0] if known is not None else watching.kind_of(frame.f_code, frame)
        return kind != UNWANTED
    except RecursionError:
        return False
    except Exception as fault:
        report_fault(fault)
        return False


def _on_event(frame: FrameType, event: str, argument: Any) -> Any:
    """What happens in a frame that is traced."""
    if event == "exception":
        try:
            kind, (_, exception, trace) = kinds.get(id(frame.f_code)), argument
            # The interpreter writes this dict back into the frame when we return
            # (``call_trampoline``, Python/sysmodule.c). Somebody who has it keeps ``frames`` from
            # emptying it, with which the program's variables would be gone.
            variables = frame.f_locals
            # StopIteration of a `for` loop has no traceback.
            if kind is not None and trace is not None:
                if exception.__traceback__ is None:  # it gets it where it is caught
                    exception.__traceback__ = trace
                watching.see(kind[0], frame, trace, exception)
            del variables
        except RecursionError:  # so near the limit that there is no room for us
            return _on_event
        except Exception as fault:
            report_fault(fault)
    return _on_event
