"""The walk from the crashing frame outwards: who would handle the exception?"""

from __future__ import annotations

import sys

from codesuture.fate import abandoned, futures, lookup, nurseries
from codesuture.fate.boundaries import Boundary, boundary_of, framework_boundary
from codesuture.fate.callers import judge_gap
from codesuture.fate.handlers import judge_frame
from codesuture.fate.lookup import MISSING
from codesuture.fate.managers import judge_manager
from codesuture.fate.scope import Scope
from codesuture.fate.turns import end_of_task
from codesuture.fate.verdict import (
    HANDLED,
    PASSES,
    UNHANDLED,
    UNKNOWN,
    Notes,
    Outcome,
    Raised,
    Verdict,
)
from codesuture.fate.views import view_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    from codesuture.fate.turns import Turn
    from codesuture.fate.verdict import Held

#: The evidence for an exception that the program ends by.
AT_TOP = "It reaches the top of the program, where nobody handles it."

_MOST_FRAMES = 2000
_MOST_DELIVERIES = 50


def fate(frame: FrameType, offset: int, exception: BaseException) -> Verdict:
    """What would become of ``exception``, raised in ``frame`` by the instruction at ``offset``.

    Runs none of the program's code. ``UNKNOWN`` is the answer to everything that is not understood.
    """
    walk = Walk(Raised(type(exception), exception))
    return walk.verdict(*walk.outward(frame, offset))


