"""Celery: a worker's tracer runs a task and records what it dies of as the task's failure.

The exception is *delivered* where a result backend keeps it and the result is not ignored: another
process may ask for the result, and get the exception from ``AsyncResult.get``. Nobody knows, so its
fate is not known. Otherwise nobody handles it, unless the task says what is to be done:
``on_failure``, ``link_error``, ``throws``. ``autoretry_for`` and ``self.retry`` are handlers in
frames of their own, which the analysis reads. Receivers of ``task_failure``, and ``after_return``,
are told of the end of every task; they do not handle it.

Source: ``celery/app/trace.py`` and ``celery/app/task.py`` of 5.7.
"""

from __future__ import annotations

from types import FunctionType

from codesuture.fate import HANDLED, UNKNOWN, Boundary
from codesuture.fate.boundaries import nobody, where
from codesuture.fate.lookup import attribute, class_entry, instance_dict, is_class, mro, place
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

_DISABLED = "celery.backends.base.DisabledBackend"
_ON_FAILURE = "celery.app.task.Task.on_failure"


def _unless_asked_for(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    found = local_variables(frame)
    task, request = found.get("task"), instance_dict(found.get("task_request"))
    if _propagates(found.get("on_error")):
        return PASSES, "goes on to whoever has called the task"
    handler = _handler(task, request or {}, kind)
    if handler:
        return HANDLED, f"reaches {where(frame)}, and {handler}"
    if request is None or found.get("eager") or _keeps_result(task, request):
        return UNKNOWN, f"reaches {where(frame)}, which hands it to whoever asks for the result"
    return nobody(frame, kind)


def _propagates(on_error: object) -> bool:
    """Whether the tracer's ``on_error`` raises again: ``apply(throw=True)``, or
    ``task_eager_propagates``."""
    if type(on_error) is not FunctionType:
        return False
    names = on_error.__code__.co_freevars
    cells = on_error.__closure__ or ()
    return "propagate" in names and cells[names.index("propagate")].cell_contents is True


def _handler(task: object, request: Mapping[str, object], kind: type[BaseException]) -> str:
    """What the task has for failures, as the end of a sentence; empty where it has nothing."""
    own = place(class_entry(type(task), "on_failure"))
    if own != _ON_FAILURE:
        return f"{own or 'its on_failure'} handles it"
    expected = attribute(task, "throws")
    if _is_among(kind, expected):
        return "the task says that it throws it"
    if request.get("errbacks") or _errors_of_chord(request.get("chord")):
        return "a task is linked to its failure (link_error)"
    if attribute(task, "acks_late") and attribute(task, "acks_on_failure_or_timeout") is False:
        return "the message is not acknowledged, so the task is run again"
    return ""


def _is_among(kind: type[BaseException], expected: object) -> bool:
    """``isinstance(exception, task.throws)``, as far as that runs nobody's code."""
    if type(expected) is tuple:
        return any(_is_among(kind, one) for one in expected)
    return is_class(expected) and expected in mro(kind)


def _errors_of_chord(body: object) -> object:
    """The tasks that are linked to the failure of the chord that the task is part of."""
    options = dict.get(body, "options") if isinstance(body, dict) else None
    return dict.get(options, "link_error") if isinstance(options, dict) else None


def _keeps_result(task: object, request: Mapping[str, object]) -> bool:
    """Whether what the task dies of is kept where somebody may ask for it.

    The backend is asked for as the tracer does it in any case when the task ends.
    """
    ignored = request.get("ignore_result")
    if ignored is None:
        ignored = attribute(task, "ignore_result")
    if ignored is True and attribute(task, "store_errors_even_if_ignored") is False:
        return False
    entry = class_entry(type(task), "backend")
    if type(entry) is not property or place(entry.fget) != "celery.app.task.Task.backend":
        return True
    return place(type(entry.__get__(task))) != _DISABLED


BOUNDARIES = (
    Boundary("celery.app.trace", "build_tracer.<locals>.trace_task", _unless_asked_for),
)
