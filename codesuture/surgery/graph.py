"""A second look at armed code, with other readers: the standard library's ``dis``, and the
control-flow graph of ``bytecode``.

It takes a hundred times as long as arming, and 40 ms for the import. So it is had once for each
form of pads (in the smallest code in which that occurs), and for all rewritten code; what was seen
is remembered (``gatekeeper``). The tests have it for everything.
"""

from __future__ import annotations

import dis
from types import CodeType

from bytecode import ConcreteBytecode, ControlFlowGraph

from codesuture.surgery.arming import disarm
from codesuture.surgery.reading import Rejected
from codesuture.surgery.sealing import is_reaching, kept_operators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: All that may have been added: nothing of it stores to a local or a name.
ALLOWED = frozenset({
    "PUSH_EXC_INFO", "POP_EXCEPT", "RERAISE", "COPY", "SWAP", "POP_TOP", "PUSH_NULL", "LOAD_CONST",
    "IMPORT_FROM", "PRECALL", "CALL", "UNPACK_SEQUENCE", "JUMP_FORWARD",
    "JUMP_BACKWARD_NO_INTERRUPT", "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE", "POP_JUMP_IF_TRUE",
    "LOAD_GLOBAL", "LOAD_NAME", "BUILD_TUPLE", "CONTAINS_OP", "CHECK_EXC_MATCH",
    "POP_JUMP_FORWARD_IF_NONE", "POP_JUMP_FORWARD_IF_NOT_NONE", "POP_JUMP_FORWARD_IF_TRUE",
})  # fmt: skip


def read_again(original: CodeType, armed: CodeType) -> None:
    """Check the stack depths, the handlers and the control flow of one armed code object (not of
    what is nested in it). Raises Rejected."""
    prepared = disarm(armed)
    copies = {
        copy: start
        for place, _, start, _ in kept_operators(prepared)
        for copy in _copied(prepared, place)
    }
    size = len(prepared.co_code)
    added = {row.opname for row in dis.get_instructions(armed) if row.offset >= size}
    added -= {"EXTENDED_ARG", "CACHE"}
    if not added <= ALLOWED:
        raise Rejected(f"pads must not have {', '.join(sorted(added - ALLOWED))}")
    _verify_handlers(original, armed, copies)
    _verify_depths(original, armed, copies)
    # The graph estimates depths; that does not do where a pad leads out of a loop, or behind a
    # neighbour of its own instructions.
    if not is_reaching(prepared):
        _verify_graph(armed)


def _copied(prepared: CodeType, place: int) -> list[int]:
    """The bytes of the copy of an operator; its operator stands at ``place``."""
    rows = [row for row in dis.get_instructions(prepared) if row.opname != "CACHE"]
    number = next(n for n, row in enumerate(rows) if row.offset >= place)
    last = number
    while rows[last].opname != "JUMP_BACKWARD_NO_INTERRUPT":
        last += 1
    return [row.offset for row in rows[number - 2 : last + 1]]


def _handlers(code: CodeType) -> dict[int, tuple[int, int, bool]]:
    """By code unit: the handler's offset, depth and whether it wants the instruction's offset."""
    found: dict[int, tuple[int, int, bool]] = {}
    for entry in dis._parse_exception_table(code):  # type: ignore[attr-defined]
        for offset in range(entry.start, entry.end, 2):
            if offset in found:
                raise Rejected(f"two handlers at {offset}")
            found[offset] = (entry.target, entry.depth, entry.lasti)
    return found


def _verify_handlers(original: CodeType, armed: CodeType, copies: dict[int, int]) -> None:
    """What is raised again by a pad must go where it went without one."""
    size = len(original.co_code)
    before, after = _handlers(original), _handlers(armed)
    reraises = [
        row.offset
        for row in dis.get_instructions(armed)
        if row.offset >= size and row.opname == "RERAISE"
    ]
    for offset, own in [*zip(*[range(0, size, 2)] * 2, strict=True), *copies.items()]:
        handler = after.get(offset)
        if handler == before.get(own):
            continue
        if handler is None or handler[0] < size or not handler[2]:
            raise Rejected(f"the handler at {offset} changed")
        pads = [handler[0]]
        pads += [after[handler[0] + 2][0]] if handler[0] + 2 in after else []  # a fault's
        for pad in pads:
            again = next((place for place in reraises if place >= pad), None)
            if again is None or after.get(again) != before.get(own):
                raise Rejected(f"the pad of {offset} raises again to another handler")


def _verify_depths(original: CodeType, armed: CodeType, copies: dict[int, int]) -> None:
    """The same depth on every way to an instruction, and none beyond the stack's size."""
    before = _depths(original, len(original.co_code))[0]
    begin = max(copies, default=len(original.co_code) - 2) + 2  # where the pads begin
    after, highest = _depths(armed, begin)
    for offset, depth in before.items():
        if after.get(offset) != depth:
            raise Rejected(f"the stack depth at {offset} changed")
    if highest > armed.co_stacksize:
        raise Rejected(f"the stack grows to {highest}, beyond {armed.co_stacksize}")