class Walk:
    """One exception on its way out, and what was read to follow it."""

    def __init__(self, raised: Raised) -> None:
        self.raised = raised
        self.notes = Notes()
        self.frames: list[tuple[CodeType, int]] = []
        self.deliveries = 0
        #: The task whose suspended frames are being read; None while it is the running ones.
        self.task: object | None = None
        #: Where the chain goes on elsewhere than in the caller, by the place in it.
        self.turns: dict[int, Turn] = {}
        #: The instruction of the last frame that raises it.
        self.offset = -1
        self.held: dict[int, list[Held]] = {}
        #: Whether the last frame's own handlers have given the answer.
        self.settled = False
        self.varies = False

    def verdict(self, kind: str, evidence: str) -> Verdict:
        return Verdict(
            kind,
            evidence,
            tuple(self.frames),
            self.notes,
            self.settled,
            self.held,
            self.varies,
            self.turns,
        )

    def outward(self, frame: FrameType, offset: int) -> tuple[str, str]:
        """The fate of an exception raised in ``frame`` at ``offset``, and the evidence."""
        at = frame
        while True:
            answer = self.judge(at, offset)
            if answer is not None:
                return answer
            loop = abandoned.task_of_nobody(at)
            if loop is not MISSING:
                return self.lost(loop)
            task = futures.task_of(at)
            if task is not None:
                return self.deliver(task, end_of_task)
            caller = at.f_back
            if caller is None:
                return self.bottom(at)
            answer = self.gap(caller, at)
            if answer is not None:
                return answer
            at, offset = caller, caller.f_lasti

    def gap(self, caller: FrameType, frame: FrameType) -> tuple[str, str] | None:
        """The answer, where C code between the two frames gives one."""
        notes = Notes()
        scope = Scope.of_frame(caller, notes)
        outcome = judge_gap(caller, frame, caller.f_lasti, self.raised, scope)
        if outcome.direct is not None and notes.live:
            # The chain tells what was called; a variable may hold something that calls it.
            if outcome.like is not None:
                notes.held.append((outcome.direct, outcome.like))
            elif outcome.direct[0] in ("local", "free"):
                notes.held.append((outcome.direct, type(scope.value(outcome.direct))))
            notes.live = False
        if outcome.made_by is not None and notes.live:
            # No more is known of it than what it was made by.
            notes.held.append((outcome.made_by, type(scope.value(outcome.made_by))))
            notes.live = False
        self.take(notes, len(self.frames))
        if outcome.kind != PASSES:
            self.varies = outcome.varies
            evidence = _sentence(frame, self.offset, outcome)
            self.frames.append((caller.f_code, caller.f_lasti))
            return outcome.kind, evidence
        self.raised = outcome.raised or self.raised
        return None

    def take(self, notes: Notes, place: int) -> None:
        """Rely on what was noted about the frame at ``place`` of the chain."""
        self.notes.take(notes)
        if notes.held:
            self.held.setdefault(place, []).extend(notes.held)

    def judge(self, frame: FrameType, offset: int) -> tuple[str, str] | None:
        """The answer, where this frame gives one; None where the exception leaves it."""
        self.frames.append((frame.f_code, frame.f_lasti if self.frames else offset))
        if len(self.frames) > _MOST_FRAMES:
            return UNKNOWN, f"More than {_MOST_FRAMES} frames would have to be read."
        self.offset = offset
        view = view_of(frame.f_code)
        notes = Notes()
        scope = Scope.of_frame(frame, notes)
        outcome = judge_frame(view, scope, offset, self.raised, judge_manager)
        boundary = _boundary(frame, outcome, view.cover(offset) is not None)
        if boundary is not None:
            # Its rule says what its catch-all means, whatever that looks at.
            notes.live = False
            notes.held.clear()
        self.take(notes, len(self.frames) - 1)
        if boundary is not None:
            self.raised = outcome.raised or self.raised
            return self.at_boundary(boundary, frame)
        if outcome.kind == PASSES:
            self.raised = outcome.raised or self.raised
            return None
        self.varies = outcome.varies
        same = self.raised.exception is not None and not self.deliveries
        self.settled = outcome.kind == HANDLED and same and notes.lasting
        return outcome.kind, _sentence(frame, offset, outcome)

    def at_boundary(self, boundary: Boundary, frame: FrameType) -> tuple[str, str] | None:
        if boundary.future_of is not None:
            loop = abandoned.job_of_nobody(frame)
            if loop is not MISSING:
                return self.lost(loop)
            future = boundary.future_of(frame, self.task)
            if future is not MISSING:
                return self.deliver(future, boundary.future_of)
        kind, reason = boundary.judge(frame, self.raised.type)
        if boundary.is_conditional:
            ends = (("boundary", boundary, self.raised.type), kind)
            self.held.setdefault(len(self.frames) - 1, []).append(ends)
        return None if kind == PASSES else (kind, f"It {reason}.")

    def bottom(self, frame: FrameType) -> tuple[str, str]:
        """Nobody beneath: the top of the program, or something the interpreter itself called."""
        name, module = frame.f_code.co_qualname, frame.f_globals.get("__name__")
        if frame.f_code.co_filename == "<frozen runpy>":
            return UNHANDLED, AT_TOP
        main = sys.modules.get("__main__")
        if name == "<module>" and frame.f_globals is lookup.module_dict(main):
            if hasattr(sys, "ps1"):
                return HANDLED, "It reaches the interactive prompt, which reports it."
            return UNHANDLED, AT_TOP
        if module == "threading":
            return UNHANDLED, "It reaches the top of its thread, where nobody handles it."
        return UNKNOWN, f"It reaches {module}.{name}, which the interpreter itself called."

    # --- futures ------------------------------------------------------------------------

    def lost(self, loop: object) -> tuple[str, str]:
        """Nobody can get it any more; an event loop, where there is one, reports it."""
        self.notes.live = self.varies = True
        if loop is not None and not abandoned.only_logs(loop):
            return HANDLED, "It ends a task of nobody's, and the event loop's own handler is told."
        return UNHANDLED, "It ends a task or a job of nobody's: nothing refers to it any more."

    def deliver(self, future: object, turn: Turn) -> tuple[str, str]:
        """The exception ends a task or a job: follow it to those who wait for that.

        ``turn`` finds the future again from the last frame of the chain.
        """
        self.deliveries += 1
        if self.deliveries > _MOST_DELIVERIES:
            return UNKNOWN, "It goes from task to task too often to be followed."
        only = futures.follow(future)
        if only is not None:
            self.turns[len(self.frames) - 1] = turn
            return self.along(only)
        self.notes.live = self.varies = True
        found = futures.waiters(future)
        if not found:
            return UNKNOWN, "It ends a task or a job for which nobody waits yet."
        raised, answers = self.raised, []
        for kind, value in found:
            self.raised = raised
            answers.append(self.deliver_to(kind, value))
        for answer in answers:
            if answer[0] != UNHANDLED:
                return answer if len(answers) == 1 else (UNKNOWN, answer[1])
        return answers[0]

    def deliver_to(self, kind: str, value: object) -> tuple[str, str]:
        if kind == futures.COROUTINE:
            return self.into_task(value, None)
        if kind == futures.GROUP:
            if not nurseries.always_groups(value):
                return UNKNOWN, "It ends a task whose group may raise it as it is."
            return self.into_task(nurseries.parent_of(value), value)
        if kind == futures.RETURNS:
            return self.behind(value)  # type: ignore[arg-type]
        if kind == futures.COLLECTS:
            return HANDLED, f"It is a result of {value}."
        if kind == futures.TELLS:
            return HANDLED, f"It is given to {value}."
        if kind == futures.LOGS:
            return UNHANDLED, f"It reaches {value}, where nobody handles it."
        return UNKNOWN, f"It ends a task or a job that is watched by {value}."

    def behind(self, frame: FrameType) -> tuple[str, str]:
        """The call of ``frame`` raises it."""
        caller = frame.f_back
        if caller is None:
            return self.bottom(frame)
        self.frames.append((frame.f_code, frame.f_lasti))
        self.offset = frame.f_lasti
        return self.gap(caller, frame) or self.outward(caller, caller.f_lasti)

    def into_task(self, task: object, group: object | None) -> tuple[str, str]:
        """A task that waits is resumed with it; or with the group in which it is raised."""
        frames = futures.waiting_frames(futures.coroutine_of(task))
        if frames is None:
            return UNKNOWN, "It goes to a task whose frames cannot be read."
        if group is not None:
            position = nurseries.position_behind(group, frames)
            if position is None:
                cancelled = nurseries.cancellation(group)
                self.raised = Raised(cancelled, None, (), self.raised.grouped())  # type: ignore[arg-type]
            else:
                self.raised, frames = self.raised.grouped(), frames[position:]
        return self.along(futures.Awaiting(task, frames))

    def along(self, awaiting: futures.Awaiting) -> tuple[str, str]:
        """The frames of a suspended task are resumed with it."""
        self.task = awaiting.task
        for frame in awaiting.frames:
            answer = self.judge(frame, futures.resumes_at(frame))
            if answer is not None:
                return answer
        if self.raised.becomes is not None:
            return UNKNOWN, "It ends a task of a group whose async with cannot be found."
        return self.deliver(awaiting.task, end_of_task)


def _boundary(frame: FrameType, outcome: Outcome, covered: bool) -> Boundary | None:
    """The boundary whose rule decides, where this is what the frame's own handlers do."""
    if outcome.kind != PASSES and outcome.catch_all:
        return boundary_of(frame)
    found = framework_boundary(frame) if covered else None
    if found is None:
        return None
    return found if (found.raises if outcome.kind == PASSES else found.narrow) else None


def _sentence(frame: FrameType, offset: int, outcome: Outcome) -> str:
    code = frame.f_code
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end and number:
            line = number
    return f"{code.co_qualname} ({code.co_filename}:{line}) {outcome.why}."
