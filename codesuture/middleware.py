"""Middleware: codesuture for one WSGI or ASGI application, with the agent or without it.

::

    from codesuture.middleware import CodeSutureMiddleware

    application = CodeSutureMiddleware(application)

The first one that is made without the agent begins a session and arms the program's own code: what
is imported already, and what will be. With the agent on it adds nothing but the header. With
``CODESUTURE=0``, a wrong configuration (one line on standard error) or an unsupported Python, the
application runs as it is.
"""

from __future__ import annotations

from codesuture.web.activation import activate
from codesuture.web.asgi import MarkedASGIApplication
from codesuture.web.wsgi import MarkedApplication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.web import asgi, wsgi

__all__ = ["CodeSutureASGIMiddleware", "CodeSutureMiddleware"]


class CodeSutureMiddleware(MarkedApplication):
    """For WSGI: heals what crashes in ``application``, and marks its responses."""

    def __init__(self, application: wsgi.Application) -> None:
        activate()
        super().__init__(application)


class CodeSutureASGIMiddleware(MarkedASGIApplication):
    """For ASGI: heals what crashes in ``application`` (HTTP, websockets), and marks responses.

    ``app.add_middleware(CodeSutureASGIMiddleware)`` of Starlette and FastAPI calls it with ``app``.
    """

    def __init__(self, app: asgi.Application) -> None:
        activate()
        super().__init__(app)
