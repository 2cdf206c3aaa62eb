"""RQ: a worker runs a job, and records what it dies of with the job, as text.

Nobody gets the exception from there: ``job.return_value()`` gives None. What handles it is what was
given along when the job was enqueued (``on_failure``, ``Retry``, a webhook for failed jobs), and
the worker's own exception handlers. A job that is retried is left to its retries; when the last one
is running there is nothing left but the registry of failed jobs.

Source: ``rq/worker/base.py``, ``rq/queue.py`` and ``rq/job.py`` of 3.0; ``rq/worker.py`` of 2.
"""

from __future__ import annotations

from codesuture.fate import HANDLED, Boundary
from codesuture.fate.boundaries import nobody, where
from codesuture.fate.lookup import attribute, class_entry, place
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _unless_registered(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    found = local_variables(frame)
    handler = _handler_of(found.get("job")) or _handler_of_worker(found.get("self"))
    if handler:
        return HANDLED, f"reaches {where(frame)}, and {handler}"
    return nobody(frame, kind)


def _handler_of(job: object) -> str:
    """What the job has for its failure, as the end of a sentence."""
    callback = attribute(job, "_failure_callback_name")
    if type(callback) is str and callback:
        return f"its failure callback {callback} is called"
    left = attribute(job, "retries_left")
    if type(left) is int and left > 0:
        return f"the job is retried ({left} left)"
    hooks = attribute(job, "webhooks")
    if type(hooks) is list and any(attribute(one, "job_status") == "failed" for one in hooks):
        return "a webhook is told of it"
    return ""


def _handler_of_worker(worker: object) -> str:
    handlers = attribute(worker, "_exc_handlers")
    if type(handlers) is list and handlers:
        return f"{place(handlers[0]) or 'an exception handler'} of the worker is called"
    for method in ("handle_exception", "handle_job_failure"):
        own = place(class_entry(type(worker), method))
        if own and not own.startswith("rq."):
            return f"{own} handles it"
    return ""


def _passes(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """``Job.perform`` asserts something in its ``finally``; that aside, everything passes."""
    return PASSES, "leaves the job"


BOUNDARIES = (
    Boundary("rq.job", "Job.perform", _passes),
    Boundary("rq.worker.base", "BaseWorker.perform_job", _unless_registered),
    Boundary("rq.worker", "BaseWorker.perform_job", _unless_registered),
    Boundary("rq.queue", "Queue.run_sync", _unless_registered),
)
