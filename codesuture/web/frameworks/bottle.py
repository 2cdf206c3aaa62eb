"""Bottle: with ``catchall``, which is the default, it makes a page for status 500 of anything.

``@app.error(500)`` is that page. Handlers for classes of exceptions there are none; a plugin or a
function around a callback with an ``except`` clause of its own is read like any other. With
``catchall = False`` exceptions go on to the server. Bottle hands what it caught to
``start_response``. Source: ``bottle.py`` of 0.13.
"""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.fate.boundaries import nobody
from codesuture.fate.lookup import attribute
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variable
from codesuture.web.wsgi import when_told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _unless_let_through(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    config = attribute(local_variable(frame, "self"), "config")
    if isinstance(config, dict) and dict.get(config, "catchall") is False:
        return PASSES, "goes on to the server"
    return nobody(frame, kind)


BOUNDARIES = tuple(
    Boundary("bottle", f"Bottle.{method}", _unless_let_through, reports=when_told)
    for method in ("_handle", "_cast", "wsgi")
)
