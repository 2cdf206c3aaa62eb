"""hypercorn: applications of both kinds are put into wrappers of its own."""

from __future__ import annotations

from codesuture.web.asgi import ServedASGIApplication
from codesuture.web.wrapping import after
from codesuture.web.wsgi import ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(wrappers: Any) -> None:
    """Mark the responses of what is in them."""
    after(wrappers.ASGIWrapper, "__init__", _wrap_asgi)
    after(wrappers.WSGIWrapper, "__init__", _wrap_wsgi)


def _wrap_asgi(self: Any, *arguments: object) -> None:
    self.app = ServedASGIApplication(self.app)


def _wrap_wsgi(self: Any, *arguments: object) -> None:
    self.app = ServedApplication(self.app)
