"""Where loops and frameworks report an exception that nobody handles, so that it is learned from.

Each is a method that their catch-all calls, and that no application needs to overwrite; one that
does handles such exceptions in its own way. The top of the program and threads tell in ``ending``,
applications of WSGI and ASGI in ``web``.
"""

from __future__ import annotations

import sys

from codesuture.ending import tell
from codesuture.web.wrapping import after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def adapt(module: ModuleType) -> None:
    """Let a module tell, if it is one of the table."""
    owner, method, step = TOLD[module.__name__]
    found = getattr(module, owner, None) if owner else module
    if found is not None:
        after(found, method, step)


def tell_current(*arguments: object, **keywords: object) -> None:
    """Behind a method that is called in an ``except`` clause."""
    tell_of(sys.exc_info()[1])


def tell_of(exception: object) -> None:
    """Behind whatever has been given the exception."""
    tell(exception, _caller_of(exception))


def _caller_of(exception: object) -> str:
    """The boundary: the outermost function that the exception came to."""
    trace = getattr(exception, "__traceback__", None)
    if trace is None:
        return "a boundary"
    frame = trace.tb_frame
    return f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"


def _loop(self: Any, context: Any, *arguments: object) -> None:
    """Where the application has a handler of its own (``set_exception_handler``), that handles."""
    if getattr(self, "_exception_handler", None) is None:
        tell(context.get("exception"), "the event loop's exception handler")


def _flask(self: Any, error: object, *arguments: object) -> None:
    tell(error, "flask.app.Flask.handle_exception")


def _django(*arguments: object, **keywords: object) -> None:
    tell(sys.exc_info()[1], "django.core.handlers.exception.handle_uncaught_exception")


def tell_at_application() -> None:
    """An exception is leaving an application of WSGI or ASGI that one of ours is around: it ends
    there, unless whoever called that may handle it."""
    from codesuture.fate import UNHANDLED, reporting  # much, and not needed until something fails

    error = sys.exc_info()[1]
    trace = None if error is None else error.__traceback__
    if error is not None and trace is not None:
        boundary = reporting(trace.tb_frame, type(error))
        if boundary is not None and boundary.judge(trace.tb_frame, type(error))[0] == UNHANDLED:
            tell_of(error)


#: By module: the class (or the module itself), the method, and what is told behind it.
TOLD: dict[str, tuple[str, str, Any]] = {
    "asyncio.base_events": ("BaseEventLoop", "call_exception_handler", _loop),
    "flask.app": ("Flask", "handle_exception", _flask),
    "django.core.handlers.exception": ("", "handle_uncaught_exception", _django),
}
