"""What the fate analysis answers, and the two things it passes around inside."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

HANDLED = "HANDLED"
UNHANDLED = "UNHANDLED"
UNKNOWN = "UNKNOWN"

PASSES = "PASSES"
"""Within the analysis: this frame (manager, C function) lets the exception go on."""


class Verdict:
    """What would become of an exception.

    ``fate`` is ``HANDLED``, ``UNHANDLED`` or ``UNKNOWN``; ``evidence`` is one sentence that
    names the frame, the place and the reason. ``frames`` is the chain that was consulted, the
    crashing frame first: pairs of code and byte offset. Where ``cacheable`` is true, the same
    chain has the same fate for the same exception type as long as :meth:`holds`; where it is
    false the answer depended on objects that may be others next time.
    """

    __slots__ = ("_facts", "cacheable", "evidence", "fate", "frames")

    def __init__(
        self,
        fate: str,
        evidence: str,
        frames: tuple[tuple[CodeType, int], ...] = (),
        cacheable: bool = False,
        facts: tuple[Callable[[], bool], ...] = (),
    ) -> None:
        self.fate = fate
        self.evidence = evidence
        self.frames = frames
        self.cacheable = cacheable
        self._facts = facts

    def holds(self) -> bool:
        """Whether the global names that a cacheable answer relied on still mean the same."""
        for fact in self._facts:  # noqa: SIM110 (for every handled exception: all() is slower)
            if not fact():
                return False
        return True

    def __repr__(self) -> str:
        return f"<Verdict {self.fate}: {self.evidence}>"


class Raised:
    """The exception on its way: its type, what it groups, and the object while it is the same.

    ``leaves`` are the types inside an exception group that the analysis itself foresees; the
    exception itself is None then. ``becomes`` is what a task group that is left by this
    cancellation raises instead.
    """

    __slots__ = ("becomes", "exception", "leaves", "type")

    def __init__(
        self,
        type: type[BaseException],
        exception: BaseException | None = None,
        leaves: tuple[type[BaseException], ...] = (),
        becomes: Raised | None = None,
    ) -> None:
        self.type = type
        self.exception = exception
        self.leaves = leaves
        self.becomes = becomes

    def grouped(self) -> Raised:
        """The group in which a task group raises this exception."""
        leaves = self.leaves or (self.type,)
        plain = all(issubclass(leaf, Exception) for leaf in leaves)
        return Raised(ExceptionGroup if plain else BaseExceptionGroup, None, leaves)


class Outcome:
    """What one frame, context manager or C function does with an exception.

    ``kind`` is ``PASSES``, ``HANDLED`` or ``UNKNOWN``; ``why`` a phrase that completes the
    frame's name. ``raised`` is what goes on when it passes. ``catch_all`` says that whatever
    handles it does so for every exception alike (``except Exception:`` and wider).
    """

    __slots__ = ("catch_all", "kind", "raised", "why")

    def __init__(
        self, kind: str, why: str, raised: Raised | None = None, catch_all: bool = False
    ) -> None:
        self.kind = kind
        self.why = why
        self.raised = raised
        self.catch_all = catch_all

    def __repr__(self) -> str:
        return f"<Outcome {self.kind}: {self.why}>"
