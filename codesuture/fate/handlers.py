"""What one frame does with an exception: its handlers, read as bytecode.

From the instruction that raised, every way through the handlers is followed. Where all ways raise
the same exception again it passes; where all of them go on with the program, or raise
something else, it is handled; else it is not known.
"""

from __future__ import annotations

import os
import sys

from codesuture.fate.either import Either, alone_or_grouped, judge_each, one_of
from codesuture.fate.scope import is_catchable, matches, truth
from codesuture.fate.symbols import called, mentions
from codesuture.fate.verdict import HANDLED, PASSES, UNKNOWN, Outcome, Raised
from codesuture.fate.views import bound_names
from codesuture.surgery.instructions import jump_target
from codesuture.surgery.opcodes import JUMPS, NAMES, TERMINATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codesuture.fate.scope import Scope
    from codesuture.fate.symbols import Stack, Symbol
    from codesuture.fate.views import CodeView

    #: What a context manager does with an exception: its symbol, the handler of its ``with``, where
    #: that stands, what is raised.
    ManagerJudge = Callable[[Symbol, int, "Scope", CodeView, Raised], Outcome]

_MOST_STATES = 4000
_MOST_CHANGES = 5
_BROAD = (Exception, BaseException)
_GENERATOR_FLAGS = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


class _State:
    """A way through the handlers: where it is, and what it knows.

    ``entered`` are the handlers that this exception has entered, ``names`` the variables that
    hold it, ``bound`` are those that the handlers have bound to something else, whatever the frame
    holds there now; ``caught`` tells the breadth of the clause that matched last: "all", "some" or
    None (a bare ``except``, a ``finally``).
    """

    __slots__ = ("bound", "caught", "entered", "names", "number")

    def __init__(
        self,
        number: int,
        entered: frozenset[int],
        names: frozenset[Symbol],
        caught: str | None,
        bound: frozenset[Symbol] = frozenset(),
    ) -> None:
        self.bound = bound
        self.number = number
        self.entered = entered
        self.names = names
        self.caught = caught

    def key(self) -> tuple[object, ...]:
        return self.number, self.entered, self.names, self.caught, self.bound

    def at(self, number: int, caught: str | None = None) -> _State:
        return _State(number, self.entered, self.names, caught or self.caught, self.bound)


def judge_frame(
    view: CodeView, scope: Scope, offset: int, raised: Raised, manager: ManagerJudge
) -> Outcome:
    """What the code does with ``raised`` when the instruction at ``offset`` raises it."""

    def judge(one: Raised) -> Outcome:
        outcome = _Search(view, scope, one, manager).run(offset)
        if outcome.kind == PASSES:
            outcome.raised = _leaving(view, outcome.raised or one)
        return outcome

    return judge_each(raised, judge)


def _leaving(view: CodeView, raised: Raised) -> Raised:
    """Generators and coroutines let no StopIteration out (PEP 479, PEP 525)."""
    if isinstance(raised, Either):
        return one_of([_leaving(view, way) for way in raised.ways])
    flags = view.code.co_flags & _GENERATOR_FLAGS
    if flags and issubclass(raised.type, StopIteration):
        return Raised(RuntimeError)
    if flags & 0x200 and issubclass(raised.type, StopAsyncIteration):
        return Raised(RuntimeError)
    return raised


