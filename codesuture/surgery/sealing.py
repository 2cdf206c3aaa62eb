"""The seals of changed code: what is needed to tell it, and to have the original back.

Each change appends a tuple to ``co_consts`` whose first item names it; the last change comes last.
Constants must be fit for ``marshal``, so a seal holds numbers, text and bytes only.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

ARMED = "codesuture.armed.2"
KEPT = "codesuture.kept.1"


def seal_of(code: CodeType, kind: str) -> tuple[Any, ...] | None:
    """The seal of this kind, where it is that of the last change; None where it is not."""
    constants = code.co_consts
    seal = constants[-1] if constants else None
    return seal if type(seal) is tuple and len(seal) == 6 and seal[0] == kind else None


#: One operator that keeps its operands: where its copy is, its ordinal in the original code, where
#: it was there, and the bytes that stood there.
Kept = tuple[int, int, int, bytes]


def kept_operators(code: CodeType) -> tuple[Kept, ...]:
    """The operators of code without pads that keep their operands (``surgery.keeping``)."""
    seal = seal_of(code, KEPT)
    return () if seal is None else seal[5]


def release(code: CodeType) -> CodeType:
    """Code without pads as it was before its operators kept their operands."""
    seal = seal_of(code, KEPT)
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
