"""Tasks and jobs whose exception nobody can get any more: fire and forget.

Whoever wants the exception of a task or a future has to refer to it. Where nothing does but the
machinery that runs it, nobody ever will: the event loop only reports "exception was never
retrieved", a thread pool says nothing at all. So references are counted; one more than the
machinery's own, wherever it comes from, and the answer is that it is not known.

``background_tasks.add(task)`` with ``task.add_done_callback(background_tasks.discard)``, as the
documentation of asyncio has it, keeps a task alive and nothing else: the set lets go of it as soon
as it has ended.

References are counted by expressions that give the object no name here, as a name would count.
"""

from __future__ import annotations

import sys
from sys import getrefcount
from types import BuiltinFunctionType, FunctionType

from codesuture.fate import futures, lookup
from codesuture.fate.lookup import MISSING, place
from codesuture.frames import local_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

#: ``getrefcount`` itself sees the object that it is given.
_SEEN = 1
#: A running task: the loop's note of the current task, and the method that the handle calls
#: (Modules/_asynciomodule.c, ``TaskStepMethWrapper`` or the wakeup method).
_OF_RUNNING_TASK = 2
#: A job: its work item (Lib/concurrent/futures/thread.py). In an event loop's executor also the
#: future that the loop has made for it (Lib/asyncio/futures.py, ``_chain_future``).
_OF_JOB = 1
_OF_CHAINED_JOB = 2
#: The loop's future: the function that passes the result on.
_OF_CHAINED_FUTURE = 1

_CHAIN = "asyncio.futures._chain_future.<locals>._call_set_state"
_MOST_KEPT = 100_000


def task_of_nobody(frame: FrameType) -> object:
    """The event loop, where ``frame`` is the outermost coroutine of a running task that nobody else
    refers to; or MISSING."""
    handle = frame.f_back
    tasks = sys.modules.get("asyncio.tasks")
    if tasks is None or handle is None or not _is_in(handle, "asyncio.events", "Handle._run"):
        return MISSING
    references = getrefcount(tasks.current_task()) - _SEEN
    task = futures.task_of(frame)
    if task is None or place(type(task)) != "_asyncio.Task" or futures.waiters(task):
        return MISSING
    if references != _OF_RUNNING_TASK + len(_keepers(task)):
        return MISSING
    return lookup.attribute(local_variable(handle, "self"), "_loop")


def _keepers(task: object) -> list[set[object]]:
    """The sets that hold the task, and let go of it when it has ended."""
    found: list[set[object]] = []
    for callback in futures.callbacks(task):
        if type(callback) is not BuiltinFunctionType or callback.__name__ != "discard":
            continue
        owner = callback.__self__
        if type(owner) is not set or len(owner) > _MOST_KEPT or any(owner is one for one in found):
            continue
        if any(one is task for one in tuple(owner)):
            found.append(owner)
    return found


def job_of_nobody(frame: FrameType) -> object:
    """None where ``frame`` is that of a work item of a thread pool whose future nobody else refers
    to, or the event loop that has given it to the pool; or MISSING."""
    if not _is_in(frame, "concurrent.futures.thread", "_WorkItem.run"):
        return MISSING
    references = getrefcount(lookup.attribute(local_variable(frame, "self"), "future")) - _SEEN
    future = lookup.attribute(local_variable(frame, "self"), "future")
    callbacks = futures.callbacks(future)
    if not callbacks:
        return None if references == _OF_JOB and not futures.waiters(future) else MISSING
    if len(callbacks) != 1 or references != _OF_CHAINED_JOB:
        return MISSING
    return _loop_of_chained(callbacks[0])


def _loop_of_chained(callback: object) -> object:
    """The event loop of the future that a job's result is passed on to, where nobody refers to it
    and nobody waits for it."""
    if type(callback) is not FunctionType or place(callback) != _CHAIN:
        return MISSING
    names, cells = callback.__code__.co_freevars, callback.__closure__ or ()
    if "destination" not in names:
        return MISSING
    cell = cells[names.index("destination")]
    references = getrefcount(cell.cell_contents) - _SEEN
    if references != _OF_CHAINED_FUTURE or futures.waiters(cell.cell_contents):
        return MISSING
    return lookup.attribute(cell.cell_contents, "_loop")


def only_logs(loop: object) -> bool:
    """Whether an event loop has no handler of the program's for what nobody has retrieved."""
    method = place(lookup.class_entry(type(loop), "call_exception_handler"))
    if method != "asyncio.base_events.BaseEventLoop.call_exception_handler":
        return False
    return lookup.attribute(loop, "_exception_handler") is None


def _is_in(frame: FrameType, module: str, qualname: str) -> bool:
    return (
        frame.f_code.co_qualname == qualname and frame.f_globals.get("__name__") == module
    )
