"""``http.server``, and what is built on it: ``xmlrpc.server``, werkzeug, Django's ``runserver``."""

from __future__ import annotations

import sys

from codesuture.frames import local_variables
from codesuture.web import marking
from codesuture.web.words import line
from codesuture.web.wrapping import before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(server: Any) -> None:
    """Let ``BaseHTTPRequestHandler`` tell where a request begins, and write the header."""
    handler = server.BaseHTTPRequestHandler
    serving = vars(handler).get("handle_one_request")
    before(handler, "parse_request", _begin)
    before(handler, "end_headers", _write)
    before(server.socketserver.StreamRequestHandler, "finish", _end)
    _begin_late(getattr(serving, "__code__", None))


def _begin(self: Any) -> None:
    marking.begin(marking.Request(_describe, self))


def _describe(handler: Any) -> str:
    return line(getattr(handler, "command", "?"), getattr(handler, "path", "?"))


def _end(self: Any) -> None:
    if marking.current() is not None:
        marking.end()


def _write(self: Any) -> None:
    if not _is_interim(self):
        buffer = self._headers_buffer
        marking.write(lambda name, value: buffer.append(f"{name}: {value}\r\n".encode("latin-1")))


def _is_interim(self: Any) -> bool:
    """Whether these are the headers of ``100 Continue``; the response itself comes later."""
    buffer = getattr(self, "_headers_buffer", None)
    return not buffer or buffer[0].split(b" ", 2)[1][:1] == b"1"


def _begin_late(serving: object) -> None:
    """Where the first heal of a process is what brought us here, its request has begun before."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code is serving:
            _begin(local_variables(frame)["self"])
            return
        frame = frame.f_back  # type: ignore[assignment]
