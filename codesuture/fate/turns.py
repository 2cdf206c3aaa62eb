"""Turns: where the way of an exception goes on in another task than that of the frames so far.

An exception that ends a task, or a job in a thread, is raised again in whoever awaits it. Where
that is one task, its suspended frames are as good as callers: the same code at the same
instructions has the same fate. A *turn* finds what is awaited from the last frame before it; it
is asked again whenever a chain is compared, because the objects are others each time.
"""

from __future__ import annotations

from codesuture.fate.boundaries import delivering
from codesuture.fate.futures import follow, resumes_at, task_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from codesuture.verdicts import Chain

    #: From a frame, and the task that it is suspended in (None: it runs), to a future.
    Turn = Callable[[FrameType, object], object]
    #: The turn at a place of the chain, if there is one: also given the frame there, its task,
    #: and whether that is the task's outermost frame.
    Chooser = Callable[[int, FrameType, object, bool], Turn | None]


def end_of_task(frame: FrameType, task: object) -> object:
    """The task of which this is the outermost frame."""
    return task_of(frame) if task is None else task


def turn_at(frame: FrameType, task: object, last: bool) -> Turn | None:
    """The turn that an exception takes at a frame."""
    boundary = delivering(frame)
    if boundary is not None:
        return boundary.future_of
    ends = last if task is not None else task_of(frame) is not None
    return end_of_task if ends else None


def outward(
    frame: FrameType, offset: int, choose: Chooser
) -> Iterator[tuple[FrameType, int]]:
    """The frames from a crash outwards, each with its instruction; ``choose`` tells the turns."""
    place, at, lasti = 0, frame, offset
    yield at, lasti
    turn = choose(place, at, None, False)
    while turn is None:
        caller = at.f_back
        if caller is None:
            return
        place, at, lasti = place + 1, caller, caller.f_lasti
        yield at, lasti
        turn = choose(place, at, None, False)
    task: object = None
    while turn is not None:
        found = follow(turn(at, task))
        if found is None:
            return
        task, turn = found.task, None
        for at in found.frames:
            place += 1
            yield at, resumes_at(at)
            turn = choose(place, at, task, at is found.frames[-1])
            if turn is not None:
                break


def is_that_way(
    frame: FrameType,
    chain: Chain,
    turns: Mapping[int, Turn],
) -> bool:
    """Whether the frames outside of ``frame`` are those of a chain that has turns."""
    task: object = None
    rest: Iterator[FrameType] = iter(())
    at: FrameType | None = frame
    for place, (code, lasti, check) in enumerate(chain):
        turn = turns.get(place)
        if turn is not None:
            found = follow(turn(at, task))  # type: ignore[arg-type]
            if found is None:
                return False
            task, rest = found.task, iter(found.frames)
        at = next(rest, None) if task is not None else at.f_back  # type: ignore[union-attr]
        if at is None or at.f_lasti != lasti or at.f_code is not code:
            return False
        if check is not None and not check(at):
            return False
    return True
