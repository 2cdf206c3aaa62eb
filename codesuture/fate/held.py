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

    from codesuture.fate.boundaries import Rule
    from codesuture.fate.symbols import Symbol
    from codesuture.fate.verdict import Held

    #: Whether a frame holds what it is to hold.
    Check = Callable[[FrameType], bool]
    Reader = Callable[[FrameType], object]


def check_of(held: Iterable[Held]) -> Check | None:
    """What tells whether a frame holds objects of these types, or like these, and is the same
    boundary; None where there is nothing to tell. Made once and asked at every crash."""
    checks = [_check(symbol, expected) for symbol, expected in held]
    if len(checks) > 1:
        return lambda frame: all(check(frame) for check in checks)
    return checks[0] if checks else None


def _check(symbol: Symbol, expected: object) -> Check:
    if symbol is not None and symbol[0] == "boundary":
        return _boundary_check(symbol[1].rule, symbol[2], expected)  # type: ignore
    if symbol is not None and symbol[0] == "attr" and symbol[1][0] in _VARIABLES:  # type: ignore[index]
        return _attribute_check(symbol[1][1], symbol[2], expected)  # type: ignore
    read = _reader(symbol)
    if isinstance(expected, type):
        return lambda frame: type(read(frame)) is expected
    return lambda frame: expected(read(frame))  # type: ignore[operator]


_VARIABLES = ("local", "free")


def _attribute_check(owner: str, name: str, expected: object) -> Check:
    """The same as with a reader, on the shortest way: most checks are of this kind."""
    attribute = lookup.attribute
    if isinstance(expected, type):
        return lambda frame: (
            type(attribute(local_variable(frame, owner, MISSING), name)) is expected
        )
    return lambda frame: expected(  # type: ignore[operator]
        attribute(local_variable(frame, owner, MISSING), name)
    )


def _boundary_check(rule: Rule, kind: type[BaseException], expected: object) -> Check:
    def check(frame: FrameType) -> bool:
        try:
            return rule(frame, kind)[0] == expected
        except Exception:  # then the analysis says what that means
            return False

    return check


def _reader(symbol: Symbol) -> Reader:
    """What ``Scope.value`` finds for the symbol, on the shortest way."""
    if symbol is not None:
        name: str = symbol[-1]  # type: ignore[assignment]
        if symbol[0] in _VARIABLES:
            return lambda frame: local_variable(frame, name, MISSING)
    return lambda frame: Scope.of_frame(frame, Notes()).value(symbol)
