"""werkzeug: its development server, and the debugger that shows an exception in the browser.

The request and the header of its response are ``http.server``'s, on which this one is built. The
debugger's page is how a lost request looks to a developer. Source: ``werkzeug/serving.py`` and
``werkzeug/debug/__init__.py`` of 3.1.
"""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.fate.boundaries import nobody
from codesuture.fate.lookup import attribute
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variable
from codesuture.web.wrapping import after
from codesuture.web.wsgi import ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


def _unless_passed_through(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    server = attribute(local_variable(frame, "self"), "server")
    if attribute(server, "passthrough_errors") is True:
        return PASSES, "goes on to the top of the server"
    return nobody(frame, kind)


BOUNDARIES = (
    Boundary("werkzeug.serving", "WSGIRequestHandler.run_wsgi", _unless_passed_through),
    Boundary("werkzeug.debug", "DebuggedApplication.debug_application"),
)


def adapt(serving: Any) -> None:
    """Let requests be run again where that helps."""
    after(serving.BaseWSGIServer, "__init__", _wrap)


def _wrap(self: Any, *arguments: object, **keywords: object) -> None:
    self.app = ServedApplication(self.app)
