"""uvicorn: the configuration loads the application, in each process that serves."""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.web.asgi import ServedASGIApplication
from codesuture.web.wrapping import after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(config: Any) -> None:
    """Mark the responses of what was loaded."""
    after(config.Config, "load", _wrap)


def _wrap(self: Any) -> None:
    if type(self.loaded_app) is not ServedASGIApplication:
        self.loaded_app = ServedASGIApplication(self.loaded_app)


#: Applications that are not wrapped here: those of the middleware, without the agent.
BOUNDARIES = tuple(
    Boundary(f"uvicorn.protocols.{module}_impl", f"{cls}.run_asgi")
    for module, cls in (
        ("http.h11", "RequestResponseCycle"),
        ("http.httptools", "RequestResponseCycle"),
        ("websockets.websockets", "WebSocketProtocol"),
        ("websockets.websockets_sansio", "WebSocketsSansIOProtocol"),
        ("websockets.wsproto", "WSProtocol"),
    )
)
