"""What applications of both kinds around another one have in common."""

from __future__ import annotations

from codesuture.web.replay import repeated_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Around:
    """Stands for ``application`` in all that is asked of it but to be called."""

    def __init__(self, application: Any) -> None:
        self.application = application
        #: The methods of requests that may be run again.
        self.repeated = repeated_methods()

    def report_crash(self) -> None:
        """An exception has left the application: ``proving`` looks for it here, ``live`` learns."""
        from codesuture.live.watching import tell_at_application

        tell_at_application()

    def __getattr__(self, name: str) -> Any:
        """Whatever else is asked of the application."""
        if name == "application":
            raise AttributeError(name)
        return getattr(self.application, name)


def leave_no_trace(error: BaseException, names: dict[str, Any]) -> None:
    """Take the outermost frames out of the traceback that belong to the module with these global
    names; ``raise`` alone adds none again."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals is names:
        trace = trace.tb_next
    error.__traceback__ = trace
