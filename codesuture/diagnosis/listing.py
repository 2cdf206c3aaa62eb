"""Decoded code: what diagnosis asks of a code object again and again, worked out once."""

from __future__ import annotations

from bisect import bisect_right

from codesuture.surgery.arming import disarm
from codesuture.surgery.instructions import decode, jump_target, read_table, stack_depths
from codesuture.surgery.opcodes import JUMPS, NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.surgery.instructions import Instruction

_KEPT = 64
_recent: dict[int, tuple[CodeType, Listing]] = {}

_FAST = frozenset({"LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK", "LOAD_DEREF"})
_FAST_PAIRS = frozenset({"LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"})
_STORE_FAST = frozenset({"STORE_FAST", "STORE_DEREF", "DELETE_FAST", "DELETE_DEREF"})
_STORE_NAME = frozenset({"STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL"})


class Listing:
    """The instructions of original (not armed) code, by ordinal.

    ``variables`` are the names of the fast locals in the order of the frame's slots, ``cells``
    those that nested functions share; ``sources`` gives the ordinals of the jumps to an ordinal.
    """

    __slots__ = ("cells", "code", "depths", "instructions", "ordinals", "sources", "variables")

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.instructions: list[Instruction] = decode(code.co_code)
        by_start = stack_depths(self.instructions, read_table(code.co_exceptiontable))
        #: the stack depth before each instruction, None where it cannot be reached
        self.depths: list[int | None] = [by_start.get(row[0]) for row in self.instructions]
        self.ordinals: dict[int, int] = {
            row[0]: ordinal for ordinal, row in enumerate(self.instructions)
        }
        self.sources: dict[int, list[int]] = {}
        for ordinal, row in enumerate(self.instructions):
            if JUMPS[row[2]]:
                self.sources.setdefault(self.ordinals[jump_target(row)], []).append(ordinal)
        # A cell that is also a parameter keeps the parameter's slot (Objects/codeobject.c).
        names = code.co_varnames
        own = tuple(name for name in code.co_cellvars if name not in names)
        self.variables: tuple[str, ...] = names + own + code.co_freevars
        self.cells: frozenset[str] = frozenset(code.co_cellvars + code.co_freevars)

    def ordinal_at(self, offset: int) -> int | None:
        """The ordinal of the instruction that covers the byte ``offset``, or None."""
        ordinal = bisect_right(self.instructions, offset, key=lambda row: row[0]) - 1
        found = ordinal >= 0 and offset < self.instructions[ordinal][4]
        return ordinal if found else None

    def target(self, ordinal: int) -> int:
        """The ordinal that the jump at ``ordinal`` goes to."""
        return self.ordinals[jump_target(self.instructions[ordinal])]

    def opcode(self, ordinal: int) -> str:
        """The name of the instruction."""
        return NAMES[self.instructions[ordinal][2]]

    def line(self, ordinal: int) -> int:
        """The source line of an instruction, 0 where the code does not tell."""
        offset = self.instructions[ordinal][1]
        for start, end, line in self.code.co_lines():
            if start <= offset < end:
                return line or 0
        return 0

    def loads(self, ordinal: int) -> tuple[str, ...]:
        """The variables that the instruction pushes, in their order."""
        _, _, code, argument, _ = self.instructions[ordinal]
        name = NAMES[code]
        if name in _FAST:
            return (self.variables[argument],)
        if name in _FAST_PAIRS:
            return self.variables[argument >> 4], self.variables[argument & 15]
        if name == "STORE_FAST_LOAD_FAST":
            return (self.variables[argument & 15],)
        if name == "LOAD_NAME":
            return (self.code.co_names[argument],)
        return (self.code.co_names[argument >> 1],) if name == "LOAD_GLOBAL" else ()

    def stores(self, ordinal: int) -> tuple[str, ...]:
        """The variables that the instruction binds or deletes, the stack's top first."""
        _, _, code, argument, _ = self.instructions[ordinal]
        name = NAMES[code]
        if name in _STORE_FAST:
            return (self.variables[argument],)
        if name == "STORE_FAST_STORE_FAST":
            return self.variables[argument >> 4], self.variables[argument & 15]
        if name == "STORE_FAST_LOAD_FAST":
            return (self.variables[argument >> 4],)
        return (self.code.co_names[argument],) if name in _STORE_NAME else ()


def listing_of(code: CodeType) -> Listing:
    """The listing of the code without its pads; those used lately are kept."""
    known = _recent.get(id(code))
    if known is not None:
        return known[1]
    if len(_recent) >= _KEPT:
        _recent.clear()
    listing = Listing(disarm(code))
    # The entry holds the code, so its id stays its own as long as the entry is there.
    _recent[id(code)] = (code, listing)
    return listing
