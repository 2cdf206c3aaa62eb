"""Who gets the exception that ends a task or a job: the waiters of futures, now.

A task's exception goes to those that await the task, a job's to those that ask its future for the
result. They are found in the future's callbacks (Lib/asyncio/tasks.py, futures.py,
taskgroups.py; Modules/_asynciomodule.c) and, for threads that block in ``result()``, on their
stacks. Nothing is called that user code could have replaced.
"""

from __future__ import annotations

import gc
import sys
from _functools import partial  # type: ignore[import-not-found]
from time import sleep
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
)

from codesuture.fate import lookup
from codesuture.fate.lookup import MISSING, place
from codesuture.fate.nurseries import ANYIO_CALLBACK, is_trio_task, nursery_of
from codesuture.fate.views import view_of
from codesuture.frames import local_variable
from codesuture.surgery.opcodes import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_COROUTINE_FLAGS = 0x80 | 0x100  # CO_COROUTINE, CO_ITERABLE_COROUTINE
_MOST_LINKS = 200

#: What a waiter is, the first of a pair.
COROUTINE = "coroutine"  #: a task: its coroutine is resumed with the exception
GROUP = "group"  #: raises it in a group, where its task leaves the ``async with`` (``nurseries``)
RETURNS = "returns"  #: a frame whose call raises it
COLLECTS = "collects"  #: somebody keeps it as a result (``gather(return_exceptions=True)``)
LOGS = "logs"  #: a catch-all that reports it
TELLS = "tells"  #: a handler of the application is given it
UNCLEAR = "unclear"

Waiter = tuple[str, object]


class Awaiting:
    """Frames of a suspended task, the innermost first, that are resumed with an exception."""

    __slots__ = ("frames", "task")

    def __init__(self, task: object, frames: list[FrameType]) -> None:
        self.task = task
        self.frames = frames

    def outside(self, qualname: str) -> Awaiting | None:
        """What awaits the innermost frame of a function, or None where that is not among them."""
        for number, frame in enumerate(self.frames):
            if frame.f_code.co_qualname == qualname:
                return Awaiting(self.task, self.frames[number + 1 :])
        return None


def awaiting(task: object) -> Awaiting | None:
    """All frames of a task, or None where they cannot all be told."""
    frames = waiting_frames(coroutine_of(task))
    return None if frames is None else Awaiting(task, frames)


def follow(future: object) -> Awaiting | None:
    """Where an exception goes that ends ``future``, if there is one task, and nobody else, that
    awaits it; it may be known already where it goes."""
    if type(future) is Awaiting:
        return future
    task = _only_task(future)
    if task is not None:
        frames = waiting_frames(task._coro)  # type: ignore[attr-defined]
        return None if frames is None else Awaiting(task, frames)
    found = waiters(future)
    if len(found) != 1 or found[0][0] != COROUTINE:
        return None
    return awaiting(found[0][1])


def _only_task(future: object) -> object | None:
    """The task that awaits a future, where both are asyncio's own and there is nobody else: the
    common case, asked at every crash in a thread. Their attributes run no Python code."""
    module = sys.modules.get("_asyncio")
    if module is None or type(future) is not module.Future:
        return None
    found = future._callbacks  # type: ignore[attr-defined]
    if found is None or len(found) != 1:
        return None
    callback = found[0][0]
    if type(callback) is not BuiltinFunctionType or type(callback.__self__) is not module.Task:
        return None
    return callback.__self__


def task_of(frame: FrameType) -> object | None:
    """The asyncio task that runs in this thread, if ``frame`` is its outermost coroutine."""
    if not frame.f_code.co_flags & _COROUTINE_FLAGS:
        return None
    task = running_task()
    return task if _frame_of(coroutine_of(task)) is frame else None


def running_task() -> object | None:
    """The asyncio task that runs in this thread, if there is one."""
    tasks = sys.modules.get("asyncio.tasks")
    if tasks is None:
        return None
    try:
        return tasks.current_task()  # type: ignore[no-any-return]
    except Exception:  # no running loop
        return None


def coroutine_of(task: object) -> object:
    """The coroutine that a task of asyncio or trio runs, or MISSING."""
    return lookup.attribute(task, "coro" if is_trio_task(task) else "_coro")


def _frame_of(coroutine: object) -> FrameType | None:
    if type(coroutine) is CoroutineType:
        return coroutine.cr_frame
    if type(coroutine) is GeneratorType:
        return coroutine.gi_frame
    if type(coroutine) is AsyncGeneratorType:
        return coroutine.ag_frame
    return None


