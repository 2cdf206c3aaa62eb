"""Prove or learn: exceptions whose fate could not be told beforehand.

Such an exception is left alone: perhaps a library takes it for an answer. If it reaches a boundary
all the same, that is the proof that nobody handles it. The proof is kept in the store for its site,
its type and the very chain of callers, and where all of that comes together again, in this
process or a later one, the crash is healed in place.

What reaches the top of the program is found when the process ends, what reaches another boundary
where that reports it (``fate.Boundary.reports``). Until then only the chain's code is kept, never
the exception or a frame: what a program lets go of must go.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from weakref import ref

from codesuture.fate import UNHANDLED, Notes, Verdict, reporting
from codesuture.fate.lookup import instance_dict
from codesuture.fate.symbols import view_of
from codesuture.frames import local_variables
from codesuture.runtime import report_fault
from codesuture.session import current, module_of
from codesuture.store.errors import StoreError
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.landing import Landing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType, FrameType

    from codesuture.fate import Boundary
    from codesuture.session import Session
    from codesuture.store.proof import Link, Proof

TOP = "the top of the program"

#: Doubts that are kept at a time; an exception is mostly handled, or not, before the next one.
_MOST_DOUBTS = 256
#: Modules whose frames carry a call from one place to another: what lies between two functions of
#: the program depends on how the program was started, not on who handles what. The traceback
#: of an exception that went through an event loop has others of them than the stack had.
_PLUMBING = ("asyncio", "threading", "runpy", "importlib", "_frozen_importlib", "codesuture_agent")

#: A place in the program: code, and the instruction that it is at.
Step = tuple["CodeType", int]


class Doubt:
    """An exception that was left alone: its type, its way out, and why its fate is unknown."""

    __slots__ = ("evidence", "kind", "steps")

    def __init__(self, kind: type[BaseException], steps: tuple[Step, ...], evidence: str) -> None:
        self.kind = kind
        self.steps = steps
        self.evidence = evidence


#: By the address of the exception, which may be another one's by the time it is looked up.
_doubts: dict[int, Doubt] = {}


def settle(
    session: Session, exception: BaseException, frame: FrameType, offset: int, verdict: Verdict
) -> Verdict:
    """The verdict for an exception whose fate is unknown: UNHANDLED where that has been proved.

    Where it has not, the exception is watched for. ``offset`` is the instruction of ``frame``.
    """
    if session.config.verbose:
        session.say_once(_left_alone(exception, frame, offset, verdict))
    if verdict.varies:
        return verdict
    way = _Way(frame, offset)
    if way.boundary is not None and way.boundary.rule(way.frames[-1])[0] != UNHANDLED:
        return verdict
    for proof in session.proofs_at(module_of(frame), frame.f_code):
        if proof.exception == type(exception).__name__ and way.is_that_of(proof):
            evidence = (
                f"It was not known whether somebody handles it: {_phrase(proof.doubt)}; but on "
                f"{proof.created[:10]} it reached {proof.reached}."
            )
            return Verdict(UNHANDLED, evidence, way.raw, Notes())
    if len(_doubts) >= _MOST_DOUBTS:
        del _doubts[next(iter(_doubts))]
    _doubts[id(exception)] = Doubt(type(exception), way.steps, verdict.evidence)
    if way.boundary is not None:
        _watch(way.boundary, way.frames[-1])
    return verdict


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


class _Way:
    """The frames from a crash to the first boundary that reports, or to the bottom of the stack.

    ``raw`` are all of its steps, ``frames`` and ``steps`` those that tell who handles what.
    """

    def __init__(self, frame: FrameType, offset: int) -> None:
        self.frames: list[FrameType] = []
        self.boundary: Boundary | None = None
        raw: list[Step] = []
        steps: list[Step] = []
        for at, lasti in _outward(frame, offset):
            raw.append((at.f_code, lasti))
            self.boundary = reporting(at)
            if not _is_plumbing(at) or self.boundary is not None:
                self.frames.append(at)
                steps.append((at.f_code, lasti))
            if self.boundary is not None:
                break
        self.raw = tuple(raw)
        self.steps = tuple(steps)

    def is_that_of(self, proof: Proof) -> bool:
        """Whether a proof was made for the same chain of the same code."""
        if len(proof.chain) != len(self.steps) or proof.reached != _reached(self.boundary):
            return False
        return all(
            link.qualname == code.co_qualname
            and link.module == module_of(frame)
            and link.ordinal == view_of(code).ordinal(offset)
            and link.fingerprint == _fingerprint(code)
            for link, frame, (code, offset) in zip(
                proof.chain, self.frames, self.steps, strict=True
            )
        )


def _outward(frame: FrameType, offset: int) -> Iterator[tuple[FrameType, int]]:
    yield frame, offset
    at = frame.f_back
    while at is not None:
        yield at, at.f_lasti
        at = at.f_back


def _is_plumbing(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__")
    return type(module) is str and module.partition(".")[0] in _PLUMBING


def _reached(boundary: Boundary | None) -> str:
    return TOP if boundary is None else f"{boundary.module}.{boundary.qualname}"


def _phrase(sentence: str) -> str:
    """A sentence as a part of another one."""
    return sentence.rstrip(".")


_fingerprints: dict[int, tuple[CodeType, str]] = {}


def _fingerprint(code: CodeType) -> str:
    known = _fingerprints.get(id(code))
    if known is None or known[0] is not code:
        known = _fingerprints[id(code)] = (code, fingerprint(code))
    return known[1]


# --- proving ---------------------------------------------------------------------------------


def prove(exception: BaseException, reached: str) -> None:
    """Remember, if its fate was in doubt, that ``exception`` has come to ``reached``."""
    doubt = _doubts.pop(id(exception), None)
    session = current()
    if doubt is None or session is None or type(exception) is not doubt.kind:
        return
    way = _way_of(exception)
    if tuple((frame.f_code, offset) for frame, offset in way) != doubt.steps:
        return
    proof = _proof(session, way, doubt, reached)
    if proof is None or not _would_be_healed(session, exception, *way[0]):
        return
    from codesuture.messages import emit

    try:
        if session.store.save_proof(proof):
            session.learn(proof)
            emit(
                f"{proof.exception} in {proof.qualname} reached {reached}: nobody handles it "
                "there, and from now on it is healed in place."
            )
    except StoreError as error:
        session.complain("What was learned is lost", error)


def _way_of(exception: BaseException) -> list[tuple[FrameType, int]]:
    """The frames that the exception has left, as ``_Way.steps`` has them: the crash first."""
    way: list[tuple[FrameType, int]] = []
    trace = exception.__traceback__
    while trace is not None:
        if not _is_plumbing(trace.tb_frame) or reporting(trace.tb_frame) is not None:
            way.append((trace.tb_frame, trace.tb_lasti))
        trace = trace.tb_next
    return way[::-1]


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
        fingerprint=_fingerprint(code),
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
    from codesuture.guards.registry import recognise

    landing = Landing(frame.f_code)
    site = landing.site_at(offset)
    names = names_of(frame.f_globals.get("__name__"), module_of(frame))
    if site is None or refusal(session, names, None):
        return False
    crash = Crash(exception, frame, landing.code, site)
    return recognise(crash, lambda name: session.config.guards.get(name, True)) is not None


# --- watching --------------------------------------------------------------------------------


def _watch(boundary: Boundary, frame: FrameType) -> None:
    """Let the boundary's report of an exception prove it; once for each object that reports."""
    owner = local_variables(frame).get("self")
    names = instance_dict(owner)
    if names is None or type(names.get(boundary.reports)) is Report:
        return
    with suppress(TypeError):  # an object that cannot be referred to weakly is not watched
        names[boundary.reports] = Report(boundary, owner, names.get(boundary.reports))


class Report:
    """Stands, on one object, for the method that a boundary calls in its ``except`` clause."""

    __slots__ = ("_boundary", "_original", "_owner")

    def __init__(self, boundary: Boundary, owner: object, original: object) -> None:
        self._boundary = boundary
        self._original = original
        self._owner = ref(owner)

    def __call__(self, *arguments: object, **keywords: object) -> object:
        exception = sys.exc_info()[1]
        if exception is not None:
            try:
                prove(exception, _reached(self._boundary))
            except Exception as fault:
                report_fault(fault)
        if self._original is not None:  # the object's own, such as ``Thread._invoke_excepthook``
            return self._original(*arguments, **keywords)  # type: ignore[operator]
        owner = self._owner()
        return getattr(type(owner), self._boundary.reports)(owner, *arguments, **keywords)
