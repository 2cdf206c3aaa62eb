"""What becomes of an exception that leaves an application which one of ours is around."""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.fate.boundaries import boundary_of, nobody
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variables
from codesuture.web.asgi import MarkedASGIApplication, ServedASGIApplication
from codesuture.web.wsgi import MarkedApplication, ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _goes_on_unless_served(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """Where a server calls the application, its own boundary tells, or nobody handles it; else
    whoever does may."""
    if type(local_variables(frame).get("self")) not in (ServedApplication, ServedASGIApplication):
        return PASSES, "goes on to whoever called the application"
    at = frame.f_back
    for _ in range(_NEAR):
        if at is None:
            break
        boundary = boundary_of(at)
        if boundary is not None:
            fate, reason = boundary.judge(at, kind)
            return nobody(frame, kind) if fate == PASSES else (fate, reason)
        at = at.f_back
    return nobody(frame, kind)


#: How many frames further out a server's own boundary is looked for.
_NEAR = 4


BOUNDARIES = tuple(
    Boundary(
        application.__module__,
        application.__call__.__qualname__,
        _goes_on_unless_served,
        reports="report_crash",
    )
    for application in (MarkedApplication, MarkedASGIApplication)
)
