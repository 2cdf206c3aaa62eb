"""Reading bytecode: instructions, exception tables, stack depths. Writing exception tables.

Runs at interpreter start and on every module that is armed: plain tuples, no imports.
"""

from __future__ import annotations

from codesuture.surgery.opcodes import CACHES, EXTENDED_ARG, JUMPS, TERMINATES, stack_effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

    #: start (with its EXTENDED_ARGs), offset of the opcode, opcode, argument, end (behind cache)
    Instruction = tuple[int, int, int, int, int]
    #: start, end, target, depth, lasti: all offsets in bytes
    #: (``Objects/exception_handling_notes.txt``)
    Entry = tuple[int, int, int, int, bool]


def decode(bytecode: bytes) -> list[Instruction]:
    """The instructions of ``co_code``: ``(start, offset, opcode, argument, end)``, in bytes."""
    instructions: list[Instruction] = []
    append = instructions.append
    caches = CACHES
    position, start, extended = 0, -1, 0
    size = len(bytecode)
    while position < size:
        code = bytecode[position]
        argument = bytecode[position + 1] | extended
        if start < 0:
            start = position
        if code == EXTENDED_ARG:
            extended = argument << 8
            position += 2
            continue
        end = position + 2 + 2 * caches[code]
        append((start, position, code, argument, end))
        position, start, extended = end, -1, 0
    return instructions


def jump_target(instruction: Instruction) -> int:
    """The offset that a jump goes to (its argument counts code units from behind the cache)."""
    _, _, code, argument, end = instruction
    return end + 2 * argument * JUMPS[code]


def read_table(table: bytes) -> list[Entry]:
    """The entries of ``co_exceptiontable`` (``Objects/exception_handling_notes.txt``)."""
    entries: list[Entry] = []
    numbers = _varints(table)
    for start in numbers:
        length, target, depth = next(numbers), next(numbers), next(numbers)
        entries.append(
            (2 * start, 2 * (start + length), 2 * target, depth >> 1, bool(depth & 1))
        )
    return entries


def _varints(table: bytes) -> Iterator[int]:
    value = 0
    for byte in table:
        value = value << 6 | byte & 63
        if not byte & 64:
            yield value
            value = 0


def write_table(entries: Iterable[Entry]) -> bytes:
    """``co_exceptiontable`` for entries that are sorted and do not overlap."""
    table = bytearray()
    for start, end, target, depth, lasti in entries:
        first = len(table)
        for value in (start >> 1, (end - start) >> 1, target >> 1, depth << 1 | lasti):
            if value < 64:
                table.append(value)
            else:
                _write_varint(table, value)
        table[first] |= 128  # marks the beginning of an entry, for the interpreter's binary search
    return bytes(table)


def _write_varint(table: bytearray, value: int) -> None:
    shift = 6
    while value >> shift + 6:
        shift += 6
    while shift:
        table.append(value >> shift & 63 | 64)
        shift -= 6
    table.append(value & 63)


def stack_depths(instructions: list[Instruction], entries: list[Entry]) -> dict[int, int]:
    """Stack depth before each instruction that can be reached, by its start offset."""
    following = {row[0]: number for number, row in enumerate(instructions)}
    depths: dict[int, int] = {}
    work = [(0, 0)]
    # A handler starts with the exception, and beneath it the offset where lasti is asked for.
    work += [(target, depth + 1 + lasti) for _, _, target, depth, lasti in entries]
    count = len(instructions)
    while work:
        offset, depth = work.pop()
        number = following[offset]
        while number < count:
            instruction = instructions[number]
            start, _, code, argument, _ = instruction
            if start in depths:
                break
            depths[start] = depth
            if JUMPS[code]:
                work.append(
                    (jump_target(instruction), depth + stack_effect(code, argument, True))
                )
            if TERMINATES[code]:
                break
            depth += stack_effect(code, argument, False)
            number += 1
    return depths


def instruction_at(code: CodeType, offset: int) -> int | None:
    """The ordinal of the instruction that covers the byte ``offset``, or None."""
    for ordinal, (start, _, _, _, end) in enumerate(decode(code.co_code)):
        if start <= offset < end:
            return ordinal
    return None
