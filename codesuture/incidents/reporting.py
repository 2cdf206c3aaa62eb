"""Telling of a crash: the full record at the first of its kind in a process, then its number.

Everything in codesuture that sees a crash which nobody handles comes here: ``healed`` and
``left_alone`` from landing pads, ``reached`` where one arrives at a boundary, ``replayed`` where a
request that crashed is run again. None of them raises anything but ``Exception`` (a fault that the
caller reports), and none does anything in a dry run.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import suppress

from codesuture.ending import follow, note
from codesuture.incidents.making import Happening, callers, make
from codesuture.incidents.severity import HEALED, LEFT_ALONE, OBSERVED, REPLAYED
from codesuture.store.errors import StoreError
from codesuture.surgery.opcodes import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.decision import Decision
    from codesuture.diagnosis.crash import Crash
    from codesuture.engines.sightings import Sighting
    from codesuture.fate import Verdict
    from codesuture.healing import ArmedCode
    from codesuture.incidents.incident import Incident
    from codesuture.incidents.making import Step
    from codesuture.session import Session

    _Mark = tuple[int, type[BaseException], int, int]

#: Seconds after which the next crash of a kind gets a full record once more.
AGAIN = 3600.0

#: Exceptions that were told of and may yet come to the top of the program: by address, type, and
#: where they were raised.
_told: dict[_Mark, None] = {}

#: Those that an engine saw, and that may yet come to a boundary.
_seen: dict[_Mark, None] = {}
_MOST_MARKS = 256

#: What has a full record, with the moment of it: the dict that says so, and its key there.
_recorded: deque[tuple[float, dict[object, str], object]] = deque()

#: Ids by what crashed outside of armed code.
_reached: dict[object, str] = {}

#: The record of what reached a boundary last.
_last: list[Incident | None] = []

#: Ids by decision of what was healed.
_healed: dict[object, str] = {}


def healed(session: Session, decision: Decision, crash: Crash, verdict: Verdict) -> None:
    """The first heal by a decision in this process; the heal itself is counted elsewhere."""
    config = session.config
    is_hooked = config.incidents_sentry or config.incidents_logging
    if config.dry_run or not (config.incidents_record or is_hooked):
        return
    steps = callers(crash.frame, crash.site.offset)
    happening = Happening(
        HEALED, crash.exception, steps, verdict.fate, verdict.evidence,
        crash=crash, decision=decision,
    )  # fmt: skip
    incident = make(session, happening)
    if config.incidents_record:
        _write(session, incident)
        _remember(_healed, decision, incident.id)
    if is_hooked:
        from codesuture.incidents.hooks import tell

        tell(config, incident, crash.exception)


def left_alone(
    session: Session, armed: ArmedCode, crash: Crash, verdict: Verdict, why: str,
    decision: Decision | None = None,
) -> None:  # fmt: skip
    """A crash that nobody handles and that is not healed: why not, as the end of a sentence."""
    _keep(_told, crash.exception)
    key = (crash.site.ordinal, type(crash.exception), why)
    known = armed.alone.get(key)
    if known is not None:
        note(session, known)
        return
    action = OBSERVED if session.config.mode == "observe" else LEFT_ALONE
    steps = callers(crash.frame, crash.site.offset)
    happening = Happening(
        action, crash.exception, steps, verdict.fate, verdict.evidence, why, crash, decision
    )
    _record(session, happening, armed.alone, key)


def reached(
    session: Session, exception: BaseException, steps: list[Step], boundary: str, doubt: str
) -> Incident | None:
    """A crash arrived at a boundary; ``steps`` is its way, the crash first, ``doubt`` says why its
    fate was not known. The record, where it is the first of its kind in the process."""
    if take_seen(exception):
        return None
    sighting = None
    if "codesuture.engines.sightings" in sys.modules:
        from codesuture.engines.sightings import take

        sighting = take(exception)
    evidence = f"{doubt.rstrip('.')}; it reached {boundary}." if doubt else f"Reached {boundary}."
    why = "it was not known beforehand whether somebody handles it"
    happening = Happening(LEFT_ALONE, exception, steps, "UNKNOWN", evidence, why, sighting=sighting)
    return _arrived(session, happening)


def seen(
    session: Session,
    exception: BaseException,
    steps: list[Step],
    verdict: Verdict,
    sighting: Sighting | None,
) -> Incident | None:
    """A crash in code without landing pads that nobody handles, seen by an engine as it was raised;
    ``sighting`` is what there is to tell besides. The record, as ``reached`` gives it."""
    why = "its code has no landing pads"
    fate, evidence = verdict.fate, verdict.evidence
    happening = Happening(LEFT_ALONE, exception, steps, fate, evidence, why, sighting=sighting)
    _keep(_seen, exception)
    return _arrived(session, happening)


def take_seen(exception: BaseException) -> bool:
    """Whether an engine has told of this very exception as it was raised; asked once."""
    return _seen.pop(_mark(exception), _seen) is None


def _arrived(session: Session, happening: Happening) -> Incident | None:
    """Count a crash outside of pads; the record, where it is the first of its kind."""
    exception, steps = happening.exception, happening.steps
    if session.config.dry_run or not steps:
        return None
    _keep(_told, exception)
    frame, offset = steps[0]
    key = (frame.f_code, offset, type(exception))
    if key in _reached:
        note(session, _reached[key])
        return None
    _last[:] = [_record(session, happening, _reached, key)]
    return _last[0]


def replayed(session: Session, incident: Incident) -> None:
    """The request in which the crash was left alone is run again: a record takes its place."""
    _write(session, incident.changed(action=REPLAYED))


def last_replayed(session: Session) -> None:
    """The same for the whole program: what it died of was the last to reach a boundary."""
    if _last and _last[0] is not None:
        replayed(session, _last[0])


def died(session: Session, exception: BaseException) -> None:
    """The program has ended by ``exception``: a crash that was not looked into before, say because
    it was in code without landing pads, is recorded now."""
    trace = exception.__traceback__
    steps: list[Step] = []
    while trace is not None:
        steps.append((trace.tb_frame, trace.tb_lasti))
        trace = trace.tb_next
    if not steps or not _is_main(steps[0]) or _spoke(steps[-1]) or _mark(exception) in _told:
        return
    reached(session, exception, steps[::-1], "the top of the program", "")


def _keep(marks: dict[_Mark, None], exception: BaseException) -> None:
    if len(marks) >= _MOST_MARKS:
        marks.clear()
    marks[_mark(exception)] = None


def _mark(exception: BaseException) -> _Mark:
    trace = exception.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (0, 0) if trace is None else (id(trace.tb_frame.f_code), trace.tb_lasti)
    return (id(exception), type(exception), *place)


def again() -> None:
    """Let what has had its full record for long have one more."""
    limit = time.monotonic() - AGAIN
    with suppress(IndexError):  # another thread has taken the last one
        while _recorded[0][0] < limit:
            _forget()


def after_fork() -> None:
    """A child's crashes have records of their own."""
    while _recorded:
        _forget()
    _told.clear()
    _seen.clear()


