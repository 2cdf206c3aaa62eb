"""gunicorn: each worker loads the application for itself.

A worker answers with its own page for status 500, or, where the response has begun, closes the
connection. Its hooks (``pre_request``, ``post_request``) are not told of exceptions. Source:
``gunicorn/workers/sync.py``, ``gthread.py`` and ``base_async.py`` of 23 to 27.
"""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.web.wrapping import after
from codesuture.web.wsgi import ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BOUNDARIES = (
    Boundary("gunicorn.workers.sync", "SyncWorker.handle_request"),
    Boundary("gunicorn.workers.gthread", "ThreadWorker.handle_request"),
    Boundary("gunicorn.workers.base_async", "AsyncWorker.handle_request"),
)


def adapt(base: Any) -> None:
    """Mark the responses of workers for WSGI; those for ASGI are uvicorn's."""
    after(base.Worker, "load_wsgi", _wrap)


def _wrap(worker: Any) -> None:
    if hasattr(type(worker), "handle_request"):
        worker.wsgi = ServedApplication(worker.wsgi)
