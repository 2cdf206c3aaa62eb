"""What a value is for: the instructions that use it, followed forward from where it appears.

The abstract machine goes on behind the site with a mark in place of the result. Where the mark
leaves the stack it was used, and what the machine made of it says how. A value that is stored in a
variable is followed to that variable's later reads, in the order of the code.
"""

from __future__ import annotations

from codesuture.diagnosis.evaluate import evaluate
from codesuture.diagnosis.expression import (
    NULL,
    UNKNOWN,
    Attribute,
    Call,
    Expression,
    Function,
    Unary,
)
from codesuture.diagnosis.listing import Listing, listing_of
from codesuture.diagnosis.lookup import python_function, type_lookup
from codesuture.diagnosis.machine import Machine
from codesuture.diagnosis.names import callable_name
from codesuture.diagnosis.operands import machine_before
from codesuture.diagnosis.uses import Consumer, Mark, use
from codesuture.surgery.opcodes import CALL_SEQUENCE, JUMPS, TERMINATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    from codesuture.diagnosis.crash import Crash
    from codesuture.surgery.sites import Site

#: How many instructions are looked at in all, how many uses are collected, how far a variable's
#: reads are searched, and how far back the beginning of a statement.
MAX_STEPS = 300
MAX_USES = 8
MAX_SEARCH = 600
MAX_STATEMENT = 60
#: How often the result of a use is followed in turn, and a returned value into its caller.
MAX_LEVELS = 3
MAX_CALLERS = 2

#: Uses whose result says more about the value: what is called, awaited or entered gives something.
_GOES_ON = frozenset({"called", "method", "awaited", "entered", "attribute", "subscripted"})
#: Uses that tell nothing by themselves.
WEAK = frozenset({"stored", "dropped", "collected", "unknown", "raised", "argument", "yielded"})
_LOOKS = frozenset({"MATCH_MAPPING", "MATCH_SEQUENCE", "GET_LEN"})
_PASSED_BY_JUMP = frozenset({"FOR_ITER", "SEND"})
_COROUTINE = 0x80  # inspect.CO_COROUTINE


def consumers_of(crash: Crash, chain: bool = False) -> list[Consumer]:
    """The uses of the site's result (of its whole chain's, if asked), in the order of the code.

    Never raises; a value that is not used, or whose use cannot be told, gives one such consumer.
    """
    try:
        return _consumers(crash, chain) or [Consumer("unknown")]
    except Exception:  # diagnosis must not be what a program dies of
        return [Consumer("unknown")]


def first_telling(consumers: list[Consumer]) -> Consumer:
    """The first use that tells something, else the first."""
    for consumer in consumers:
        if consumer.kind not in WEAK:
            return consumer
    return consumers[0]


def _consumers(crash: Crash, chain: bool) -> list[Consumer]:
    return uses_behind(crash.code, crash.site, crash.frame, chain)


def uses_behind(
    code: CodeType, site: Site, frame: FrameType | None = None, chain: bool = False
) -> list[Consumer]:
    """The uses of what the site gives; without a frame those in the same code only.

    What is unpacked is followed value by value. May raise where the code is not understood.
    """
    listing = listing_of(code)
    line = listing.line(site.ordinal)
    if site.operation in ("iterate", "iterate_async"):
        return [Consumer("iterated", line=line)]
    if site.shape == "nothing" or (site.shape == "values" and frame is not None):
        return [Consumer("dropped", line=line)]
    resume = site.chain_resume if chain and site.chain_resume is not None else site.resume
    ordinal = listing.ordinals[resume]
    mark: Expression = Mark()
    if site.operation == "await":
        mark = Unary("await", mark)
    if site.shape == "values":
        found: list[Consumer] = []
        for number in reversed(range(site.values)):  # the first name's value is on top
            values: list[Expression] = [UNKNOWN] * site.values
            values[number] = mark
            machine = _machine_behind(listing, site, ordinal, values)
            found += Follower(listing, frame).follow(machine, ordinal, mark)
        return found[:MAX_USES]
    values = [mark, NULL] if site.shape == "method" else [mark]
    machine = _machine_behind(listing, site, ordinal, values)
    return Follower(listing, frame).follow(machine, ordinal, mark)