def _beneath(coroutine: object) -> object:
    """What a suspended coroutine awaits."""
    if type(coroutine) is CoroutineType:
        return coroutine.cr_await
    if type(coroutine) is AsyncGeneratorType:
        return coroutine.ag_await
    return coroutine.gi_yieldfrom  # type: ignore[attr-defined]


def _is_running(coroutine: object) -> bool:
    if type(coroutine) is CoroutineType:
        return coroutine.cr_running
    return type(coroutine) is GeneratorType and coroutine.gi_running


def _within(awaitable: object) -> object:
    """The generator or coroutine inside an awaitable that C code makes of it; else itself.

    These have no attribute for it, but tell the garbage collector (Objects/genobject.c).
    """
    if place(type(awaitable)) in _WRAPPERS:
        for one in gc.get_referents(awaitable):
            if type(one) in (AsyncGeneratorType, CoroutineType):
                return one
    return awaitable


_WRAPPERS = (
    "builtins.async_generator_asend",
    "builtins.async_generator_athrow",
    "builtins.coroutine_wrapper",
)


def waiting_frames(coroutine: object) -> list[FrameType] | None:
    """The frames that a suspended coroutine waits in, the innermost first; None where they cannot
    all be told."""
    frames: list[FrameType] = []
    for _ in range(_MOST_LINKS):
        if type(coroutine) is not CoroutineType:
            coroutine = _within(coroutine)
        frame = _frame_of(coroutine)
        if frame is None:
            break
        if _is_running(coroutine):
            return None
        frames.append(frame)
        coroutine = _beneath(coroutine)
    kind = place(type(coroutine))
    if not frames or (kind not in _LEAVES and not issubclass(type(coroutine), _LEAF_BASES)):
        return None
    return frames[::-1]


#: What a chain of awaits may end in: an iterator over a future, or nothing (a bare yield).
_LEAVES = ("_asyncio.FutureIter", "builtins.NoneType")
_LEAF_BASES: tuple[type, ...] = ()


def resumes_at(frame: FrameType) -> int:
    """The instruction of a suspended frame that raises when it is resumed with an exception: the
    SEND that is tried again when the coroutine goes on."""
    view = view_of(frame.f_code)
    number = view.ordinal(frame.f_lasti)
    while number is not None and number > 0:
        row = view.instructions[number]
        if NAMES[row[2]] == "SEND":
            return row[1]
        if NAMES[row[2]] not in ("YIELD_VALUE", "RESUME", "JUMP_BACKWARD_NO_INTERRUPT"):
            break
        number -= 1
    return frame.f_lasti


def give_time(future: object) -> None:
    """Let the event loop's thread come to ``await future``, which it is just about to do.

    A job may be so quick that nobody awaits it yet. Nothing waits in the loop's own thread.
    """
    for _ in range(_MOST_MILLISECONDS):
        if _only_task(future) is not None or callbacks(future):
            return
        if lookup.attribute(future, "_state") not in _UNDONE:
            return
        sleep(0.001)


_MOST_MILLISECONDS = 20
_UNDONE = ("PENDING", "RUNNING")


def waiters(future: object) -> list[Waiter]:
    """All who get the exception of a task, or of an asyncio or concurrent.futures future."""
    if is_trio_task(future):
        return [_trio_waiter(future)]
    found: list[Waiter] = []
    for callback in callbacks(future):
        waiter = _waiter(callback, future)
        if waiter is not None:
            found.append(waiter)
    if lookup.attribute(future, "_condition") is not MISSING:
        for module, qualname, local in _GIVE_RESULTS:
            frames = frames_in(module, qualname, local, future)
            found += [(RETURNS, frame) for frame in frames]
    return found


#: Functions that give what the future, a variable of theirs, ends with: what they are at meanwhile
#: does not matter. (asgiref/sync.py: an asynchronous view that is called by a synchronous server.)
_GIVE_RESULTS = (
    ("concurrent.futures._base", "Future.result", "self"),
    ("asgiref.sync", "AsyncToSync.__call__", "call_result"),
)


def _trio_waiter(task: object) -> Waiter:
    """The nursery of the task; for the first task of the program, the call of ``trio.run``."""
    for frame in frames_of("trio._core._run", "unrolled_run"):
        runner = local_variable(frame, "runner")
        tasks = lookup.attribute(runner, "tasks")
        if type(tasks) is not set or task not in tasks:
            continue
        if lookup.attribute(runner, "main_task") is task:
            runs = frames_in("trio._core._run", "run", "runner", runner)
            return (RETURNS, runs[0]) if runs else (UNCLEAR, "a loop that trio is a guest of")
        nursery = nursery_of(task)
        if nursery is not MISSING and nursery is not None:
            return GROUP, nursery
    return UNCLEAR, "trio"