def _depths(code: CodeType, size: int) -> tuple[dict[int, int], int]:
    """The stack depth before each instruction, and the highest.

    It must be the same on every way to an instruction. Only what handles a fault in a pad, behind
    the first ``size`` bytes, may be entered with several depths, and may not lead back; and a
    pad may lead behind the next instruction, whose callee's exceptions enter it with less.
    """
    rows = [row for row in dis.get_instructions(code) if row.opname != "CACHE"]
    numbers = {row.offset: number for number, row in enumerate(rows)}
    found: dict[int, int] = {}
    highest = _follow(rows, numbers, 0, 0, found)
    table = dis._parse_exception_table(code)  # type: ignore[attr-defined]
    leaves: list[tuple[int, int, int]] = []
    for entry in sorted(table, key=lambda entry: entry.target >= size):
        depth = entry.depth + 1 + entry.lasti
        if entry.start < size or entry.target < size:
            own = None if entry.target < size else leaves
            highest = max(highest, _follow(rows, numbers, entry.target, depth, found, own))
            continue
        faults: dict[int, int] = {}
        highest = max(highest, _follow(rows, numbers, entry.target, depth, faults))
        if min(faults) < size:
            raise Rejected(f"the handling of a fault at {entry.target} leads back")
    _verify_leaves(table, leaves, found)
    return found, highest


def _verify_leaves(
    table: list[Any], leaves: list[tuple[int, int, int]], found: dict[int, int]
) -> None:
    """Check where pads lead back to: ``leaves`` has the pad, the place, and the depth there.

    Where the depth is another one, the pad must lead back for the
    instruction behind one of its own, and put there as many values as that one's own pad does.
    """
    depths = {entry.target: entry.depth for entry in table}
    pushed = {(pad, place): depth - depths[pad] for pad, place, depth in leaves}
    own = {(entry.end, entry.target) for entry in table}
    for pad, place, depth in leaves:
        if depth == found.get(place):
            continue
        besides = (entry for entry in table if entry.target != pad and (entry.start, pad) in own)
        if not any(
            entry.depth + pushed[pad, place] == found.get(place)
            and pushed.get((entry.target, place)) == pushed[pad, place]
            for entry in besides
        ):
            raise Rejected(f"stack depths meet at {place}")


def _follow(
    rows: list[dis.Instruction],
    numbers: dict[int, int],
    first: int,
    depth: int,
    found: dict[int, int],
    leaves: list[tuple[int, int, int]] | None = None,
) -> int:
    """Note the depths on all ways from ``first``; gives the highest.

    Of a pad, ``leaves`` gets where it leads back to, and with which depth; nothing is followed
    there.
    """
    work = [(first, depth)]
    while work:
        offset, depth = work.pop()
        number = numbers[offset]
        while number < len(rows):
            row = rows[number]
            if depth < 0:
                raise Rejected(f"the stack is empty at {row.offset}")
            if found.setdefault(row.offset, depth) != depth:
                raise Rejected(f"stack depths {found[row.offset]}, {depth} meet at {row.offset}")
            ends, target = _flow(row)
            if leaves is not None and target is not None and target < first:
                leaves.append((first, target, depth + _effect(row, True)))
                break
            if target is not None and target not in found:
                work.append((target, depth + _effect(row, True)))
            elif target is not None and found[target] != depth + _effect(row, True):
                raise Rejected(f"stack depths meet at {target}")
            if ends or (number + 1 < len(rows) and rows[number + 1].offset in found):
                following = depth + _effect(row, False)
                if not ends and found[rows[number + 1].offset] != following:
                    raise Rejected(f"stack depths meet at {rows[number + 1].offset}")
                break
            depth += _effect(row, False)
            number += 1
    return max(found.values(), default=0)


_ENDS = frozenset({
    "RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS", "JUMP_FORWARD", "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT", "INTERPRETER_EXIT",
})  # fmt: skip


def _flow(row: dis.Instruction) -> tuple[bool, int | None]:
    """Whether the next instruction is not reached, and the offset of a jump."""
    jumps = row.opcode in dis.hasjrel and row.opname != "END_ASYNC_FOR"
    return row.opname in _ENDS, row.argval if jumps else None


def _effect(row: dis.Instruction, jump: bool) -> int:
    if row.opname == "RETURN_GENERATOR":  # dis says 0 before 3.13; resumed, it has pushed a value
        return 1
    if row.opname == "EXTENDED_ARG":
        return 0
    return dis.stack_effect(row.opcode, row.arg, jump=jump)


def _verify_graph(armed: CodeType) -> None:
    """The control-flow graph of ``bytecode`` must be one that never takes from an empty stack.

    Its size is an estimate for handlers (the least depth inside their region, not the table's),
    so the size itself is checked by ``_verify_depths``. It cannot follow a jump
    from one protected region into another that shares its handler, and says so by an assertion.
    """
    try:
        graph = ControlFlowGraph.from_bytecode(ConcreteBytecode.from_code(armed).to_bytecode())
        graph.compute_stacksize(check_pre_and_post=True)
    except AssertionError:
        return
    except (RuntimeError, ValueError) as error:
        raise Rejected(f"its control-flow graph does not fit: {error}") from error