def _machine_behind(
    listing: Listing, site: Site, ordinal: int, values: list[Expression]
) -> Machine:
    """The machine just behind the site, which has left these values."""
    machine = machine_before(listing, site.ordinal, _statement_floor(listing, site.ordinal))
    del machine.stack[site.depth :]
    depth = listing.depths[ordinal] or 0
    # ``with`` leaves what belongs to the way out beneath what was entered.
    machine.stack += [UNKNOWN] * (depth - len(machine.stack) - len(values)) + values
    return machine


def _statement_floor(listing: Listing, ordinal: int) -> int:
    """The lowest stack depth a little before the instruction: usually that of its statement."""
    window = listing.depths[max(0, ordinal - MAX_STATEMENT) : ordinal + 1]
    return min((depth for depth in window if depth is not None), default=0)


class Follower:
    """Follows values through one code object, within one budget of steps."""

    __slots__ = ("callers", "frame", "levels", "listing", "steps")

    def __init__(
        self, listing: Listing, frame: FrameType | None, levels: int = MAX_LEVELS, callers: int = 0
    ) -> None:
        self.listing = listing
        self.frame = frame
        self.levels = levels
        self.callers = callers
        self.steps = MAX_STEPS

    def follow(self, machine: Machine, ordinal: int, mark: Expression) -> list[Consumer]:
        """The uses of ``mark`` from the instruction on; ``machine`` is as just before it."""
        listing = self.listing
        found: list[Consumer] = []
        seen: set[int] = set()
        while ordinal < len(listing.instructions) and ordinal not in seen and self.steps > 0:
            self.steps -= 1
            seen.add(ordinal)
            before = list(machine.stack)
            marks = _count(before, mark)
            if not marks or len(before) != listing.depths[ordinal]:
                break
            name, code = listing.opcode(ordinal), listing.instructions[ordinal][2]
            if name in _LOOKS and before[-1] is mark:
                return [*found, Consumer("tested", "match", line=listing.line(ordinal))]
            if name in _PASSED_BY_JUMP:
                machine.stack = machine.jump(ordinal)
                ordinal = listing.target(ordinal)
                continue
            machine.step(ordinal)
            left = _count(machine.stack, mark)
            if left < marks:
                found += self._used(machine, ordinal, before, mark)
                if not left or found[-1].kind not in WEAK:
                    break
            if TERMINATES[code] and not JUMPS[code]:
                break
            ordinal = listing.target(ordinal) if TERMINATES[code] else ordinal + 1
        return found[:MAX_USES]

    def _used(
        self, machine: Machine, ordinal: int, before: list[Expression], mark: Expression
    ) -> list[Consumer]:
        if self.listing.stores(ordinal):
            return self._stored(machine, ordinal, before, mark)
        consumer = use(machine, ordinal, before, mark)
        if consumer.kind in _GOES_ON:
            consumer.then = self._result_of(machine, ordinal)
        elif consumer.kind in ("returned", "yielded"):
            consumer.then = self._in_caller()
        elif consumer.kind == "collected" and machine.stack:
            # A tuple that is formatted at once: "%s %d" % (a, b).
            later = self._result_of(machine, ordinal)
            if later is not None and later.kind == "formatted":
                return [Consumer("formatted", "", line=later.line)]
        return [consumer]

    def _stored(
        self, machine: Machine, ordinal: int, before: list[Expression], mark: Expression
    ) -> list[Consumer]:
        found: list[Consumer] = []
        line = self.listing.line(ordinal)
        for name, value in zip(self.listing.stores(ordinal), reversed(before), strict=False):
            if value is mark:
                found.append(Consumer("stored", name, line=line))
                found += self._later_reads(machine, ordinal, name)
        return found

    def _result_of(self, machine: Machine, ordinal: int) -> Consumer | None:
        """The use of what the instruction at ``ordinal`` has just pushed."""
        if self.levels <= 0:
            return None
        stack = list(machine.stack)
        made = next((part for part in reversed(stack) if part is not NULL), UNKNOWN)
        if made is UNKNOWN:
            return None
        later = Machine(self.listing, stack)
        self.levels -= 1
        found = self.follow(later, ordinal + 1, made)
        self.levels += 1
        return first_telling(found) if found else None

    def _later_reads(self, machine: Machine, ordinal: int, name: str) -> list[Consumer]:
        listing = self.listing
        found: list[Consumer] = []
        last = min(len(listing.instructions), ordinal + MAX_SEARCH)
        if name in listing.loads(ordinal):  # STORE_FAST_LOAD_FAST of one variable
            found += self._read(Machine(listing, list(machine.stack)), ordinal, name)
        for number in range(ordinal + 1, last):
            if listing.depths[number] is None:
                continue
            if name in listing.stores(number):
                break
            if name in listing.loads(number):
                before = machine_before(listing, number, _statement_floor(listing, number))
                before.step(number)
                found += self._read(before, number, name)
            if len(found) >= MAX_USES or self.steps <= 0:
                break
        return found

    def _read(self, machine: Machine, ordinal: int, name: str) -> list[Consumer]:
        """The uses of the variable that the machine has just pushed."""
        mark = Mark()
        pushed = self.listing.loads(ordinal)
        top = len(machine.stack) - 1
        while top >= 0 and machine.stack[top] is NULL:
            top -= 1
        place = top - (len(pushed) - 1 - pushed.index(name))
        if place < 0:
            return []
        machine.stack[place] = mark
        return self.follow(machine, ordinal + 1, mark)

    def _in_caller(self) -> Consumer | None:
        """The use, in the calling frame, of what this frame returns or yields."""
        frame = self.frame
        caller = frame.f_back if frame is not None else None
        if frame is None or caller is None or self.callers >= MAX_CALLERS:
            return None
        listing = listing_of(caller.f_code)
        ordinal = listing.ordinal_at(caller.f_lasti)
        if ordinal is None:
            return None
        follower = Follower(listing, caller, self.levels, self.callers + 1)
        return follower.call_result(ordinal, frame)

    def call_result(self, ordinal: int, callee: FrameType) -> Consumer | None:
        """The use of what the running instruction gets when ``callee`` returns to it."""
        listing = self.listing
        line = listing.line(ordinal)
        machine = machine_before(listing, ordinal, _statement_floor(listing, ordinal))
        if listing.opcode(ordinal) == "SEND":
            if not callee.f_code.co_flags & _COROUTINE:
                return None
            machine.stack = machine.jump(ordinal)
            resume = listing.target(ordinal)
            made = next((part for part in reversed(machine.stack) if _is_await(part)), UNKNOWN)
        else:
            if listing.opcode(ordinal) in CALL_SEQUENCE[:-1]:
                machine.step(ordinal)
                ordinal += 1
            machine.step(ordinal)
            resume = ordinal + 1
            made = machine.stack[-1] if machine.stack else UNKNOWN
            if not self._calls(made, callee):
                return self._item(made, callee.f_code, line)
        if made is UNKNOWN:
            return None
        found = self.follow(machine, resume, made)
        return first_telling(found) if found else None

    def _calls(self, made: Expression, callee: FrameType) -> bool:
        """Whether the expression calls, or reads as a property, just what runs in ``callee``."""
        if self.frame is None:
            return False
        called: object = None
        if isinstance(made, Call):
            called = evaluate(made.function, self.frame)
        elif isinstance(made, Attribute):
            found = type_lookup(type(evaluate(made.object, self.frame)), made.name)
            called = found.fget if type(found) is property else None
        function = python_function(called)
        return function is not None and function.__code__ is callee.f_code

    def _item(self, made: Expression, code: CodeType, line: int) -> Consumer | None:
        """The use of what ``code`` gives, where a C function such as ``sum`` takes its items."""
        if self.frame is None or not isinstance(made, Call):
            return None
        if made.keywords or len(made.arguments) != 1:
            return None
        name = callable_name(evaluate(made.function, self.frame))
        if not name or not self._gives_items(made.arguments[0], code):
            return None
        return Consumer("item", name, made, line=line)

    def _gives_items(self, items: Expression, code: CodeType) -> bool:
        """Whether the items of a generator or of ``map`` are made by this very code."""
        if self.frame is None or not isinstance(items, Call):
            return False
        maker = items.function
        if items.arguments and evaluate(maker, self.frame) is map:
            maker = items.arguments[0]
        if type(maker) is Function:
            return maker.name == code.co_name
        function = python_function(evaluate(maker, self.frame))
        return function is not None and function.__code__ is code


def _is_await(expression: Expression) -> bool:
    return type(expression) is Unary and expression.sign == "await"


def _count(stack: list[Expression], mark: Expression) -> int:
    return sum([part is mark for part in stack])