def callbacks(future: object) -> list[object]:
    """What is called when a task or a future ends."""
    for name in ("_callbacks", "_done_callbacks"):
        found = lookup.attribute(future, name)
        if type(found) is list:
            return [entry[0] if type(entry) is tuple and entry else entry for entry in found]
    return []


def _waiter(callback: object, future: object) -> Waiter | None:
    """Who is behind a done-callback; None for those who do not look at the result."""
    kind = type(callback)
    if kind is BuiltinFunctionType:
        owner = callback.__self__  # type: ignore[attr-defined]
        if coroutine_of(owner) is not MISSING:
            return COROUTINE, owner
        if type(owner) in (set, list, dict):
            return None  # background_tasks.discard
        return UNCLEAR, "a callback in C"
    if place(kind) == "_asyncio.TaskWakeupMethWrapper":
        return UNCLEAR, "a callback in C"
    if kind is partial:
        if place(callback.func) == "asyncio.tasks._release_waiter":  # type: ignore[attr-defined]
            return _only(callback.args[0])  # type: ignore[attr-defined]
        return UNCLEAR, "a partial"
    if kind is MethodType:
        return _method(callback)
    if kind is FunctionType:
        return _function(callback, future)  # type: ignore[arg-type]
    return UNCLEAR, "a callback"


def _method(callback: object) -> Waiter:
    name = place(callback)
    owner = callback.__self__  # type: ignore[attr-defined]
    if name.endswith("Task.__wakeup"):
        return COROUTINE, owner
    if name == "asyncio.taskgroups.TaskGroup._on_task_done":
        return GROUP, owner
    return UNCLEAR, name


def _function(callback: FunctionType, future: object) -> Waiter | None:
    name = place(callback)
    cells = _cells(callback)
    if name == "asyncio.base_events._run_until_complete_cb":
        frames = frames_in(
            "asyncio.base_events", "BaseEventLoop.run_until_complete", "future", future
        )
        return (RETURNS, frames[0]) if frames else (UNCLEAR, name)
    if name == "asyncio.tasks.gather.<locals>._done_callback":
        if cells.get("return_exceptions"):
            return COLLECTS, "gather(..., return_exceptions=True)"
        return _only(cells.get("outer"))
    if name == "asyncio.tasks.shield.<locals>._inner_done_callback":
        return _only(cells.get("outer"))
    if name == ANYIO_CALLBACK and cells.get("task_status_future", MISSING) is None:
        return GROUP, cells.get("self")
    if name in _BLIND:
        return None
    if name == "asyncio.futures._chain_future.<locals>._call_set_state":
        if running_task() is None:
            give_time(cells.get("destination"))
        return _only(cells.get("destination"))
    if name.startswith("asyncio.streams.StreamReaderProtocol.connection_made.<locals>"):
        loop = lookup.attribute(future, "_loop")
        own = lookup.attribute(loop, "_exception_handler")
        return (LOGS, name) if own is None else (TELLS, "the loop's exception handler")
    return UNCLEAR, name


#: Callbacks that do not pass the exception on: they cancel, or count.
_BLIND = (
    "asyncio.tasks.shield.<locals>._clear_awaited_by_callback",
    "asyncio.tasks.shield.<locals>._outer_done_callback",
    "asyncio.futures._chain_future.<locals>._call_check_cancel",
)


def _only(future: object) -> Waiter:
    """The one waiter of a future that stands for another."""
    found = waiters(future)
    return found[0] if len(found) == 1 else (UNCLEAR, "a future with several waiters, or none")


def _cells(function: FunctionType) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def frames_in(module: str, qualname: str, local: str, value: object) -> list[FrameType]:
    """The frames of a function, in any thread, whose local variable is ``value``."""
    return [
        frame
        for frame in frames_of(module, qualname)
        if local_variable(frame, local) is value
    ]


def frames_of(module: str, qualname: str) -> list[FrameType]:
    """The frames of a function, in any thread."""
    found: list[FrameType] = []
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None:
            if (
                frame.f_code.co_qualname == qualname
                and frame.f_globals.get("__name__") == module
            ):
                found.append(frame)
            frame = frame.f_back
    return found
