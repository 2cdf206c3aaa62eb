"""The circuit breaker: what stops a heal from turning a crash into a hang.

``while True: count += table[key]`` crashes once without codesuture; healed, it would run for ever.
So each site has a limit of heals in one call of its function (in one *frame*) and in one process.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import TypeGuard

    from codesuture.decision import Decision


class Mark:
    """Lives as long as the frame that carries it, and does nothing when it is called.

    ``healed`` has the decisions on probation that healed the frame or one that it called, each with
    the moment (``probation``). Many frames are healed just once, so they carry one that is shared,
    and get one of their own when something is to be counted. ``shadow`` has a kind of its own,
    which carries what is followed in the frame.
    """

    count = 0
    healed: tuple[tuple[Decision, float], ...] = ()
    is_shared = False

    def __call__(self, *event: object) -> None:
        return None

    @classmethod
    def shared(cls, healed: tuple[tuple[Decision, float], ...] = ()) -> Mark:
        """One for any number of frames."""
        mark = cls()
        mark.healed, mark.is_shared = healed, True
        return mark


#: What a frame carries that was healed, if it carries nothing else.
HEALED = Mark.shared()


class Breaker:
    """Counts the heals of one site.

    Frames cannot be referred to weakly, holding one would keep its locals alive, and the address
    of a dead frame is used again by the next. So every frame that is healed is marked through its
    ``f_trace``, which the interpreter reads only while it is traced: a frame at a known address
    with a mark is the same call, without one it is another.
    """

    __slots__ = ("_address", "total")

    def __init__(self) -> None:
        self.total = 0
        self._address = 0

    def allows(self, frame: FrameType, per_frame: int, per_site: int) -> bool:
        """Count one heal in ``frame``; False when it would exceed a limit."""
        if self.total >= per_site:
            return False
        mark, address = frame.f_trace, id(frame)
        if mark is None:
            frame.f_trace = HEALED
        # Threads take turns at one site, so a frame whose mark has counted is known by that. What
        # is no mark is a debugger's, and somebody is there to stop it.
        elif is_mark(mark) and (mark.count or address == self._address):
            mark = own_mark(frame, mark)
            mark.count += 1
            if mark.count >= max(2, per_frame):
                return False
        self._address = address
        self.total += 1
        return True


def own_mark(frame: FrameType, mark: Mark) -> Mark:
    """The frame's mark, which is no other frame's."""
    if not mark.is_shared:
        return mark
    own = frame.f_trace = Mark()
    own.healed = mark.healed
    return own


def is_mark(tracer: object) -> TypeGuard[Mark]:
    """Whether a frame's ``f_trace`` is a mark of ours."""
    return type(tracer) is Mark or issubclass(type(tracer), Mark)
