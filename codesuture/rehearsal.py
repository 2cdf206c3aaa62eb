"""Dry runs: each crash is reported with what it would get, and goes on as without codesuture.

The first crash of a site is told in full, each further one in one line with its number. Nothing is
stored: not a patch, not a counter, not an incident. Imported at the first crash of a dry run.
"""

from __future__ import annotations

from codesuture.decision import DRY, decide
from codesuture.diagnosis.crash import Crash
from codesuture.fate import UNHANDLED, Notes, Verdict
from codesuture.fingerprints import seen
from codesuture.messages import emit
from codesuture.report import caught
from codesuture.session import module_of
from codesuture.store.errors import StoreError
from codesuture.store.patch import Patch
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.landing import Landing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    from codesuture.decision import Decision
    from codesuture.session import Session

    #: A site of a module and the exception; of what a guard knows, with its name.
    Pattern = tuple[str, CodeType, int, str, str]

#: How often each was seen in this process.
_seen: dict[Pattern, int] = {}
_MOST_PATTERNS = 10_000


def rehearse(
    session: Session, module: str, crash: Crash, why: str, decision: Decision | None
) -> None:
    """A crash that nobody handles, at a site with pads. Without a decision no guard recognises it;
    ``why`` completes "not applied because"."""
    if decision is None:
        _tell(session, module, crash, why, [])
        return
    lines = [
        *caught(decision, "Would apply"),
        f"Not applied at {_place(session, crash)}: {why}; {_value(decision)}.",
    ]
    _tell(session, module, crash, why, lines, decision)


def would_learn(
    session: Session, exception: BaseException, frame: FrameType, offset: int, reached: str
) -> None:
    """A crash whose fate was not known has come to a boundary; else that would be learned."""
    from codesuture.supplying import guard_for  # which imports this module

    landing = Landing(frame.f_code)
    site = landing.site_at(offset)
    if site is None:
        return
    crash, module = Crash(exception, frame, landing.code, site), module_of(frame)
    guard = guard_for(session, crash)
    if guard is None:
        _tell(session, module, crash, "no guard recognises it", [])
        return
    verdict = Verdict(UNHANDLED, f"It reached {reached}.", (), Notes())
    anchor = site.chain[-1] if guard.whole_chain and site.chain else site.ordinal
    decision = decide(session, module, crash, guard, anchor, verdict)
    lines = [
        *caught(decision, "Would apply"),
        f"Not applied at {_place(session, crash)}, where it was not known that nobody handles it. "
        f"It reached {reached}: that would be learned, and from the next time on "
        f"{_value(decision)}"
        + (f", but {decision.refusal}." if decision.refusal != DRY else "."),
    ]
    _tell(session, module, crash, decision.refusal, lines, decision)


def summary() -> list[str]:
    """Lines for the summary of ``codesuture run --dry-run``."""
    known = {pattern: times for pattern, times in _seen.items() if pattern[4]}
    alone = sum(_seen.values()) - sum(known.values())
    lines = [
        f"  Patches that would be applied: {len(known)}",
        f"  Crashes that would be healed: {sum(known.values())}",
    ]
    if alone:
        lines.append(f"  Crashes that would be left alone: {alone}")
    return lines


def _tell(
    session: Session, module: str, crash: Crash, why: str, lines: list[str],
    decision: Decision | None = None,
) -> None:  # fmt: skip
    """Count the crash; say ``lines`` of the first one, and one line of each that follows."""
    healed = decision is not None and why == DRY
    kind = type.__dict__["__name__"].__get__(type(crash.exception))
    site = crash.site.ordinal if decision is None else decision.patch.ordinal
    pattern = (module, crash.code, site, kind, decision.guard.name if decision and healed else "")
    with session.lock:
        if len(_seen) >= _MOST_PATTERNS:
            _seen.clear()
        times = _seen[pattern] = _seen.get(pattern, 0) + 1
    place = f"{kind} at {_place(session, crash)}"
    if times > 1:
        gets = "would be left alone: " + why
        if decision is not None and healed:
            gets = f"would get {decision.recipe.describe()} by {decision.patch.guard}"
        emit(f"Seen {times} times in this process: {place}, which {gets}.")
        return
    if decision is None:
        lines = [f"Would leave alone {place}: {why}."]
    before = _seen_before(session, module, crash, kind, site, decision)
    emit(*lines, before + ("" if decision is None else _pattern_known(session, decision)))


def _seen_before(
    session: Session, module: str, crash: Crash, kind: str, site: int, decision: Decision | None
) -> str:
    """How often the store has seen the crash."""
    code = crash.code
    known_as = Patch.identify(module, code.co_qualname, fingerprint(code), site, kind)
    healed = alone = 0
    try:
        if session.has_patches() and decision is not None:
            counter = session.store.counters().get(decision.patch.id)
            healed = 0 if counter is None else counter.hits
        for hour in session.store.incidents.hours().values():
            alone += hour.get(known_as, 0)
    except StoreError as error:
        session.complain("The store is not used", error)
    if not healed and not alone:
        return "Seen for the first time."
    before = [f"healed {_times(healed)}"] if healed else []
    before += [f"left alone {_times(alone)}"] if alone else []
    return f"Seen for the first time in this process; before it was {' and '.join(before)}."


def _pattern_known(session: Session, decision: Decision) -> str:
    """From how many other sites the registry knows what stands around the instruction."""
    patch = decision.patch
    known = [one for one in seen(session, patch.pattern) if one.known.guard == patch.guard]
    others = sum(one.sites + one.failed for one in known) - (not decision.is_new)
    if others <= 0:
        return ""
    failed = sum(one.failed for one in known)
    text = f" Its pattern is known from {others} other site{'' if others == 1 else 's'}"
    return text + (f", {failed} of which did not keep their patch." if failed else ".")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _place(session: Session, crash: Crash) -> str:
    return f"{session.relative(crash.file)}:{crash.line}"


def _value(decision: Decision) -> str:
    """What it would get and why."""
    patch = decision.patch
    rung, reason = ("approved", "its patch says so")
    if decision.is_new:
        rung, reason = patch.rung, patch.reason
    return f"it would have supplied {decision.recipe.describe()} ({rung}: {reason.rstrip('.')})"
