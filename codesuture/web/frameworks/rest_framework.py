"""Django REST framework: a view hands what it raises to the exception handler of the settings.

The default one answers to ``APIException``, ``Http404`` and ``PermissionDenied`` and returns None
for all others, which are raised again then. Source: ``rest_framework/views.py`` and ``settings.py``
of 3.18.
"""

from __future__ import annotations

from codesuture.fate import HANDLED, Boundary
from codesuture.fate.boundaries import where
from codesuture.fate.lookup import MISSING, attribute, instance_dict, place
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variable
from codesuture.web.frameworks.django import setting
from codesuture.web.frameworks.rules import is_a, own_method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_DEFAULT = "rest_framework.views.exception_handler"
_ANSWERED = (
    "rest_framework.exceptions.APIException",
    "django.http.response.Http404",
    "django.core.exceptions.PermissionDenied",
)


def _unless_handled(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    view = local_variable(frame, "self", MISSING)
    for method in ("handle_exception", "get_exception_handler"):
        own = own_method(view, method, "rest_framework")
        if own:
            return HANDLED, f"reaches {where(frame)}, and {own} handles it"
    handler = _handler(view)
    if handler != _DEFAULT:
        return HANDLED, f"reaches {where(frame)}, and the exception handler {handler} is asked"
    if any(is_a(kind, name) for name in _ANSWERED):
        return HANDLED, f"reaches {where(frame)}, which makes it a response"
    return PASSES, "goes on to Django"


def _handler(view: object) -> str:
    """The name of the exception handler; what has been used is kept, what has not is a setting."""
    settings = instance_dict(attribute(view, "settings")) or {}
    handler = settings.get("EXCEPTION_HANDLER")
    if handler is not None:
        return place(handler) or "of the settings"
    chosen = setting("REST_FRAMEWORK")
    named = chosen.get("EXCEPTION_HANDLER", _DEFAULT) if type(chosen) is dict else _DEFAULT
    return named if type(named) is str else place(named) or "of the settings"


BOUNDARIES = (Boundary("rest_framework.views", "APIView.dispatch", _unless_handled),)
