"""The circuit breaker: what stops a heal from turning a crash into a hang.

``while True: count += table[key]`` crashes once without codesuture; healed, it would run for ever.
So each site has a limit of heals in one call of its function (in one *frame*) and in one process.
"""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import TypeGuard

    from codesuture.decision import Decision


class Mark:
    """Lives as long as the frame that carries it, and does nothing when it is called.

    ``healed`` has the decisions on probation that healed the frame or one that it called, each with
    the moment (``probation``). ``shadow`` has a kind of its own, which carries what is followed in
    the frame.
    """

    # Made at many heals, so what a mark begins with is the class's.
    count = 0
    healed: Mapping[Decision, float] = MappingProxyType({})

    def __call__(self, *event: object) -> None:
        return None


class Breaker:
    """Counts the heals of one site.

    Frames cannot be referred to weakly, holding one would keep its locals alive, and the address
    of a dead frame is used again by the next. So from the second heal at one address on the frame
    is marked through its ``f_trace``, which the interpreter reads only while it is traced: a mark
    that is still there proves that it is the same call.
    """

    __slots__ = ("_address", "total")

    def __init__(self) -> None:
        self.total = 0
        self._address = 0

    def allows(self, frame: FrameType, per_frame: int, per_site: int) -> bool:
        """Count one heal in ``frame``; False when it would exceed a limit."""
        if self.total >= per_site:
            return False
        # Threads take turns at one site, so a frame that has its mark is known by that.
        mark = frame.f_trace
        seen = id(frame) == self._address or (is_mark(mark) and bool(mark.count))
        if seen and not _counts(frame, max(1, per_frame - 1)):
            return False
        self._address = id(frame)
        self.total += 1
        return True


def _counts(frame: FrameType, limit: int) -> bool:
    """Count one more heal on the frame's mark; False beyond the limit."""
    mark = frame.f_trace
    if mark is None:
        mark = frame.f_trace = Mark()
    if not is_mark(mark):  # a debugger traces this frame, and somebody is there to stop it
        return True
    mark.count += 1
    return mark.count <= limit


def is_mark(tracer: object) -> TypeGuard[Mark]:
    """Whether a frame's ``f_trace`` is a mark of ours."""
    return issubclass(type(tracer), Mark)
