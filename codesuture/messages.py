"""What a running program's developer reads: lines on standard error.

Messages go through the logger ``codesuture`` when the program has imported ``logging``, and are
written in the same form otherwise: importing it takes milliseconds and nobody can have configured
it then.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logging import Handler, Logger
    from types import ModuleType

LOGGER = "codesuture"
TAG = "[CodeSuture]"

#: The one handler, by the logger's name.
_handlers: dict[str, Handler] = {}


def emit(*lines: str) -> None:
    """Show each line behind the tag. Never raises because of the stream or of logging."""
    logging = sys.modules.get("logging")
    # Another thread may be in the middle of importing it.
    if logging is None or getattr(getattr(logging, "__spec__", None), "_initializing", False):
        write("".join(f"{_tag()} {line}\n" for line in lines))
        return
    logger = _logger(logging)
    for line in lines:
        logger.warning("%s", line)


_reported: set[type[BaseException]] = set()


def report_fault(
    fault: Exception, consequence: str = "the program's own exception goes on"
) -> None:
    """One line for each type of fault of ours, and what follows; nothing while the interpreter
    shuts down."""
    if type(fault) in _reported or sys.is_finalizing():
        return
    _reported.add(type(fault))
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace is not None else "?"
    emit(
        f"A fault in codesuture ({type(fault).__name__}: {fault} in {place}); "
        f"{consequence}."
    )


def write(text: str) -> None:
    """Write ``text`` to standard error as it is, if there is one."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        if os.name == "nt" and "\x1b" in text:  # consoles of before Windows 10
            from colorama import AnsiToWin32

            stream = AnsiToWin32(stream).stream
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):  # closed, or nobody reads it any more
        return


def own_handlers() -> list[Handler]:
    """Our handlers, which write what ``emit`` is given."""
    return list(_handlers.values())


def _logger(logging: ModuleType) -> Logger:
    """The logger, with a handler of its own that writes where ``sys.stderr`` points now."""
    logger: Logger = logging.getLogger(LOGGER)
    handler = _handlers.get(LOGGER)
    if handler is None:

        class StandardError(logging.Handler):  # type: ignore[misc, name-defined]
            def emit(self, record: logging.LogRecord) -> None:  # type: ignore[name-defined]
                write(f"{_tag()} {record.getMessage()}\n")

        # Of threads that come here together the first one's is everybody's.
        handler = _handlers.setdefault(LOGGER, StandardError())
    if handler not in logger.handlers:
        logger.addHandler(handler)
        logger.propagate = False
    # logging.config disables the loggers that it does not know; a heal is never hidden.
    logger.disabled = False
    return logger


_color = "auto"


def use_color(setting: str) -> None:
    """Take over the configuration's ``color``: ``auto``, ``always`` or ``never``."""
    global _color
    _color = setting


def _tag() -> str:
    from codesuture.terminal import wants_color

    if sys.stderr is None or not wants_color(sys.stderr, _color):
        return TAG
    try:
        from colorama import Fore, Style
    except ImportError:  # a broken installation; its messages are needed all the more
        return TAG
    return f"{Fore.CYAN}{TAG}{Style.RESET_ALL}"
