"""Where a value goes on that a call gives back: the caller's states from there on.

Nothing is told of the caller's instructions. What its code can do with the value is read when
something crashes there.
"""

from __future__ import annotations

from codesuture.diagnosis.evaluate import evaluate
from codesuture.diagnosis.expression import NULL, UNKNOWN, Call
from codesuture.diagnosis.lookup import python_function
from codesuture.shadow.flow import NOTHING
from codesuture.shadow.states import automaton_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from codesuture.shadow.states import Automaton, State
    from codesuture.store.patch import Patch

#: Callers that a value is handed on to, and values that one caller keeps in mind.
MOST_CALLERS = 8
MOST_RECEIVED = 16
#: States that are looked at to find out whether one can come to another.
MOST_STATES = 2_000

_GIVING = ("CALL", "BINARY_", "COMPARE_OP", "LOAD_ATTR", "LOAD_SUPER_ATTR", "UNARY_", "FOR_ITER",
           "SEND", "FORMAT_", "GET_ITER")  # fmt: skip
_COROUTINE = 0x80  # inspect.CO_COROUTINE


class Received:
    """A value that a caller has got: ``state`` is where it stands then. ``inside`` is the state of
    the call that is still running, where something else (``sum``, ``map``) gets it first."""

    __slots__ = ("inside", "patch", "state")

    def __init__(self, patch: Patch, state: State, inside: State | None) -> None:
        self.patch = patch
        self.state = state
        self.inside = inside


def hand_on(frame: FrameType, patch: Patch) -> None:
    """Keep in mind that the frame's caller gets the value, and so on outward as far as callers may
    return it in turn."""
    from codesuture.shadow.watching import watch_of

    caller = frame.f_back
    for _ in range(MOST_CALLERS):
        if caller is None:
            return
        automaton = automaton_of(caller.f_code)
        state = received(automaton, caller.f_lasti)
        watch = watch_of(caller)
        if state is None or watch is None:
            return
        if len(watch.received) < MOST_RECEIVED:
            inside = None if _calls(caller, frame) else automaton.now(caller.f_lasti)
            known = Received(patch, state, inside)
            watch.received.setdefault((patch.id, state.ordinal), known)
        if not can_come_to(automaton, state, _is_returned):
            return
        frame, caller = caller, caller.f_back


def received(automaton: Automaton, offset: int) -> State | None:
    """The state in which the running instruction has got the value; None where it gives nothing."""
    flow = automaton.flow
    listing = flow.listing
    ordinal = listing.ordinal_at(offset)
    if ordinal is None or not listing.opcode(ordinal).startswith(_GIVING):
        return None
    behind = ordinal + 1 if listing.opcode(ordinal) != "SEND" else listing.target(ordinal)
    stack = [False] * (listing.depths[behind] or 0)
    expressions = flow.plain(behind).stack
    for place in range(len(stack) - 1, -1, -1):
        if expressions[place] is not NULL:
            stack[place] = True
            break
    return automaton.state(behind, (tuple(stack), NOTHING))


def is_dropped(frame: FrameType) -> bool:
    """Whether the frame was called directly, and its caller drops what it returns."""
    caller = frame.f_back
    if caller is None or not _calls(caller, frame):
        return False
    listing = automaton_of(caller.f_code).flow.listing
    ordinal = listing.ordinal_at(caller.f_lasti) or 0
    behind = ordinal + 1
    if listing.opcode(ordinal) == "SEND":
        behind = listing.target(ordinal)
        behind += listing.opcode(behind) == "END_SEND"
    return listing.opcode(behind) == "POP_TOP"


def _calls(caller: FrameType, frame: FrameType) -> bool:
    """Whether the caller's instruction calls, or awaits, the frame directly."""
    flow = automaton_of(caller.f_code).flow
    ordinal = flow.listing.ordinal_at(caller.f_lasti)
    if ordinal is None:
        return False
    if flow.listing.opcode(ordinal) == "SEND":
        return bool(frame.f_code.co_flags & _COROUTINE)
    if not flow.ends_call(ordinal):
        return False
    machine = flow.marked(ordinal, ())
    machine.step(ordinal)
    made = machine.stack[-1] if machine.stack else UNKNOWN
    called = evaluate(made.function, caller) if type(made) is Call else None
    function = python_function(called)
    return function is not None and function.__code__ is frame.f_code


def can_come_to(
    automaton: Automaton, state: State, wanted: Callable[[State], bool]
) -> bool:
    """Whether the value can come from this state to a wanted one, by any way through the code."""
    seen, work = {state}, [state]
    while work and len(seen) < MOST_STATES:
        at = work.pop()
        if wanted(at):
            return True
        for following in automaton.possible(at):
            if following not in seen and not following.is_over:
                seen.add(following)
                work.append(following)
    return False


def _is_returned(state: State) -> bool:
    return state.flow.returns(state.ordinal) and state.stack[-1:] == (True,)
