"""aiohttp's own server: requests begin in ``web_protocol``, headers go out in ``web_response``."""

from __future__ import annotations

from codesuture.proving import prove
from codesuture.web import marking
from codesuture.web.frameworks.aiohttp import REACHED
from codesuture.web.words import line
from codesuture.web.wrapping import before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(module: Any) -> None:
    """Let the protocol tell where a request begins, and responses write the header."""
    before(module.RequestHandler, "_handle_request", _begin)
    before(module.RequestHandler, "handle_error", _prove)
    before(module.StreamResponse, "_write_headers", _write)


def _begin(self: Any, request: Any, *arguments: object) -> None:
    marking.begin(_describe, request)


def _describe(request: Any) -> str:
    return line(request.method, request.path)


def _prove(
    self: Any, request: Any, status: int = 500, exc: object = None, message: object = None
) -> None:
    if isinstance(exc, Exception):
        prove(exc, REACHED)


def _write(self: Any) -> None:
    marking.write(self._headers.add)
