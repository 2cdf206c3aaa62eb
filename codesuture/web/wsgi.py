"""A WSGI application (PEP 3333) around another one: it marks responses, and replays requests."""

from __future__ import annotations

from codesuture.live.watching import tell_of
from codesuture.web import marking
from codesuture.web.around import Around, leave_no_trace
from codesuture.web.replay import can_repeat, is_worth_it
from codesuture.web.words import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType
    from typing import Any

    from codesuture.fate.boundaries import Tell

    Environ = dict[str, Any]
    Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

#: What the application's iterable may be without that anything of it is still to be computed.
_READY = (list, tuple)


class MarkedApplication(Around):
    """Calls ``application``, and lets its responses say what was healed in them.

    The headers go out with the first part of the body, as PEP 3333 has it, so what is healed until
    then is in them.
    """

    application: Application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request, own = marking.current(), False
        if request is None or request.sent:
            request, own = marking.begin(_describe, environ), True
        repeatable = can_repeat(environ.get("REQUEST_METHOD"), _has_body(environ))
        kept = dict(environ) if repeatable else environ
        while True:
            learned = request.learned
            response = _Response(request, start_response, own)
            try:
                result = self.application(environ, response.start)
                ready = _is_ready(result, environ)
                body = result if ready else _begun(self, environ, result, own)
                if repeatable and is_worth_it(request, learned) and response.is_failure:
                    _close(result)
                else:
                    _send(response, result)
                    if own and body is result:
                        marking.end()
                    return body
            except BaseException as error:
                self.report_crash()
                if response.started or not (repeatable and is_worth_it(request, learned)):
                    if own:
                        marking.end()
                    leave_no_trace(error, globals())
                    raise
            request.repeat()
            environ.clear()
            environ.update(kept)


class ServedApplication(MarkedApplication):
    """One that a server itself calls: nobody handles what leaves the application."""


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


def _is_ready(result: object, environ: Environ) -> bool:
    """Whether servers look at the type of the application's iterable, or nothing runs in it."""
    if type(result) in _READY:
        return True
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


class _Response:
    """Stands for the server's ``start_response``, which is called when the headers go out."""

    __slots__ = ("_arguments", "_own", "_request", "_start", "started", "write")

    def __init__(
        self, request: marking.Request, start: Callable[..., Any], own: bool
    ) -> None:
        self._request = request
        self._start = start
        self._own = own
        self._arguments: tuple[str, list[tuple[str, str]]] | None = None
        self.started = False
        self.write: Callable[[bytes], object] | None = None

    @property
    def is_failure(self) -> bool:
        """Whether the application answers with an error (5xx), and none of that is out."""
        return not self.started and self._arguments is not None and self._arguments[0][:1] == "5"

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """What the application calls. A second call is the server's to allow or to refuse."""
        if exc_info:
            _tell(exc_info)
        elif self._arguments is not None:
            self.send()
        if self.started:
            more = (exc_info,) if exc_info else ()
            try:
                return self._start(status, headers, *more)  # type: ignore[no-any-return]
            except BaseException as error:
                leave_no_trace(error, globals())
                raise
        self._arguments = (status, headers)
        return self._write

    def _write(self, data: bytes) -> object:
        self.send()
        assert self.write is not None
        return self.write(data)

    def send(self) -> None:
        """Hand the headers to the server, with ours."""
        if self.started or self._arguments is None:
            return
        self.started = True
        status, headers = self._arguments
        more = self._request.headers()
        if self._own:
            self._request.sent = True
        self.write = self._start(status, [*headers, *more] if more else headers)


def _send(response: _Response, result: object) -> None:
    """Hand the headers to the server; where it refuses them, there is nobody else to close."""
    try:
        response.send()
    except BaseException:
        _close(result)
        raise


def _begun(
    application: MarkedApplication, environ: Environ, result: Iterable[bytes], own: bool
) -> Body:
    """The application's iterable with its first part; where that fails nobody else closes it."""
    kind = _SizedBody if hasattr(type(result), "__len__") else Body
    try:
        return kind(application, environ, result, own)
    except BaseException:
        _close(result)
        raise


_END = object()


class Body:
    """The iterable of ``application`` for a request, of which the first part has been computed."""

    def __init__(
        self,
        application: MarkedApplication,
        environ: Environ,
        result: Iterable[bytes],
        own: bool,
    ) -> None:
        self.application = application
        self.environ = environ
        self._result = result
        self._rest = iter(result)
        self._own = own
        self._first = next(self._rest, None)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            part = next(self._rest, _END)
        except BaseException as error:
            leave_no_trace(error, globals())
            raise
        if part is _END:
            raise StopIteration
        return part  # type: ignore[return-value]

    def close(self) -> None:
        """The response is complete."""
        try:
            _close(self._result)
        finally:
            if self._own:
                marking.end()


class _SizedBody(Body):
    """One whose number of parts the server may ask for."""

    def __len__(self) -> int:
        return len(self._result)  # type: ignore[arg-type]
