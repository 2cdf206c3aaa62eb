"""Flask: a request is dispatched in two ``try`` statements, one within the other.

``Flask.full_dispatch_request`` looks for a handler that was registered for the exception's class,
for the blueprints of the request or for all; ``Flask.wsgi_app`` answers with a page for status 500.
Such a page (``@app.errorhandler(500)``) is how a request looks that is lost, and receivers of
``got_request_exception`` and ``log_exception`` are told of it: neither handles the exception.

Source: ``flask/app.py`` and ``flask/sansio/app.py`` (``_find_error_handler``) of 3.1.
"""

from __future__ import annotations

from codesuture.fate import HANDLED, UNHANDLED, UNKNOWN, Boundary
from codesuture.fate.boundaries import nobody, where
from codesuture.fate.lookup import MISSING, attribute, mro, place
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variable
from codesuture.web.frameworks.rules import is_a, outer_local, own_method, passes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any


def _unless_registered(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """Handlers for the class of the exception or one of its bases; an HTTP error is an answer."""
    app = local_variable(frame, "self", MISSING)
    known = _answers.get((id(app), kind))
    if known is None or known[0] is not app:
        if len(_answers) >= _MOST_ANSWERS:
            _answers.clear()
        known = _answers[id(app), kind] = app, {}
    answers = known[1]
    if _ALL in answers:
        return answers[_ALL]
    endpoint = _endpoint(frame) if _has_handlers_of_blueprints(app) else _ALL
    if endpoint not in answers:
        if len(answers) >= _MOST_ANSWERS:
            answers.clear()
        answers[endpoint] = _registered(app, endpoint, kind, where(frame))
    return answers[endpoint]


#: Stands for every endpoint, where blueprints have no handlers.
_ALL = object()

#: By application and exception: the application, and the answers by endpoint. An application that
#: has served a request lets nobody register a handler any more (``_check_setup_finished``), so each
#: is looked for once.
_answers: dict[tuple[int, type], tuple[object, dict[object, tuple[str, str]]]] = {}
_MOST_ANSWERS = 1_000


def _has_handlers_of_blueprints(app: object) -> bool:
    specification: Any = attribute(app, "error_handler_spec")
    if not issubclass(type(specification), dict):
        return False
    return any(handlers and name is not None for name, handlers in dict.items(specification))


def _registered(
    app: object, endpoint: object, kind: type[BaseException], place_of_frame: str
) -> tuple[str, str]:
    for method in ("handle_user_exception", "_find_error_handler"):
        own = own_method(app, method, "flask")
        if own:
            return HANDLED, f"reaches {place_of_frame}, and {own} handles it"
    if is_a(kind, "werkzeug.exceptions.HTTPException"):
        return HANDLED, f"reaches {place_of_frame}, which makes it the response"
    specification = attribute(app, "error_handler_spec")
    if not issubclass(type(specification), dict) or endpoint is MISSING:
        return UNKNOWN, f"reaches {place_of_frame}, whose error handlers cannot be read"
    names = _parents(endpoint.rpartition(".")[0]) if isinstance(endpoint, str) else ()
    for name in (*names, None):
        handlers = _entry(_entry(specification, name), None)
        for base in mro(kind):
            handler = _entry(handlers, base)
            if handler is not None:
                text = place(handler) or "an error handler"
                return HANDLED, f"reaches {place_of_frame}, and {text} handles it"
    return PASSES, "goes on to wsgi_app"


def _endpoint(frame: FrameType) -> object:
    """The endpoint of the request, in whose name its blueprints are; None where no rule fits, and
    MISSING where that cannot be told."""
    context = outer_local(frame.f_back, "ctx", "Flask.wsgi_app")
    rule = attribute(attribute(context, "request"), "url_rule")
    if rule is None:
        return None
    endpoint = attribute(rule, "endpoint")
    return endpoint if type(endpoint) is str else MISSING


def _parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _entry(value: object, key: object) -> object:
    """What a mapping of Flask's holds (a ``defaultdict``, in which nothing is to be made)."""
    return dict.get(value, key) if issubclass(type(value), dict) else None  # type: ignore[call-overload]


def _unless_propagated(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """Tests and debug mode see the exception itself."""
    app = local_variable(frame, "self", MISSING)
    own = own_method(app, "handle_exception", "flask")
    if own:
        return HANDLED, f"reaches {where(frame)}, and {own} handles it"
    config: Any = attribute(app, "config")
    if issubclass(type(config), dict):
        entry = dict.get  # a class of its own may have another one
        propagates = entry(config, "PROPAGATE_EXCEPTIONS")
        if propagates is None:
            propagates = entry(config, "TESTING") or entry(config, "DEBUG")
        if propagates:
            return PASSES, "goes on to whoever called the application"
    return _NOBODY


#: What is said at every crash in a view.
_NOBODY = (UNHANDLED, "reaches flask.app.Flask.wsgi_app, where nobody handles it")


def _unless_first(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """What fails behind an error handler is logged; otherwise it goes on."""
    if local_variable(frame, "from_error_handler") is True:
        return nobody(frame, kind)
    return PASSES, "goes on to wsgi_app"


BOUNDARIES = (
    Boundary("flask.app", "Flask.full_dispatch_request", _unless_registered),
    Boundary("flask.app", "Flask.finalize_request", _unless_first),
    Boundary("flask.app", "Flask.wsgi_app", _unless_propagated, reports="handle_exception"),
    Boundary("flask.ctx", "RequestContext.pop", passes),
    Boundary("flask.ctx", "AppContext.pop", passes),
)
