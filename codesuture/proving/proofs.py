"""Proofs: what was in doubt has come to a boundary."""

from __future__ import annotations

from codesuture.fate.views import view_of
from codesuture.proving.doubts import take
from codesuture.proving.ways import fingerprint_of, way_of
from codesuture.session import current, module_of
from codesuture.store.errors import StoreError
from codesuture.surgery.landing import Landing
from codesuture.web import marking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

    from codesuture.incidents.incident import Incident
    from codesuture.proving.doubts import Doubt
    from codesuture.session import Session
    from codesuture.store.proof import Link, Proof


def prove(exception: BaseException, reached: str) -> None:
    """Remember, if its fate was in doubt, that ``exception`` has come to ``reached``; or, if that
    is empty, to the boundary that was seen to be ahead."""
    doubt, session = take(exception), current()
    if doubt is None or session is None:
        return
    if session.config.shadow:
        from codesuture.shadow import ended

        ended(exception)
    reached = reached or doubt.ahead
    way = way_of(exception)
    way = way[-len(doubt.steps) :]  # what it came through in libraries lies before
    if tuple((frame.f_code, offset) for frame, offset in way) != doubt.steps:
        return
    if session.config.dry_run:
        from codesuture.rehearsal import would_learn

        would_learn(session, exception, *way[0], reached)
        return
    incident = _record(session, exception, way, doubt, reached)
    proof = _proof(session, way, doubt, reached)
    if proof is None or not _would_be_healed(session, exception, *way[0]):
        return
    from codesuture.messages import emit

    try:
        # Another process may have proved the same since this one looked at the store.
        if session.store.save_proof(proof) or proof.id not in session.knowledge.proofs().by_id:
            session.learn(proof)
            marking.learn(incident)
            emit(
                f"{proof.exception} in {proof.qualname} reached {reached}: nobody handles it "
                "there, and from now on it is healed in place."
            )
    except StoreError as error:
        session.complain("What was learned is lost", error)


def _record(
    session: Session,
    exception: BaseException,
    way: list[tuple[FrameType, int]],
    doubt: Doubt,
    boundary: str,
) -> Incident | None:
    """Whatever is learned from it, it was a crash that nobody handled."""
    if not session.config.incidents_record:
        return None
    from codesuture.incidents.reporting import reached

    return reached(session, exception, way, boundary, doubt.evidence)


def _proof(
    session: Session, way: Iterable[tuple[FrameType, int]], doubt: Doubt, reached: str
) -> Proof | None:
    from datetime import UTC, datetime, timedelta

    from codesuture import __version__
    from codesuture.store.proof import LONGEST_CHAIN, Proof
    from codesuture.surgery.opcodes import TAG

    chain = tuple(_link(session, frame, offset) for frame, offset in way)
    if not 0 < len(chain) <= LONGEST_CHAIN:
        return None
    created = datetime.now(UTC)
    return Proof.create(
        chain=chain,
        exception=doubt.kind.__name__,
        reached=reached,
        doubt=doubt.evidence,
        python=TAG,
        codesuture=__version__,
        created=created,
        expires=created + timedelta(days=session.config.ttl),
    )


def _link(session: Session, frame: FrameType, offset: int) -> Link:
    from codesuture.store.proof import Link

    code = frame.f_code
    return Link(
        module=module_of(frame),
        qualname=code.co_qualname,
        fingerprint=fingerprint_of(code),
        ordinal=view_of(code).ordinal(offset) or 0,
        file=session.relative(code.co_filename),
    )


def _would_be_healed(
    session: Session, exception: BaseException, frame: FrameType, offset: int
) -> bool:
    """Whether a guard knows the crash, and the configuration lets it heal."""
    from codesuture.config.match import names_of
    from codesuture.decision import refusal
    from codesuture.diagnosis.crash import Crash
    from codesuture.supplying import guard_for

    landing = Landing(frame.f_code)
    site = landing.site_at(offset)
    names = names_of(frame.f_globals.get("__name__"), module_of(frame))
    if site is None or refusal(session, names, None):
        return False
    crash = Crash(exception, frame, landing.code, site)
    return guard_for(session, crash) is not None
