"""aiohttp: what leaves a handler and the middlewares around it becomes a page for status 500.

A middleware of the application that catches the exception handles it; so does an HTTP error
(``web.HTTPException``), which is an answer. Source: ``aiohttp/web_protocol.py`` of 3.14.
"""

from __future__ import annotations

from codesuture.fate import HANDLED, Boundary
from codesuture.fate.boundaries import unless_overridden, where
from codesuture.web.frameworks.rules import is_a

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_MODULE = "aiohttp.web_protocol"
_HANDLING = "RequestHandler._handle_request"

#: What proofs call it.
REACHED = f"{_MODULE}.{_HANDLING}"

_unless_own = unless_overridden("handle_error", "log_exception")


def _unless_answer(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    if is_a(kind, "aiohttp.web_exceptions.HTTPException") or issubclass(kind, TimeoutError):
        return HANDLED, f"reaches {where(frame)}, which makes it the response"
    return _unless_own(frame, kind)


BOUNDARIES = (
    Boundary(_MODULE, _HANDLING, _unless_answer, reports="handle_error"),
    # what crashes while a response is sent, such as receivers of on_response_prepare
    Boundary(_MODULE, "RequestHandler.start", _unless_own),
)
