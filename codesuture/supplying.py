"""Supplying the value that takes an instruction's place: guard, default, patch, record.

In this order, and at each of them the answer can be to let the exception go on.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from codesuture.breaker import Breaker
from codesuture.config.match import matches
from codesuture.decision import Decision, decide
from codesuture.diagnosis.crash import Crash
from codesuture.ending import count
from codesuture.guards.guard import Guard
from codesuture.guards.registry import recognise, recognise_call
from codesuture.messages import report_fault
from codesuture.report import report_breaker, report_heal, report_refusal
from codesuture.store.errors import StoreError
from codesuture.web import marking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from codesuture.fate import Verdict
    from codesuture.healing import ArmedCode
    from codesuture.session import Session
    from codesuture.store.patch import Patch
    from codesuture.surgery.landing import Landing
    from codesuture.surgery.sites import Site

#: Why a crash is left alone that the breaker lets through.
_OFTEN = "it was healed too often in one call or one process (breaker)"


def supply(
    session: Session,
    exception: BaseException,
    frame: FrameType,
    armed: ArmedCode,
    site: Site,
    verdict: Verdict,
    kept: tuple[object, ...],
) -> tuple[object, ...] | None:
    """What ``runtime.recover`` promises, for an exception that nobody handles."""
    crash = Crash(exception, frame, armed.code, site, kept)
    config = session.config
    if config.shadow:
        _shadow(crash, None)
    trace = exception.__traceback__
    # Whether the instruction itself raised, or a C function that it called: no passage then.
    is_here = trace is not None and trace.tb_next is None
    guard = recognise(crash, config.guards) if is_here else guard_for(session, crash)
    if guard is None or not (is_here or guard.reaches_library):
        if is_here or crash.passage is not None:
            _leave(session, armed, crash, verdict, "no guard recognises it")
        return None
    if armed.generation != session.knowledge.generation:
        armed.renew(session.knowledge)
    if armed.is_retired:
        return None
    anchor = site.chain[-1] if guard.whole_chain and site.chain else site.ordinal
    decision = armed.decisions.get((anchor, guard.name))
    if decision is None:
        added = armed.landing.instructions_for(site)
        decision = decide(session, armed.module, crash, guard, anchor, verdict, added)
        decision = armed.decisions.setdefault((anchor, guard.name), decision)
    if decision.refusal:
        if not config.dry_run and _is_first(session, decision):
            report_refusal(decision)
        _goes_on(exception)
        _leave(session, armed, crash, verdict, decision.refusal, decision)
        return None
    breaker = armed.breakers.get(anchor)
    if breaker is None:
        breaker = armed.breakers.setdefault(anchor, Breaker())
    if not breaker.allows(frame, config.breaker_frame, config.breaker_site):
        report_breaker(decision)
        _goes_on(exception)
        _leave(session, armed, crash, verdict, _OFTEN, decision)
        return None
    if config.budget_heals and not _is_within_budget(session, decision):
        _goes_on(exception)
        _leave(session, armed, crash, verdict, decision.refusal, decision)
        return None
    value = guard.value(crash, decision.recipe)
    landing = armed.landing
    if config.shadow:
        _shadow(crash, decision)
    if guard.whole_chain:
        results = landing.behind_chain(site, value)
    else:
        results = landing.behind(site, value, frame.f_lasti)
    if decision.is_new or not decision.is_recorded:
        _record(session, decision, crash, landing, verdict)
    count(session, decision.patch.id)
    marking.mark(decision.patch)
    if decision.on_probation:
        _note(frame, type(exception), decision)
    return results


def _shadow(crash: Crash, decision: Decision | None) -> None:
    """Before it is decided: where the crash works on a value that was supplied before, lay it to
    that patch. Then: follow what becomes of the value that is supplied now."""
    from codesuture import shadow

    try:
        if decision is None:
            shadow.crashed(crash.exception, crash.frame, crash.site)
            return
        site = crash.site
        resume = site.resume
        if decision.guard.whole_chain and site.chain_resume is not None:
            resume = site.chain_resume
        shadow.follow(decision.patch, crash.frame, site, resume)
    except Exception as fault:
        report_fault(fault, shadow.CONSEQUENCE)


def _is_within_budget(session: Session, decision: Decision) -> bool:
    from codesuture.budget import allows

    return allows(session, decision)


def _note_first(*arguments: Any) -> None:
    """Import what watches patches on probation, and do it; later calls take no detour."""
    global _note
    from codesuture.probation import note

    _note = note
    note(*arguments)


_note: Callable[[FrameType, type[BaseException], Decision], None] = _note_first


def _goes_on(exception: BaseException) -> None:
    """A crash is not healed though there is a patch: it does not follow from another one."""
    probation = sys.modules.get("codesuture.probation")
    if probation is not None:
        probation.is_first_crash(exception)


def guard_for(session: Session, crash: Crash) -> Guard | None:
    """The guard that recognises the crash and may supply a value, as far as is configured."""
    config, passage = session.config, crash.passage
    if passage is None:
        return recognise(crash, config.guards)
    if not (
        config.library_calls
        and passage.called.is_meant_by(config.library_calls)
        and not matches(passage.modules, (*config.exclude, *config.protect))
    ):
        return None
    return recognise_call(crash, config.guards)


def _is_first(session: Session, decision: Decision) -> bool:
    """Whether nobody has told of the decision yet; from now on somebody has."""
    if decision.is_shown:
        return False
    with session.lock:
        shown, decision.is_shown = decision.is_shown, True
        if not shown and not decision.refusal:
            session.saving.add(decision.patch.id)  # before anybody counts for it
    return not shown


def _leave(
    session: Session, armed: ArmedCode, crash: Crash, verdict: Verdict, why: str,
    decision: Decision | None = None,
) -> None:  # fmt: skip
    """Record a crash that nobody handles and that is not healed; in a dry run, tell of it."""
    if session.config.dry_run:
        from codesuture.rehearsal import rehearse

        rehearse(session, armed.module, crash, why, decision)
    elif session.config.incidents_record:
        from codesuture.incidents.reporting import left_alone

        left_alone(session, armed, crash, verdict, why, decision)


def _record(
    session: Session, decision: Decision, crash: Crash, landing: Landing, verdict: Verdict
) -> None:
    """The first heal of a new patch is stored and told, the first one of this process recorded."""
    if decision.is_new and _is_first(session, decision):
        store_patch(session, decision)
        report_heal(session, decision, crash, landing)
    if not decision.is_recorded:
        decision.is_recorded = True
        from codesuture.incidents.reporting import healed

        healed(session, decision, crash, verdict)


def store_patch(session: Session, decision: Decision) -> bool:
    """Store a new patch, which follows on one that was rolled back here before, if any; whether it
    is stored."""
    now = datetime.now(UTC)
    patch = decision.patch.advanced("patched", now).advanced("persisted", now)
    stored = False
    try:
        removed = _removed_before(session, patch)
        if removed is not None:
            patch = patch.following(removed)
        decision.patch = patch
        session.add(patch)
        session.store.save(patch)
        stored = True
        _reopen(session, patch, now)
    except StoreError as error:
        session.complain("Patches are lost when this process ends", error)
    finally:
        session.added(patch, stored)
    return stored


def _reopen(session: Session, patch: Patch, now: datetime) -> None:
    """The same expression of the same function has crashed that was taken for fixed."""
    for known in list(session.knowledge.patches().by_id.values()):
        if known.state == "fixed" and known.is_for_same_expression(patch):
            session.store.change(
                known,
                lambda old: old.advanced("persisted", now, note=f"it crashed again ({patch.id})"),
            )


def _removed_before(session: Session, patch: Patch) -> Patch | None:
    try:
        return session.store.removed_one(patch)
    except StoreError:  # saving will tell
        return None
