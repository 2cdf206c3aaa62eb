"""waitress: a server has one application.

A channel logs what leaves it and answers with status 500. Source: ``waitress/channel.py`` of 3.0.
"""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.web.wrapping import after
from codesuture.web.wsgi import ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BOUNDARIES = (Boundary("waitress.channel", "HTTPChannel.service"),)


def adapt(server: Any) -> None:
    """Mark the responses of every server."""
    after(server.BaseWSGIServer, "__init__", _wrap)


def _wrap(self: Any, *arguments: object, **keywords: object) -> None:
    if hasattr(self, "application"):
        self.application = ServedApplication(self.application)
