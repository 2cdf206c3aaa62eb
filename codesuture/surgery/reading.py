"""The gate's own reader of code objects: instructions, handlers by code unit, stack depths, lines.

Whatever arms has a reader of its own (``surgery.instructions``); the two share the tables of
version facts and nothing else, so that a mistake in one does not check itself.
"""

from __future__ import annotations

from opcode import stack_effect

from codesuture.surgery.opcodes import CACHES, EXTENDED_ARG, JUMPS, NAMES, OPMAP, TERMINATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    #: start (with its EXTENDED_ARGs), opcode, argument, end (behind its inline cache)
    Row = tuple[int, int, int, int]
    #: target, depth, lasti
    Handler = tuple[int, int, bool]


class Rejected(ValueError):
    """Armed code that is not what it should be; the text says why, as the end of a sentence."""


def rows_of(body: bytes, first: int = 0) -> list[Row]:
    """The instructions from ``first`` on, whose inline caches must be empty there."""
    rows: list[Row] = []
    place, start, high, size = first, first, 0, len(body)
    while place < size:
        number, low = body[place], body[place + 1]
        place += 2
        if number == EXTENDED_ARG:
            high = (high | low) << 8
            continue
        units = CACHES[number]
        if units:
            if first and body[place : place + 2 * units].strip(b"\0"):
                raise Rejected(f"the inline cache at {place} is not empty")
            place += 2 * units
        if not NAMES[number] or place > size:
            raise Rejected(f"the instruction at {start} is none")
        rows.append((start, number, high | low, place))
        start, high = place, 0
    if start != size:
        raise Rejected("an instruction has no end")
    return rows


def target_of(row: Row) -> int:
    """Where a jump goes to."""
    return row[3] + 2 * JUMPS[row[1]] * row[2]


def handlers_of(table: bytes, size: int) -> list[Handler | None]:
    """The handler of each of the ``size`` bytes' code units.

    Entries must be sorted and apart: the interpreter looks for them by bisection
    (``Objects/exception_handling_notes.txt``).
    """
    found: list[Handler | None] = [None] * (size >> 1)
    place, behind, end = 0, 0, len(table)
    while place < end:
        if not table[place] & 128:
            raise Rejected("the exception table is damaged")
        numbers = []
        for first in (True, False, False, False):
            value, more = 0, True
            while more:
                if place >= end or bool(table[place] & 128) != first:
                    raise Rejected("the exception table is damaged")
                value, more, first = value << 6 | table[place] & 63, bool(table[place] & 64), False
                place += 1
            numbers.append(value)
        start, length, target, depth = numbers
        if start < behind or not length or start + length > size >> 1 or target >= size >> 1:
            raise Rejected("the entries of the exception table overlap, or lead nowhere")
        behind = start + length
        found[start:behind] = [(2 * target, depth >> 1, bool(depth & 1))] * length
    return found


def depths_of(rows: list[Row], handlers: list[Handler | None]) -> dict[int, int]:
    """The stack depth before each instruction that is reached; the same on every way there."""
    numbers = {row[0]: number for number, row in enumerate(rows)}
    found: dict[int, int] = {}
    work = [(0, 0)]
    for handler in dict.fromkeys(handlers):
        if handler is not None:
            work.append((handler[0], handler[1] + 1 + handler[2]))
    while work:
        offset, depth = work.pop()
        number = numbers.get(offset, -1)
        if number < 0:
            raise Rejected(f"something leads into the middle of an instruction at {offset}")
        while offset not in found:
            found[offset] = depth
            row = rows[number]
            _, opcode, argument, end = row
            if JUMPS[opcode]:
                work.append((target_of(row), depth + effect(opcode, argument, True)))
            if TERMINATES[opcode]:
                break
            depth += effect(opcode, argument, False)
            offset, number = end, number + 1
            if number == len(rows):
                break
        else:
            if found[offset] != depth:
                raise Rejected(f"stack depths {found[offset]} and {depth} meet at {offset}")
    return found


_effects: dict[tuple[int, int, bool], int] = {}


def effect(opcode: int, argument: int, jump: bool) -> int:
    """How many values an instruction adds to the stack, as the interpreter's own table says."""
    key = (opcode, argument, jump)
    if key not in _effects:
        if opcode == OPMAP["RETURN_GENERATOR"]:  # resumed, it has pushed a value; 0 up to 3.12
            _effects[key] = 1
        else:
            try:
                _effects[key] = stack_effect(opcode, argument, jump=jump)
            except ValueError:  # it takes no argument
                _effects[key] = stack_effect(opcode, None, jump=jump)
    return _effects[key]


def check_no_location(lines: bytes, units: int) -> None:
    """Check that a line table's end gives so many code units no location
    (``Objects/locations.md``: kind 15, which has no bytes of its own)."""
    counted = 0
    for byte in lines:
        if byte & 0b11111000 != 0b11111000:
            raise Rejected("a pad has a line")
        counted += (byte & 7) + 1
    if counted != units:
        raise Rejected("the line table ends elsewhere than the code")


def same_constants(
    before: tuple[object, ...], after: tuple[object, ...], code: type[CodeType]
) -> None:
    """Check that all constants that are no code are the same."""
    for old, new in zip(before, after, strict=False):
        if old is new or (type(old) is code and type(new) is code):
            continue
        if type(old) is not type(new) or repr(old) != repr(new):
            raise Rejected("a constant changed")
