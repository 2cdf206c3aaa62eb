"""gunicorn: each worker loads the application for itself."""

from __future__ import annotations

from codesuture.web.wrapping import after
from codesuture.web.wsgi import ServedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def adapt(base: Any) -> None:
    """Mark the responses of workers for WSGI; those for ASGI are uvicorn's."""
    after(base.Worker, "load_wsgi", _wrap)


def _wrap(worker: Any) -> None:
    if hasattr(type(worker), "handle_request"):
        worker.wsgi = ServedApplication(worker.wsgi)
