"""Verdicts of the fate analysis, remembered by the chain of (code, instruction) of their frames.

The same chain has the same fate, so an exception that the program handles again and again costs
one comparison of its chain, and the analysis itself runs once.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.fate.verdict import Verdict

    #: The crashing code's address, the instruction's offset, the exception's type.
    Place = tuple[int, int, type[BaseException]]

#: Chains that are remembered for one place, and places altogether; then it starts anew.
_MOST_CHAINS = 32
_MOST_PLACES = 10_000

# The verdicts hold the code objects of their chains, so an address stays its code's own.
_known: dict[Place, list[tuple[tuple[tuple[int, int], ...], Verdict]]] = {}


def recall(frame: FrameType, offset: int, kind: type[BaseException]) -> Verdict | None:
    """The verdict for an exception of type ``kind`` at ``offset`` of ``frame``, if it is known.

    ``offset`` is what the traceback says; frames further out are where they are now.
    """
    chains = _known.get((id(frame.f_code), offset, kind))
    if chains is None:
        return None
    outer = frame.f_back
    for chain, verdict in chains:
        at = outer
        for address, lasti in chain:
            if at is None or at.f_lasti != lasti or id(at.f_code) != address:
                break
            at = at.f_back
        else:
            if verdict.holds():
                return verdict
            chains.remove((chain, verdict))
            return None
    return None


def remember(frame: FrameType, offset: int, kind: type[BaseException], verdict: Verdict) -> None:
    """Keep a verdict that depends on its chain only."""
    if not verdict.cacheable:
        return
    if len(_known) >= _MOST_PLACES:
        _known.clear()
    chains = _known.setdefault((id(frame.f_code), offset, kind), [])
    if len(chains) >= _MOST_CHAINS:
        chains.clear()
    chain = tuple((id(code), lasti) for code, lasti in verdict.frames[1:])
    chains.append((chain, verdict))
