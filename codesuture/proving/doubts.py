"""Doubts: exceptions that are on their way because their fate could not be told."""

from __future__ import annotations

from codesuture.fate import UNHANDLED, Notes, Verdict
from codesuture.proving.ways import Way, reached
from codesuture.session import module_of
from codesuture.web import marking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.session import Session
    from codesuture.store.proof import Proof

#: Doubts that are kept at a time; an exception is mostly handled, or not, before the next one.
_MOST_DOUBTS = 256


class Doubt:
    """An exception that was left alone: its type, its way out to the boundary ``ahead``, and why
    its fate is unknown."""

    __slots__ = ("ahead", "evidence", "kind", "steps")

    def __init__(self, kind: type[BaseException], way: Way, evidence: str) -> None:
        self.kind = kind
        self.steps = way.steps
        self.ahead = reached(way.boundary)
        self.evidence = evidence


#: By the address of the exception, which may be another one's by the time it is looked up.
_doubts: dict[int, Doubt] = {}


def take(exception: BaseException) -> Doubt | None:
    """The doubt about this very exception, which is none any more; None where there is none."""
    doubt = _doubts.pop(id(exception), None)
    return doubt if doubt is not None and type(exception) is doubt.kind else None


def settle(
    session: Session, exception: BaseException, frame: FrameType, offset: int, verdict: Verdict
) -> Verdict:
    """The verdict for an exception whose fate is unknown: UNHANDLED where that has been proved.

    Where it has not, the exception is watched for. ``offset`` is the instruction of ``frame``.
    """
    way = None if verdict.varies else _way(frame, offset, type(exception))
    proof = None if way is None else _proof(session, exception, frame, way)
    if way is not None and proof is not None:
        evidence = (
            f"It was not known whether somebody handles it: {proof.doubt.rstrip('.')}; but on "
            f"{proof.created[:10]} it reached {proof.reached}."
        )
        return Verdict(UNHANDLED, evidence, way.raw, Notes(), turns=way.turns)
    if session.config.verbose:
        session.say_once(_left_alone(exception, frame, offset, verdict))
    if way is not None:
        _watch_for(session, exception, way, verdict.evidence)
    return verdict


def _way(frame: FrameType, offset: int, kind: type[BaseException]) -> Way | None:
    """The way to a boundary; None where the application has a handler of its own there."""
    way = Way(frame, offset, kind)
    if way.boundary is not None and way.boundary.judge(way.frames[-1], kind)[0] != UNHANDLED:
        return None
    return way


def _proof(
    session: Session, exception: BaseException, frame: FrameType, way: Way
) -> Proof | None:
    for proof in session.proofs_at(module_of(frame), frame.f_code):
        if proof.exception == type(exception).__name__ and way.is_that_of(proof):
            return proof
    return None


def _watch_for(session: Session, exception: BaseException, way: Way, evidence: str) -> None:
    marking.doubt()
    with session.lock:
        if len(_doubts) >= _MOST_DOUBTS:
            del _doubts[next(iter(_doubts))]
        _doubts[id(exception)] = Doubt(type(exception), way, evidence)
    if way.boundary is not None:
        from codesuture.proving.reports import watch

        watch(way.boundary, way.frames[-1])


def _left_alone(
    exception: BaseException, frame: FrameType, offset: int, verdict: Verdict
) -> str:
    code = frame.f_code
    line = next((line for start, end, line in code.co_lines() if start <= offset < end), None)
    place = f"{code.co_filename}:{line or '?'}"
    return (
        f"Left alone: {type(exception).__name__} at {place}, because it is not known whether "
        f"somebody handles it. {verdict.evidence}"
    )
