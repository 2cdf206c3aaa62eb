"""Following supplied values through the calls that got them."""

from __future__ import annotations

import sys
from sys import _getframe

from codesuture.breaker import Mark, is_mark
from codesuture.diagnosis.expression import COMPREHENSIONS
from codesuture.messages import report_fault
from codesuture.shadow.calls import use_of
from codesuture.shadow.events import events_for
from codesuture.shadow.flow import function_text
from codesuture.shadow.handing import hand_on, is_dropped, received
from codesuture.shadow.reached import Reach
from codesuture.shadow.record import CONSEQUENCE, note, note_end
from codesuture.shadow.states import NOWHERE, Landing, State, automaton_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from codesuture.shadow.handing import Received
    from codesuture.shadow.reached import CallUse
    from codesuture.store.patch import Patch
    from codesuture.surgery.sites import Site

#: Instructions of one call that are followed; then it is left, without a verdict.
MOST_STEPS = 1_000_000
#: Values (one for each patch) that are followed in one call.
MOST_RUNS = 8
#: Frames that the recursion limit leaves for following.
_ROOM = 60


class Run:
    """One value on its way through one call: ``state`` is where it stands, ``use`` what the call
    that is being made does with it, and ``call`` the state before that call."""

    __slots__ = ("call", "patch", "state", "use")

    def __init__(self, patch: Patch, state: State | Landing) -> None:
        self.patch = patch
        self.state = state
        self.use: CallUse | None = None
        self.call: State | None = None

    @property
    def at(self) -> State:
        """The state of the instruction that runs, or has crashed."""
        state = self.state
        return state.origin if type(state) is Landing else state  # type: ignore[return-value]

    @property
    def has_begun(self) -> bool:
        """Whether anything was told of it yet."""
        return not (type(self.state) is Landing and self.state.target is not None)


class Watch(Mark):
    """What is followed in one frame; it is the frame's ``f_trace``, so it ends with the frame.

    ``received`` are values that calls gave back to it.
    """

    __slots__ = ("left", "live", "received", "runs", "told")

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.left = MOST_STEPS
        self.live: dict[int, bool] | None = None
        self.received: dict[tuple[str, int], Received] = {}
        self.runs: list[Run] = []
        self.told: Callable[[Watch, FrameType, int], None] | None = None

    def __call__(self, *event: object) -> None:
        """A tracer's event (3.11, or somebody's debugger)."""
        if self.told is not None and event[1] == "opcode":
            frame: FrameType = event[0]  # type: ignore[assignment]
            self.told(self, frame, frame.f_lasti)

    def leave(self) -> None:
        """It is no longer among those that live."""
        if self.live is not None:
            self.live.pop(id(self), None)
            self.live = None

    def __del__(self) -> None:
        # The frame is gone, and with it what it held: an exception has left it, or nobody wants
        # the generator any more.
        self.leave()
        for run in self.runs:
            if run.has_begun:
                note_end(run.patch)


def watch_of(frame: FrameType) -> Watch | None:
    """The frame's watch, a new one if there is none; None where a debugger traces the frame."""
    found = frame.f_trace
    if type(found) is Watch:
        return found
    if found is not None and not is_mark(found):
        return None
    made = Watch(found.count if found is not None else 0)
    if found is not None:
        made.healed = found.healed
    frame.f_trace = made
    return made


def follow(patch: Patch, frame: FrameType, site: Site, resume: int) -> None:
    """Follow the value that is being supplied at ``site`` of the frame, which goes on at
    ``resume``, until nothing holds it any more or the call ends."""
    watch = None if _is_deep() else watch_of(frame)
    if watch is None:
        return
    automaton = automaton_of(frame.f_code)
    runs = []
    for run in watch.runs:
        state = run.state
        if type(state) is not Landing:  # what happened meanwhile was not told
            continue
        before = state.origin.stack, state.origin.names
        shape = site.shape if run.patch.id == patch.id else ""
        state.target = automaton.supplied(resume, site.depth, before, shape)
        runs.append(run)
    if all(run.patch.id != patch.id for run in runs) and len(runs) < MOST_RUNS:
        target = automaton.supplied(resume, site.depth, NOWHERE, site.shape)
        if target.is_over:
            note_end(patch)
        else:
            origin = automaton.state(site.ordinal, NOWHERE)
            runs.append(Run(patch, Landing(origin, target)))
    if runs and not watch.runs and not _events.begin(watch, frame):
        return
    watch.runs = runs


def _told(watch: Watch, frame: FrameType, offset: int) -> None:
    """An instruction of the frame is about to run."""
    watch.left -= 1
    for run in watch.runs:
        following = run.state.next.get(offset)
        if following is not None:
            run.state = following
        else:
            _advance(watch, run, frame, offset)
    if watch.left < 0:
        _end(watch, frame, watch.runs)


_events = events_for(_told, Watch)


