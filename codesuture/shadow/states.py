"""States of a followed value, and the steps between them: worked out once, looked up from then on.

A state says what is about to run and what holds the value. Which state comes next depends on which
instruction does, so a state keeps those that have come, and a loop costs a look-up for each of its
instructions.
"""

from __future__ import annotations

from codesuture.shadow.flow import NOTHING, Flow
from codesuture.surgery.opcodes import TERMINATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.shadow.flow import Held
    from codesuture.shadow.reached import CallUse, Reach

#: Code objects whose flow is kept, and states of one code object.
_KEPT = 256
_MOST_STATES = 4_000


class State:
    """What is about to run, at ``ordinal``, and what holds the value: ``stack`` and ``names``.

    ``next`` has the states that come next, by the offset that runs next; a step that reaches
    something, or depends on the live frame, is not in it.
    """

    __slots__ = ("flow", "names", "next", "ordinal", "stack")

    def __init__(self, flow: Flow, ordinal: int, held: Held) -> None:
        self.flow = flow
        self.ordinal = ordinal
        self.stack, self.names = held
        self.next: dict[int, State | Landing] = {}

    @property
    def is_over(self) -> bool:
        """Whether nothing holds the value any more."""
        return not self.names and True not in self.stack

    def holds_operand(self, depth: int) -> bool:
        """Whether the value is on the stack above ``depth`` values."""
        return True in self.stack[depth:]


class Landing:
    """Behind the code, mostly in a landing pad: ``origin`` has crashed; ``target`` comes next where
    that is healed.

    Or ``inside`` a call: ``origin`` still runs, and something that it calls has got the value.
    """

    __slots__ = ("inside", "next", "origin", "target")

    def __init__(
        self, origin: State, target: State | None = None, inside: bool = False
    ) -> None:
        self.origin = origin
        self.target = target
        self.inside = inside
        self.next: dict[int, State | Landing] = {}


class Automaton:
    """The states of one code object."""

    def __init__(self, code: CodeType) -> None:
        self.code = code  # kept alive, so that its address stays its own
        self.flow = Flow(code)
        self._states: dict[tuple[int, Held], State] = {}

    def state(self, ordinal: int, held: Held) -> State:
        """The one state of this kind."""
        key = ordinal, held
        found = self._states.get(key)
        if found is None:
            if len(self._states) >= _MOST_STATES:
                self._states.clear()
            found = self._states[key] = State(self.flow, ordinal, held)
        return found

    def now(self, offset: int) -> State | None:
        """The state in which ``offset`` runs, and nothing holds the value."""
        ordinal = self.flow.listing.ordinal_at(offset)
        return None if ordinal is None else self.state(ordinal, NOWHERE)

    def supplied(self, resume: int, depth: int, before: Held, shape: str) -> State:
        """The state at ``resume``, behind a site whose result of this ``shape`` was supplied above
        ``depth`` values; with no shape, something else was. ``before`` is what held it until then.
        """
        flow = self.flow
        ordinal = flow.listing.ordinals[resume]
        whole = flow.listing.depths[ordinal] or 0
        stack = [*before[0][:depth], *(depth - len(before[0])) * [False]]
        stack += (whole - depth) * [bool(shape) and shape != "context"]
        if shape == "context":  # beneath what was entered is the way out
            stack[-1] = True
        return self.state(ordinal, flow.fit(stack, before[1], ordinal))

    def step(
        self, state: State, offset: int, use: CallUse | None
    ) -> tuple[State, list[Reach]] | None:
        """The state when ``offset`` runs after ``state``, and what was reached on the way; None
        where it cannot run after it."""
        listing = self.flow.listing
        ordinal = listing.ordinal_at(offset)
        if ordinal is None:
            return None
        if ordinal == state.ordinal:  # behind its EXTENDED_ARG
            return state, []
        found = self.flow.after(state.ordinal, (state.stack, state.names), ordinal, use)
        if found is None:
            return None
        held, reached = found
        return self.state(ordinal, held), reached

    def thrown(self, origin: State, offset: int) -> State | None:
        """The state where the crash of ``origin`` is caught by the handler at ``offset``."""
        entry = self.flow.handler(origin.ordinal)
        if entry is None or entry[2] != offset:
            return None
        ordinal = self.flow.listing.ordinals[offset]
        return self.state(ordinal, self.flow.thrown(entry, (origin.stack, origin.names)))

    def possible(self, state: State) -> list[State]:
        """All states that can come after this one, whichever way the function goes."""
        flow, ordinal = self.flow, state.ordinal
        listing = flow.listing
        held = state.stack, state.names
        code = listing.instructions[ordinal][2]
        found: list[State] = []
        if not TERMINATES[code] and ordinal + 1 < len(listing.instructions):
            found.append(self.state(ordinal + 1, flow.step(ordinal, held, None)[0]))
        target = flow.jump_of(ordinal)
        if target is not None:
            found.append(self.state(target, flow.jump(ordinal, held)))
        entry = flow.handler(ordinal)
        if entry is not None:
            found.append(self.state(listing.ordinals[entry[2]], flow.thrown(entry, held)))
        return found


_automata: dict[int, Automaton] = {}

#: What holds a value that nothing holds yet.
NOWHERE: Held = ((), NOTHING)


def automaton_of(code: CodeType) -> Automaton:
    """The states of the code, which are kept as long as it is used."""
    found = _automata.get(id(code))
    if found is None:
        if len(_automata) >= _KEPT:
            _automata.clear()
        found = _automata.setdefault(id(code), Automaton(code))
    return found
