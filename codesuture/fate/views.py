"""Code as the analysis reads it: instructions, handlers, and the symbols on the stack.

One view per code object, kept; no frame is needed.
"""

from __future__ import annotations

from bisect import bisect_right

from codesuture.fate.stacks import StackPass
from codesuture.surgery.arming import disarm
from codesuture.surgery.instructions import decode, read_table
from codesuture.surgery.opcodes import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from codesuture.fate.symbols import Stack, Symbol
    from codesuture.surgery.instructions import Entry


class CodeView:
    """One original code object: instructions, handlers, and the symbols on its stack."""

    __slots__ = ("_stacks", "code", "entries", "instructions", "starts")

    def __init__(self, code: CodeType) -> None:
        self.code = disarm(code)
        self.instructions = decode(self.code.co_code)
        self.entries = read_table(self.code.co_exceptiontable)
        self.starts = [row[0] for row in self.instructions]
        self._stacks: list[Stack | None] | None = None

    def ordinal(self, offset: int) -> int | None:
        """The instruction that covers the byte ``offset``."""
        number = bisect_right(self.starts, offset) - 1
        if number < 0 or offset >= self.instructions[number][4]:
            return None
        return number

    def cover(self, offset: int) -> Entry | None:
        """The handler for exceptions at the byte ``offset``."""
        for entry in self.entries:
            if entry[0] <= offset < entry[1]:
                return entry
        return None

    def handler(self, offset: int, stack: Stack) -> tuple[int, Stack] | None:
        """Where an exception at ``offset`` leads with ``stack``: an instruction and its stack."""
        entry = self.cover(offset)
        number = self.ordinal(entry[2]) if entry is not None else None
        if entry is None or number is None:
            return None
        target, depth, lasti = entry[2:]
        kept = stack[:depth] + (None,) * (depth - len(stack))
        return number, kept + (None,) * lasti + (("exc", target),)

    def body_of(self, target: int) -> tuple[Symbol, set[Symbol]]:
        """The ``with`` body whose handler is at ``target``: the variable behind ``as``, if any,
        and the variables that are bound in the body. One that is deleted there and still has a
        value has not been deleted yet."""
        first = next((entry[0] for entry in self.entries if entry[2] == target), -1)
        name: Symbol = None
        bound: set[Symbol] = set()
        for start, _, op, argument, _ in self.instructions:
            names = bound_names(self, NAMES[op], argument)
            if names and self._leads_to(start, target):
                if start == first:
                    name = names.pop(0)
                if not NAMES[op].startswith("DELETE"):
                    bound.update(names)
        return name, bound

    def _leads_to(self, offset: int, target: int) -> bool:
        """Whether an exception at ``offset`` that nobody else handles comes to ``target``."""
        entry = self.cover(offset)
        for _ in self.entries:
            if entry is None or entry[2] == target:
                break
            entry = self.cover(entry[2])
        return entry is not None and entry[2] == target

    def behind(self, number: int, stack: Stack, jumps: bool) -> Stack:
        """The stack behind an instruction that finds ``stack``."""
        _, _, op, argument, _ = self.instructions[number]
        return StackPass(self).effect(op, argument, stack, jumps)

    @property
    def stacks(self) -> list[Stack | None]:
        """The stack before each instruction, None for those that cannot be reached."""
        if self._stacks is None:
            self._stacks = StackPass(self).run()
        return self._stacks


_views: dict[int, tuple[CodeType, CodeView]] = {}
_MOST_VIEWS = 2000


def view_of(code: CodeType) -> CodeView:
    """The view of ``code``, which may be armed; kept by identity (hashing code is slow)."""
    kept = _views.get(id(code))
    if kept is not None and kept[0] is code:
        return kept[1]
    if len(_views) >= _MOST_VIEWS:
        _views.clear()
    view = CodeView(code)
    _views[id(code)] = (code, view)
    return view


def bound_names(view: CodeView, name: str, argument: int) -> list[Symbol]:
    """The variables that a STORE or DELETE instruction binds; the top of the stack goes first."""
    local: Callable[[int], str] = view.code._varname_from_oparg  # type: ignore[attr-defined]
    if name in ("STORE_FAST", "DELETE_FAST"):
        return [("local", local(argument))]
    if name == "STORE_FAST_LOAD_FAST":
        return [("local", local(argument >> 4))]
    if name == "STORE_FAST_STORE_FAST":
        return [("local", local(argument >> 4)), ("local", local(argument & 15))]
    if name in ("STORE_DEREF", "DELETE_DEREF"):
        return [("free", local(argument))]
    if name in ("STORE_NAME", "DELETE_NAME"):
        return [("name", view.code.co_names[argument])]
    if name in ("STORE_GLOBAL", "DELETE_GLOBAL"):
        return [("global", view.code.co_names[argument])]
    return []