def _forget() -> None:
    _, table, key = _recorded.popleft()
    table.pop(key, None)
    if table is _healed:
        key.is_recorded = False  # type: ignore[attr-defined]


def _record(
    session: Session, happening: Happening, table: dict[object, str], key: object
) -> Incident | None:
    """Write the full record and count it."""
    if session.config.dry_run or not session.config.incidents_record:
        return None
    incident = make(session, happening)
    _write(session, incident)
    _remember(table, key, incident.id)
    note(session, incident.id)
    return incident


def _remember(table: dict[object, str], key: object, known_as: str) -> None:
    table[key] = known_as
    _recorded.append((time.monotonic(), table, key))


def _write(session: Session, incident: Incident) -> None:
    room = session.config.incidents_megabytes * 1_000_000
    try:
        session.store.record(incident.line(), room)
    except StoreError as error:
        session.complain("Incidents are not recorded", error)


def _is_main(step: Step) -> bool:
    """Whether it is where a program begins: test runners keep exceptions as if they had died."""
    frame = step[0]
    name = frame.f_globals.get("__name__")
    return name in ("runpy", "codesuture_agent") or (
        name == "__main__" and frame.f_code.co_name == "<module>"
    )


def _spoke(step: Step) -> bool:
    """Whether the instruction is a ``raise``."""
    frame, offset = step
    return NAMES[frame.f_code.co_code[offset]] in ("RAISE_VARARGS", "RERAISE")


follow(again, after_fork)
