"""An ASGI application around another one: it marks responses, and replays requests."""

from __future__ import annotations

from codesuture.web import marking
from codesuture.web.replay import can_repeat, is_worth_it
from codesuture.web.words import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    Message = MutableMapping[str, Any]
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Messages that carry the headers of a response, and so ours: of HTTP, of a websocket that is
#: accepted, and of one that is refused with a response.
_WITH_HEADERS = ("http.response.start", "websocket.accept", "websocket.http.response.start")

#: Bytes of a failed response that are held back until it is known whether it is the answer.
_MOST_HELD = 1 << 20


class MarkedASGIApplication:
    """Calls ``application``, and lets its responses say what was healed in them.

    Requests of HTTP and websockets are marked; other scopes (``lifespan``) go through as they are.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("type") not in ("http", "websocket"):
            await self.application(scope, receive, send)
            return
        request = marking.begin(
            lambda: line(scope.get("method", "websocket"), scope.get("path", "?"))
        )
        source, kept = _Source(receive), dict(scope)
        while True:
            learned = request.learned
            response = _Response(request, send)
            try:
                await self.application(scope, source.receive, response.send)
            except BaseException as error:
                self.report_crash()
                if not self._is_to_be_repeated(response, source, kept, learned):
                    await response.release()
                    _leave_no_trace(error)
                    raise
            else:
                failed = response.is_failure
                if not failed or not self._is_to_be_repeated(response, source, kept, learned):
                    await response.release()
                    return
            request.replays += 1
            source.rewind()
            scope.clear()
            scope.update(kept)

    def _is_to_be_repeated(
        self, response: _Response, source: _Source, scope: Scope, learned: int
    ) -> bool:
        return (
            not response.started
            and can_repeat(scope.get("method"), source.has_body)
            and is_worth_it(response.request, learned)
        )

    def report_crash(self) -> None:
        """An exception has left the application: ``proving`` looks for it here."""

    def __getattr__(self, name: str) -> Any:
        """Whatever else is asked of the application."""
        if name == "application":
            raise AttributeError(name)
        return getattr(self.application, name)


class ServedASGIApplication(MarkedASGIApplication):
    """One that a server itself calls: nobody handles what leaves the application."""


def _leave_no_trace(error: BaseException) -> None:
    """Take our frames out of the traceback; ``raise`` alone adds none again."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    error.__traceback__ = trace


class _Source:
    """The server's ``receive``; what it has said can be said again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._said: list[Message] = []
        self._again: list[Message] = []

    async def receive(self) -> Message:
        """What the application calls."""
        if self._again:
            return self._again.pop(0)
        message = await self._receive()
        if len(self._said) < 2:  # the empty body of a safe request is one message
            self._said.append(message)
        return message

    @property
    def has_body(self) -> bool:
        """Whether there is more than the one message of a request without a body."""
        return len(self._said) > 1 or any(
            message.get("type") != "http.request" or message.get("body") or message.get("more_body")
            for message in self._said
        )

    def rewind(self) -> None:
        """Say it again."""
        self._again = list(self._said)


class _Response:
    """The server's ``send``; a response that fails may be held back, as long as it can be replaced.

    ``started`` tells that something of it is out.
    """

    def __init__(self, request: marking.Request, send: Send) -> None:
        self.request = request
        self._send = send
        self._held: list[Message] = []
        self._size = 0
        self.started = False

    @property
    def is_failure(self) -> bool:
        """Whether it is an error of the application's own (5xx), and none of it is out."""
        return bool(self._held) and not self.started

    async def send(self, message: Message) -> None:
        """What the application calls."""
        if not self.started and self._may_hold(message):
            self._held.append(message)
            return
        if self._held:
            await self.release()
        await self._pass_on(message)

    def _may_hold(self, message: Message) -> bool:
        if not self._held:
            doubted = self.request.doubted and message.get("type") == "http.response.start"
            return doubted and message.get("status", 200) >= 500
        self._size += len(message.get("body", b""))
        return message.get("type") == "http.response.body" and self._size <= _MOST_HELD

    async def release(self) -> None:
        """Send what was held back."""
        held, self._held = self._held, []
        for message in held:
            await self._pass_on(message)

    async def _pass_on(self, message: Message) -> None:
        self.started = True
        if message.get("type") in _WITH_HEADERS:
            message = self._marked(message)
        await self._send(message)

    def _marked(self, message: Message) -> Message:
        found = self.request.headers()
        self.request.sent = True
        if not found:
            return message
        ours = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in found]
        return {**message, "headers": [*message.get("headers", ()), *ours]}
