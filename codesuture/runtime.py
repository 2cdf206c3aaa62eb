"""What landing pads call: ``recover`` takes an exception and says how the frame goes on.

This is the only way from armed code into codesuture. Pads find it among the built-in names, where
``connect`` puts it. Most exceptions are handled by the program, and what the fate analysis has
found out about them is looked up here first, in less time than it takes to raise one. Types that
no guard can heal leave again at once; for the others everything that healing needs is imported at
the first crash.
"""

from __future__ import annotations

import builtins
import sys
from _thread import get_ident
from sys import _getframe, getprofile, gettrace

from codesuture.session import current
from codesuture.surgery.library import raised_in_library
from codesuture.surgery.names import FILES, RUNTIME, RUNTIME_KEPT, armed_files
from codesuture.verdicts import handled, recall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Any

    from codesuture.fate.verdict import Verdict
    from codesuture.session import Session

#: Exceptions that a structural crash raises. All of CPython's own are of these types.
STRUCTURAL: tuple[type[BaseException], ...] = (
    AttributeError,
    TypeError,
    LookupError,
    ArithmeticError,
    ValueError,
    FileNotFoundError,
)

#: Exception types that are remembered; a program that makes classes without end stops there.
_MOST_TYPES = 1_000

#: Types of profile functions that can be taken away and set again; one in C cannot.
_OF_PYTHON = ("function", "method")

#: Frames that healing may need; importing what it needs takes most of them.
_ROOM = 250

#: Which types are structural; filled as they come, because asking takes longer than looking up.
_structural: dict[type[BaseException], bool] = {}

#: Threads that are healing at this moment.
_busy: set[int] = set()


def connect() -> None:
    """Let landing pads find the runtime."""
    setattr(builtins, RUNTIME, recover)
    setattr(builtins, RUNTIME_KEPT, recover_kept)
    setattr(builtins, FILES, armed_files)


def recover(exception: BaseException, function: str) -> tuple[object, ...] | None:
    """How the calling frame, one of ``function``, goes on after ``exception`` at one of its sites.

    None: it does not, the exception goes on. Otherwise the turns through the pad's tree and the
    values of the instruction's result (``surgery.landing``). A fault of codesuture's own is
    reported in one line and gives None. An exception that is not an ``Exception``, such as one
    that a signal handler raises meanwhile, leaves through the pad.
    """
    kind = type(exception)
    if kind in handled and function in handled[kind]:
        known = handled[kind][function]
        try:
            while known is not None:
                depth, lasti, code, known = known
                frame = _getframe(depth)
                if frame.f_lasti == lasti and frame.f_code is code:
                    return None
        except ValueError:  # the stack is not as deep
            pass
    if not (_structural[kind] if kind in _structural else is_structural(kind)):
        return None
    return _recover(exception, _getframe(1), ())


def recover_kept(exception: BaseException, *kept: object) -> tuple[object, ...] | None:
    """Like :func:`recover`, at a site that keeps its operands (``surgery.keeping``): ``kept``."""
    if not is_structural(type(exception)):
        return None
    return _recover(exception, _getframe(1), kept)


def _recover(
    exception: BaseException, frame: FrameType, kept: tuple[object, ...]
) -> tuple[object, ...] | None:
    trace = exception.__traceback__
    if trace is None or not (trace.tb_next is None or _comes_from_libraries(trace.tb_next)):
        return None
    offset = trace.tb_lasti
    verdict = recall(frame, offset, type(exception))
    if verdict is not None and verdict.fate == "HANDLED":
        return None
    session = current()
    thread = get_ident()
    if session is None or thread in _busy:  # busy: such as a handler of the program's logging
        return None
    _busy.add(thread)
    try:
        if gettrace() is not None or getprofile() is not None:
            return _heal_unseen(session, exception, frame, offset, verdict, kept)
        if verdict is None and is_deep():
            return None
        return _heal(session, exception, frame, offset, verdict, kept)
    except RecursionError:
        return None  # so near its limit that healing did not come to an end
    except Exception as fault:
        _report(fault)
        return None
    finally:
        _busy.discard(thread)


def _heal_unseen(
    session: Session,
    exception: BaseException,
    frame: FrameType,
    offset: int,
    verdict: Verdict | None,
    kept: tuple[object, ...],
) -> tuple[object, ...] | None:
    """Heal where a debugger or a profiler is at work: it is there to see the program."""
    tracing, profiling = gettrace(), getprofile()
    try:
        if tracing is not None:
            sys.settrace(None)
        if profiling is not None and type(profiling).__name__ in _OF_PYTHON:
            sys.setprofile(None)
        if verdict is None and is_deep():
            return None
        return _heal(session, exception, frame, offset, verdict, kept)
    finally:
        if profiling is not None and type(profiling).__name__ in _OF_PYTHON:
            sys.setprofile(profiling)
        if tracing is not None:
            sys.settrace(tracing)


def _comes_from_libraries(trace: TracebackType) -> bool:
    """Whether the exception came out of libraries only, and may end at this call of them.

    Out of packages only where a distribution is configured: there files are noted.
    """
    if raised_in_library(trace):
        return True
    if not armed_files:
        return False
    from codesuture.surgery.packages import raised_in_package

    return raised_in_package(trace)


def _heal_first(*arguments: Any) -> tuple[object, ...] | None:
    """Import what healing needs, and do it; from then on it is called without a detour."""
    global _heal
    from codesuture.healing import heal

    _heal = heal
    return heal(*arguments)


_heal: Callable[..., tuple[object, ...] | None] = _heal_first


def is_deep() -> bool:
    """Whether the stack is so near its limit that healing might not come to an end."""
    try:
        _getframe(max(0, sys.getrecursionlimit() - _ROOM))
    except ValueError:
        return False
    return True


def is_structural(kind: type[BaseException]) -> bool:
    """Whether exceptions of the type can come from a structural crash."""
    answer = _structural.get(kind)
    if answer is None:
        answer = issubclass(kind, STRUCTURAL) and not issubclass(kind, UnicodeError)
        if len(_structural) < _MOST_TYPES:
            _structural[kind] = answer
    return answer


def _report(fault: Exception) -> None:
    try:
        from codesuture.messages import report_fault

        report_fault(fault)
    except Exception:  # half of the package is gone, say
        return
