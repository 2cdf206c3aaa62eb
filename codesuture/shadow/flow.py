"""Where a value goes in one code object: what each instruction does with a followed value.

The abstract machine of the diagnosis runs one instruction at a time, on a stack in which a mark
stands for the value. What the instruction leaves is followed on if it is made of the mark.
"""

from __future__ import annotations

from codesuture.diagnosis.consumers import _statement_floor
from codesuture.diagnosis.expression import (
    NULL,
    UNKNOWN,
    Attribute,
    Binary,
    Call,
    Collection,
    Expression,
    Formatted,
    Local,
    Subscript,
    Unary,
)
from codesuture.diagnosis.listing import Listing, listing_of
from codesuture.diagnosis.machine import Machine
from codesuture.diagnosis.operands import machine_before
from codesuture.diagnosis.uses import Mark
from codesuture.shadow.reached import CallUse, Reach
from codesuture.surgery.arming import disarm
from codesuture.surgery.instructions import read_table
from codesuture.surgery.opcodes import (
    CALL_SEQUENCE,
    JUMPS,
    REPLACES,
    RUNNING_SITES,
    TERMINATES,
    stack_effect,
)
from codesuture.surgery.sealing import release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.surgery.instructions import Entry

    #: Which slots of the stack hold the value, the deepest first; and which variables.
    Held = tuple[tuple[bool, ...], frozenset[str]]

MARK = Mark()
NOTHING: frozenset[str] = frozenset()

_CALLS = frozenset({*CALL_SEQUENCE, "CALL_KW", "CALL_FUNCTION_EX"})
#: Operators whose answer says something about the value, and is not made of it.
_ABOUT = frozenset({
    "<", "<=", "==", "!=", ">", ">=", "is", "is not", "in", "not in", "not", "bool",
})  # fmt: skip
#: Instructions whose results are made of what they take.
_DERIVING = frozenset({
    "ASYNC_GEN_WRAP", "BEFORE_ASYNC_WITH", "BEFORE_WITH", "BUILD_INTERPOLATION", "BUILD_LIST",
    "BUILD_MAP", "BUILD_SET", "BUILD_STRING", "BUILD_TEMPLATE", "BUILD_TUPLE",
    "BUILD_CONST_KEY_MAP", "CALL_INTRINSIC_1", "GET_AITER", "GET_ANEXT", "GET_AWAITABLE",
    "GET_ITER", "GET_YIELD_FROM_ITER", "LIST_TO_TUPLE", "LOAD_SPECIAL", "MAKE_FUNCTION",
    "MATCH_CLASS", "MATCH_KEYS", "SET_FUNCTION_ATTRIBUTE", "UNPACK_EX", "UNPACK_SEQUENCE",
})  # fmt: skip
#: Instructions that put what they take into a display further down.
_ADDING = frozenset({
    "LIST_APPEND", "SET_ADD", "MAP_ADD", "LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE", "DICT_MERGE",
})  # fmt: skip
#: What may run without being told of: the beginning of a resumed generator, the end of a loop.
_UNTOLD = frozenset({"RESUME", "END_FOR", "POP_TOP", "POP_ITER", "NOP", "NOT_TAKEN", "END_SEND"})
_OPTIMIZED = 1  # inspect.CO_OPTIMIZED
_ASYNC = 0x280  # inspect.CO_COROUTINE | CO_ASYNC_GENERATOR


