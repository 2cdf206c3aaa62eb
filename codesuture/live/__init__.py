"""Live: what could not be healed in place is learned where it ends, and patched while it runs.

Code without landing pads (made by ``exec``, loaded before the import hook or by a loader of its
own) crashes, and nobody handles it. At the boundary that the exception comes to, ``learn`` finds
the frame to guard (``choosing``), makes its patch (``learning``), and has the armed code put in the
place of the old one in every function that is alive (``applying``, ``replacing``, ``references``).
Code that is made at run time is armed as it is made from then on, in this process and in later ones
(``making``). ``watching`` has the loops and frameworks that tell.

Nothing of this is imported before something has come to a boundary, or a store has such patches.
"""

from __future__ import annotations

from codesuture.ending import TOP, UNRAISABLE
from codesuture.live.choosing import choose
from codesuture.messages import report_fault
from codesuture.runtime import is_structural
from codesuture.session import current
from codesuture.surgery.packages import spoke

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from codesuture.incidents.incident import Incident
    from codesuture.incidents.making import Step
    from codesuture.session import Session

#: Exceptions of a group that are looked at.
_MOST_LEAVES = 20


def learn(exception: object, boundary: str) -> int:
    """Learn from an exception that nobody has handled; gives how many patches are new.

    ``boundary`` says where it has come to, as "threading.Thread._bootstrap_inner"; for
    ``ending.TOP`` the process ends, so no function is given other code. Each exception of a group
    counts. 0 also where the configuration does not allow it, or no guard knows the crash. Never
    raises; runs none of the program's code. A crash is an incident, too, also where nothing is
    learned from it; of what cannot be raised (``ending.UNRAISABLE``) that is all.
    """
    session = current()
    if session is None or session.config.mode == "off":
        return 0
    learned = 0
    try:
        for one in list(_leaves(exception))[:_MOST_LEAVES]:
            trace = choose(one, session.config) if boundary != UNRAISABLE else None
            incident = None if boundary == TOP else _record(session, one, boundary)
            if trace is not None:
                from codesuture.live.learning import learn_at

                learned += learn_at(session, one, trace, boundary, incident)
    except Exception as fault:
        report_fault(fault)
    return learned


def _leaves(exception: object) -> Iterator[BaseException]:
    """The exception, or those that are grouped in it, of types that crashes have."""
    if isinstance(exception, BaseExceptionGroup):
        for one in exception.exceptions:
            yield from _leaves(one)
    elif isinstance(exception, BaseException) and is_structural(type(exception)):
        yield exception


def _record(session: Session, exception: BaseException, boundary: str) -> Incident | None:
    """The incident that it is, unless it was told of before, or is a ``raise``."""
    trace = exception.__traceback__
    steps: list[Step] = []
    while trace is not None:
        last = trace
        steps.append((trace.tb_frame, trace.tb_lasti))
        trace = trace.tb_next
    if not steps or spoke(last) or not session.config.incidents_record:
        return None
    from codesuture.incidents.reporting import reached

    return reached(session, exception, steps[::-1], boundary, "")
