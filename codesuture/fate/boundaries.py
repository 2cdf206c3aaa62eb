"""Boundaries: frames whose catch-all means that nobody handled the exception.

A boundary is named by module and qualified name. Its rule may say that the application has
registered a handler there, or that what it catches is delivered somewhere else. More boundaries
come from the configuration (``boundaries = ["jobs.worker:loop"]``) and from the entry points of the
group ``codesuture.boundaries``, each of which names a list of such strings, of Boundary
objects, or a function that returns one.
"""

from __future__ import annotations

import os
import sys
from types import FunctionType

from codesuture.fate import futures, lookup
from codesuture.fate.lookup import MISSING, class_entry, place
from codesuture.fate.verdict import HANDLED, PASSES, UNHANDLED, UNKNOWN
from codesuture.frames import local_variable
from codesuture.messages import emit
from codesuture.once import Once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    #: What becomes of an exception of this type at the boundary that this frame is.
    Rule = Callable[[FrameType, type[BaseException]], tuple[str, str]]
    #: Where it is delivered: the frame, and the task that it is suspended in (None: it runs).
    FutureOf = Callable[[FrameType, object], object]
    Tell = Callable[[BaseException | None], None]

ENTRY_POINT_GROUP = "codesuture.boundaries"


#: Frameworks, whose boundaries are read when a frame of theirs is met: by the top-level package,
#: the module of ours that has them as ``BOUNDARIES``, a tuple. A new framework is one such module.
FRAMEWORKS: dict[str, str] = {
    "aiohttp": "codesuture.web.frameworks.aiohttp",
    "anyio": "codesuture.web.frameworks.anyio",
    "apscheduler": "codesuture.jobs.apscheduler",
    "asgiref": "codesuture.web.frameworks.asgiref",
    "bottle": "codesuture.web.frameworks.bottle",
    "celery": "codesuture.jobs.celery",
    "codesuture": "codesuture.web.boundaries",
    "django": "codesuture.web.frameworks.django",
    "falcon": "codesuture.web.frameworks.falcon",
    "flask": "codesuture.web.frameworks.flask",
    "gunicorn": "codesuture.web.servers.gunicorn",
    "jinja2": "codesuture.web.frameworks.jinja2",
    "rest_framework": "codesuture.web.frameworks.rest_framework",
    "rq": "codesuture.jobs.rq",
    "starlette": "codesuture.web.frameworks.starlette",
    "tornado": "codesuture.web.frameworks.tornado",
    "uvicorn": "codesuture.web.servers.uvicorn",
    "waitress": "codesuture.web.servers.waitress",
    "werkzeug": "codesuture.web.servers.werkzeug",
    "xmlrpc": "codesuture.web.frameworks.xmlrpc",
}