class Flow:
    """One code object: its listing, its handlers, and which variables are read later."""

    __slots__ = ("_live", "_machines", "_parameters", "_pushed", "entries", "listing", "size")

    def __init__(self, code: CodeType) -> None:
        # Operators that keep their operands stand elsewhere; the original has them in their place.
        self.listing: Listing = listing_of(release(disarm(code)))
        original = self.listing.code
        self.size = len(original.co_code)
        self.entries: list[Entry] = read_table(original.co_exceptiontable)
        count = original.co_argcount + original.co_kwonlyargcount
        count += bool(original.co_flags & 4) + bool(original.co_flags & 8)
        self._parameters = frozenset(original.co_varnames[:count])
        self._machines: dict[int, Machine] = {}
        self._live: list[frozenset[str]] | None = None

    # What an instruction is

    def begins_call(self, ordinal: int) -> bool:
        """Whether a call begins there, with all its operands on the stack (on 3.11 at PRECALL)."""
        name = self.listing.opcode(ordinal)
        return name in _CALLS and name not in CALL_SEQUENCE[1:]

    def ends_call(self, ordinal: int) -> bool:
        """Whether a call has been made behind the instruction (on 3.11 behind CALL)."""
        name = self.listing.opcode(ordinal)
        return name in _CALLS and name not in CALL_SEQUENCE[:-1]

    def returns(self, ordinal: int) -> bool:
        """Whether the function ends there with what is on top of the stack."""
        return self.listing.opcode(ordinal) == "RETURN_VALUE"

    def yields(self, ordinal: int) -> bool:
        """Whether it gives what is on top of the stack to who iterates; ``await`` does not."""
        if self.listing.opcode(ordinal) != "YIELD_VALUE":
            return False
        if not self.listing.code.co_flags & _ASYNC:
            return True
        earlier = self.listing.opcode(ordinal - 1) if ordinal else ""
        return earlier in ("ASYNC_GEN_WRAP", "CALL_INTRINSIC_1")

    def call_at(self, ordinal: int, held: tuple[bool, ...]) -> Call | None:
        """The call, in which a mark stands for what holds the value; None if nothing does."""
        machine = self.marked(ordinal, held)
        depth = len(machine.stack)
        machine.step(ordinal)
        made = next((part for part in reversed(machine.stack) if part is not NULL), UNKNOWN)
        if type(made) is Call and len(machine.stack) <= depth and mentions(made):
            return made
        return None

    def marked(self, ordinal: int, held: tuple[bool, ...]) -> Machine:
        """The machine just before the instruction, with marks for what holds the value."""
        known = self.plain(ordinal)
        machine = Machine(self.listing, list(known.stack))
        machine.keywords = known.keywords
        for place, (part, holds) in enumerate(zip(known.stack, held, strict=False)):
            if holds and part is not NULL:
                machine.stack[place] = MARK
        return machine

    def plain(self, ordinal: int) -> Machine:
        """The machine just before the instruction, as the code before it tells; not to be run."""
        known = self._machines.get(ordinal)
        if known is None:
            listing = self.listing
            known = machine_before(listing, ordinal, _statement_floor(listing, ordinal))
            self._machines[ordinal] = known
        return known

    # What it does

    def after(
        self, ordinal: int, held: Held, following: int, use: CallUse | None
    ) -> tuple[Held, list[Reach]] | None:
        """What holds the value when ``following`` comes after ``ordinal``, and what it has reached;
        None where that cannot come after it. ``use`` is what a call does with it."""
        listing = self.listing
        code = listing.instructions[ordinal][2]
        if following == ordinal + 1 and not TERMINATES[code]:
            return self.step(ordinal, held, use)
        if JUMPS[code] and following == listing.target(ordinal):
            return self.jump(ordinal, held), []
        caught = self._caught(ordinal, held, following)
        if caught is not None:
            return caught, []
        return self._skipping(ordinal, held, following, use)

    def step(self, ordinal: int, held: Held, use: CallUse | None) -> tuple[Held, list[Reach]]:
        """What holds the value behind the instruction, and what it has reached."""
        listing = self.listing
        stack, names = held
        machine = self.marked(ordinal, stack)
        before = list(machine.stack)
        machine.step(ordinal)
        reached, put_into = self._reached(ordinal, before, use)
        names = self._stored(ordinal, before, names, put_into)
        after = [carries(part, use) for part in machine.stack]
        self._derive(ordinal, before, after)
        self._load(ordinal, machine.stack, after, names)
        if listing.opcode(ordinal) == "LOAD_FAST_AND_CLEAR":
            names -= {listing.variables[listing.instructions[ordinal][3]]}
        return self.fit(after, names, ordinal + 1), reached

    def jump(self, ordinal: int, held: Held) -> Held:
        """What holds the value where the jump goes to."""
        listing = self.listing
        stack, names = held
        machine = self.marked(ordinal, stack)
        after = [carries(part) for part in machine.jump(ordinal)]
        target = listing.target(ordinal)
        if listing.opcode(ordinal) == "SEND":
            # What was awaited gives its result to the top of the stack.
            depth = listing.depths[target] or 0
            after = (after + [False] * depth)[:depth]
            if after:
                after[-1] = self._runs_the_value(ordinal, stack)
        return self.fit(after, names, target)

    def thrown(self, entry: Entry, held: Held) -> Held:
        """What holds the value at the beginning of a handler."""
        _, _, target, depth, lasti = entry
        stack = [*held[0][:depth], *(1 + lasti) * [False]]
        return self.fit(stack, held[1], self.listing.ordinals[target])

    def jump_of(self, ordinal: int) -> int | None:
        """Where the instruction may jump to."""
        is_jump = JUMPS[self.listing.instructions[ordinal][2]]
        return self.listing.target(ordinal) if is_jump else None

    def handler(self, ordinal: int) -> Entry | None:
        """The entry of the exception table for the instruction."""
        offset = self.listing.instructions[ordinal][0]
        return next((entry for entry in self.entries if entry[0] <= offset < entry[1]), None)

    # Parts of it

    def _caught(self, ordinal: int, held: Held, following: int) -> Held | None:
        entry = self.handler(ordinal)
        if entry is None or self.listing.ordinals[entry[2]] != following:
            return None
        return self.thrown(entry, held)

    def _skipping(
        self, ordinal: int, held: Held, following: int, use: CallUse | None
    ) -> tuple[Held, list[Reach]] | None:
        """Over instructions that the interpreter runs together with the one before, untold."""
        listing = self.listing
        target = self.jump_of(ordinal)
        if target is not None and self._is_untold(target, following):
            reached: list[Reach] = []
            now, at = self.jump(ordinal, held), target
        elif not TERMINATES[listing.instructions[ordinal][2]] and self._is_untold(
            ordinal + 1, following
        ):
            (now, reached), at = self.step(ordinal, held, use), ordinal + 1
        else:
            return None
        for between in range(at, following):
            now, _ = self.step(between, now, None)
        return now, reached

    def _is_untold(self, first: int, last: int) -> bool:
        """Whether nothing but instructions that are not told of lies between."""
        between = range(first, last)
        return 0 < len(between) < 4 and all(self.listing.opcode(n) in _UNTOLD for n in between)

    def _stored(
        self, ordinal: int, before: list[Expression], names: frozenset[str], put: str
    ) -> frozenset[str]:
        listing = self.listing
        if listing.opcode(ordinal).startswith("DELETE"):
            return names.difference(listing.stores(ordinal))
        for name, value in zip(listing.stores(ordinal), reversed(before), strict=False):
            names = names | {name} if carries(value) else names - {name}
        return names | {put} if put else names

    def _load(
        self, ordinal: int, stack: list[Expression], after: list[bool], names: frozenset[str]
    ) -> None:
        pushed = self.loads(ordinal)
        if names.isdisjoint(pushed):
            return
        slots = [place for place, part in enumerate(stack) if part is not NULL]
        for place, name in zip(slots[-len(pushed) :], pushed, strict=False):
            after[place] = name in names

    def loads(self, ordinal: int) -> tuple[str, ...]:
        """The variables that the instruction pushes, or whose cells it does."""
        listing = self.listing
        if listing.opcode(ordinal) in ("LOAD_FAST_AND_CLEAR", "LOAD_CLOSURE"):
            return (listing.variables[listing.instructions[ordinal][3]],)
        return listing.loads(ordinal)

    def _derive(self, ordinal: int, before: list[Expression], after: list[bool]) -> None:
        """Results of instructions that the machine knows nothing of, or not enough."""
        _, _, code, argument, _ = self.listing.instructions[ordinal]
        name = self.listing.opcode(ordinal)
        if name in _ADDING:
            taken = before[len(after) :]
            if argument <= len(after) and any(part is MARK for part in taken):
                after[-argument] = True
        elif name in _DERIVING:
            effect = stack_effect(code, argument, False)
            count = max(REPLACES.get(name, 0), len(before) - len(after), -effect, 1)
            if any(part is MARK for part in before[-count:]):
                for place in range(max(0, len(before) - count), len(after)):
                    after[place] = True
        elif name in ("FOR_ITER", "SEND") and after:
            after[-1] = self._runs_the_value(ordinal, tuple(part is MARK for part in before))
        elif name == "END_SEND" and after:
            after[-1] = bool(before) and before[-1] is MARK

    def _runs_the_value(self, ordinal: int, held: tuple[bool, ...]) -> bool:
        """Whether what FOR_ITER or SEND runs is the value."""
        _, operands, _ = RUNNING_SITES[self.listing.instructions[ordinal][2]]
        receiver = len(held) - operands
        return 0 <= receiver < len(held) and held[receiver]

    def fit(self, stack: list[bool], names: frozenset[str], ordinal: int) -> Held:
        """As deep as the stack is there, and only variables that are read later."""
        if ordinal >= len(self.listing.instructions):
            return (), NOTHING
        depth = self.listing.depths[ordinal] or 0
        if len(stack) != depth:
            stack = [*stack[:depth], *(depth - len(stack)) * [False]]
        return tuple(stack), names & self._live_at(ordinal) if names else names

    def _live_at(self, ordinal: int) -> frozenset[str]:
        if self._live is None:
            from codesuture.shadow.liveness import live

            self._live = live(self)
        return self._live[ordinal]

    # What it reaches

    def _reached(
        self, ordinal: int, before: list[Expression], use: CallUse | None
    ) -> tuple[list[Reach], str]:
        """What a value that is stored, yielded or given to a call has reached, and the variable
        whose object it was put into, if that is one of the function's own."""
        opcode = self.listing.opcode(ordinal)
        line = self.listing.line(ordinal)
        if opcode in _CALLS:
            if use is None or not self.ends_call(ordinal):
                return [], ""
            found = [] if use.reach is None else [use.reach]
            if use.into is None:
                return found, ""
            more, name = self._put(ordinal, use.into, line)
            return found + more, name
        if opcode == "STORE_ATTR" and before[-2] is MARK and before[-1] is not MARK:
            name = self.listing.code.co_names[self.listing.instructions[ordinal][3]]
            owner = self.plain(ordinal).stack[-1]
            return [Reach("attribute", Attribute(owner, name).text(), line)], ""
        if opcode in ("STORE_SUBSCR", "STORE_SLICE"):
            value, place = (before[-3], -2) if opcode == "STORE_SUBSCR" else (before[-4], -3)
            if value is not MARK or before[place] is MARK:
                return [], ""
            return self._put(ordinal, self.plain(ordinal).stack[place], line)
        return self._bound(ordinal, before, line), ""

    def _bound(self, ordinal: int, before: list[Expression], line: int) -> list[Reach]:
        """Names outside the function that are bound to the value."""
        listing = self.listing
        opcode, code = listing.opcode(ordinal), listing.code
        stored = listing.stores(ordinal)
        if len(stored) != 1 or not before or not carries(before[-1]):
            return []
        (name,) = stored
        if opcode == "STORE_DEREF" and name in code.co_freevars:
            return [Reach("closure", name, line)]
        if opcode == "STORE_GLOBAL" or (opcode == "STORE_NAME" and code.co_name == "<module>"):
            return [Reach("global", name, line)]
        if opcode == "STORE_NAME" and not code.co_flags & _OPTIMIZED:
            return [Reach("attribute", f"{code.co_qualname}.{name}", line)]
        return []

    def _put(self, ordinal: int, container: Expression, line: int) -> tuple[list[Reach], str]:
        """The value is put into a container: one of its own, or one that others see too."""
        root = container
        while type(root) is Subscript:
            root = root.object
        if root is MARK or type(root) is Collection:
            return [], ""
        own = root.name if type(root) is Local else ""
        if own and own not in self._parameters:
            return [], own
        text = "an object" if root is UNKNOWN else container.text()
        return [Reach("item", text, line)], own



def function_text(code: CodeType) -> str:
    """``get_bio()``, or what stands for it at module level."""
    name = code.co_qualname
    return name if name.endswith(">") else f"{name}()"


def mentions(part: Expression) -> bool:
    """Whether the mark is somewhere in the expression."""
    return part is MARK or any(map(mentions, part.parts()))


def carries(part: Expression, use: CallUse | None = None) -> bool:
    """Whether a value is directly made of the followed one."""
    if part is MARK:
        return True
    kind = type(part)
    if kind is Call:
        assert isinstance(part, Call)
        if carries(part.function, use):
            return True
        return use is not None and use.carries and mentions(part)
    if kind is Attribute or kind is Subscript:
        return carries(part.object, use)  # type: ignore[attr-defined]
    if kind is Binary:
        return part.operator not in _ABOUT and any(carries(one, use) for one in part.parts())  # type: ignore[attr-defined]
    if kind is Unary:
        return part.sign not in _ABOUT and carries(part.operand, use)  # type: ignore[attr-defined]
    if kind is Formatted or kind is Collection:
        return any(carries(one, use) for one in part.parts())
    return False
