"""Whether what a remembered answer relied on in a frame is the same in another one."""

from __future__ import annotations

from codesuture.fate import lookup
from codesuture.fate.lookup import MISSING
from codesuture.fate.scope import Scope
from codesuture.fate.verdict import Notes
from codesuture.frames import local_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from codesuture.fate.symbols import Symbol
    from codesuture.fate.verdict import Held

    #: Whether a frame holds what it is to hold.
    Check = Callable[[FrameType], bool]
    Reader = Callable[[FrameType], object]


def checks_of(held: Iterable[Held]) -> tuple[Check, ...]:
    """What tells whether a frame holds objects of these types, or like these, and is the same
    boundary. Made once and asked at every crash."""
    return tuple(_check(symbol, expected) for symbol, expected in held)


def _check(symbol: Symbol, expected: object) -> Check:
    if symbol is not None and symbol[0] == "boundary":
        judge, kind = symbol[1].judge, symbol[2]  # type: ignore[attr-defined]
        return lambda frame: judge(frame, kind)[0] == expected
    read = _reader(symbol)
    if isinstance(expected, type):
        return lambda frame: type(read(frame)) is expected
    return lambda frame: expected(read(frame))  # type: ignore[operator]


def _reader(symbol: Symbol) -> Reader:
    """What ``Scope.value`` finds for the symbol, on the shortest way."""
    if symbol is not None:
        name: str = symbol[-1]  # type: ignore[assignment]
        if symbol[0] in ("local", "free"):
            return lambda frame: local_variable(frame, name, MISSING)
        if symbol[0] == "attr" and symbol[1][0] in ("local", "free"):  # type: ignore[index]
            owner: str = symbol[1][1]  # type: ignore[index]
            return lambda frame: lookup.attribute(
                local_variable(frame, owner, MISSING), name
            )
    return lambda frame: Scope.of_frame(frame, Notes()).value(symbol)
