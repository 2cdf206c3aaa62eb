"""From a crash at a site to the value that takes the instruction's place.

Site, fate, guard, default, patch: in this order, and at each of them the answer can be to let the
exception go on. Imported at the first crash.
"""

from __future__ import annotations

from types import CodeType, FrameType

from codesuture.breaker import Breaker
from codesuture.decision import Decision, decide
from codesuture.diagnosis.crash import Crash
from codesuture.ending import count
from codesuture.fate import UNHANDLED, Verdict, fate, register
from codesuture.guards.registry import recognise
from codesuture.report import report_breaker, report_heal, report_refusal
from codesuture.session import MAIN_NAMES, Session, module_name
from codesuture.store.errors import StoreError
from codesuture.surgery.landing import Landing
from codesuture.verdicts import remember


class ArmedCode:
    """What is known about one armed code object that has crashed: found once, kept with it."""

    __slots__ = ("armed", "breakers", "code", "decisions", "landing", "module")

    def __init__(self, armed: CodeType, module: str) -> None:
        self.armed = armed  # kept alive, so that its address stays its own
        self.landing = Landing(armed)
        self.code = self.landing.code
        self.module = module
        self.decisions: dict[tuple[int, str], Decision] = {}
        self.breakers: dict[int, Breaker] = {}


_known: dict[int, ArmedCode] = {}

#: Code objects that a process remembers; a program that makes code without end starts again.
_MOST_KNOWN = 10_000


def heal(
    session: Session,
    exception: BaseException,
    frame: FrameType,
    offset: int,
    verdict: Verdict | None,
    kept: tuple[object, ...],
) -> tuple[object, ...] | None:
    """What ``runtime.recover`` promises; may raise where codesuture is at fault.

    ``offset`` is where the instruction stands in the frame's code; ``verdict`` is the fate of the
    exception where it is known already, ``kept`` are the operands of a site that keeps them.
    """
    armed = _armed_code(frame)
    site = armed.landing.site_at(offset)
    if site is None or not armed.landing.is_pad_of(site, frame.f_lasti):
        return None
    if verdict is None:
        _register_boundaries(session)
        verdict = fate(frame, site.offset, exception)
        remember(frame, offset, type(exception), verdict)
        if verdict.fate != UNHANDLED:
            return None
    crash = Crash(exception, frame, armed.code, site, kept)
    guard = recognise(crash, lambda name: session.config.guards.get(name, True))
    if guard is None or not (guard.reaches_library or _raised_here(exception)):
        return None
    anchor = site.chain[-1] if guard.whole_chain and site.chain else site.ordinal
    decision = armed.decisions.get((anchor, guard.name))
    if decision is None:
        decision = decide(session, armed.module, crash, guard, anchor, verdict)
        armed.decisions[anchor, guard.name] = decision
    if decision.refusal:
        if not decision.is_shown:
            decision.is_shown = True
            report_refusal(decision)
        return None
    breaker = armed.breakers.setdefault(anchor, Breaker())
    if not breaker.allows(frame, session.config.breaker_frame, session.config.breaker_site):
        report_breaker(decision)
        return None
    value = guard.value(crash, decision.recipe)
    landing = armed.landing
    results = (landing.behind_chain if guard.whole_chain else landing.behind)(site, value)
    _record(session, decision, crash, landing)
    return results


def _raised_here(exception: BaseException) -> bool:
    """Whether the instruction itself raised, or a C function that it called."""
    trace = exception.__traceback__
    return trace is not None and trace.tb_next is None


_registered_for: Session | None = None


def _register_boundaries(session: Session) -> None:
    """Let fate know the boundaries of the configuration, once."""
    global _registered_for
    if _registered_for is not session:
        _registered_for = session
        register(session.config.boundaries)


def _record(session: Session, decision: Decision, crash: Crash, landing: Landing) -> None:
    """Count the heal; the first one of a new patch is stored and told."""
    if decision.is_new and not decision.is_shown:
        decision.is_shown = True
        session.add(decision.patch)
        report_heal(session, decision, crash, landing)
        try:
            session.store.save(decision.patch)
        except StoreError as error:
            session.complain("Patches are lost when this process ends", error)
    count(session, decision.patch.id)


def _armed_code(frame: FrameType) -> ArmedCode:
    known = _known.get(id(frame.f_code))
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = ArmedCode(frame.f_code, _module_of(frame))
        _known[id(frame.f_code)] = known
    return known


def _module_of(frame: FrameType) -> str:
    """The module's name as patches know it."""
    name = frame.f_globals.get("__name__")
    if type(name) is not str:
        name = "__main__"
    if name in MAIN_NAMES:
        # Under ``python -m`` the program has a specification with its real name.
        spec = frame.f_globals.get("__spec__")
        real = vars(spec).get("name") if hasattr(type(spec), "__dict__") and spec else None
        if type(real) is str and real:
            name = real
    return module_name(name, frame.f_code.co_filename)