class _Search:
    def __init__(
        self,
        view: CodeView,
        scope: Scope,
        raised: Raised,
        manager: ManagerJudge,
        changes: int = 0,
    ) -> None:
        self.view = view
        self.scope = scope
        self.raised = raised
        self.manager = manager
        self.changes = changes
        self.outcomes: list[Outcome] = []
        self.seen: set[tuple[object, ...]] = set()
        self.work: list[_State] = []

    def run(self, offset: int) -> Outcome:
        """Follow all ways from the raising instruction and put the outcomes together."""
        self.raise_at(offset, _State(-1, frozenset(), frozenset(), None))
        while self.work:
            state = self.work.pop()
            key = state.key()
            if key in self.seen:
                continue
            self.seen.add(key)
            if len(self.seen) > _MOST_STATES:
                self.end(UNKNOWN, "its handlers are too large to follow", state)
                break
            self.step(state)
        return self.together()

    def together(self) -> Outcome:
        if not self.outcomes:
            return Outcome(UNKNOWN, "its handler never ends")
        first = self.outcomes[0]
        catch_all = all(one.catch_all for one in self.outcomes if one.kind != PASSES)
        for one in self.outcomes:
            if one.kind == UNKNOWN:
                unknown = Outcome(UNKNOWN, one.why, None, catch_all)
                return unknown.varying() if one.varies or len(self.outcomes) > 1 else unknown
        if all(one.kind == first.kind for one in self.outcomes):
            return Outcome(first.kind, first.why, first.raised, catch_all)
        handled = next(one for one in self.outcomes if one.kind == HANDLED)
        why = f"{handled.why} on some ways and raises it again on others"
        return Outcome(UNKNOWN, why, None, catch_all).varying()

    def end(self, kind: str, why: str, state: _State) -> None:
        raised = self.raised if kind == PASSES else None
        self.outcomes.append(Outcome(kind, why, raised, state.caught != "some"))

    def raise_at(self, offset: int, state: _State) -> None:
        """The exception is raised (again) at ``offset``: enter the handler there, or leave."""
        entry = self.view.cover(offset)
        if entry is None:
            self.end(PASSES, "has no handler for it", state)
            return
        target = entry[2]
        number = self.view.ordinal(target)
        if number is None or (target in state.entered and state.number == number):
            self.end(UNKNOWN, "has a handler that cannot be read", state)
            return
        entered = state.entered | {target}
        self.work.append(_State(number, entered, state.names, None, state.bound))

    # --- one instruction ---------------------------------------------------------------

    def step(self, state: _State) -> None:
        start, _, op, argument, _ = self.view.instructions[state.number]
        stack = self.view.stacks[state.number]
        if stack is None:
            self.end(UNKNOWN, "has a handler that cannot be read", state)
            return
        name = NAMES[op]
        rule = _STEPS.get(name)
        if rule is not None:
            if not rule(self, state, argument, stack, start):
                return
        elif name.startswith(("STORE_", "DELETE_")):
            state = self.after_store(state, name, argument, stack)
        if JUMPS[op]:
            self.branch(state, op, name, stack)
        elif not TERMINATES[op]:
            self.work.append(state.at(state.number + 1))
        elif name.startswith("RETURN"):
            self.end(HANDLED, self.at_line("returns in its handler", state), state)

    def at_line(self, what: str, state: _State) -> str:
        line = self.line(self.view.instructions[state.number][0])
        return f"{what} (line {line})" if line else what

    def line(self, offset: int) -> int | None:
        for start, end, line in self.view.code.co_lines():
            if start <= offset < end:
                return line
        return None

    def branch(self, state: _State, op: int, name: str, stack: Stack) -> None:
        target = self.view.ordinal(jump_target(self.view.instructions[state.number]))
        if target is None:
            self.end(UNKNOWN, "has a handler that cannot be read", state)
            return
        if TERMINATES[op]:
            self.work.append(state.at(target))
            return
        test = stack[-1] if stack else None
        jumps = self.jumps(name, test, state)
        matched = test is not None and test[0] == "match"
        if jumps is not False:
            self.work.append(state.at(target))
        if jumps is not True:
            caught = self.breadth(test) if matched else None
            self.work.append(state.at(state.number + 1, caught))

    def jumps(self, name: str, test: Symbol, state: _State) -> bool | None:
        """Whether a conditional jump jumps; None where both ways are possible."""
        if name.endswith("_NOT_NONE") or name.endswith("_NONE"):
            none = self.is_none(test, state)
            return none if none is None else none != name.endswith("_NOT_NONE")
        if "_IF_FALSE" in name or "_IF_TRUE" in name:
            true = self.test(test, state)
            return None if true is None else true == ("_IF_TRUE" in name)
        return None  # FOR_ITER, SEND

    def test(self, symbol: Symbol, state: _State) -> bool | None:
        if symbol is None:
            return None
        if symbol[0] == "match":
            return matches(self.raised.type, self.scope.value(symbol[1]))  # type: ignore[arg-type]
        if symbol[0] == "with":
            return False  # a manager that may say yes has ended this way before
        answer = self.about_exception(symbol, state)
        if answer is None and state.bound and mentions(symbol, state.bound):
            return None
        return truth(symbol, self.scope, self.view) if answer is None else answer

    def about_exception(self, symbol: Symbol, state: _State) -> bool | None:
        """``isinstance(error, KeyError)`` where ``error`` is the exception itself."""
        if symbol is None:
            return None
        if symbol[0] == "not":
            inner = self.about_exception(symbol[1], state)  # type: ignore[arg-type]
            return None if inner is None else not inner
        if symbol[0] == "call" and type(symbol[2]) is tuple and len(symbol[2]) == 2:
            function = self.scope.value(symbol[1])  # type: ignore[arg-type]
            if function is isinstance and self.is_raised(symbol[2][0], state):
                return matches(self.raised.type, self.scope.value(symbol[2][1]))
        return None

    def is_none(self, symbol: Symbol, state: _State) -> bool | None:
        if symbol is None:
            return None
        if symbol[0] == "star":
            return not self.star(symbol)
        if self.is_raised(symbol, state):
            return False
        if symbol[0] == "const":
            return symbol[2] is None
        if state.bound and mentions(symbol, state.bound):
            return None
        value = self.scope.value(symbol)
        return value is None if type(value) in _PLAIN else None

    def star(self, symbol: Symbol) -> bool | None:
        assert symbol is not None
        against = self.scope.value(symbol[1])  # type: ignore[arg-type]
        answers = [matches(one, against) for one in self.raised.leaves or (self.raised.type,)]
        if True in answers:
            return True
        return None if None in answers else False

    def is_raised(self, symbol: Symbol, state: _State) -> bool:
        """Whether the symbol is the exception that is followed."""
        if symbol is None:
            return False
        if symbol[0] == "exc":
            return symbol[1] in state.entered
        if symbol[0] == "call":  # raise error.with_traceback(...)
            function = symbol[1]
            if type(function) is tuple and function[0] == "attr":
                return function[2] == "with_traceback" and self.is_raised(function[1], state)
            return False
        return symbol in state.names

    def breadth(self, test: Symbol) -> str:
        against = self.scope.value(test[1])  # type: ignore[index,arg-type]
        types = against if type(against) is tuple else (against,)
        return "all" if any(one is broad for one in types for broad in _BROAD) else "some"

    def after_store(self, state: _State, name: str, argument: int, stack: Stack) -> _State:
        names, bound = state.names, state.bound
        for depth, target in enumerate(bound_names(self.view, name, argument), 1):
            given = stack[-depth] if name.startswith("STORE") and depth <= len(stack) else None
            held = self.is_raised(given, state)
            names = names | {target} if held else names - {target}
            bound = bound - {target} if held else bound | {target}
        return _State(state.number, state.entered, names, state.caught, bound)

    # --- rules: whether the way goes on behind the instruction ------------------------------

    def reraise(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        if stack and self.is_raised(stack[-1], state):
            self.raise_at(start, state)
        elif stack and stack[-1] is not None and stack[-1][0] == "exc":
            self.end(HANDLED, self.at_line("raises another exception instead", state), state)
        else:
            self.end(UNKNOWN, self.at_line("raises something that cannot be told", state), state)
        return False

    def raise_varargs(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        operand = stack[-argument] if argument and len(stack) >= argument else None
        if argument == 0 or self.is_raised(operand, state):
            self.raise_at(start, state)
        else:
            self.end(HANDLED, self.at_line("raises another exception instead", state), state)
        return False

    def pop_except(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        """The handler is left: for good, unless the exception still waits on the stack."""
        if any(
            symbol is not None and symbol[0] == "exc" and symbol[1] in state.entered
            for symbol in stack
        ):
            return True
        self.end(HANDLED, self.at_line("handles it and goes on", state), state)
        return False

    def with_except_start(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        behind = self.view.behind(state.number, stack, False)[-1]
        exception = stack[-1] if stack else None
        manager: Symbol = behind[1] if behind is not None else None  # type: ignore[assignment]
        target: int = exception[1] if exception is not None else -1  # type: ignore[assignment]
        outcome = self.manager(manager, target, self.scope, self.view, self.raised)
        if outcome.kind == PASSES:
            if outcome.raised is None or outcome.raised is self.raised:
                return True
            self.change(outcome.raised, start)
            return False
        self.end(outcome.kind, self.at_line(outcome.why, state), state)
        self.outcomes[-1].varies = outcome.varies
        return False

    def change(self, raised: Raised, start: int) -> None:
        """Another exception takes its place at ``start``: follow that one."""
        if self.changes >= _MOST_CHANGES:
            self.outcomes.append(Outcome(UNKNOWN, "turns it into others too often"))
            return

        def judge(one: Raised) -> Outcome:
            inner = _Search(self.view, self.scope, one, self.manager, self.changes + 1)
            return inner.run(start)

        self.outcomes.append(judge_each(raised, judge))

    def call(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        """A call that never comes back ends the way: ``finally: sys.exit(1)``."""
        function = called(stack, argument)
        if function is None or function[0] not in _NAMED:
            return True
        value, may_change = self.scope.look_at(function)
        if not any(value is one for one in _EXITS):
            return True  # and nothing is relied on: methods of variables are called everywhere
        self.scope.notes.live |= may_change
        self.end(HANDLED, self.at_line("ends the program instead", state), state)
        return False

    def check_exc_match(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        if is_catchable(self.scope.value(stack[-1])) is not False:
            return True
        what = "has a clause that names no exception class, which raises TypeError"
        self.end(HANDLED, self.at_line(what, state), state)
        return False

    def check_eg_match(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        answer = self.star(("star", stack[-1]))
        if answer is False:
            return True
        kind = HANDLED if answer else UNKNOWN
        what = "catches it with except*" if answer else "has an except* that cannot be told"
        self.end(kind, self.at_line(what, state), state.at(state.number, "some"))
        return False

    def list_append(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        """What the body of an ``except*`` clause has raised is collected, and raised behind the
        last clause. The list for that lies above the exception that the clauses share out."""
        exception = stack[-1] if len(stack) > argument + 1 else None
        original = stack[-argument - 2] if exception is not None else None
        if exception is None or exception[0] != "exc" or exception[1] not in state.entered:
            return True
        if original is None or original[0] != "exc":
            return True
        for number in range(state.number + 1, len(self.view.instructions)):
            row, before = self.view.instructions[number], self.view.stacks[number] or ()
            name = NAMES[row[2]]
            if name == "CALL" and not self.call(state.at(number), row[3], before, row[0]):
                return False
            if name in _STAR_ENDS and before[-2:-1] == (original,):
                self.raise_star(state, number)
                return False
        self.end(UNKNOWN, "has a handler that cannot be read", state)
        return False

    def raise_star(self, state: _State, number: int) -> None:
        """The instruction ``number`` puts together what a ``try`` with ``except*`` raises; the
        second one behind it jumps to where that is done."""
        test = self.view.instructions[number + 2]
        target = self.view.ordinal(jump_target(test)) if JUMPS[test[2]] else None
        if target is not None:
            for start, _, op, _, _ in self.view.instructions[target : target + 3]:
                if NAMES[op] == "RERAISE":
                    self.change(alone_or_grouped(self.raised), start)
                    return
        self.end(UNKNOWN, "has a handler that cannot be read", state)

    def cleanup_throw(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        if issubclass(self.raised.type, StopIteration):
            self.end(HANDLED, "takes it as the end of an iterator", state)
        else:
            self.raise_at(start, state)
        return False

    def end_async_for(self, state: _State, argument: int, stack: Stack, start: int) -> bool:
        if issubclass(self.raised.type, StopAsyncIteration):
            self.end(HANDLED, "takes it as the end of its loop", state)
        else:
            self.raise_at(start, state)
        return False


_PLAIN = (type(None), bool, int, float, str, bytes, tuple, list, dict, set, frozenset, type)
_NAMED = ("global", "name", "attr")
_STAR_ENDS = ("PREP_RERAISE_STAR", "CALL_INTRINSIC_2")
_EXITS = (sys.exit, os._exit, os.abort)
_STEPS: dict[str, Callable[[_Search, _State, int, Stack, int], bool]] = {
    "RERAISE": _Search.reraise,
    "RAISE_VARARGS": _Search.raise_varargs,
    "POP_EXCEPT": _Search.pop_except,
    "WITH_EXCEPT_START": _Search.with_except_start,
    "CALL": _Search.call,
    "CHECK_EXC_MATCH": _Search.check_exc_match,
    "CHECK_EG_MATCH": _Search.check_eg_match,
    "LIST_APPEND": _Search.list_append,
    "CLEANUP_THROW": _Search.cleanup_throw,
    "END_ASYNC_FOR": _Search.end_async_for,
}
