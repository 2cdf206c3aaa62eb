"""What has happened to a patch: its states, each with who brought it there and when."""

from __future__ import annotations

from dataclasses import dataclass

from . import fields
from .errors import StoreError

#: The states that are kept in a recipe, and what each means. *Expired* and *stale* are not kept:
#: they follow from the day and from the source.
STATES = {
    "detected": "the crash was seen, and nothing was supplied",
    "patched": "a default was supplied, and the patch could not be stored yet",
    "persisted": "it is stored and applied; nobody has looked at it",
    "reviewed": "somebody has approved it",
    "fixed": "its function has changed, and has run without a crash since",
    "rejected": "somebody does not want it: the crash happens",
    "withdrawn": "a second crash followed from it, so it is not applied",
    "disarmed": "it was used more often than its budget allows, so it is not applied",
    "rolled back": "it was removed; the next crash may make it again",
}

#: What older versions called them.
FORMERLY = {"active": "persisted"}

#: Who brings a patch to a state when no person does.
AGENT = "codesuture"

#: Events that are kept of one patch: the first, and the last of the others.
MOST_EVENTS = 20

_LENGTHS = {"state": 20, "at": 20, "by": 100, "note": 300}


@dataclass(frozen=True, slots=True)
class Event:
    """A patch came to ``state`` at the moment ``at``; ``by`` is a person's name or ``AGENT``."""

    state: str
    at: str
    by: str
    note: str = ""

    @classmethod
    def made(cls, state: str, at: str, by: str, note: str = "") -> Event:
        """An event whose texts are made to fit."""
        name = fields.fitting(by, _LENGTHS["by"]) or "somebody"
        return cls(state, at, name, fields.fitting(note, _LENGTHS["note"]))

    def to_json(self) -> dict[str, str]:
        """JSON-able data."""
        document = {"state": self.state, "at": self.at, "by": self.by}
        return {**document, "note": self.note} if self.note else document


def bounded(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """At most ``MOST_EVENTS`` of them: what a patch began with, and what came last."""
    if len(events) <= MOST_EVENTS:
        return events
    return (events[0], *events[1 - MOST_EVENTS :])


def check_state(name: str, value: object) -> str:
    """A known state, as this version calls it. Raises ``StoreError`` as ``fields`` does."""
    found = FORMERLY.get(value, value) if type(value) is str else value
    if type(found) is not str:
        raise StoreError(f"the field {name} is not a text")
    if found not in STATES:
        raise StoreError(f"the field {name} is unknown (possible: {', '.join(STATES)})")
    return found


def events_from_json(document: object) -> tuple[Event, ...]:
    """The events of the field ``history``. Raises ``StoreError`` as ``fields`` does."""
    if type(document) is not list or len(document) > MOST_EVENTS:
        raise StoreError(f"the field history is not a list of at most {MOST_EVENTS} events")
    return tuple(_event(one) for one in document)


def _event(document: object) -> Event:
    if type(document) is not dict or not {"state", "at", "by"} <= document.keys() <= {*_LENGTHS}:
        raise StoreError("the field history holds something that is no event")
    for name, value in document.items():
        fields.check_text(f"history.{name}", value, _LENGTHS[name], name == "note")
    fields.check_moment("history.at", document["at"])
    return Event(**{**document, "state": check_state("history.state", document["state"])})
