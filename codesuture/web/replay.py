"""Running a request again, where it could not be healed in place but can be now.

That is so when an exception was left alone because its fate could not be told, and then turned out
to be handled by nobody (``codesuture.proving``): the next time it is healed in place. Only methods
that change nothing (``web.replay``) are run again, only while nothing of the response is out, and
only where there is no body that could be read but once.
"""

from __future__ import annotations

from codesuture.session import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.web.marking import Request


def repeated_methods() -> tuple[str, ...]:
    """The methods of requests that may be run again, should they have no body."""
    session = current()
    return () if session is None else session.config.web_replay


def is_worth_it(request: Request, learned: int) -> bool:
    """Whether something was learned in it since there were ``learned`` proofs, so that it will be
    healed this time; and whether it has not been run again too often."""
    if request.learned == learned:
        return False
    session = current()
    return session is not None and request.replays < session.config.retries
