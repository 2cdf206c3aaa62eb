"""How the operands of a site were computed: the code before it, run on expressions.

The run starts at the nearest place before the site where none of its operands was on the stack
yet, so it costs what the expression costs, not what the function does.
"""

from __future__ import annotations

from codesuture.diagnosis.expression import UNKNOWN, Collection, Expression
from codesuture.diagnosis.listing import Listing, listing_of
from codesuture.diagnosis.machine import (
    Machine,
    call,
    keyword_names,
    super_call,
    unpacked_call,
)
from codesuture.surgery.opcodes import JUMPS, NAMES, TERMINATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.surgery.sites import Site


#: By opcode: COPY and SWAP.
MOVES: list[bool] = [name in ("COPY", "SWAP") for name in NAMES]


class Operands:
    """What a site worked on: see ``operands_of`` for the order. ``keywords`` are a call's."""

    __slots__ = ("expressions", "keywords")

    def __init__(
        self, expressions: list[Expression], keywords: dict[str, Expression] | None = None
    ) -> None:
        self.expressions = expressions
        self.keywords = keywords or {}


#: By code's address and site: the code, which keeps the address its own, and its operands.
_known: dict[tuple[int, int], tuple[CodeType, Operands]] = {}
_MOST_KNOWN = 4096


def operands_of(code: CodeType, site: Site) -> Operands:
    """How the site's operands were computed, the deepest on the stack first; worked out once.

    A call's are the function and its positional arguments; ``with`` has the manager; a slice is
    one operand, the key; attributes have the object only (and first the value, when
    storing). Never raises: what cannot be told is ``UNKNOWN``.
    """
    place = (id(code), site.ordinal)
    known = _known.get(place)
    if known is not None and known[0] is code:
        return known[1]
    try:
        listing = listing_of(code)
        machine = machine_before(listing, site.ordinal, site.depth)
        found = arrange(site, machine)
    except Exception:  # diagnosis must not be what a program dies of
        found = Operands([UNKNOWN] * max(site.operands, 1))
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[place] = code, found
    return found


def arrange(site: Site, machine: Machine) -> Operands:
    """The operands on top of the machine's stack, in the order that ``operands_of`` promises."""
    values = machine.take(site.operands)
    operation = site.operation
    if operation == "call":
        return _call_operands(site, values, machine.keywords)
    if operation in ("slice", "store_slice"):
        return Operands([*values[:-2], Collection("slice", values[-2:])])
    if operation == "load_super_attribute":
        return Operands([super_call(values, site.argument)])
    if operation in ("enter", "enter_async"):
        return Operands(values[:1])
    return Operands(values)


def _call_operands(site: Site, values: list[Expression], keywords: tuple[str, ...]) -> Operands:
    if NAMES[site.code] == "CALL_FUNCTION_EX":
        made = unpacked_call(values)
    else:
        if NAMES[site.code] == "CALL_KW":
            keywords = keyword_names(values.pop())
        deeper, upper, *arguments = values
        made = call(deeper, upper, arguments, keywords)
    return Operands([made.function, *made.arguments], made.keywords)


def machine_before(listing: Listing, ordinal: int, floor: int) -> Machine:
    """The machine just before the instruction, knowing what was pushed above ``floor`` values."""
    return _run(listing, start_of(listing, ordinal, floor), ordinal)


def start_of(listing: Listing, ordinal: int, floor: int) -> int:
    """The nearest instruction from which all ways to ``ordinal`` go that matter to its operands.

    The stack is not deeper than ``floor`` there, no forward jump from before it leads in
    between, and nothing in between copies or moves a value from further below.
    """
    first = _closed_start(listing, ordinal, floor)
    while True:
        base = listing.depths[first] or 0
        reached = _lowest_moved(listing, first, ordinal)
        if reached >= base:
            return first
        first = _closed_start(listing, first, reached)


def _closed_start(listing: Listing, ordinal: int, floor: int) -> int:
    first = checked = ordinal
    depths, sources = listing.depths, listing.sources
    while True:
        while first > 0:
            depth = depths[first]
            if depth is not None and depth <= floor:
                break
            first -= 1
        earliest = first
        while checked > first:
            for source in sources.get(checked, ()):
                earliest = min(earliest, source)
            checked -= 1
        if earliest == first:
            return first
        first = earliest


def _lowest_moved(listing: Listing, first: int, last: int) -> int:
    """The lowest place of the stack that COPY and SWAP reach."""
    lowest = listing.depths[first] or 0
    for ordinal in range(first, last):
        _, _, code, argument, _ = listing.instructions[ordinal]
        depth = listing.depths[ordinal]
        if MOVES[code] and depth is not None:
            lowest = min(lowest, max(depth - argument, 0))
    return lowest


def _run(listing: Listing, first: int, last: int) -> Machine:
    """Run straight through from ``first`` to before ``last``, joining where jumps lead."""
    machine = Machine(listing, [])
    arriving: dict[int, list[Expression]] = {}
    reached = True
    _settle(machine, first, None, reached)
    for ordinal in range(first, last):
        code = listing.instructions[ordinal][2]
        if reached and JUMPS[code] > 0:
            target = listing.target(ordinal)
            if target <= last:
                arriving[target] = _join(arriving.get(target), machine.jump(ordinal))
        if reached:
            machine.step(ordinal)
            reached = not TERMINATES[code]
        reached = _settle(machine, ordinal + 1, arriving.pop(ordinal + 1, None), reached)
    return machine


def _settle(
    machine: Machine, ordinal: int, arrived: list[Expression] | None, reached: bool
) -> bool:
    """Make the stack what it is before ``ordinal``; False when that cannot be reached."""
    depth = machine.listing.depths[ordinal]
    if depth is None:
        return False
    if arrived is not None:
        machine.stack = _join(machine.stack if reached else None, arrived)
        reached = True
    if not reached or len(machine.stack) != depth:
        machine.stack = [UNKNOWN] * depth
    return True


def _join(one: list[Expression] | None, other: list[Expression]) -> list[Expression]:
    if one is None or len(one) != len(other):
        return other
    return [left if left is right else UNKNOWN for left, right in zip(one, other, strict=True)]
