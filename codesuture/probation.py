"""Probation: a new patch from which a second crash follows is withdrawn.

A second crash is an exception that reaches a boundary (the top of the program, of a thread, of a
server's request loop) within ``SOON`` of a heal, and on its way there has come through the call
that was healed, or through the one that called it and got its result. Whether it would have
come without the heal nobody can tell; that nobody has approved the patch, and that the program has
died all the same, is reason enough to let the first crash be seen again.

What was healed is marked on the two frames, by their ``f_trace`` (``breaker`` tells why): the mark
lives as long as they, and a traceback has it. Imported at the first heal by a patch on probation.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from time import monotonic

from codesuture.breaker import HEALED, Mark, is_mark, own_mark
from codesuture.decision import is_on_probation
from codesuture.fate import reporting
from codesuture.healing import known_code
from codesuture.proving.reports import watch
from codesuture.runtime import STRUCTURAL
from codesuture.store.errors import StoreError
from codesuture.surgery.library import is_of_library
from codesuture.surgery.packages import is_of_package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.decision import Decision
    from codesuture.session import Session

#: Seconds after a heal in which an exception counts as its consequence.
SOON = 60.0

#: Seconds between two searches for the boundary that would report what follows from one patch.
_BETWEEN = 0.05

#: Seconds for which the frames that are healed by one patch carry one mark, with one moment.
_EXACT = 1.0

#: Decisions that one frame remembers; the loop of a server may see any number in its life.
_MOST = 32

#: Exceptions that were left alone at a site with a patch, by address and type: they are the first
#: crash once more, not a second one.
_first_crashes: deque[tuple[int, type[BaseException]]] = deque(maxlen=64)


#: What ``shadow`` has found out about exceptions: address, type, ids of patches.
_blamed: deque[tuple[int, type[BaseException], list[str]]] = deque(maxlen=64)


def note(frame: FrameType, kind: type[BaseException], decision: Decision) -> None:
    """A patch on probation is healing ``frame``, where an exception of this type was raised."""
    moment, mark = monotonic(), decision.mark
    if mark is None or moment - mark.healed[0][1] > _EXACT:
        mark = decision.mark = Mark.shared(((decision, moment),))
    _mark(frame, mark)
    if frame.f_back is not None:
        _mark(frame.f_back, mark)
    if moment - decision.watched >= _BETWEEN:
        decision.watched = moment
        _watch(frame, kind)


def _mark(frame: FrameType, mark: Mark) -> None:
    """Let the frame carry ``mark``, or what is in it."""
    found = frame.f_trace
    if found is None or found is HEALED:
        frame.f_trace = mark
    elif found is not mark and is_mark(found):  # else a debugger traces it
        decision = mark.healed[0][0]
        others = [one for one in found.healed if one[0] is not decision]
        own_mark(frame, found).healed = (*others[1 - _MOST :], *mark.healed)


def _watch(frame: FrameType, kind: type[BaseException]) -> None:
    """Let the next boundary that reports what it catches tell of it."""
    at: FrameType | None = frame
    while at is not None:
        boundary = reporting(at, kind)
        if boundary is not None:
            watch(boundary, at)
            return
        at = at.f_back


def is_first_crash(exception: BaseException) -> None:
    """Note that an exception goes on from a site whose patch is not applied."""
    _first_crashes.append((id(exception), type(exception)))


def blame(exception: BaseException, patches: list[str]) -> None:
    """Note that the values of these patches were what ``exception`` came from (``shadow``)."""
    _blamed.append((id(exception), type(exception), patches))


def second_crash(session: Session, exception: BaseException, reached: str) -> None:
    """An exception has reached a boundary: withdraw the patches that it follows from."""
    if session.config.dry_run or not isinstance(exception, Exception):
        return
    if (id(exception), type(exception)) in _first_crashes:
        return
    now, soon = datetime.now(UTC), monotonic() - SOON
    on_the_way = _healed_on_the_way(exception) if _may_follow(exception) else []
    causes = [decision for decision, at in on_the_way if at >= soon]
    for decision in dict.fromkeys([*causes, *_blamed_for(exception)]):
        if is_on_probation(decision.patch, session.config.probation, now):
            _withdraw(session, decision, exception, reached, now)


def _may_follow(exception: Exception) -> bool:
    """Whether it may come from a wrong value. What a library says by an exception of its own is no
    crash: that a client has gone (``WebSocketDisconnect``), that time is up."""
    if issubclass(type(exception), STRUCTURAL):
        return True
    trace = exception.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = None if trace is None else trace.tb_frame.f_code
    return code is None or not (is_of_library(code) or is_of_package(code))


def _blamed_for(exception: BaseException) -> list[Decision]:
    """What supplied the values that ``shadow`` has followed to the exception."""
    kind = type(exception)
    ids = [
        patch
        for address, known, patches in _blamed
        if address == id(exception) and known is kind
        for patch in patches
    ]
    if not ids:
        return []
    decisions = [one for known in list(known_code()) for one in list(known.decisions.values())]
    return [decision for decision in decisions if decision.patch.id in ids]


def _healed_on_the_way(exception: BaseException) -> list[tuple[Decision, float]]:
    """What was healed in the innermost frame of the traceback that has a mark."""
    found: list[tuple[Decision, float]] = []
    trace = exception.__traceback__
    while trace is not None:
        mark = trace.tb_frame.f_trace
        if is_mark(mark) and mark.healed:
            found = list(mark.healed)
        trace = trace.tb_next
    return found


def _withdraw(
    session: Session, decision: Decision, exception: BaseException, reached: str, now: datetime
) -> None:
    patch = decision.patch
    trace = exception.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = None if trace is None else trace.tb_frame.f_code
    place = "" if code is None or trace is None else (
        f" in {code.co_qualname} ({session.relative(code.co_filename)}:{trace.tb_lineno})"
    )
    what = f"{type(exception).__name__}{place} reached {reached}"
    with session.lock:
        if not decision.stop(f"{what} after it was applied"):
            return
    try:
        changed = session.store.change(
            patch,
            lambda known: (
                known.advanced("withdrawn", now, note=what)
                if is_on_probation(known, session.config.probation, now) and known.is_applied
                else known
            ),
        )
        decision.patch = changed or patch
    except StoreError as error:
        session.complain("A patch is withdrawn in this process only", error)
    from codesuture.messages import emit

    emit(
        f"Patch of {patch.qualname} withdrawn, because it is new and a second crash followed: "
        f"{what}. `codesuture approve {patch.id}` keeps it all the same."
    )