def _advance(watch: Watch, run: Run, frame: FrameType, offset: int) -> None:
    try:
        if not _move(run, frame, offset):
            _end(watch, frame, [run])
    except Exception as fault:
        report_fault(fault, CONSEQUENCE)
        _end(watch, frame, watch.runs)


def _move(run: Run, frame: FrameType, offset: int) -> bool:
    """Bring a run to its next state; whether it goes on."""
    automaton = automaton_of(frame.f_code)
    state = run.state
    if type(state) is Landing:
        return _land(run, state, frame, offset)
    assert type(state) is State
    if offset >= automaton.flow.size:
        run.state = Landing(state)
        return True
    return _go_on(run, state, frame, offset)


def _go_on(run: Run, state: State, frame: FrameType, offset: int) -> bool:
    """The instruction of a state has run, and ``offset`` comes next."""
    found = automaton_of(frame.f_code).step(state, offset, run.use)
    if found is None:
        return False
    following, reached = found
    for reach in reached:
        note(run.patch, reach, frame.f_code)
    is_plain = run.use is None and not reached
    goes_on = _arrive(run, following, frame)
    if is_plain and run.use is None and goes_on and not _is_given_back(following):
        state.next[offset] = following
    return goes_on


def _land(run: Run, landing: Landing, frame: FrameType, offset: int) -> bool:
    """In a pad, or out of it: behind the site, or at the handler of the program."""
    automaton = automaton_of(frame.f_code)
    if offset >= automaton.flow.size:
        landing.next[offset] = landing
        return True
    following, ordinal = landing.target, automaton.flow.listing.ordinal_at(offset)
    if following is not None and ordinal == following.ordinal:
        return _arrive(run, following, frame)
    following = automaton.thrown(landing.origin, offset)
    if following is not None:
        return _arrive(run, following, frame)
    # It was no pad, but the copy of an operator that keeps its operands.
    return _go_on(run, landing.origin, frame, offset)


def _arrive(run: Run, state: State, frame: FrameType) -> bool:
    """A run has come to a state; whether it goes on from there."""
    run.state = state
    flow, ordinal = state.flow, state.ordinal
    is_being_called = run.use is not None and not flow.begins_call(ordinal)
    if state.is_over and not (is_being_called and flow.ends_call(ordinal)):
        note_end(run.patch)
        return False
    is_given_on = _is_given_back(state) and _give_back(run, frame)
    if flow.returns(ordinal) and is_given_on:
        return False
    if flow.returns(ordinal):
        note_end(run.patch)
        return False
    if flow.begins_call(ordinal):
        made = flow.call_at(ordinal, state.stack) if True in state.stack else None
        run.use = None if made is None else use_of(made, frame, flow.listing.line(ordinal))
        run.call = None if made is None else state
    elif not flow.ends_call(ordinal):
        run.use = run.call = None
    return True


def _is_given_back(state: State) -> bool:
    """Whether the value is about to be returned or yielded."""
    flow, ordinal = state.flow, state.ordinal
    return state.stack[-1:] == (True,) and (flow.returns(ordinal) or flow.yields(ordinal))


def _give_back(run: Run, frame: FrameType) -> bool:
    """The value is returned or yielded. Whether it is followed on, which the one of a comprehension
    is in the function that it stands in."""
    if _follow_out(run, frame):
        return True
    flow, ordinal = run.at.flow, run.at.ordinal
    is_return = flow.returns(ordinal)
    if not (is_return and is_dropped(frame)):
        kind, what = "return" if is_return else "yield", function_text(flow.listing.code)
        note(run.patch, Reach(kind, what, flow.listing.line(ordinal)), frame.f_code)
        hand_on(frame, run.patch)
    return False


def _follow_out(run: Run, frame: FrameType) -> bool:
    """Follow the value of a comprehension on in the function that it stands in; False where the
    frame is no comprehension, or runs elsewhere."""
    caller, code = frame.f_back, frame.f_code
    if caller is None or code.co_name not in COMPREHENSIONS:
        return False
    if not any(constant is code for constant in caller.f_code.co_consts):
        return False
    automaton = automaton_of(caller.f_code)
    origin, target = automaton.now(caller.f_lasti), received(automaton, caller.f_lasti)
    watch = watch_of(caller)
    if origin is None or target is None or watch is None:
        return False
    if all(known.patch.id != run.patch.id for known in watch.runs):
        if not watch.runs and not _events.begin(watch, caller):
            return False
        made = Run(run.patch, Landing(origin, target, inside=True))
        watch.runs = [*watch.runs, made]
    return True


def _end(watch: Watch, frame: FrameType, ended: list[Run]) -> None:
    """Follow these values no more."""
    watch.runs = [run for run in watch.runs if run not in ended]
    if not watch.runs:
        _events.end(watch, frame)


def _is_deep() -> bool:
    """Whether the stack is so near its limit that following might reach it."""
    try:
        _getframe(max(0, sys.getrecursionlimit() - _ROOM))
    except ValueError:
        return False
    return True
