"""An exception of which two things may become: which of them is only known when it is raised."""

from __future__ import annotations

from codesuture.fate.verdict import PASSES, UNKNOWN, Outcome, Raised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Either(Raised):
    """One of several exceptions, which differ in how they are grouped or what they turned into."""

    __slots__ = ("ways",)

    def __init__(self, ways: list[Raised]) -> None:
        super().__init__(ways[0].type)
        self.ways = ways

    def grouped(self) -> Raised:
        """The group in which a task group raises it."""
        return one_of([way.grouped() for way in self.ways])


def alone_or_grouped(raised: Raised) -> Raised:
    """What a ``try`` with ``except*`` raises when the body of a clause has raised ``raised``.

    That alone where nothing else is left, else it and the rest in a group, which is an
    ``ExceptionGroup`` unless the rest is more than that (Objects/exceptions.c,
    _PyExc_PrepReraiseStar).
    """
    group = raised.grouped()
    leaves = group.leaves or (group.type,)
    return one_of([raised, group, Raised(BaseExceptionGroup, None, leaves)])


def one_of(found: list[Raised]) -> Raised:
    """One of these, each counted once; itself, where there is but one."""
    ways: dict[object, Raised] = {}
    for one in found:
        for way in one.ways if isinstance(one, Either) else (one,):
            ways.setdefault((way.type, way.leaves, id(way.exception), id(way.becomes)), way)
    kept = list(ways.values())
    return kept[0] if len(kept) == 1 else Either(kept)


def judge_each(raised: Raised, judge: Callable[[Raised], Outcome]) -> Outcome:
    """What happens to ``raised``, whichever of its ways it is; UNKNOWN where that makes a
    difference."""
    if not isinstance(raised, Either):
        return judge(raised)
    outcomes = [judge(way) for way in raised.ways]
    first = outcomes[0]
    other = next((one for one in outcomes if one.kind != first.kind), None)
    if other is not None:
        why = first.why if other.kind == PASSES else other.why
        return Outcome(UNKNOWN, f"{why}, depending on whether it comes alone or in a group")
    first.catch_all = all(one.catch_all for one in outcomes)
    if first.kind == PASSES:
        pairs = zip(outcomes, raised.ways, strict=True)
        first.raised = one_of([outcome.raised or way for outcome, way in pairs])
    return first
