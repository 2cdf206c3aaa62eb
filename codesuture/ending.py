"""What happens to a session when its process ends, and to its counters before that."""

from __future__ import annotations

import _thread
import os
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from codesuture.rerun import Run
    from codesuture.session import Session

#: Seconds between two writes of the counters; a process may end without being asked.
INTERVAL = 2.0

#: Boundaries, as they are called in messages.
TOP = "the top of the program"
THREAD = "threading.Thread._bootstrap_inner"
UNRAISABLE = "sys.unraisablehook"

_last_write = 0.0

#: What else is done once counters are stored, and in a forked child (``follow``).
_then: list[Callable[[], None]] = []
_in_children: list[Callable[[], None]] = []


def follow(then: Callable[[], None], in_child: Callable[[], None]) -> None:
    """Have ``then`` called whenever counters were stored, ``in_child`` in forked children."""
    _then.append(then)
    _in_children.append(in_child)


def count(session: Session, patch_id: str) -> None:
    """Count one heal, and store the counters now and then; until then the journal has it."""
    hits = session.hits
    with session.lock:
        session.healed += 1
        hits[patch_id] = hits.get(patch_id, 0) + 1
        session.store.journal.note(patch_id)
    if monotonic() - _last_write >= INTERVAL:
        _store_now(session)


def note(session: Session, incident_id: str) -> None:
    """Count one crash that was not healed, in the same way."""
    with session.lock:
        session.hits[incident_id] = session.hits.get(incident_id, 0) + 1
        session.store.journal.note(incident_id)
    if monotonic() - _last_write >= INTERVAL:
        _store_now(session)


def _store_now(session: Session) -> None:
    global _last_write
    _last_write = monotonic()
    store_counters(session)


def after_fork() -> None:
    """A child stores its first heal at once, whenever its parent did."""
    global _last_write
    _last_write = 0.0
    for do in _in_children:
        do()


def store_counters(session: Session) -> None:
    """Add the heals since the last time to the store's counters, and what was seen of them."""
    if session.config.shadow and "codesuture.shadow" in sys.modules:
        from codesuture.shadow import store

        store(session)
    if not session.hits or session.config.dry_run:
        return
    session.knowledge.follow()  # what was rolled back meanwhile is not counted
    with session.lock:
        # The store takes no counts for a patch that it does not have yet.
        hits = {one: hit for one, hit in session.hits.items() if one not in session.saving}
        for one in hits:
            del session.hits[one]
    from datetime import UTC, datetime

    from codesuture.store.errors import StoreError

    try:
        days = session.config.incidents_days if session.config.incidents_record else None
        session.store.count(hits, datetime.now(UTC), days)
    except StoreError as error:
        session.complain("Heals are not counted", error)
        with session.lock:  # the next time, perhaps; the journal still has them
            for patch_id, hit in hits.items():
                session.hits[patch_id] = session.hits.get(patch_id, 0) + hit
        return
    with session.lock:
        session.store.journal.keep(session.hits)
    for do in _then:
        do()


def finish() -> None:
    """Store what is left to store and, under ``codesuture run``, run the script again or say what
    happened."""
    from codesuture.session import current

    session = current()
    if session is None:
        return
    died_of, known = getattr(sys, "last_value", None), session.learned
    if isinstance(died_of, BaseException) and session.config.mode != "off":
        _look_at_the_top(session, died_of)
    has_taught = session.learned > known
    _look_at_patches(session, died_of, has_taught)
    store_counters(session)
    if session.hits:  # they could not be counted: whoever counts next finds them
        session.store.journal.leave()
    elif session.healed or _then:
        session.store.journal.end()
    if session.run is None or session.process != os.getpid():
        return
    if not _is_run_again(session, died_of, has_taught) and not session.config.quiet:
        from codesuture.messages import write

        write(_summary(session, session.run))


