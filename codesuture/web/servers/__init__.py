"""Servers: where a request begins, and where the headers of its response go out. One file each.

``ADAPTERS`` names, by the module that is adapted once it is loaded, the file that does it: its
function ``adapt`` is given the module. A file may also have ``BOUNDARIES`` of its server, which
``fate.boundaries.FRAMEWORKS`` refers to.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

ADAPTERS = {
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


def adapt(module: ModuleType, arm: object = None) -> None:
    """Adapt a server's module, which is loaded."""
    from importlib import import_module

    import_module(ADAPTERS[module.__name__]).adapt(module)
