"""gunicorn: each worker loads the application for itself.

A worker answers with its own page for status 500 (``handle_error``), or, where the response has
begun, closes the connection. Its hooks (``pre_request``, ``post_request``) are not told of
exceptions. Source:
``gunicorn/workers/sync.py``, ``gthread.py`` and ``base_async.py`` of 23 to 27.
"""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.fate.boundaries import unless_overridden
from codesuture.web.around import leave_no_trace
from codesuture.web.wrapping import after
from codesuture.web.wsgi import Exchange, ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from codesuture.store.patch import Patch
    from codesuture.web.wsgi import Environ

_WORKERS = (
    ("gunicorn.workers.sync", "SyncWorker"),
    ("gunicorn.workers.gthread", "ThreadWorker"),
    ("gunicorn.workers.base_async", "AsyncWorker"),
)
BOUNDARIES = (
    *(Boundary(module, f"{worker}.handle_request") for module, worker in _WORKERS),
    *(
        Boundary(
            module, f"{worker}.handle", unless_overridden("handle_error"), reports="handle_error"
        )
        for module, worker in _WORKERS
    ),
)


def adapt(base: Any) -> None:
    """Mark the responses of workers for WSGI; those for ASGI are uvicorn's."""
    after(base.Worker, "load_wsgi", _wrap)


def _wrap(worker: Any) -> None:
    if hasattr(type(worker), "handle_request"):
        worker.wsgi = _Application(worker.wsgi)


class _Exchange(Exchange):
    """One with a response of gunicorn's, whose headers can be added to until they are out.

    So the response can be started at once, and gunicorn itself asks for the parts of most bodies.
    ``gunicorn/http/wsgi.py`` of 20 to 27: ``Response.start_response`` adds to ``headers``, which
    ``send_headers`` writes with the first part.
    """

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """What the application calls. An answer after an exception that was left alone waits,
        because the request may be repeated."""
        try:
            if exc_info or self.doubted or self.sent:
                return super().start(status, headers, exc_info)
            self.sent = True
            if self.patches:
                headers = [*headers, *self.headers()]
            return self.server(status, headers)  # type: ignore[no-any-return]
        except BaseException as error:
            leave_no_trace(error, globals())
            raise

    @property
    def response(self) -> Any:
        """gunicorn's own."""
        return getattr(self.server, "__self__", None)

    @property
    def is_out(self) -> bool:
        return bool(getattr(self.response, "headers_sent", True))

    def healed_late(self, patch: Patch) -> None:
        if self.is_out:
            super().healed_late(patch)
        else:
            self.response.headers.extend(self.headers())

    def restore(self, environ: Environ, kept: Environ) -> None:
        super().restore(environ, kept)
        self.sent = False
        response = self.response
        response.status = response.response_length = None
        response.upgrade = response.chunked = False
        response.headers = []


class _Application(ServedApplication):
    """One whose healthy responses cost least."""

    exchange = _Exchange

    def begun(
        self, exchange: Any, result: Iterable[bytes], kept: Environ | None
    ) -> Iterable[bytes]:
        """A part needs to be computed ahead only where the request might be repeated for it; a body
        whose length is told has been computed."""
        try:
            is_told = exchange.server.__self__.response_length is not None
        except AttributeError:  # a worker whose responses are of another kind
            return super().begun(exchange, result, kept)
        if kept is not None and not is_told:
            return super().begun(exchange, result, kept)
        # The request stays the thread's until the next one comes: it is to hold nothing alive.
        get = exchange.subject.get
        exchange.subject = {
            "REQUEST_METHOD": get("REQUEST_METHOD"),
            "SCRIPT_NAME": get("SCRIPT_NAME"),
            "PATH_INFO": get("PATH_INFO"),
        }
        exchange.goes_on = True
        return result
