"""Verdicts of the fate analysis, remembered by the chain of (code, instruction) of their frames.

The same chain has the same fate, so an exception that the program handles again and again costs
one comparison of its chain, and the analysis itself runs once. Where a frame's own handlers catch
an exception, that frame alone is compared: what lies between may only have handled it before.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from codesuture.fate.held import Check
    from codesuture.fate.verdict import Verdict

    #: The crashing code's address, the instruction's offset, the exception's type.
    Place = tuple[int, int, type[BaseException]]
    #: Frames further out: code, the instruction it is at, and what tells whether it holds what
    #: matters, where something does.
    Link = tuple[CodeType, int, Check | None]
    Chain = tuple[Link, ...]
    #: A frame that handles: how deep the runtime finds it, the instruction it is at, its code;
    #: and the next such frame, which is as deep or deeper.
    Handler = tuple[int, int, CodeType, "Handler | None"]

#: Chains that are remembered for one place, handlers for one function, functions for one type,
#: types, and places altogether; then it starts anew.
_MOST_CHAINS = 32
_MOST_HANDLERS = 8
_MOST_TYPES = 1_000
_MOST_PLACES = 10_000

#: Frames that are known to handle an exception of a type that comes out of a function. For
#: ``runtime.recover``, which asks at every exception, so it is two plain dicts and linked tuples.
#: Functions are known by their qualified names; these need not be unique for that.
handled: dict[type[BaseException], dict[str, Handler | None]] = {}

# The verdicts hold the code objects of their chains, so an address stays its code's own.
_known: dict[Place, list[tuple[Check | None, Chain, Verdict]]] = {}


def recall(frame: FrameType, offset: int, kind: type[BaseException]) -> Verdict | None:
    """The verdict for an exception of type ``kind`` at ``offset`` of ``frame``, if it is known.

    ``offset`` is what the traceback says; frames further out are where they are now.
    """
    chains = _known.get((id(frame.f_code), offset, kind))
    if chains is None:
        return None
    outer = frame.f_back
    for known in chains:
        own, chain, verdict = known
        if own is not None and not own(frame):
            continue
        if verdict.turns:
            if _is_that_way(frame, chain, verdict.turns) and verdict.holds():
                return verdict
            continue
        at = outer
        for code, lasti, check in chain:
            if at is None or at.f_lasti != lasti or at.f_code is not code:
                break
            if check is not None and not check(at):
                break
            at = at.f_back
        else:
            if verdict.holds():
                return verdict
            try:  # noqa: SIM105 (contextlib would be imported at every start)
                chains.remove(known)
            except ValueError:  # another thread was quicker
                pass
            return None
    return None


def _is_that_way_first(*arguments: Any) -> bool:
    """Import what compares chains with turns, and do it; later calls take no detour."""
    global _is_that_way
    from codesuture.fate.turns import is_that_way

    _is_that_way = is_that_way
    return is_that_way(*arguments)


_is_that_way: Callable[..., bool] = _is_that_way_first


def remember(frame: FrameType, offset: int, kind: type[BaseException], verdict: Verdict) -> None:
    """Keep a verdict that depends on its chain only, and a frame that handles it in any case."""
    if verdict.settled:
        _remember_handler(frame, kind, verdict)
    if not verdict.cacheable:
        return
    if len(_known) >= _MOST_PLACES:
        _known.clear()
    chains = _known.setdefault((id(frame.f_code), offset, kind), [])
    if len(chains) >= _MOST_CHAINS:
        chains.clear()
    checks: dict[int, Check | None] = {}
    if verdict.held:
        from codesuture.fate.held import check_of

        checks = {place: check_of(held) for place, held in verdict.held.items()}
    chain = [(*link, checks.get(place)) for place, link in enumerate(verdict.frames)]
    # What was proved comes before what was doubted.
    chains.insert(0, (checks.get(0), tuple(chain[1:]), verdict))


def forget() -> None:
    """Forget all verdicts: some relied on a proof that counts no longer."""
    _known.clear()


def _remember_handler(frame: FrameType, kind: type[BaseException], verdict: Verdict) -> None:
    if len(handled) >= _MOST_TYPES:
        handled.clear()
    functions, function = handled.setdefault(kind, {}), frame.f_code.co_qualname
    if len(functions) >= _MOST_PLACES:
        functions.clear()
    code, lasti = verdict.frames[-1]
    if len(verdict.frames) == 1:
        lasti = frame.f_lasti  # the pad's call of the runtime, where all of its sites come along
    found = [(len(verdict.frames), lasti, code)]
    known = functions.get(function)
    while known is not None:
        found.append(known[:3])
        known = known[3]
    if len(found) > _MOST_HANDLERS:
        del found[1:]
    for depth, lasti, code in sorted(found, key=lambda handler: -handler[0]):
        known = (depth, lasti, code, known)
    functions[function] = known
