"""``wsgiref``: its handlers write the headers of responses themselves.

The request is ``http.server``'s, on which ``wsgiref.simple_server`` is built; a handler that is
used by itself (``CGIHandler``) begins it with the application.
"""

from __future__ import annotations

from codesuture.web import marking
from codesuture.web.wrapping import before, replacing
from codesuture.web.wsgi import ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(handlers: Any) -> None:
    """Let ``BaseHandler`` write the header, and run requests again where that helps."""
    before(handlers.BaseHandler, "send_headers", _write)
    replacing(handlers.BaseHandler, "run", _serve)


def _serve(self: Any, *application: Any, **keywords: Any) -> tuple[Any, ...]:
    return (self, *map(ServedApplication, application))


def _write(self: Any) -> None:
    marking.write(self.headers.add_header)
