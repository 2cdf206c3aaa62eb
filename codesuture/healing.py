"""From an exception at a site to the way on: is it a crash that nobody handles?

Imported at the first exception that enters the runtime. Most programs handle theirs, so what
supplies a value (``supplying``) is imported only when one of them is not handled.
"""

from __future__ import annotations

import sys
from time import monotonic
from types import CodeType, FrameType

from codesuture.fate import HANDLED, UNHANDLED, UNKNOWN, Verdict, fate, register
from codesuture.session import Session, module_of
from codesuture.surgery.landing import Landing
from codesuture.verdicts import remember

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from codesuture.breaker import Breaker
    from codesuture.decision import Decision
    from codesuture.knowledge import Knowledge
    from codesuture.surgery.sites import Site


class ArmedCode:
    """What is known about one armed code object that has crashed: found once, kept with it."""

    __slots__ = (
        "alone", "armed", "breakers", "code", "decisions", "generation", "is_retired", "landing",
        "module",
    )  # fmt: skip

    def __init__(self, armed: CodeType, module: str) -> None:
        self.armed = armed  # kept alive, so that its address stays its own
        self.landing = Landing(armed)
        self.code = self.landing.code
        self.module = module
        self.decisions: dict[tuple[int, str], Decision] = {}
        self.breakers: dict[int, Breaker] = {}
        #: Ids of crashes that were left alone here, by what and why (``incidents.reporting``).
        self.alone: dict[object, str] = {}
        self.generation = 0
        #: Whether its function was given its own code back (``live.replacing``).
        self.is_retired = False

    def renew(self, knowledge: Knowledge) -> None:
        """Let go of what was decided by patches that are others now, or gone."""
        self.generation = knowledge.generation
        live = sys.modules.get("codesuture.live.replacing")
        self.is_retired = live is not None and live.is_retired(self.armed)
        patches = knowledge.patches().by_id
        for key, decision in list(self.decisions.items()):
            patch = patches.get(decision.patch.id)
            if patch == decision.patch or decision.is_pending:
                continue
            self.decisions.pop(key, None)
            if patch is None or patch.created != decision.patch.created:
                self.breakers.pop(key[0], None)


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
    site = armed.landing.entered(offset, frame.f_lasti)
    if site is None:
        return None
    if verdict is None:
        verdict = _fate(session, exception, frame, offset, site)
    if verdict.fate == HANDLED:
        return None
    if monotonic() >= session.knowledge.next_look and session.knowledge.follow():
        verdict = _fate(session, exception, frame, offset, site)
    if verdict.fate != UNHANDLED:
        if verdict.fate == UNKNOWN:
            from codesuture.proving import settle

            doubted, verdict = verdict, settle(session, exception, frame, offset, verdict)
            if verdict is not doubted:
                remember(frame, offset, type(exception), verdict)
        if verdict.fate != UNHANDLED:
            return None
    return _supply(session, exception, frame, armed, site, verdict, kept)


def _fate(
    session: Session, exception: BaseException, frame: FrameType, offset: int, site: Site
) -> Verdict:
    register_boundaries(session)
    verdict = fate(frame, site.offset, exception)
    remember(frame, offset, type(exception), verdict)
    return verdict


def _supply_first(*arguments: Any) -> tuple[object, ...] | None:
    """Import what supplying a value needs, and do it; later calls take no detour."""
    global _supply
    from codesuture import importhook
    from codesuture.supplying import supply

    _supply = supply
    importhook.adapt_loaded()
    return supply(*arguments)


_supply: Callable[..., tuple[object, ...] | None] = _supply_first

_registered_for: Session | None = None


def register_boundaries(session: Session) -> None:
    """Let fate know the boundaries of the configuration, once."""
    global _registered_for
    if _registered_for is not session:
        try:
            register(session.config.boundaries)
        finally:  # behind it: until then other threads do it as well
            _registered_for = session


def known_code() -> Iterable[ArmedCode]:
    """The code in which something was raised at a site."""
    return _known.values()


def _armed_code(frame: FrameType) -> ArmedCode:
    known = _known.get(id(frame.f_code))
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = ArmedCode(frame.f_code, module_of(frame))
        # Of threads that come here together the first one's is everybody's.
        known = _known.setdefault(id(frame.f_code), known)
    return known

