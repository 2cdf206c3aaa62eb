"""``wsgiref``: its handlers write the headers of responses themselves.

The request is ``http.server``'s, on which ``wsgiref.simple_server`` is built.
"""

from __future__ import annotations

from codesuture.web import marking
from codesuture.web.wrapping import before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(handlers: Any) -> None:
    """Let ``BaseHandler`` write the header."""
    before(handlers.BaseHandler, "send_headers", _write)


def _write(self: Any) -> None:
    request = marking.current()
    if request is not None and not request.sent:
        for name, value in request.headers():
            self.headers.add_header(name, value)
        request.sent = True
