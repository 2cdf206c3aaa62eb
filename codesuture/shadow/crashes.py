"""Second crashes: those of an instruction that works on a value which was supplied before."""

from __future__ import annotations

import sys
from types import MethodType

from codesuture.diagnosis.evaluate import evaluate
from codesuture.diagnosis.listing import listing_of
from codesuture.diagnosis.lookup import is_class
from codesuture.runtime import STRUCTURAL
from codesuture.shadow.flow import function_text, mentions
from codesuture.shadow.handing import can_come_to
from codesuture.shadow.reached import Reach
from codesuture.shadow.record import note
from codesuture.shadow.states import Landing, automaton_of
from codesuture.shadow.watching import Watch
from codesuture.surgery import landing
from codesuture.surgery.sealing import sealed_pads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.shadow.states import State
    from codesuture.shadow.watching import Run
    from codesuture.store.patch import Patch
    from codesuture.surgery.sites import Site


def crashed(exception: BaseException, frame: FrameType, site: Site) -> list[Patch]:
    """Lay a crash that nobody handles to the patches whose values its instruction works on."""
    return _lay(exception, frame, site, frame.f_back)


def ended(exception: BaseException) -> list[Patch]:
    """Likewise an exception that has come to a boundary, by the frames of its traceback."""
    trace, outer = exception.__traceback__, None
    found: list[Patch] = []
    if not issubclass(type(exception), STRUCTURAL):
        return found
    while trace is not None:
        frame, following = trace.tb_frame, trace.tb_next
        # What only passes through a call of the program is laid to nothing there.
        is_here = following is None or sealed_pads(following.tb_frame.f_code) is None
        if is_here and sealed_pads(frame.f_code) is not None:
            site = landing.Landing(frame.f_code).site_at(trace.tb_lasti)
            if site is not None:
                found += _lay(exception, frame, site, outer)
        trace, outer = following, frame
    return found


def _lay(
    exception: BaseException, frame: FrameType, site: Site, caller: FrameType | None
) -> list[Patch]:
    patches = {patch.id: patch for patch in _causes(frame, site, caller)}
    if patches:
        listing = listing_of(frame.f_code)
        what = f"{type(exception).__name__} in {function_text(listing.code)}"
        reach = Reach("crash", what, listing.line(site.ordinal))
        for patch in patches.values():
            note(patch, reach, frame.f_code)
        probation = sys.modules.get("codesuture.probation")
        if probation is not None:
            probation.blame(exception, list(patches))
    return list(patches.values())


def _causes(frame: FrameType, site: Site, caller: FrameType | None) -> list[Patch]:
    """The patches whose values are operands of the site."""
    found: list[Patch] = []
    watch = frame.f_trace
    automaton = automaton_of(frame.f_code)

    def is_inside(state: State) -> bool:
        return site.start <= state.flow.listing.instructions[state.ordinal][0] < site.end

    def is_operand(state: State) -> bool:
        return is_inside(state) and state.holds_operand(site.depth)

    if type(watch) is Watch:
        for run in watch.runs:
            at = run.state
            gets_it = type(at) is Landing and at.inside and is_inside(at.origin)
            if gets_it or is_operand(run.at) or (run.call is not None and is_operand(run.call)):
                found.append(run.patch)
        for known in watch.received.values():
            inside = known.inside is not None and is_inside(known.inside)
            if inside or can_come_to(automaton, known.state, is_operand):
                found.append(known.patch)
    outer = caller.f_trace if caller is not None else None
    if type(outer) is Watch and caller is not None:
        for run in outer.runs:
            names = _parameters(run, caller, frame)
            start = automaton.state(0, ((), names))
            if names and can_come_to(automaton, start, is_operand):
                found.append(run.patch)
    return found


def _parameters(run: Run, caller: FrameType, frame: FrameType) -> frozenset[str]:
    """The callee's parameters that hold the value, where the caller gives it to the callee."""
    if run.call is None:
        return frozenset()
    made = run.call.flow.call_at(run.call.ordinal, run.call.stack)
    if made is None:
        return frozenset()
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount]
    called = evaluate(made.function, caller)
    shift = int(type(called) is MethodType or is_class(called))
    given = {
        names[place + shift]
        for place, part in enumerate(made.arguments)
        if mentions(part) and place + shift < len(names)
    }
    given.update(name for name, part in made.keywords.items() if mentions(part))
    return frozenset(given)
