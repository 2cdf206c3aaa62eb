"""gunicorn: each worker loads the application for itself.

A worker answers with its own page for status 500 (``handle_error``), or, where the response has
begun, closes the connection. Its hooks (``pre_request``, ``post_request``) are not told of
exceptions. Source:
``gunicorn/workers/sync.py``, ``gthread.py`` and ``base_async.py`` of 23 to 27.
"""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.fate.boundaries import unless_overridden
from codesuture.web.wrapping import after
from codesuture.web.wsgi import ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
        worker.wsgi = ServedApplication(worker.wsgi)
