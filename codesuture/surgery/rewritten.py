"""The gate's check of the one thing that is rewritten: operators that keep their operands
(``surgery.keeping``). They are few, so this may take its time."""

from __future__ import annotations

from codesuture.surgery import forms
from codesuture.surgery.opcodes import NAMES, OPMAP
from codesuture.surgery.pads import PAD_CONSTANTS
from codesuture.surgery.reading import Rejected, handlers_of, rows_of, target_of
from codesuture.surgery.sealing import KEPT, sealed_pads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.surgery.reading import Row

_BACK = "JUMP_BACKWARD_NO_INTERRUPT"
_BINARY = OPMAP["BINARY_OP"]


def prepared_of(original: CodeType, armed: CodeType) -> CodeType:
    """What armed code was before it got pads: the original whose operators keep their operands.

    Raises Rejected where anything but an operator changed, and where its copy is not the operator
    on copies of its operands, with its position and its handler.
    """
    size, moved = _claimed(original, armed)
    body, begin = armed.co_code[:size], len(original.co_code)
    copies = rows_of(body, begin)
    before = handlers_of(original.co_exceptiontable, begin)
    expected = before + [None] * ((size - begin) >> 1)
    positions = list(original.co_positions())
    kept, number, found = list(armed.co_positions()), 0, []
    for row in rows_of(original.co_code):
        if body[row[0] : row[3]] == original.co_code[row[0] : row[3]]:
            continue
        if row[1] != _BINARY or number >= len(copies):
            raise Rejected("the original bytecode changed")
        copy = copies[number][0]
        _check_lead(body, row, copy)
        found.append((copies[number + 2][0], row[0], original.co_code[row[0] : row[3]]))
        number = _check_copy(copies, number, row)
        end = copies[number][0] if number < len(copies) else size
        expected[copy >> 1 : end >> 1] = [before[row[0] >> 1]] * ((end - copy) >> 1)
        if any(place != positions[row[0] >> 1] for place in kept[copy >> 1 : end >> 1]):
            raise Rejected(f"the operator at {row[0]} has another position")
    if number != len(copies):
        raise Rejected("something follows the copies of operators")
    ordinals = {row[0]: place for place, row in enumerate(rows_of(original.co_code))}
    if moved != tuple((place, ordinals[at], at, what) for place, at, what in found):
        raise Rejected("the seal of the operators is another")
    prepared = _made(original, armed, body)
    if handlers_of(prepared.co_exceptiontable, size) != expected:
        raise Rejected("the copy of an operator has another handler")
    if kept[: len(positions)] != positions or any(place[0] for place in kept[size >> 1 :]):
        raise Rejected("a position changed")
    return prepared


def _claimed(original: CodeType, armed: CodeType) -> tuple[int, object]:
    """How long the code was before it had pads, and which operators its seal names."""
    seal = armed.co_consts[-2 - PAD_CONSTANTS]
    wanted = (
        KEPT, len(original.co_code), len(original.co_linetable), original.co_stacksize,
        original.co_exceptiontable,
    )  # fmt: skip
    if type(seal) is not tuple or len(seal) != len(wanted) + 1 or seal[:-1] != wanted:
        raise Rejected("the seal of the operators is another")
    if len(armed.co_consts) != len(original.co_consts) + 2 + PAD_CONSTANTS:
        raise Rejected("a constant was added")
    sealed = sealed_pads(armed)
    size = 0 if sealed is None else sealed[0]
    if not len(original.co_code) < size < len(armed.co_code) or size & 1:
        raise Rejected("the copies of operators are missing")
    return size, seal[-1]


def _made(original: CodeType, armed: CodeType, body: bytes) -> CodeType:
    """The code without pads; its handlers and lines are those that the seal tells, which ``gate``
    compares with those of the armed code."""
    sealed = sealed_pads(armed)
    assert sealed is not None
    _, lines, stack, table = sealed
    if stack != original.co_stacksize + 2:
        raise Rejected("the stack has no room for the copies of operands")
    return original.replace(
        co_code=body,
        co_consts=armed.co_consts[: -1 - PAD_CONSTANTS],
        co_exceptiontable=table,
        co_linetable=armed.co_linetable[:lines],
        co_stacksize=stack,
    )


def _check_lead(body: bytes, operator: Row, copy: int) -> None:
    """Check that the place of the operator only leads to its copy."""
    first, *others = rows_of(body[operator[0] : operator[3]])
    jump = first[3] + 2 * first[2] + operator[0]
    if NAMES[first[1]] != "JUMP_FORWARD" or jump != copy:
        raise Rejected(f"the operator at {operator[0]} is led to something else")
    if any(NAMES[row[1]] != "NOP" or row[2] for row in others):
        raise Rejected(f"the operator at {operator[0]} changed")


def _check_copy(rows: list[Row], number: int, operator: Row) -> int:
    form = forms.kept_operator(operator[2])
    number = forms.check(rows, number, form, "the copy of an operator").number
    row = rows[number] if number < len(rows) else None
    if row is None or NAMES[row[1]] != _BACK or target_of(row) != operator[3]:
        raise Rejected(f"the operator at {operator[0]} goes on elsewhere")
    return number + 1
