"""Groups of tasks whose exceptions come out where the group is left, as one exception group.

``asyncio.TaskGroup`` (Lib/asyncio/taskgroups.py), trio's nurseries (``trio/_core/_run.py``) and
anyio's task groups on asyncio (``anyio/_backends/_asyncio.py``, version 4). A child's exception is
raised in a group in the task that opened it: where that waits in ``__aexit__``, or, while it is
still in the body, as a cancellation there that ``__aexit__`` turns into the group.
"""

from __future__ import annotations

from codesuture.fate import lookup
from codesuture.fate.lookup import MISSING, place
from codesuture.frames import local_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_TRIO = "trio._core._run"
_ANYIO = "anyio._backends._asyncio"
ANYIO_CALLBACK = f"{_ANYIO}.TaskGroup._spawn.<locals>.task_done"

#: Module of the frames in which a group waits for its children, and how they refer to the group.
_WAITING = {
    "asyncio.taskgroups": (("self",),),
    _ANYIO: (("self",),),
    _TRIO: (("self",), ("self", "_nursery")),
}


def always_groups(group: object) -> bool:
    """Whether even a single exception comes out of it in a group."""
    kind = place(type(group))
    if kind == "trio.Nursery":
        return lookup.attribute(group, "_strict_exception_groups") is True
    # anyio 3 has a class of its own for them, and raises a single exception as it is.
    return not kind.startswith(_ANYIO) or lookup.loaded(_ANYIO, "ExceptionGroup") is MISSING


def parent_of(group: object) -> object:
    """The task that opened the group, or MISSING."""
    if place(type(group)).startswith(_ANYIO):
        return lookup.attribute(lookup.attribute(group, "cancel_scope"), "_host_task")
    return lookup.attribute(group, "_parent_task")


def cancellation(group: object) -> object:
    """The class of what is raised in the body when a child fails, or MISSING."""
    if place(type(group)) == "trio.Nursery":
        return lookup.loaded("trio", "Cancelled")
    return lookup.loaded("asyncio.exceptions", "CancelledError")


def position_behind(group: object, frames: list[FrameType]) -> int | None:
    """The position in ``frames`` behind the ``__aexit__`` that waits for the group, if it does."""
    position = None
    for number, frame in enumerate(frames):
        for path in _WAITING.get(str(frame.f_globals.get("__name__")), ()):
            value = local_variables(frame).get(path[0], MISSING)
            for name in path[1:]:
                value = lookup.attribute(value, name)
            if value is group:
                position = number + 1
    return position


def is_trio_task(task: object) -> bool:
    """Whether it is one of trio's; tasks of anyio are those of what it runs on."""
    kind = lookup.loaded(_TRIO, "Task")
    return kind is not MISSING and type(task) is kind


def nursery_of(task: object) -> object:
    """The nursery of a trio task; MISSING for other tasks, None for trio's own first one."""
    return lookup.attribute(task, "_parent_nursery")
