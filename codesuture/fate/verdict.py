"""What the fate analysis answers, and the two things it passes around inside."""

from __future__ import annotations

from codesuture.fate.lookup import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from codesuture.fate.symbols import Symbol
    from codesuture.fate.turns import Turn

    #: What a frame holds: how to come to it there, and its type or what else it has to be (a
    #: :data:`Likeness`). Or, as ``("boundary", boundary, type of exception)`` and a fate, what the
    #: rule of the boundary says of the frame.
    Held = tuple[Symbol, object]
    #: Whether an object is so much like the one that was looked at that the answer is the same.
    Likeness = Callable[[object], bool]
    #: A global name: the module's names, the built-in ones, the name, what it stands for.
    Name = tuple[dict[str, object], dict[str, object], str, object]

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
    false the answer depended on objects that may be others next time. ``held`` are objects in
    its frames that have to be of the same type then: by the frame's place in the chain.
    ``settled`` tells that the last frame of the chain handles it by itself, whatever the others do.
    ``turns`` tell where the chain goes on in another task, by the place in it (``fate.turns``).
    Where ``varies`` is true, the fate depends on what the program is doing at the time: what
    became of one exception says nothing about the next.
    """

    __slots__ = (
        "_facts", "_names", "cacheable", "evidence", "fate", "frames", "held", "settled", "turns",
        "varies",
    )  # fmt: skip

    def __init__(
        self,
        fate: str,
        evidence: str,
        frames: tuple[tuple[CodeType, int], ...] = (),
        notes: Notes | None = None,
        settled: bool = False,
        held: dict[int, list[Held]] | None = None,
        varies: bool = False,
        turns: dict[int, Turn] | None = None,
    ) -> None:
        self.fate = fate
        self.evidence = evidence
        self.frames = frames
        self.cacheable = notes is not None and not notes.live
        self.settled = settled
        self.held = held or {}
        self.varies = varies
        self.turns = turns or {}
        self._names = tuple(notes.names.values()) if notes is not None else ()
        self._facts = tuple(notes.facts) if notes is not None else ()

    def holds(self) -> bool:
        """Whether the global names that a cacheable answer relied on still mean the same."""
        for globals, builtins, name, value in self._names:
            found = globals.get(name, MISSING)
            if (builtins.get(name) if found is MISSING else found) is not value:
                return False
        for fact in self._facts:  # noqa: SIM110 (at every crash: all() is slower)
            if not fact():
                return False
        return True

    def __repr__(self) -> str:
        return f"<Verdict {self.fate}: {self.evidence}>"


class Notes:
    """What an answer relied on: names, facts and types of what a frame holds, which can be checked
    again; or objects (``live``) that cannot."""

    __slots__ = ("facts", "held", "live", "names")

    def __init__(self) -> None:
        self.names: dict[tuple[int, str], Name] = {}
        self.facts: list[Callable[[], bool]] = []
        self.held: list[Held] = []
        self.live = False

    def relies_on(self, name: Name) -> None:
        """Note that the answer holds as long as the name stands for the same."""
        self.names[id(name[0]), name[2]] = name

    @property
    def lasting(self) -> bool:
        """Whether the answer relied on nothing but built-in names."""
        own = any(name in globals for globals, _, name, _ in self.names.values())
        return not (self.live or self.held or self.facts or own)

    def take(self, other: Notes) -> None:
        """Rely on what the other answer relied on, too, but for what its frame holds."""
        self.names.update(other.names)
        self.facts += other.facts
        self.live |= other.live


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
    handles it does so for every exception alike (``except Exception:`` and wider). ``direct`` is
    what was called, where there is no C code between two frames; ``made_by`` what gave the unknown
    object that was. ``varies`` tells of an unknown one that it is handled at some times and passes
    at others. ``like`` tells which other objects would do the same; None: those of the same type.
    """

    __slots__ = ("catch_all", "direct", "kind", "like", "made_by", "raised", "varies", "why")

    def __init__(
        self, kind: str, why: str, raised: Raised | None = None, catch_all: bool = False
    ) -> None:
        self.kind = kind
        self.why = why
        self.raised = raised
        self.catch_all = catch_all
        self.direct: Symbol = None
        self.made_by: Symbol = None
        self.like: Likeness | None = None
        self.varies = False

    def varying(self) -> Outcome:
        """This outcome, which ``varies``."""
        self.varies = True
        return self

    def __repr__(self) -> str:
        return f"<Outcome {self.kind}: {self.why}>"
