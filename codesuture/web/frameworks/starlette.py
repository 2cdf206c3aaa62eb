"""Starlette, and FastAPI, which is built on it.

What the application registers with ``exception_handlers``, ``add_exception_handler`` or
``@app.exception_handler`` for a class of exceptions handles those. For ``Exception`` Starlette
itself makes no difference to status 500 (``Starlette.build_middleware_stack``); here it is one: the
class is a handler, the status is a page. Starlette raises again after both.
"""

from __future__ import annotations

import gc
from weakref import WeakKeyDictionary

from codesuture.fate import HANDLED, Boundary, futures, lookup, nurseries
from codesuture.fate.boundaries import delivered, where
from codesuture.fate.lookup import MISSING
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variable, local_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _by_class(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """``wrap_app_handling_exceptions``: the handlers for the exception's class and its bases."""
    handlers = local_variable(frame, "exception_handlers")
    if type(handlers) is not dict:
        return HANDLED, f"reaches {where(frame)}, whose handlers cannot be read"
    for cls in lookup.mro(kind):
        if cls in handlers:
            return HANDLED, f"is handled by the application's handler for {cls.__name__}"
    return PASSES, "has no handler of the application"


def _of_last_resort(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """``ServerErrorMiddleware``: one handler, for ``Exception`` or for status 500."""
    names = local_variables(frame)
    own = lookup.instance_dict(names.get("self")) or {}
    handler = own.get("handler", MISSING)
    if handler is None:
        return PASSES, "is raised again"
    middleware = names["self"]
    if type(middleware) is lookup.loaded(frame.f_globals["__name__"], "ServerErrorMiddleware"):
        page = _pages.get(middleware)
        if page is None:
            page = _pages[middleware] = _is_page(middleware, handler)
        if page:
            return PASSES, "is raised again after the page for status 500"
    return HANDLED, "is handled by the application's handler for Exception"


#: Whether a middleware's handler makes the page for status 500; it is made with its handler.
_pages: WeakKeyDictionary[object, bool] = WeakKeyDictionary()


def _is_page(middleware: object, handler: object) -> bool:
    """Whether the application that has the middleware registered the handler for 500 alone.

    There is no way from the middleware to its application; ``scope["app"]`` may be one that is
    mounted in it.
    """
    for holder in gc.get_referrers(middleware):
        names = holder if type(holder) is dict else lookup.instance_dict(holder)
        if names is None or names.get("middleware_stack") is not middleware:
            continue
        handlers = names.get("exception_handlers")
        return type(handlers) is dict and handlers.get(Exception) is not handler
    return False


def _caller_of_next(frame: FrameType, task: object) -> object:
    """``BaseHTTPMiddleware`` runs what it is around in a task of its own (``coro``).

    An exception that ends it is raised again by ``call_next``, where the middleware waits for the
    response, and behind the whole of it once there is one.
    """
    own = task or futures.running_task()
    groups = [group for kind, group in futures.waiters(own) if kind == futures.GROUP]
    awaiting = futures.awaiting(nurseries.parent_of(groups[0])) if len(groups) == 1 else None
    if awaiting is None:
        return MISSING
    for function in (_NEXT, _MIDDLEWARE):
        outside = awaiting.outside(function)
        if outside is not None:
            return outside
    return MISSING


_MIDDLEWARE = "BaseHTTPMiddleware.__call__"
_NEXT = f"{_MIDDLEWARE}.<locals>.call_next"

BOUNDARIES = (
    Boundary(
        "starlette._exception_handler",
        "wrap_app_handling_exceptions.<locals>.wrapped_app",
        _by_class,
    ),
    Boundary(
        "starlette.middleware.errors",
        "ServerErrorMiddleware.__call__",
        _of_last_resort,
        raises=True,
    ),
    Boundary("starlette.middleware.base", f"{_NEXT}.<locals>.coro", delivered, _caller_of_next),
)
