"""Healed crashes reach what the program has for its errors: ``logging`` and Sentry.

A crash that is healed no longer reaches the handlers of either by itself. Neither package is ever
imported here: only what the program has imported and set up is told, once for each full record.
What is called is the program's own code; what it raises is its own fault and stays here.
"""

from __future__ import annotations

import sys

from codesuture.messages import LOGGER, own_handlers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from codesuture.config.load import Config
    from codesuture.incidents.incident import Incident

#: Levels of ``logging`` by severity.
_LEVELS = {"info": 20, "warning": 30, "error": 40, "critical": 50}
#: Levels of Sentry by severity.
_SENTRY_LEVELS = {"info": "info", "warning": "warning", "error": "error", "critical": "fatal"}


def tell(config: Config, incident: Incident, exception: BaseException) -> None:
    """Tell of a healed crash; Sentry first, whose own handler of ``logging`` then knows it."""
    if config.incidents_sentry:
        _quietly(_to_sentry, "sentry_sdk", incident, exception)
    if config.incidents_logging:
        _quietly(_to_logging, "logging", incident, exception)


def _quietly(do: object, name: str, incident: Incident, exception: BaseException) -> None:
    module = sys.modules.get(name)
    # Another thread may be in the middle of importing it.
    if module is None or getattr(getattr(module, "__spec__", None), "_initializing", False):
        return
    try:
        do(module, incident, exception)  # type: ignore[operator]
    except Exception:  # a transport or a handler of the program's own
        return


def _to_sentry(sentry: ModuleType, incident: Incident, exception: BaseException) -> None:
    if not sentry.is_initialized():
        return
    sentry.capture_exception(
        exception,
        level=_SENTRY_LEVELS[incident["severity"]],
        tags={
            "codesuture.action": incident["action"],
            "codesuture.guard": incident["guard"],
            "codesuture.id": incident.id,
        },
        contexts={"codesuture": _context(incident)},
    )


def _context(incident: Incident) -> dict[str, object]:
    return {
        "action": incident["action"],
        "guard": incident["guard"],
        "target": incident["site.target"],
        "default": incident["default"],
        "fate": incident["fate.evidence"],
        "patch": incident["patch"],
    }


def _to_logging(logging: ModuleType, incident: Incident, exception: BaseException) -> None:
    """One record with the traceback, for the handlers that the program has set up: those of the
    logger ``codesuture`` and those of the root. Our own handler has said it already."""
    logger, root = logging.getLogger(LOGGER), logging.getLogger()
    own = own_handlers()
    handlers = [one for one in logger.handlers if one not in own]
    level = _LEVELS[incident["severity"]]
    if not (handlers or root.handlers) or not logger.isEnabledFor(level):
        return
    record = logger.makeRecord(
        LOGGER,
        level,
        incident["site.file"],
        incident["site.line"],
        "Healed in place: %s in %s by %s, which supplied %s",
        (incident["exception.type"], incident.name, incident["guard"], incident["default"]),
        (type(exception), exception, exception.__traceback__),
        incident["site.qualname"],
        {"codesuture": incident.to_json()},
    )
    for handler in handlers:
        if level >= handler.level:
            handler.handle(record)
    if root.handlers:
        root.callHandlers(record)
