"""What becomes of an exception that leaves an application which one of ours is around."""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.fate.boundaries import nobody
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variables
from codesuture.web.asgi import MarkedASGIApplication, ServedASGIApplication
from codesuture.web.wsgi import MarkedApplication, ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _goes_on_unless_served(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """Where a server calls the application, nobody handles it; else whoever does may."""
    if type(local_variables(frame).get("self")) in (ServedApplication, ServedASGIApplication):
        return nobody(frame, kind)
    return PASSES, "goes on to whoever called the application"


BOUNDARIES = tuple(
    Boundary(
        application.__module__,
        application.__call__.__qualname__,
        _goes_on_unless_served,
        reports="report_crash",
    )
    for application in (MarkedApplication, MarkedASGIApplication)
)
