"""The seals of changed code: what is needed to tell it, and to have the original back.

Each change appends a seal to ``co_consts``; the last change comes last. Constants must be fit for
``marshal``. All armed code has the seal of its pads, so it is a single ``bytes`` object, which is
loaded in a third of the time that a tuple takes. Kept operators are few; theirs is a tuple.
"""

from __future__ import annotations

from codesuture.surgery.names import ARMED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

KEPT = "codesuture.kept.1"
REACHING = ("codesuture.reaching.1",)


_NUMBER = 4


def seal_pads(code: CodeType) -> bytes:
    """The seal for pads that are to be added to ``code``: how it begins, three numbers, and the
    original exception table."""
    numbers = (len(code.co_code), len(code.co_linetable), code.co_stacksize)
    parts = [number.to_bytes(_NUMBER, "little") for number in numbers]
    return b"".join((ARMED, *parts, code.co_exceptiontable))


def sealed_pads(code: CodeType) -> tuple[int, int, int, bytes] | None:
    """What code was before it had pads; None for code that has none.

    The sizes of its bytecode, its line table and its stack, and its exception table.
    """
    constants = code.co_consts
    seal = constants[-1] if constants else None
    if type(seal) is not bytes or not seal.startswith(ARMED):
        return None
    start = len(ARMED)
    first, second, third = (
        int.from_bytes(seal[place : place + _NUMBER], "little")
        for place in range(start, start + 3 * _NUMBER, _NUMBER)
    )
    return first, second, third, seal[start + 3 * _NUMBER :]


def _seal_of_kept(code: CodeType) -> tuple[Any, ...] | None:
    constants = code.co_consts
    seal = constants[-1] if constants else None
    return seal if type(seal) is tuple and len(seal) == 6 and seal[0] == KEPT else None


#: One operator that keeps its operands: where its copy is, its ordinal in the original code, where
#: it was there, and the bytes that stood there.
Kept = tuple[int, int, int, bytes]


def kept_operators(code: CodeType) -> tuple[Kept, ...]:
    """The operators of code without pads that keep their operands (``surgery.keeping``)."""
    seal = _seal_of_kept(code)
    return () if seal is None else seal[5]


def reaching(code: CodeType) -> CodeType:
    """Original code with the mark that its pads are entered by exceptions of packages too."""
    return code.replace(co_consts=(*code.co_consts, REACHING))


def is_reaching(code: CodeType) -> bool:
    """Whether code without pads has that mark."""
    before = -1 if _seal_of_kept(code) is None else -2
    return code.co_consts[before:][:1] == (REACHING,)


def release(code: CodeType) -> CodeType:
    """Code without pads as it was before its operators kept their operands, and without a mark."""
    code = _let_go(code)
    return code.replace(co_consts=code.co_consts[:-1]) if is_reaching(code) else code


def _let_go(code: CodeType) -> CodeType:
    seal = _seal_of_kept(code)
    if seal is None:
        return code
    _, size, lines, stack, table, moved = seal
    body = bytearray(code.co_code[:size])
    for _, _, start, before in moved:
        body[start : start + len(before)] = before
    return code.replace(
        co_code=bytes(body),
        co_consts=code.co_consts[:-1],
        co_exceptiontable=table,
        co_linetable=code.co_linetable[:lines],
        co_stacksize=stack,
    )
