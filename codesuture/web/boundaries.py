"""What becomes of an exception that leaves an application which one of ours is around."""

from __future__ import annotations

from codesuture.fate import UNHANDLED, Boundary
from codesuture.fate.boundaries import boundary_of, nobody
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variables
from codesuture.web.asgi import MarkedASGIApplication, ServedASGIApplication
from codesuture.web.wsgi import MarkedApplication, ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _goes_on_unless_served(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """Where a server calls the application nobody handles it, unless that is a handler of
    ``wsgiref`` whose class has its own way with errors; else whoever called it may."""
    kind_of_application = type(local_variables(frame).get("self"))
    if kind_of_application is ServedASGIApplication:
        return _NOBODY
    if kind_of_application is not ServedApplication:
        return PASSES, "goes on to whoever called the application"
    at = frame.f_back
    for _ in range(_NEAR):
        if at is not None and at.f_globals.get("__name__") == "wsgiref.handlers":
            boundary = boundary_of(at)
            return nobody(frame, kind) if boundary is None else boundary.judge(at, kind)
        at = None if at is None else at.f_back
    return nobody(frame, kind)


#: What is said at every crash under ASGI.
_NOBODY = (UNHANDLED, "reaches the server that called the application, where nobody handles it")

#: How many frames further out ``BaseHandler.run`` of ``wsgiref`` is: ours is between.
_NEAR = 2


BOUNDARIES = tuple(
    Boundary(
        application.__module__,
        application.__call__.__qualname__,
        _goes_on_unless_served,
        reports="report_crash",
    )
    for application in (MarkedApplication, MarkedASGIApplication)
)