def _look_at_the_top(session: Session, died_of: BaseException) -> None:
    """What the program died of, if it did, has reached its top: that proves something, perhaps,
    and it is an incident."""
    from codesuture.messages import report_fault
    from codesuture.runtime import STRUCTURAL

    try:
        if "codesuture.proving" in sys.modules:
            from codesuture.proving import prove

            prove(died_of, TOP)
        if "codesuture.shadow" in sys.modules:
            from codesuture.shadow import ended

            ended(died_of)
        if issubclass(type(died_of), STRUCTURAL) and not hasattr(sys, "ps1"):
            from codesuture.incidents.reporting import died

            died(session, died_of)
    except Exception as fault:
        report_fault(fault)
    if not hasattr(sys, "ps1"):  # the prompt has shown it
        tell(died_of, TOP)


def tell(exception: object, boundary: str) -> None:
    """An exception that nobody handles has come to a boundary, which has reported it."""
    try:
        from codesuture.live import learn

        learn(exception, boundary)
    except Exception:  # half of the package is gone, say
        return


def listen() -> None:
    """Have the interpreter's own reports tell: of what ends a thread, and of what cannot be raised.

    ``threading``, once imported, takes its hook from ``_thread``. A program that puts a hook of its
    own in the place of one of these is the one to see such exceptions.
    """
    threading: Any = sys.modules.get("threading")
    for holder, name, boundary in (
        (_thread, "_excepthook", THREAD),
        (threading, "excepthook", THREAD),
        (threading, "__excepthook__", THREAD),
        (sys, "unraisablehook", UNRAISABLE),
        (sys, "__unraisablehook__", UNRAISABLE),
    ):
        original = getattr(holder, name, None)
        if type(original) is type(_thread.get_ident):
            setattr(holder, name, _telling(original, boundary))


def _telling(original: Any, boundary: str) -> Any:
    """A hook of the interpreter that tells, once for both names that it has."""
    known = _hooks.get(original)
    if known is not None:
        return known
    told = tell  # modules are taken down before the last report

    def hook(arguments: Any, /) -> None:
        try:
            original(arguments)
        finally:
            told(arguments.exc_value, boundary)

    hook.__name__ = hook.__qualname__ = original.__name__
    hook.__doc__, hook.__module__ = original.__doc__, original.__module__
    _hooks[original] = hook
    return hook


_hooks: dict[Any, Any] = {}


def _look_at_patches(session: Session, died_of: object, has_taught: bool) -> None:
    """What the program died of may have followed from a patch; others may not be needed any more.

    Where something was learned from it, it is a crash that will be healed.
    """
    try:
        probation = sys.modules.get("codesuture.probation")
        if probation is not None and isinstance(died_of, BaseException) and not has_taught:
            probation.second_crash(session, died_of, "the top of the program")
        mending = sys.modules.get("codesuture.mending")
        if mending is not None and session.process == os.getpid():
            mending.finish(session, died_of)
    except Exception as fault:
        from codesuture.messages import report_fault

        report_fault(fault)


def _is_run_again(session: Session, died_of: object, has_taught: bool) -> bool:
    if not isinstance(died_of, BaseException):
        return False
    from codesuture.messages import report_fault
    from codesuture.rerun import run_again

    try:
        if not run_again(session, died_of, has_taught):
            return False
        if _then:
            from codesuture.incidents.reporting import last_replayed

            last_replayed(session)
        return True
    except Exception as fault:
        report_fault(fault)
        return False


def _summary(session: Session, run: Run) -> str:
    applied = run.applied + len(session.applied)
    healed = run.healed + session.healed
    lines = ["", "Session summary:", f"  Patches applied: {applied}"]
    if session.config.dry_run and "codesuture.rehearsal" in sys.modules:
        from codesuture.rehearsal import summary

        lines += summary()
    if healed:
        lines.append(f"  Crashes healed in place: {healed}")
    if run.reruns:
        lines.append(f"  Re-executions: {run.reruns}")
    return "\n".join(lines) + "\n"
