"""From an exception that nobody has handled to a patch, and to armed code in its function.

This is done at the boundary that it came to, when all of its frames have been left. Their variables
are alive still, and the traceback has the instruction of each.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

from codesuture import importhook
from codesuture.decision import decide
from codesuture.diagnosis.crash import Crash
from codesuture.ending import TOP
from codesuture.fate import UNHANDLED, Verdict
from codesuture.live import making
from codesuture.live.applying import apply
from codesuture.messages import emit
from codesuture.rehearsal import rehearse
from codesuture.report import report_refusal
from codesuture.session import module_of
from codesuture.supplying import guard_for, store_patch
from codesuture.surgery.arming import is_armed
from codesuture.surgery.landing import Landing
from codesuture.web import marking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType

    from codesuture.guards.guard import Guard
    from codesuture.incidents.incident import Incident
    from codesuture.live.replacing import Replacement
    from codesuture.session import Session
    from codesuture.store.patch import Patch
    from codesuture.surgery.sites import Site

#: Patches that are not applied, of which a line has told.
_refused: set[str] = set()


def learn_at(
    session: Session,
    exception: BaseException,
    trace: TracebackType,
    boundary: str,
    incident: Incident | None,
) -> int:
    """What ``live.learn`` promises, for the entry of the traceback that was chosen."""
    found = _diagnose(session, exception, trace)
    if found is None:
        return 0
    if monotonic() >= session.knowledge.next_look:
        session.knowledge.follow()
    verdict = Verdict(UNHANDLED, f"It reached {boundary}, where nobody handles it.")
    decision = decide(session, found.module, found.crash, found.guard, found.anchor, verdict)
    if session.config.dry_run:
        rehearse(session, found.module, found.crash, decision.refusal, decision)
        return 0
    if decision.refusal:
        if decision.patch.id not in _refused:
            _refused.add(decision.patch.id)
            report_refusal(decision)
        return 0
    place = (found.module, found.code.co_qualname, decision.patch.fingerprint)
    replacement = None if boundary == TOP else apply(place, found.code, _keeping(found))
    if not decision.is_new:
        return 0
    decision.patch = replace(decision.patch, learned=_learned(boundary, replacement))
    if not store_patch(session, decision):
        return 0
    making.forget()
    marking.learn(incident)
    _report(decision.patch, boundary, replacement)
    return 1


class Find:
    """A crash in code without pads: where it is, its guard, and the code with pads."""

    __slots__ = ("anchor", "armed", "code", "crash", "guard", "module", "site")

    def __init__(
        self, trace: TracebackType, crash: Crash, guard: Guard, site: Site, armed: CodeType
    ) -> None:
        self.code = trace.tb_frame.f_code
        self.crash = crash
        self.guard = guard
        self.armed = armed
        self.anchor = site.chain[-1] if guard.whole_chain and site.chain else site.ordinal
        self.module = module_of(trace.tb_frame)


def _diagnose(
    session: Session, exception: BaseException, trace: TracebackType
) -> Find | None:
    """What crashed; None where no guard knows it, or a pad could not have supplied its value."""
    frame = trace.tb_frame
    armed = importhook.arm_chosen(module_of(frame), frame.f_code)
    if not is_armed(armed):
        return None
    landing = Landing(armed)
    site = landing.site_at(trace.tb_lasti)
    if site is None:
        return None
    crash = Crash(exception, frame, landing.code, site)
    guard = guard_for(session, crash)
    if guard is None or not (guard.reaches_library or trace.tb_next is None):
        return None
    return Find(trace, crash, guard, site, armed)


def _keeping(found: Find) -> CodeType:
    """The armed code; a patched operator in it keeps its operands, if the gate lets that pass."""
    if found.crash.operation != "binary":
        return found.armed
    from codesuture import gatekeeper
    from codesuture.surgery.keeping import keep_operands

    original, ordinals = found.crash.code, frozenset((found.anchor,))
    kept = keep_operands(
        found.armed, lambda code: ordinals if code == original else frozenset()
    )
    return found.armed if gatekeeper.admit(found.code, kept) else kept


def _learned(boundary: str, replacement: Replacement | None) -> str:
    """What a patch keeps about how it came to be."""
    text = f"When it reached {boundary}"
    if replacement is None:
        return text + "."
    text += f"; {_counted(replacement.functions, 'function')} got the patched code"
    if replacement.running:
        frames = _counted(replacement.running, "frame")
        text += f", {frames} that ran or waited then went on in the old code"
    return text + "."


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _report(patch: Patch, boundary: str, replacement: Replacement | None) -> None:
    emit(
        f"{patch.exception} in {patch.qualname} reached {boundary}; from now on {patch.guard} "
        f"supplies {patch.default.describe()} for '{patch.target}' at {patch.file}:{patch.line}.",
    )
    if replacement is not None and replacement.running:
        emit(
            f"{_counted(replacement.running, 'frame')} of {patch.qualname} that ran or waited "
            "then will end without it."
        )

