"""Keeping operands: an operator that crashed before, made so that a pad can see what it had.

An operator takes its operands from the stack, and when it fails they are gone. What plain loads
put there is read again; what a call gave is lost, and ``"age: " + age()`` cannot become text.
Where a patch says that such an operator crashes, it is led to a copy of itself that works on
copies (the stack is on the right, its top last)::

    site:   JUMP_FORWARD → kept                    left, right
            NOP…                                   (where its inline cache was)
    kept:   COPY 2; COPY 2                         left, right, left, right
            BINARY_OP                              left, right, result
            SWAP 3; POP_TOP; POP_TOP               result
            JUMP_BACKWARD_NO_INTERRUPT → behind the site

The copy stands behind the code, has the operator's position in the source and its handler, and is
armed like any other site; its pad hands the operands to the runtime. This is done with original
code, before it is armed, and only for sites that have a patch: no other code pays for it.
"""

from __future__ import annotations

from codesuture.surgery.arming import arm, disarm, is_armed, original_of
from codesuture.surgery.instructions import decode, read_table, write_table
from codesuture.surgery.lines import write_location
from codesuture.surgery.opcodes import NAMES, PLAIN_LOADS, SUBSCRIPT_OPERATOR
from codesuture.surgery.pads import assemble, jump_back
from codesuture.surgery.sealing import KEPT, kept_operators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from codesuture.surgery.instructions import Entry, Instruction

    Wanted = Callable[[CodeType], frozenset[int]]

_Code = type((lambda: None).__code__)
_BEFORE = assemble("COPY", 2) * 2
_BEHIND = assemble("SWAP", 3) + assemble("POP_TOP") * 2
_BACK_SIZE = 6  # reaches 32 MB


def keep_operands(code: CodeType, wanted: Wanted) -> CodeType:
    """Armed code in which the operators that ``wanted`` names keep their operands.

    ``wanted`` gets each original code object and gives ordinals of its instructions. Those that are
    no operators or need nothing kept are left as they are.
    """
    constants = tuple(
        keep_operands(constant, wanted) if type(constant) is _Code else constant
        for constant in code.co_consts
    )
    if any(new is not old for new, old in zip(constants, code.co_consts, strict=True)):
        code = code.replace(co_consts=constants)
    ordinals = wanted(original_of(code)) if is_armed(code) else frozenset()
    kept = keep(disarm(code), ordinals) if ordinals else None
    return code if kept is None else arm(kept)


def keep(code: CodeType, ordinals: frozenset[int]) -> CodeType | None:
    """Original code in which these operators keep their operands; None where none needs to."""
    instructions = decode(code.co_code)
    chosen = [number for number in sorted(ordinals) if _needs_keeping(instructions, number)]
    if not chosen:
        return None
    body, lines = bytearray(code.co_code), code.co_linetable
    entries = read_table(code.co_exceptiontable)
    positions = list(code.co_positions())
    moved: list[tuple[int, int, int, bytes]] = []
    added: list[Entry] = []
    for number in chosen:
        start, _, operator, argument, end = instructions[number]
        position = len(body)
        lead = _lead(end - start, position - start)
        if lead is None:
            continue
        moved.append((position + len(_BEFORE), number, start, code.co_code[start:end]))
        body[start:end] = lead
        copy = _BEFORE + assemble(NAMES[operator], argument) + _BEHIND
        copy += jump_back(position + len(copy), end, _BACK_SIZE)
        body += copy
        lines = write_location(
            lines, positions[start // 2], len(copy) // 2, code.co_firstlineno
        )
        for first, behind, *handler in entries:
            if first <= start < behind:
                added.append((position, len(body), *handler))  # type: ignore[arg-type]
    if not moved:
        return None
    seal = (
        KEPT, len(code.co_code), len(code.co_linetable), code.co_stacksize,
        code.co_exceptiontable, tuple(moved),
    )  # fmt: skip
    return code.replace(
        co_code=bytes(body),
        co_consts=(*code.co_consts, seal),
        co_exceptiontable=write_table(entries + added),
        co_linetable=lines,
        co_stacksize=code.co_stacksize + 2,
    )


def kept_in(code: CodeType) -> int:
    """How many operators keep their operands in armed code and all that is nested in it."""
    nested = (constant for constant in code.co_consts if type(constant) is _Code)
    return len(kept_operators(disarm(code))) + sum(kept_in(one) for one in nested)


#: Instructions that are added for each operator that keeps its operands: its copy, which takes the
#: place of the one that is left out, and what is around it; and the jump that leads there.
KEPT_INSTRUCTIONS: tuple[int, int] = (8, 1)


def _needs_keeping(instructions: list[Instruction], number: int) -> bool:
    """Whether it is an operator with an operand that no plain load put on the stack."""
    if not 1 < number < len(instructions):
        return False
    _, _, operator, argument, _ = instructions[number]
    if NAMES[operator] != "BINARY_OP" or argument == SUBSCRIPT_OPERATOR:
        return False
    loads = [NAMES[row[2]] in PLAIN_LOADS for row in instructions[number - 2 : number]]
    return not all(loads)


def _lead(size: int, distance: int) -> bytes | None:
    """A jump forward of ``size`` bytes over ``distance``; None where it is too far."""
    for length in (2, 4):
        jump = assemble("JUMP_FORWARD", (distance - length) >> 1)
        if len(jump) == length <= size:
            return jump + assemble("NOP") * ((size - length) // 2)
    return None
