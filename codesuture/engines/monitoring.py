"""The engine ``monitoring``: ``sys.monitoring`` tells of each exception at the frame it leaves.

The event RAISE comes for the instruction that raises, and again in each frame further out that
the exception comes to (``monitor_raise``, Python/ceval.c). Up to 3.14 it can be had for all code
only, so each of these costs a call. From 3.15 on it can be had for single code objects (CPython
issue 142186): there PY_START, once for each code object, tells of code as it first runs, and RAISE
is asked for where we watch. (A callback of RAISE may give DISABLE there, too, but for an event that
was asked for of all code that changes nothing.)

While a callback runs, no tool sees events of its thread, so none sees ours.
"""

from __future__ import annotations

import atexit
import sys

from codesuture.engines import toolids, watching
from codesuture.engines.toolids import monitoring
from codesuture.engines.watching import UNWANTED, kinds
from codesuture.messages import report_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    from codesuture.session import Session

NAME = "codesuture"
#: Whether RAISE can be had for single code objects.
RAISE_IS_LOCAL = sys.version_info >= (3, 15)

_RAISE = monitoring.events.RAISE
_PY_START = monitoring.events.PY_START
#: What is asked for of all code.
_GLOBAL = _PY_START if RAISE_IS_LOCAL else _RAISE
_tool: int | None = None


def begin(session: Session) -> bool:
    """Watch for exceptions until the process ends; False where there is no tool id left."""
    global _tool
    if _tool is not None:
        return True
    _tool = toolids.take(NAME)
    if _tool is None:
        return False
    watching.begin(session)
    monitoring.register_callback(_tool, _RAISE, _on_raise)
    if RAISE_IS_LOCAL:
        monitoring.register_callback(_tool, _PY_START, _on_start)
        _watch_what_runs(_tool)
    monitoring.set_events(_tool, _GLOBAL)
    atexit.register(end)
    return True


def end() -> None:
    """Watch no longer, and give the tool id back."""
    global _tool
    tool, _tool = _tool, None
    if tool is None or monitoring.get_tool(tool) != NAME:
        return
    if RAISE_IS_LOCAL:
        for kind, code in list(kinds.values()):
            if kind != UNWANTED:
                monitoring.set_local_events(tool, code, 0)
    toolids.give_back(tool, _RAISE | _PY_START)


def _on_raise(code: CodeType, offset: int, exception: BaseException) -> object:
    """What the interpreter calls. Whatever this raised would take the exception's place."""
    try:
        known = kinds.get(id(code))
        kind = known[0] if known is not None else watching.kind_of(code, sys._getframe(1))
        trace = exception.__traceback__
        if kind != UNWANTED and trace is not None:
            watching.see(kind, sys._getframe(1), trace, exception)
    except RecursionError:  # so near the limit that there is no room for us
        return None
    except Exception as fault:
        report_fault(fault)
    return None


def _on_start(code: CodeType, offset: int) -> object:
    """A code object runs: for the first time, as far as we know, and this is not called again."""
    tool = _tool
    try:
        if watching.kind_of(code, sys._getframe(1)) != UNWANTED and tool is not None:
            monitoring.set_local_events(tool, code, _RAISE)
    except RecursionError:
        return None  # another time
    except Exception as fault:
        report_fault(fault)
    return monitoring.DISABLE


def _watch_what_runs(tool: int) -> None:
    """Watch code that has started already, or that was found to be watched before."""
    for frame in sys._current_frames().values():
        at: FrameType | None = frame
        while at is not None:
            watching.kind_of(at.f_code, at)
            at = at.f_back
    for kind, code in list(kinds.values()):
        if kind != UNWANTED:
            monitoring.set_local_events(tool, code, _RAISE)
