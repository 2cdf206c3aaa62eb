"""Tornado: ``RequestHandler._execute`` logs what leaves a handler, and writes a page for it.

A handler's class that brings a ``write_error``, ``log_exception`` or ``send_error`` of its own
handles its exceptions. Source: ``tornado/web.py``, ``websocket.py`` and ``ioloop.py`` of 6.6.
"""

from __future__ import annotations

from codesuture.fate import HANDLED, Boundary, lookup
from codesuture.fate.boundaries import nobody, unless_overridden, where
from codesuture.frames import local_variables
from codesuture.web.frameworks.rules import is_a, own_method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_unless_own = unless_overridden(
    "write_error", "log_exception", "send_error", "_handle_request_exception"
)


def _unless_answer(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    if is_a(kind, "tornado.web.HTTPError") or is_a(kind, "tornado.web.Finish"):
        return HANDLED, f"reaches {where(frame)}, which makes it the response"
    return _unless_own(frame, kind)


def _unless_logged(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """A callback of a websocket handler: ``open``, ``on_message``, …"""
    names = local_variables(frame)
    handler = names.get("handler") or lookup.attribute(names.get("self"), "handler")
    own = own_method(handler, "log_exception", "tornado")
    if own:
        return HANDLED, f"reaches {where(frame)}, and {own} handles it"
    return nobody(frame, kind)


BOUNDARIES = (
    Boundary("tornado.web", "RequestHandler._execute", _unless_answer),
    Boundary("tornado.websocket", "WebSocketProtocol._run_callback", _unless_logged),
    Boundary("tornado.websocket", "WebSocketProtocol13._accept_connection", _unless_logged),
    Boundary("tornado.ioloop", "IOLoop._run_callback"),
    Boundary("tornado.ioloop", "PeriodicCallback._run"),
)
