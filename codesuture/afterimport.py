"""Adapting other tools and servers as soon as their modules are loaded.

The import hook gives the code of such a module to ``then_adapt``: what it makes of it executes
that code, and then adapts the module, before anybody can have used it. Modules that come from
loaders of other kinds, or were there before, are found by ``adapt_loaded``.

Here are names only. What adapts a module is imported when that is loaded.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.othertools import Arm

_TOOLS = "codesuture.othertools"
#: Where the report of an exception is all that is asked for.
_TOLD = "codesuture.live.watching"

#: Modules that have not been adapted yet, each with the module of ours whose ``adapt`` does it.
expected: dict[str, str] = {
    "runpy": _TOOLS,
    "numba.core.bytecode": _TOOLS,
    "_pytest.assertion.rewrite": _TOOLS,
    "dill.detect": _TOOLS,
    "asyncio.base_events": _TOLD,
    "flask.app": _TOLD,
    "django.core.handlers.exception": _TOLD,
    "socketserver": "codesuture.web.servers.socketserver",
    "http.server": "codesuture.web.servers.http_server",
    "wsgiref.handlers": "codesuture.web.servers.wsgiref",
    "gunicorn.workers.base": "codesuture.web.servers.gunicorn",
    "waitress.server": "codesuture.web.servers.waitress",
    "werkzeug.serving": "codesuture.web.servers.werkzeug",
    "aiohttp.web_protocol": "codesuture.web.servers.aiohttp",
    "tornado.web": "codesuture.web.servers.tornado",
    "uvicorn.config": "codesuture.web.servers.uvicorn",
    "hypercorn.app_wrappers": "codesuture.web.servers.hypercorn",
}

#: One that no loader of ours gives; it is looked for whenever a module is loaded.
FROZEN = "runpy"

class _Steps:
    """What the stub calls; ``exec`` in C, which takes the module's names from the stub's frame."""

    exec = staticmethod(exec)

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def adapt(self, name: str) -> None:
        """Adapt a module whose code has been executed."""
        _adapt(name, self._arm)


def _template() -> None:
    # Compiled with this module. `compile` would build all types of the syntax tree first.
    "steps".exec("code")  # type: ignore[attr-defined]
    "steps".adapt("name")  # type: ignore[attr-defined]


def then_adapt(name: str, code: CodeType, arm: Arm) -> CodeType:
    """Code that does what ``code`` does and then adapts the module ``name``."""
    constants = {"steps": _Steps(arm), "code": code, "name": name}
    stub = _template.__code__
    # It looks as what the import system itself has there, which is taken out of tracebacks
    # (``remove_importlib_frames`` of Python/import.c).
    return stub.replace(
        co_flags=0,  # a module's: its names are those that it is executed with
        co_filename="<frozen importlib._bootstrap>",
        co_name="_call_with_frames_removed",
        co_qualname="_call_with_frames_removed",
        co_consts=tuple(
            constants.get(constant, constant) if type(constant) is str else constant
            for constant in stub.co_consts
        ),
    )


def adapt_loaded(arm: Arm) -> None:
    """Adapt what is loaded and has not been adapted."""
    for name in [name for name in list(expected) if name in sys.modules]:
        if not getattr(getattr(sys.modules[name], "__spec__", None), "_initializing", False):
            _adapt(name, arm)


def _adapt(name: str, arm: Arm) -> None:
    adapter, module = expected.pop(name, None), sys.modules.get(name)
    if adapter is None or module is None:
        return
    try:
        adapt = __import__(adapter, fromlist=("adapt",)).adapt
        if adapter == _TOOLS:
            adapt(module, arm)
        else:
            adapt(module)
    except Exception as fault:
        from codesuture.messages import report_fault

        report_fault(fault)