class Boundary:
    """``module`` and ``qualname`` of the function, and the rule for what its catch-all means.

    The rule gets the boundary's frame and the type of exception that comes to it. It gives a fate,
    or PASSES where the exception goes on to the frames outside, and the end of a sentence that
    begins with "It". It is asked again whenever the same chain comes to the boundary, so it may
    look at anything that it finds from the frame, and should be quick. ``future_of`` gives the
    future that the exception is put into, where it is, or the ``futures.Awaiting`` frames that are
    resumed with it; then these decide. It gets the frame and, where that is suspended, its task.
    ``reports`` names the method of its ``self`` that the catch-all calls: there an exception is
    seen to have come here (``codesuture.proving``). Or it is a function that is given another one
    and the frame, and sees to it that the other one is called, once, with each such exception.
    ``raises`` tells that its handlers raise the exception again, and that the rule of this
    framework is asked all the same; the rule of a ``narrow`` one is asked of what narrower clauses
    than ``except Exception`` catch, too.
    """

    __slots__ = ("future_of", "module", "narrow", "qualname", "raises", "reports", "rule")

    def __init__(
        self,
        module: str,
        qualname: str,
        rule: Rule | None = None,
        future_of: FutureOf | None = None,
        reports: str | Callable[[Tell, FrameType], None] = "",
        raises: bool = False,
        narrow: bool = False,
    ) -> None:
        self.module = module
        self.qualname = qualname
        self.rule: Rule = rule or nobody
        self.future_of = future_of
        self.reports = reports
        self.raises = raises
        self.narrow = narrow

    @classmethod
    def named(cls, text: str) -> Boundary:
        """From ``module:qualname``. Raises ValueError for anything else."""
        module, colon, qualname = text.partition(":")
        if not colon or not module or not qualname:
            raise ValueError(f"{text!r} does not name a boundary: write module:qualname.")
        return cls(module, qualname)

    @property
    def is_conditional(self) -> bool:
        """Whether the rule's answer may be another one for another frame."""
        return self.rule is not nobody and self.rule is not lets_pass

    def judge(self, frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
        """What the rule says; UNKNOWN where it fails."""
        try:
            fate, reason = self.rule(frame, kind)
        except Exception as fault:
            return UNKNOWN, f"reaches {self.qualname}, whose rule failed: {fault!r}"
        return fate, reason


def nobody(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """The rule of a boundary at which no application can register a handler."""
    return UNHANDLED, f"reaches {where(frame)}, where nobody handles it"


def lets_pass(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """The rule of a function that is known to clean up and to let every ``Exception`` pass, though
    that cannot be read from it."""
    if issubclass(kind, Exception):
        return PASSES, f"passes {where(frame)}"
    return UNKNOWN, f"reaches {where(frame)}, which may take it for a cancellation"


def where(frame: FrameType) -> str:
    """The boundary's name, for the reason that a rule gives."""
    return f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"


def unless_overridden(*methods: str) -> Rule:
    """Nobody handles it there, unless the class of ``self`` brings a method of its own."""

    def rule(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
        owner = local_variable(frame, "self", MISSING)
        for method in methods:
            entry = class_entry(type(owner), method)
            if type(entry) is FunctionType and not _is_known(entry):
                return HANDLED, f"reaches {where(frame)}, and {place(entry)} handles it"
        return nobody(frame, kind)

    return rule


def _is_known(method: FunctionType) -> bool:
    """Whether a method belongs to the standard library, or to a framework whose file tells."""
    return lookup.is_library(method) or str(method.__module__).partition(".")[0] in FRAMEWORKS


def unless_attribute(path: tuple[str, ...]) -> Rule:
    """Nobody handles it there, unless an attribute of ``self`` holds a handler."""

    def rule(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
        value = local_variable(frame, "self", MISSING)
        for name in path:
            value = lookup.attribute(value, name)
        if value is not MISSING and value is not None:
            return HANDLED, f"reaches {where(frame)}, where the application's handler is called"
        return nobody(frame, kind)

    return rule


def _reported(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    return HANDLED, f"reaches {where(frame)}, which reports it as a test's result"


def delivered(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """The rule of a boundary with ``future_of``, where that finds none."""
    return UNKNOWN, f"reaches {where(frame)}, which hands it to whoever asks for the result"


def future_of_job(frame: FrameType, task: object) -> object:
    """The future of ``concurrent.futures.thread._WorkItem.run`` and its like is the item's."""
    future = lookup.attribute(local_variable(frame, "self"), "future")
    if "asgiref.sync" in sys.modules or _is_of_loop():
        futures.give_time(future)  # whoever started the job is about to chain its future
    return future


def _is_of_loop() -> bool:
    """Whether this thread belongs to the pool of an event loop (``loop.run_in_executor(None, …)``).

    asgiref has pools of its own for that.
    """
    return str(sys.modules["threading"].current_thread().name).startswith("asyncio_")


def _trio_task(frame: FrameType, task: object) -> object:
    """``trio._core._run.unrolled_run`` runs one step of its ``task``."""
    return local_variable(frame, "task", MISSING)


def _in_task(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """``asyncio.events.Handle._run`` calls a callback; a task's step has been followed before."""
    tasks = sys.modules.get("asyncio.tasks")
    try:
        running = None if tasks is None else tasks.current_task()
    except Exception:
        running = None
    if running is not None:
        return UNKNOWN, "ends a task that cannot be read"
    return _loop_handler(frame, kind)


_loop_handler = unless_attribute(("_loop", "_exception_handler"))
_BUILT_IN = (
    Boundary("threading", "Thread._bootstrap_inner", reports="_invoke_excepthook"),
    Boundary("multiprocessing.process", "BaseProcess._bootstrap"),
    Boundary("multiprocessing.pool", "worker", delivered),
    Boundary("concurrent.futures.thread", "_WorkItem.run", delivered, future_of_job),
    Boundary("trio._core._run", "unrolled_run", delivered, _trio_task),
    Boundary("concurrent.futures.process", "_process_worker", delivered),
    Boundary(
        "socketserver",
        "BaseServer._handle_request_noblock",
        unless_overridden("handle_error"),
        reports="handle_error",
    ),
    Boundary(
        "socketserver",
        "ThreadingMixIn.process_request_thread",
        unless_overridden("handle_error"),
        reports="handle_error",
    ),
    Boundary(
        "socketserver",
        "ForkingMixIn.process_request",
        unless_overridden("handle_error"),
        reports="handle_error",
    ),
    Boundary(
        "wsgiref.handlers",
        "BaseHandler.run",
        unless_overridden("handle_error", "error_output", "log_exception"),
        reports="handle_error",
    ),
    Boundary("asyncio.events", "Handle._run", _in_task),
    *(
        Boundary("asyncio.selector_events", f"_SelectorSocketTransport._read_ready__{step}",
                 _loop_handler)
        for step in ("data_received", "get_buffer", "on_eof")
    ),
    Boundary("tkinter", "CallWrapper.__call__"),
    Boundary("unittest.case", "_Outcome.testPartExecutor", _reported),
    Boundary("unittest.case", "TestCase.run", _reported),
    Boundary("_pytest.runner", "CallInfo.from_call", _reported),
    Boundary("codesuture_agent", "run"),
)

_registry: dict[tuple[str, str], Boundary] = {}
_frameworks_read: set[str] = set()


def register(boundaries: Iterable[Boundary | str]) -> None:
    """Add boundaries. Raises ValueError for a string that is not ``module:qualname``."""
    for boundary in boundaries:
        one = Boundary.named(boundary) if isinstance(boundary, str) else boundary
        _registry[one.module, one.qualname] = one


register(_BUILT_IN)


def boundary_of(frame: FrameType) -> Boundary | None:
    """The boundary that the frame is, or None."""
    found = _known_boundary_of(frame)
    if found is None and not _entry_points.done and _entry_points.run():
        found = _known_boundary_of(frame)
    return found


def _known_boundary_of(frame: FrameType) -> Boundary | None:
    for module in _module_names(frame):
        found = _registered(module, frame.f_code.co_qualname)
        if found is not None:
            return found
    return None


def framework_boundary(frame: FrameType) -> Boundary | None:
    """The boundary that the frame is, if it is one of a framework's."""
    module = frame.f_globals.get("__name__")
    if type(module) is not str or module.partition(".")[0] not in FRAMEWORKS:
        return None
    return _registered(module, frame.f_code.co_qualname)


def delivering(frame: FrameType) -> Boundary | None:
    """The boundary that the frame is, if it puts what it catches into a future."""
    found = _registered(str(frame.f_globals.get("__name__")), frame.f_code.co_qualname)
    return found if found is not None and found.future_of is not None else None


def reporting(frame: FrameType, kind: type[BaseException]) -> Boundary | None:
    """The boundary that the frame is, if exceptions of a type end there and are seen to do so."""
    found = _registered(str(frame.f_globals.get("__name__")), frame.f_code.co_qualname)
    if found is None or not found.reports:
        return None
    return found if found.judge(frame, kind)[0] != PASSES else None


def _registered(module: str, qualname: str) -> Boundary | None:
    package = module.partition(".")[0]
    if package in FRAMEWORKS and package not in _frameworks_read:
        _read_framework(package)
    return _registry.get((module, qualname))


def _read_framework(package: str) -> None:
    """Add the boundaries of a framework; what the configuration names stays as it is there."""
    from importlib import import_module

    try:
        for one in import_module(FRAMEWORKS[package]).BOUNDARIES:
            _registry.setdefault((one.module, one.qualname), one)
    finally:
        _frameworks_read.add(package)


def _module_names(frame: FrameType) -> Iterator[str]:
    """The names of the frame's module; for ``__main__`` that of the script or package too."""
    names = frame.f_globals
    module = names.get("__name__")
    if type(module) is str:
        yield module
    if module == "__main__":
        name = lookup.attribute(names.get("__spec__"), "name")
        file = names.get("__file__")
        if type(name) is str:
            yield name
        elif type(file) is str:
            yield os.path.splitext(os.path.basename(file))[0]


def _read_entry_points() -> None:
    """Add the boundaries of installed packages; found once, when an unknown catch-all is met.

    Importing importlib-metadata takes 40 ms. What crashes while they are loaded finds no others.
    """
    from importlib_metadata import entry_points

    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            found = point.load()
            register(found() if type(found) is FunctionType else found)
        except Exception as fault:
            emit(
                f"The boundaries {point.name!r} of an installed package cannot be used: "
                f"{type(fault).__name__}: {fault}"
            )


_entry_points = Once(_read_entry_points)
