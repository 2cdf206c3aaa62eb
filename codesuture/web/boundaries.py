"""What becomes of an exception that leaves an application which one of ours is around."""

from __future__ import annotations

from codesuture.fate import UNHANDLED, Boundary
from codesuture.fate.boundaries import boundary_of, framework_boundary, nobody
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variables
from codesuture.importhook import is_own_file
from codesuture.web.asgi import MarkedASGIApplication, ServedASGIApplication
from codesuture.web.wsgi import MarkedApplication, ServedApplication, WatchedBody

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _unless_others_may(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """Where a server calls the application nobody handles it; else whoever called it may. The same
    is so where it asks for the body."""
    variables = local_variables(frame)
    caller = variables.get("self")
    if type(caller) is ServedASGIApplication:
        return _NOBODY
    environ = variables.get("environ")
    if isinstance(caller, WatchedBody):
        caller, environ = caller.application, caller.exchange.subject
    application = type(caller)
    if issubclass(application, ServedApplication):
        return _behind_server(frame, kind)
    if issubclass(application, MarkedApplication) and not _is_inside_application(frame, environ):
        return nobody(frame, kind)
    return PASSES, "goes on to whoever called the application"


def _behind_server(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """A handler of ``wsgiref`` may have a class with its own way with errors."""
    at = frame.f_back
    for _ in range(_NEAR):
        if at is not None and _is_wsgiref(at):
            boundary = boundary_of(at)
            if boundary is not None:
                return boundary.judge(at, kind)
        at = None if at is None else at.f_back
    return nobody(frame, kind)


#: What is said at every crash under ASGI.
_NOBODY = (UNHANDLED, "reaches the server that called the application, where nobody handles it")

#: How many frames further out ``BaseHandler.run`` of ``wsgiref`` is at most: one of ours is
#: between, or ``finish_response`` of its own and of Django's class.
_NEAR = 3


def _is_inside_application(frame: FrameType, environ: object) -> bool:
    """Whether something outside of a middleware may have its own way with errors: a server or a
    framework that is known, or the program's own code that the same request goes through.

    Any other server reports what leaves the application; it does not handle it.
    """
    at = frame.f_back
    while at is not None:
        if _is_wsgiref(at) or framework_boundary(at) is not None:
            return True
        if is_own_file(at.f_code.co_filename) and any(
            value is environ for value in local_variables(at).values()
        ):
            return True
        at = at.f_back
    return False


def _is_wsgiref(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == "wsgiref.handlers"


BOUNDARIES = (
    *(
        Boundary(
            application.__module__,
            application.__call__.__qualname__,
            _unless_others_may,
            reports="report_crash",
            raises=True,
        )
        for application in (MarkedApplication, MarkedASGIApplication)
    ),
    Boundary(
        WatchedBody.__module__, WatchedBody.__next__.__qualname__, _unless_others_may, raises=True
    ),
)
