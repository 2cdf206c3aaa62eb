"""An ASGI application around another one: it marks responses, and replays requests."""

from __future__ import annotations

from codesuture.web import marking
from codesuture.web.around import Around, leave_no_trace
from codesuture.web.replay import is_worth_it
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


class MarkedASGIApplication(Around):
    """Calls ``application``, and lets its responses say what was healed in them.

    Requests of HTTP and websockets are marked; other scopes (``lifespan``) go through as they are.
    Where one of these is around another, it is one request.
    """

    application: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("type") not in ("http", "websocket"):
            try:
                await self.application(scope, receive, send)
            except BaseException as error:
                leave_no_trace(error, globals())
                raise
            return
        request, own = marking.current(), False
        if request is None or request.sent:
            request, own = marking.Request(_describe, scope), True
            marking.begin(request)
        exchange = _Exchange(request, scope, receive, send, self.repeated)
        if exchange.repeatable:
            receive = exchange.receive
        try:
            while True:
                try:
                    await self.application(scope, receive, exchange.send)
                except Exception:
                    self.report_crash()
                    if not exchange.is_to_be_repeated():
                        await exchange.release()
                        raise
                else:
                    if not exchange.is_failure or not exchange.is_to_be_repeated():
                        await exchange.release()
                        return
                exchange.repeat()
        except BaseException as error:
            leave_no_trace(error, globals())
            raise
        finally:
            if own:
                marking.end()


class ServedASGIApplication(MarkedASGIApplication):
    """One that a server itself calls: nobody handles what leaves the application."""


def _describe(scope: Scope) -> str:
    return line(scope.get("method", "websocket"), scope.get("path", "?"))


async def _nothing() -> None:
    """What is awaited for a message that is held back."""


class _Exchange:
    """One request and its response: stands for the server's ``receive`` and ``send``.

    Both are plain functions that give what the server's own give, so that a message costs little
    and no frame of ours is awaited. What a request that may be repeated was told can be told again.
    A response that fails may be held back as long as it can be replaced.
    """

    __slots__ = (
        "_again", "_held", "_kept", "_learned", "_receive", "_said", "_scope", "_send", "_size",
        "repeatable", "request", "started",
    )  # fmt: skip

    def __init__(
        self,
        request: marking.Request,
        scope: Scope,
        receive: Receive,
        send: Send,
        repeated: tuple[str, ...],
    ) -> None:
        self.request = request
        #: Whether it may be repeated, as far as its method goes.
        self.repeatable = scope.get("method") in repeated
        #: Whether something of the response is out.
        self.started = False
        self._held: list[Message] | None = None
        self._send = send
        if self.repeatable:
            self._scope, self._kept = scope, dict(scope)
            self._receive = receive
            self._learned = request.learned
            self._said: tuple[Message, ...] = ()
            self._again: tuple[Message, ...] = ()

    # --- the request ---------------------------------------------------------------------

    async def receive(self) -> Message:
        """What the application calls, where the request may be repeated."""
        if self._again:
            message, self._again = self._again[0], self._again[1:]
            return message
        try:
            message = await self._receive()
        except BaseException as error:
            leave_no_trace(error, globals())
            raise
        if len(self._said) < 2:  # the empty body of a safe request is one message
            self._said += (message,)
        return message

    def _has_body(self) -> bool:
        """Whether there is more than the one message of a request without a body."""
        return len(self._said) > 1 or any(
            message.get("type") != "http.request" or message.get("body") or message.get("more_body")
            for message in self._said
        )

    def is_to_be_repeated(self) -> bool:
        """Whether the application may be called again, and would answer then."""
        return (
            self.repeatable
            and not self.started
            and not self._has_body()
            and is_worth_it(self.request, self._learned)
        )

    def repeat(self) -> None:
        """Begin again, with the very same request."""
        self.request.repeat()
        self._learned = self.request.learned
        self._again = self._said
        self._held = None
        self._scope.clear()
        self._scope.update(self._kept)

    # --- the response --------------------------------------------------------------------

    @property
    def is_failure(self) -> bool:
        """Whether it is an error of the application's own (5xx), and none of it is out."""
        return self._held is not None

    def send(self, message: Message) -> Awaitable[None]:
        """What the application calls."""
        if self._held is not None:
            if self._may_hold_more(message):
                self._held.append(message)
                return _nothing()
            return self._send_held(message)
        if message.get("type") in _WITH_HEADERS:
            if self._may_hold(message):
                self._held, self._size = [message], 0
                return _nothing()
            message = self._marked(message)
        self.started = True
        return self._send(message)

    def _may_hold(self, message: Message) -> bool:
        return (
            self.request.doubted
            and self.repeatable
            and not self.started
            and message.get("type") == "http.response.start"
            and message.get("status", 200) >= 500
        )

    def _may_hold_more(self, message: Message) -> bool:
        self._size += len(message.get("body", b""))
        return message.get("type") == "http.response.body" and self._size <= _MOST_HELD

    async def _send_held(self, message: Message) -> None:
        await self.release()
        await self.send(message)

    async def release(self) -> None:
        """Send what was held back."""
        held, self._held = self._held or (), None
        self.started = self.started or bool(held)
        for message in held:
            await self.send(message)

    def _marked(self, message: Message) -> Message:
        found = self.request.headers()
        self.request.sent = True
        if not found:
            return message
        ours = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in found]
        return {**message, "headers": [*message.get("headers", ()), *ours]}
