"""``socketserver``: a process that was forked for one request ends without any ado."""

from __future__ import annotations

import os

from codesuture import session
from codesuture.live.watching import tell_current
from codesuture.web.wrapping import after, before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(server: Any) -> None:
    """Store what was counted before ``ForkingMixIn.process_request`` calls ``os._exit``, and learn
    from what a request ends with."""
    for owner in (server.BaseServer, server.TCPServer):
        before(owner, "shutdown_request", _store_counters)
    after(server.BaseServer, "handle_error", tell_current)


def _store_counters(self: object, request: object) -> None:
    began = session.current()
    if began is not None and began.hits and began.process != os.getpid():
        from codesuture.ending import store_counters

        store_counters(began)
