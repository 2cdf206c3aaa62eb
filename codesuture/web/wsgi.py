"""A WSGI application (PEP 3333) around another one: it marks responses, and replays requests."""

from __future__ import annotations

from itertools import chain, islice

from codesuture.live.watching import tell_of
from codesuture.web.around import Around, leave_no_trace
from codesuture.web.marking import Request, begin, current, end
from codesuture.web.replay import is_worth_it
from codesuture.web.words import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType
    from typing import Any

    from codesuture.fate.boundaries import Tell

    Environ = dict[str, Any]
    Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

#: What the application's iterable may be without that anything of it is still to be computed.
_READY = (list, tuple)


def _describe(environ: Environ) -> str:
    return line(
        environ.get("REQUEST_METHOD", "?"),
        f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}",
    )


def _has_body(environ: Environ) -> bool:
    """Whether the request has a body, which can be read only once."""
    return environ.get("CONTENT_LENGTH") not in (None, "", "0") or (
        "HTTP_TRANSFER_ENCODING" in environ
    )


def _is_file(result: object, environ: Environ) -> bool:
    """Whether the server sends it in a way of its own, and nothing of the program runs in it."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(result, wrapper)


def _close(result: object) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()


_listeners: list[Tell] = []


def when_told(tell: Tell, frame: FrameType) -> None:
    """Have ``tell`` called with the exceptions that applications hand to ``start_response``."""
    if tell not in _listeners:
        _listeners.append(tell)


def _tell(exc_info: Any) -> None:
    if type(exc_info) is tuple and isinstance(exc_info[1], BaseException):
        for listener in _listeners:
            listener(exc_info[1])
        tell_of(exc_info[1])


class Exchange(Request):
    """A request and its response: stands for the server's ``start_response``, which is called when
    the headers go out. It is the request that is being served, or ``request`` is, where one of
    ours is around this one.
    """

    subject: Environ
    _describe = staticmethod(_describe)
    request: Request | None = None
    write: Callable[[bytes], object] | None = None
    #: What the application started its response with, which waits for the first part of the body.
    answer: tuple[str, list[tuple[str, str]]] | None = None

    def __init__(self, environ: Environ, start: Callable[..., Any]) -> None:
        self.subject = environ
        self.server = start

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """What the application calls; the answer is what it writes with."""
        if exc_info or self.answer is not None or self.sent:
            try:
                return self._start_again(status, headers, exc_info)
            except BaseException as error:
                leave_no_trace(error, globals())
                raise
        self.answer = status, headers
        return self

    def _start_again(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any
    ) -> Callable[[bytes], object]:
        """A second call is the server's to allow or to refuse."""
        if exc_info:
            _tell(exc_info)
        else:
            self.send()
        if not self.sent:
            self.answer = status, headers
            return self
        more = (exc_info,) if exc_info else ()
        return self.server(status, headers, *more)  # type: ignore[no-any-return]

    def __call__(self, data: bytes) -> object:
        """Write a part of the body."""
        self.send()
        assert self.write is not None
        return self.write(data)

    def send(self) -> None:
        """Hand the headers to the server, with ours."""
        if self.answer is None or self.sent:
            return
        self.sent = True
        status, headers = self.answer
        request = self.request or self
        if request.patches:
            headers = [*headers, *request.headers()]
        self.write = self.server(status, headers)

    def end(self) -> None:
        """The response is complete."""
        if self.request is None:
            end()

    @property
    def is_out(self) -> bool:
        """Whether something of the response is out."""
        return self.sent

    def is_to_be_repeated(self, kept: Environ | None, learned: int) -> bool:
        """Whether the application is to be called again. ``kept`` is the request as it was, where
        its method allows that, and ``learned`` is how much was known then."""
        return (
            kept is not None
            and not self.is_out
            and not _has_body(kept)
            and is_worth_it(self.request or self, learned)
        )

    def is_to_be_replaced(self, kept: Environ | None, learned: int) -> bool:
        """The same, where the application has answered: with an error of its own (5xx)."""
        return (
            self.answer is not None
            and self.answer[0][:1] == "5"
            and self.is_to_be_repeated(kept, learned)
        )

    def restore(self, environ: Environ, kept: Environ) -> None:
        """Begin again, with the very same request."""
        (self.request or self).repeat()
        self.answer = None
        environ.clear()
        environ.update(kept)


class Body(chain[bytes]):
    """The parts of a ``result`` of an ``application``, and the end of the ``exchange``.

    No code of ours runs for a part, and no frame of ours lies below the program.
    """

    __slots__ = ("application", "exchange", "result")
    application: MarkedApplication
    exchange: Exchange
    result: Iterable[bytes]

    def close(self) -> None:
        """The response is complete."""
        try:
            _close(self.result)
        finally:
            self.exchange.end()


class WatchedBody(Body):
    """One behind a server that need not be known: here is the boundary for what fails in it."""

    __slots__ = ()

    def __next__(self) -> bytes:
        try:
            return super().__next__()
        except BaseException as error:
            leave_no_trace(error, globals())
            raise


class _Sized:
    """One of which servers may ask how many parts it has."""

    __slots__ = ()
    result: Any

    def __len__(self) -> int:
        return len(self.result)


class SizedBody(_Sized, Body):
    __slots__ = ()


class SizedWatchedBody(_Sized, WatchedBody):
    __slots__ = ()


class MarkedApplication(Around):
    """Calls ``application``, and lets its responses say what was healed in them.

    The headers go out with the first part of the body, as PEP 3333 has it, so what is healed until
    then is in them. Each healthy request pays for what stands here, so it is short.
    """

    application: Application
    exchange: type[Exchange] = Exchange
    bodies: tuple[type[Body], type[Body]] = WatchedBody, SizedWatchedBody

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        exchange = self.exchange(environ, start_response)
        request: Request = exchange
        around = current()
        if around is None or around.sent or around.goes_on:
            begin(exchange)
        else:
            exchange.request = request = around
        kept = environ.copy() if environ.get("REQUEST_METHOD") in self.repeated else None
        while True:
            result, learned = None, request.learned
            try:
                result = self.application(environ, exchange.start)
                body = result if type(result) in _READY else self.begun(exchange, result, kept)
                if request.learned == learned or not exchange.is_to_be_replaced(kept, learned):
                    if exchange.answer is not None:
                        exchange.send()
                    if body is result and not exchange.goes_on:
                        exchange.end()
                    return body
            except BaseException as error:
                self.report_crash()
                again = exchange.is_to_be_repeated(kept, learned)
                if not again:
                    exchange.end()
                _close(result)
                if not again:
                    leave_no_trace(error, globals())
                    raise
            else:
                _close(result)
            assert kept is not None
            exchange.restore(environ, kept)

    def begun(
        self, exchange: Exchange, result: Iterable[bytes], kept: Environ | None
    ) -> Iterable[bytes]:
        """What the server is given as the body: ``result``, of which the first part is computed
        now, so that what is healed in it is in the headers and the request can be repeated."""
        if _is_file(result, exchange.subject):
            return result
        rest = iter(result)
        first = tuple(islice(rest, 1))
        body = self.bodies[hasattr(type(result), "__len__")](first, rest)
        body.application, body.exchange, body.result = self, exchange, result
        return body


class ServedApplication(MarkedApplication):
    """One that a server itself calls: nobody handles what leaves the application."""

    bodies = Body, SizedBody
