"""What refers to code: functions, code that has it as a constant, and frames that run it.

Code objects are not tracked by the garbage collector, and the constants that they are among are not
either; functions are, each of them. One pass over all tracked objects finds them, which is what
``gc.get_referrers`` does each time it is asked. Whatever else leads to code leads to a function
first: bound methods, partials, properties, ``__wrapped__``, class dictionaries, containers.
"""

from __future__ import annotations

import gc
import sys
from functools import partial
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SUSPENDED: dict[type, str] = {
    GeneratorType: "gi_frame", CoroutineType: "cr_frame", AsyncGeneratorType: "ag_frame",
}  # fmt: skip
_RUNS_ALONE = 0x20 | 0x80 | 0x200  # inspect's CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR

#: What is looked into for functions that the collector does not show (``gc.freeze``).
_NAMESPACES = (
    dict, list, tuple, type, property, classmethod, staticmethod, partial, FunctionType, MethodType,
    type((lambda one: lambda: one)(0).__closure__[0]),  # type: ignore[index]  # a cell
)  # fmt: skip


class References:
    """What is alive at this moment and runs, or will run, code that ``wanted`` names.

    ``functions`` are those whose code comes from a wanted file; ``running`` counts frames that are
    running or suspended in code that ``is_old``.
    """

    def __init__(
        self, is_wanted: Callable[[CodeType], bool], is_old: Callable[[CodeType], bool]
    ) -> None:
        self.functions: list[FunctionType] = []
        self.running = 0
        for one in _objects():
            kind = type(one)
            if kind is FunctionType:
                if is_wanted(one.__code__):  # type: ignore[attr-defined]
                    self.functions.append(one)  # type: ignore[arg-type]
            elif kind in _SUSPENDED:
                frame = getattr(one, _SUSPENDED[kind])  # None where it has ended
                self.running += frame is not None and is_old(frame.f_code)
        for frame in sys._current_frames().values():
            at = frame
            while at is not None:
                if not at.f_code.co_flags & _RUNS_ALONE:
                    self.running += is_old(at.f_code)
                at = at.f_back  # type: ignore[assignment]


def _objects() -> Iterator[object]:
    """All objects that may be functions or suspended frames."""
    yield from gc.get_objects()
    if gc.get_freeze_count():
        yield from _frozen()


def _frozen() -> Iterator[object]:
    """Functions in the namespaces of modules and their classes: the collector does not show what
    ``gc.freeze`` has put aside."""
    modules = [one for one in list(sys.modules.values()) if type(one) is ModuleType]
    work: list[object] = [vars(one) for one in modules]
    seen = {id(one) for one in work}
    while work:
        for one in gc.get_referents(work.pop()):
            kind = type(one)
            if id(one) in seen or not (kind in _NAMESPACES or issubclass(kind, type)):
                continue
            seen.add(id(one))
            work.append(one)
            if kind is FunctionType:
                yield one
