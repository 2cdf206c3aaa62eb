"""The request that is being served, and the header that says what was healed in it.

The request is in a context variable: threads and tasks have their own, and what a request starts
(a task, a function in a thread pool) has a copy of its context, in which the same request is.
"""

from __future__ import annotations

from _contextvars import ContextVar

from codesuture.session import current as session
from codesuture.web.words import token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from codesuture.incidents.incident import Incident
    from codesuture.store.patch import Patch

    Header = tuple[str, str]

#: Headers of one response; what there is more is counted in the last one.
MOST_HEADERS = 10


class Request:
    """One request: what it is called in messages, and the patches that were used in it.

    ``subject`` is the request as its server knows it; ``describe`` tells which one it is, should
    anybody ask.
    ``patches`` are those that were used, ``sent`` tells that the headers are written, ``goes_on``
    that nobody says when it ends: the next one in this context ends it.
    ``doubted`` is true once an exception was left alone in it because its fate could not be told,
    ``learned`` counts what was proved in it since, ``replays`` how often it was run again.
    """

    # Most requests are not healed: what they begin with is the class's.
    patches: tuple[Patch, ...] = ()
    _written = 0
    _more = 0
    sent = False
    goes_on = False
    doubted = False
    learned = 0
    replays = 0
    _left_alone: tuple[Incident, ...] = ()

    def __init__(self, describe: Callable[[Any], str], subject: object) -> None:
        self._describe = describe
        self.subject = subject

    def healed(self, patch: Patch) -> None:
        """Note that a patch was used; one that comes too late for the headers is told."""
        for known in self.patches:
            if known.id == patch.id:
                return
        self.patches += (patch,)
        if self.sent:
            self.healed_late(patch)

    def healed_late(self, patch: Patch) -> None:
        """Tell of a patch that was used after the headers were written."""
        from codesuture.messages import emit

        emit(
            f"Healed after the headers of {self} had been sent, so they do not say so: "
            f"{patch.guard} on '{patch.target}' at {patch.file}:{patch.line}."
        )

    def proved(self, incident: Incident | None) -> None:
        """Note that something was learned."""
        self.learned += 1
        if incident is not None:
            self._left_alone = (*self._left_alone, incident)

    def repeat(self) -> None:
        """Note that it is run again; what crashed in it was not left alone after all."""
        self.replays += 1
        self._written = self._more = 0
        found, self._left_alone = self._left_alone, ()
        began = session()
        if found and began is not None:
            from codesuture.incidents.reporting import replayed

            for incident in found:
                replayed(began, incident)

    def headers(self) -> list[Header]:
        """The headers that have not been written yet; from now on they have."""
        fresh = self.patches[self._written + self._more :]
        if not fresh:
            return []
        name = _name()
        if not name:
            self._written += len(fresh)
            return []
        if len(fresh) == 1 and not self._written:  # as mostly
            self._written = 1
            return [(name, self._value(fresh[0]))]
        shown = fresh[: MOST_HEADERS - self._written]
        self._written += len(shown)
        found = [(name, self._value(patch)) for patch in shown]
        if len(shown) < len(fresh):
            self._more += len(fresh) - len(shown)
            found.append((name, f"more={self._more}"))
        return found

    def _value(self, patch: Patch) -> str:
        value = _values.get(patch.id)
        if value is None:
            value = f"patched=1; guard={token(patch.guard)}; target={token(patch.target)}"
            _values[patch.id] = value
        return f"{value}; replayed={self.replays}" if self.replays else value

    def __str__(self) -> str:
        try:
            return self._describe(self.subject)
        except Exception:
            return "a request"


def _name() -> str:
    """What the header is called; empty where responses are not to be marked."""
    began = session()
    return "" if began is None or not began.config.web_mark else began.config.web_header


#: Headers by the id of the patch, which there are not many of.
_values: dict[str, str] = {}

_current: ContextVar[Request | None] = ContextVar("codesuture_request", default=None)


#: The request that is being served here, if any.
current = _current.get

#: A request begins in this context.
begin = _current.set


def end() -> None:
    """No request is being served in this context any more."""
    _current.set(None)


def mark(patch: Patch) -> None:
    """A patch was used here."""
    request = _current.get()
    if request is not None:
        request.healed(patch)


def write(add: Callable[[str, str], object]) -> None:
    """The headers of the response to the request here go out now: ``add`` is given ours."""
    request = _current.get()
    if request is not None and not request.sent:
        for name, value in request.headers():
            add(name, value)
        request.sent = True


def doubt() -> None:
    """An exception was left alone here."""
    request = _current.get()
    if request is not None:
        request.doubted = True


def learn(incident: Incident | None) -> None:
    """What was in doubt here was proved, and will be healed from now on; ``incident`` is the record
    of it, if it has one."""
    request = _current.get()
    if request is not None:
        request.proved(incident)
