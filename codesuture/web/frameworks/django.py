"""Django: every middleware and the view are called in a ``try`` that makes a response of anything.

``convert_exception_to_response`` answers with status 404, 403 or 400 to the exceptions that stand
for these, and to all others with the page for 500, whoever wrote that. ``_get_response`` asks the
``process_exception`` methods of the middlewares before. Receivers of ``got_request_exception`` are
told of it. Templates take some exceptions of what they look up for "it is not there".

Source: ``django/core/handlers/exception.py``, ``base.py``, ``django/template/base.py`` and
``django/test/client.py`` of 5.2 and 6.1.
"""

from __future__ import annotations

import sys
from types import FunctionType, MethodType

from codesuture.fate import HANDLED, UNKNOWN, Boundary
from codesuture.fate.boundaries import lets_pass, nobody, where
from codesuture.fate.callers import called_at
from codesuture.fate.lookup import (
    MISSING,
    attribute,
    class_entry,
    instance_dict,
    module_dict,
    place,
)
from codesuture.fate.returns import may_return
from codesuture.fate.verdict import PASSES
from codesuture.fate.views import view_of
from codesuture.frames import local_variable, local_variables
from codesuture.web.frameworks.rules import is_a

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.fate.boundaries import Tell

#: Exceptions that ``response_for_exception`` has an answer for.
_ANSWERED = (
    "django.http.response.Http404",
    "django.core.exceptions.PermissionDenied",
    "django.core.exceptions.BadRequest",
    "django.core.exceptions.SuspiciousOperation",
    "django.http.multipartparser.MultiPartParserError",
)


def setting(name: str) -> object:
    """A setting, as far as it can be read without running any code; or MISSING."""
    names = module_dict(sys.modules.get("django.conf"))
    holder = MISSING if names is None else names.get("settings", MISSING)
    for _ in range(4):
        found = attribute(holder, name)
        if found is not MISSING:
            return found
        own = instance_dict(holder) or {}
        holder = own.get("_wrapped", own.get("default_settings", MISSING))
    return MISSING


def _answered(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    if any(is_a(kind, name) for name in _ANSWERED):
        return HANDLED, f"reaches {where(frame)}, which makes it a response"
    if setting("DEBUG_PROPAGATE_EXCEPTIONS") is True:
        return PASSES, "goes on to the server"
    if "django.test.client" in sys.modules and _is_raised_in_test(frame):
        return PASSES, "goes on to the test"
    return nobody(frame, kind)


def _is_raised_in_test(frame: FrameType) -> bool:
    """Whether a test's client called, which raises what the request died of."""
    at: FrameType | None = frame
    while at is not None:
        if at.f_globals.get("__name__") == "django.test.client":
            client = local_variable(at, "self")
            if attribute(client, "raise_request_exception") is True:
                return True
        at = at.f_back
    return False


def _unless_processed(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """The middlewares' ``process_exception`` methods, in the order in which they are asked."""
    methods = attribute(local_variable(frame, "self"), "_exception_middleware")
    if type(methods) is not list:
        return UNKNOWN, f"reaches {where(frame)}, whose middlewares cannot be read"
    for method in methods:
        if _may_answer(method, kind):
            return HANDLED, f"reaches {where(frame)}, and {place(method)} may handle it"
    return PASSES, "goes on through the middlewares"


def _may_answer(method: object, kind: type[BaseException]) -> bool:
    """Whether ``process_exception`` can give a response to an exception of this type."""
    if type(method) is not MethodType or type(method.__func__) is not FunctionType:
        return True
    return may_return(method.__func__, (method.__self__, MISSING, kind))


def _in_template(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """``Variable._resolve_lookup``: what a key, an attribute or a call of a variable raises."""
    if class_entry(kind, "silent_variable_failure") not in (MISSING, False):
        return HANDLED, f"reaches {where(frame)}, which shows nothing instead"
    name, symbol = called_at(view_of(frame.f_code), frame.f_lasti)
    if symbol is not None and symbol[0] == "local":
        return PASSES, "goes on through the template"  # the call of what was found
    if name.startswith("BINARY") and issubclass(kind, _NO_KEY):
        return HANDLED, f"reaches {where(frame)}, which looks for an attribute instead"
    variables = local_variables(frame)
    bit, found = variables.get("bit"), variables.get("current", MISSING)
    has_it = type(bit) is str and class_entry(type(found), bit) is not MISSING
    if issubclass(kind, _NO_ATTRIBUTE) and not has_it:
        return HANDLED, f"reaches {where(frame)}, which takes it for a missing attribute"
    return PASSES, "goes on through the template"


_NO_KEY = (TypeError, AttributeError, KeyError, ValueError, IndexError)
_NO_ATTRIBUTE = (TypeError, AttributeError)


def _when_told(tell: Tell, frame: FrameType) -> None:
    """Be told of exceptions that a page for 500 is made of; once, whatever the frame is."""
    from importlib import import_module

    signal = import_module("django.core.signals").got_request_exception

    def receiver(**keywords: object) -> None:
        tell(sys.exc_info()[1])

    signal.connect(receiver, weak=False, dispatch_uid="codesuture")


BOUNDARIES = (
    Boundary(
        "django.core.handlers.exception",
        "convert_exception_to_response.<locals>.inner",
        _answered,
        reports=_when_told,
    ),
    Boundary("django.core.handlers.base", "BaseHandler._get_response", _unless_processed),
    Boundary("django.core.handlers.base", "BaseHandler._get_response_async", _unless_processed),
    # its task group raises a single exception, which is then taken out again
    Boundary("django.core.handlers.asgi", "ASGIHandler.handle", lets_pass, narrow=True),
    Boundary("django.template.base", "Variable._resolve_lookup", _in_template, narrow=True),
)
