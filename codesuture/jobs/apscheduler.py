"""APScheduler 3: an executor runs a job, logs what it dies of, and tells the listeners.

Source: ``apscheduler/executors/base.py`` and ``schedulers/base.py`` (``_dispatch_event``) of 3.11.
"""

from __future__ import annotations

from codesuture.fate import HANDLED, UNKNOWN, Boundary
from codesuture.fate.boundaries import nobody, where
from codesuture.fate.lookup import attribute, place
from codesuture.frames import local_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

EVENT_JOB_ERROR = 2**13


def _unless_listened(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """A listener that is told of errors is how an application handles what its jobs die of."""
    job = local_variable(frame, "job")
    listeners = attribute(attribute(job, "_scheduler"), "_listeners")
    if type(listeners) is not list:  # a process pool: the scheduler is in another process
        return UNKNOWN, f"reaches {where(frame)}, and the scheduler's listeners cannot be read"
    for entry in tuple(listeners):
        if entry[1] & EVENT_JOB_ERROR:
            listener = place(entry[0]) or "a listener"
            return HANDLED, f"reaches {where(frame)}, and {listener} is told of it"
    return nobody(frame, kind)


BOUNDARIES = (
    Boundary("apscheduler.executors.base", "run_job", _unless_listened),
    Boundary("apscheduler.executors.base", "run_coroutine_job", _unless_listened),
)
