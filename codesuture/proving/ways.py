"""The way of an exception from its crash to a boundary, as a proof keeps it."""

from __future__ import annotations

from codesuture.ending import TOP
from codesuture.fate import reporting
from codesuture.fate.turns import outward, turn_at
from codesuture.fate.views import view_of
from codesuture.session import module_of
from codesuture.surgery.fingerprint import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    from codesuture.fate import Boundary
    from codesuture.fate.turns import Turn
    from codesuture.store.proof import Proof

    #: A place in the program: code, and the instruction that it is at.
    Step = tuple[CodeType, int]

#: Modules whose frames carry a call from one place to another: what lies between two functions of
#: the program depends on how the program was started, not on who handles what. The traceback
#: of an exception that went through an event loop has others of them than the stack had.
_PLUMBING = ("asyncio", "threading", "runpy", "importlib", "_frozen_importlib", "codesuture_agent",
             "codesuture")

#: The module whose frame ends the program where no start file of ours does: what lies below it (the
#: command that called it) is not the program's, and it takes it out of the program's traceback.
_LAUNCHER = "codesuture_agent.launcher"


class Way:
    """The frames from a crash to the first boundary that reports, or to the bottom of the stack.

    ``raw`` are all of its steps, ``frames`` and ``steps`` those that tell who handles what.
    """

    def __init__(self, frame: FrameType, offset: int, kind: type[BaseException]) -> None:
        self.frames: list[FrameType] = []
        self.boundary: Boundary | None = None
        raw: list[Step] = []
        steps: list[Step] = []
        #: Where it goes on in another task (``fate.turns``).
        self.turns: dict[int, Turn] = {}
        launched = False
        for at, lasti in outward(frame, offset, self._turn):
            raw.append((at.f_code, at.f_lasti if raw else lasti))
            launched = launched or at.f_globals.get("__name__") == _LAUNCHER
            if launched:
                continue
            self.boundary = reporting(at, kind)
            if not _is_plumbing(at) or self.boundary is not None:
                self.frames.append(at)
                steps.append((at.f_code, lasti))
            if self.boundary is not None:
                break
        self.raw = tuple(raw)
        self.steps = tuple(steps)

    def _turn(self, place: int, frame: FrameType, task: object, last: bool) -> Turn | None:
        found = turn_at(frame, task, last)
        if found is not None:
            self.turns[place] = found
        return found

    def is_that_of(self, proof: Proof) -> bool:
        """Whether a proof was made for the same chain of the same code."""
        if len(proof.chain) != len(self.steps) or proof.reached != reached(self.boundary):
            return False
        return all(
            link.qualname == code.co_qualname
            and link.module == module_of(frame)
            and link.ordinal == view_of(code).ordinal(offset)
            and link.fingerprint == fingerprint_of(code)
            for link, frame, (code, offset) in zip(
                proof.chain, self.frames, self.steps, strict=True
            )
        )


def _is_plumbing(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__")
    return type(module) is str and module.partition(".")[0] in _PLUMBING


def reached(boundary: Boundary | None) -> str:
    """What a proof calls the boundary; None is the bottom of the stack."""
    return TOP if boundary is None else f"{boundary.module}.{boundary.qualname}"


_fingerprints: dict[int, tuple[CodeType, str]] = {}


def fingerprint_of(code: CodeType) -> str:
    """The fingerprint, worked out once for each code object."""
    known = _fingerprints.get(id(code))
    if known is None or known[0] is not code:
        known = _fingerprints[id(code)] = (code, fingerprint(code))
    return known[1]


def way_of(exception: BaseException) -> list[tuple[FrameType, int]]:
    """The frames that the exception has left, as ``Way.steps`` has them: the crash first.

    A frame whose handler lets another function raise it again is in the traceback twice; what
    counts is where it was at first.
    """
    way: list[tuple[FrameType, int]] = []
    trace = exception.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if not _is_plumbing(frame) or reporting(frame, type(exception)) is not None:
            again = [place for place, (known, _) in enumerate(way) if known is frame]
            del way[again[0] if again else len(way) :]
            way.append((frame, trace.tb_lasti))
        trace = trace.tb_next
    return way[::-1]
