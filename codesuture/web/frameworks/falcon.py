"""Falcon: an application asks the handler that was added for the exception's class or a base of it.

``App`` comes with one for ``Exception``, which answers with status 500: that one handles nothing.
``add_error_handler`` replaces it or goes before it. An error reporter only observes. Source:
``falcon/app.py`` of 4.4 and ``falcon/asgi/app.py``; wheels of Falcon 3 hold them compiled, and
cannot be read.
"""

from __future__ import annotations

import sys
from types import MethodType

from codesuture.fate import HANDLED, UNKNOWN, Boundary
from codesuture.fate.boundaries import nobody, where
from codesuture.fate.lookup import MISSING, attribute, mro, place
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from codesuture.fate.boundaries import Tell


def _unless_added(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    handlers = _handlers(frame)
    if handlers is None:
        return UNKNOWN, f"reaches {where(frame)}, whose error handlers cannot be read"
    for base in mro(kind):
        handler = handlers.get(base)
        if type(handler) is _Told or place(handler) in _OWN:
            return nobody(frame, kind)
        if handler is not None:
            text = place(handler) or "an error handler"
            return HANDLED, f"reaches {where(frame)}, and {text} handles it"
    return PASSES, "goes on to the server"


_OWN = (
    "falcon.app.App._python_error_handler",
    "falcon.asgi.app.App._python_error_handler",
)


def _handlers(frame: FrameType) -> dict[type, object] | None:
    found = attribute(local_variable(frame, "self", MISSING), "_error_handlers")
    return found if type(found) is dict else None


class _Told:
    """Stands for Falcon's own handler, and tells of what comes to it."""

    __slots__ = ("_tell", "original")

    def __init__(self, tell: Tell, original: Any) -> None:
        self._tell = tell
        self.original = original

    def __call__(self, *arguments: object) -> object:
        self._tell(sys.exc_info()[1])
        return self.original(*arguments)


def _when_told(tell: Tell, frame: FrameType) -> None:
    handlers = _handlers(frame)
    if handlers is not None and type(handlers.get(Exception)) is MethodType:
        handlers[Exception] = _Told(tell, handlers[Exception])


BOUNDARIES = (
    Boundary("falcon.app", "App.__call__", _unless_added, reports=_when_told),
    Boundary("falcon.asgi.app", "App.__call__", _unless_added, reports=_when_told),
)
