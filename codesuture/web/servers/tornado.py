"""Tornado: requests begin in ``RequestHandler._execute``, and headers are written by ``flush``."""

from __future__ import annotations

from codesuture.live.watching import tell_current
from codesuture.web import marking
from codesuture.web.words import line
from codesuture.web.wrapping import after, before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(web: Any) -> None:
    """Let handlers tell where a request begins, and write the header."""
    before(web.RequestHandler, "_execute", _begin)
    before(web.RequestHandler, "flush", _write)
    after(web.RequestHandler, "_handle_request_exception", tell_current)


def _begin(self: Any, *arguments: object, **keywords: object) -> None:
    marking.begin(marking.Request(_describe, self.request))


def _describe(request: Any) -> str:
    return line(request.method, request.path)


def _write(self: Any, *arguments: object, **keywords: object) -> None:
    if not self._headers_written:
        marking.write(self._headers.add)
