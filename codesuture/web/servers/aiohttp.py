"""aiohttp's own server: requests begin in ``web_protocol``, headers go out in ``web_response``.

A request that failed of something that was learned from is run again before the page for status
500 is sent, with a clone of the request, as aiohttp's own middlewares make it.
"""

from __future__ import annotations

from functools import wraps

from codesuture.ending import tell
from codesuture.proving import prove
from codesuture.web import marking
from codesuture.web.frameworks.aiohttp import REACHED
from codesuture.web.replay import is_worth_it, repeated_methods
from codesuture.web.words import line
from codesuture.web.wrapping import before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _Served:
    """A request, what handles it, and whether that failed since ``learned`` proofs."""

    __slots__ = ("failed", "handler", "learned", "request")

    def __init__(self, request: Any, handler: Callable[[Any], Any]) -> None:
        self.request = request
        self.handler = handler
        self.failed = False
        self.learned = 0


def adapt(module: Any) -> None:
    """Let the protocol tell where requests begin, and run them again; responses write headers."""
    handle = vars(module.RequestHandler).get("_handle_request")
    before(module.RequestHandler, "_handle_request", _begin)
    before(module.RequestHandler, "handle_error", _prove)
    before(module.StreamResponse, "_write_headers", _write)
    _run_again_before(module.RequestHandler, "finish_response", handle)


def _begin(self: Any, request: Any, start_time: object, request_handler: Any) -> None:
    marking.begin(marking.Request(_describe, _Served(request, request_handler)))


def _describe(served: _Served) -> str:
    return line(served.request.method, served.request.path)


def _prove(
    self: Any, request: Any, status: int = 500, exc: object = None, message: object = None
) -> None:
    if isinstance(exc, Exception):
        marked = marking.current()
        if marked is not None and type(marked.subject) is _Served:
            marked.subject.failed = True
        prove(exc, REACHED)
        tell(exc, REACHED)


def _write(self: Any) -> None:
    marking.write(self._headers.add)


def _run_again_before(owner: Any, name: str, handle: Callable[..., Any]) -> None:
    original = vars(owner).get(name)
    if not callable(original):
        return

    @wraps(original)
    def finish(self: Any, request: Any, response: Any, start_time: object) -> Any:
        marked = marking.current()
        if marked is not None and marked.learned and _is_to_be_repeated(marked, request):
            return _again(self, request, start_time, marked, handle)
        return original(self, request, response, start_time)

    setattr(owner, name, finish)


def _is_to_be_repeated(marked: marking.Request, request: Any) -> bool:
    """Whether handling it failed, nothing of a response is out, and it may succeed now."""
    served = marked.subject
    return (
        type(served) is _Served
        and served.failed
        and not marked.sent
        and request.method in repeated_methods()
        and not request.body_exists
        and is_worth_it(marked, served.learned)
    )


async def _again(
    self: Any, request: Any, start_time: object, marked: marking.Request, handle: Any
) -> Any:
    """What ``RequestHandler._handle_request`` gives for the same request this time."""
    served: Any = marked.subject
    served.learned, served.failed = marked.learned, False
    marked.replays += 1
    request = request.clone()
    request.clear()  # what the first time has put into it
    try:
        return await handle(self, request, start_time, served.handler)
    finally:
        waiter = getattr(self, "_handler_waiter", None)
        if waiter is not None and waiter.done():  # a shutdown waits; it is told once
            self._handler_waiter = None
