"""What became of a patch's value, as ``--shadow`` has seen it: a field of the patch."""

from __future__ import annotations

from dataclasses import dataclass

from . import fields
from .errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

#: By kind of place: what the value leaked to; ``{}`` is the place's own text.
LEAKS: dict[str, str] = {
    "return": "the return value of {}",
    "yield": "what {} yields",
    "attribute": "the attribute {}",
    "global": "the global variable {}",
    "closure": "{}, a variable of an enclosing function",
    "item": "{}, which others see",
    "file": "a file or stream, by {}",
    "socket": "a socket, by {}",
    "database": "a database, by {}",
    "argument": "{}, where it is not followed",
}
CRASH = "crash"
MOST_PLACES = 30
MOST_SEEN = 2**53
_LARGEST_LINE = 2**31
_LENGTHS = {"kind": 20, "what": 500, "file": 1000}
_CONTAINED, _LEAKED, _CAUSED = "contained", "leaked", "caused"


@dataclass(frozen=True, slots=True)
class Place:
    """A place that the value came to; ``kind`` is one of ``LEAKS``, or ``crash``: then the value
    was what an instruction there crashed on, and ``what`` names exception and function."""

    kind: str
    what: str
    file: str
    line: int

    @classmethod
    def create(cls, kind: str, what: str, file: str, line: int) -> Place:
        """A place whose texts are made to fit."""
        what = fields.fitting(what, _LENGTHS["what"])
        return cls(kind, what, fields.fitting(file, _LENGTHS["file"]), line)

    def describe(self) -> str:
        """``the return value of get_bio(), app.py:14``; of a crash ``TypeError in …``."""
        return f"{LEAKS.get(self.kind, '{}').format(self.what)}, {self.file}:{self.line}"

    def to_json(self) -> dict[str, object]:
        """JSON-able data."""
        return {"kind": self.kind, "what": self.what, "file": self.file, "line": self.line}

    @classmethod
    def from_json(cls, document: object) -> Place:
        """Raises ``StoreError`` with a reason that completes the sentence "… because"."""
        if type(document) is not dict or document.keys() != {*_LENGTHS, "line"}:
            raise StoreError("the field shadow.where has a place without kind, what, file or line")
        for name, length in _LENGTHS.items():
            fields.check_text(f"shadow.where.{name}", document[name], length, name != "kind")
        if document["kind"] != CRASH and document["kind"] not in LEAKS:
            known = ", ".join((*LEAKS, CRASH))
            raise StoreError(f"the field shadow.where.kind is unknown (possible: {known})")
        fields.check_integer("shadow.where.line", document["line"], _LARGEST_LINE)
        return cls(**document)


@dataclass(frozen=True, slots=True)
class Shadow:
    """``where`` are the places that the value came to, ``seen`` is how many values were followed to
    their end."""

    where: tuple[Place, ...]
    seen: int

    @property
    def verdict(self) -> str:
        """``contained``, ``leaked`` or ``caused``: the worst that was seen."""
        if self.crashes:
            return _CAUSED
        return _LEAKED if self.where else _CONTAINED

    @property
    def crashes(self) -> tuple[Place, ...]:
        """The crashes that values of the patch have caused: to be asked by whoever wants to know
        whether the patch leads to others."""
        return tuple(place for place in self.where if place.kind == CRASH)

    @property
    def leaks(self) -> tuple[Place, ...]:
        """The other places."""
        return tuple(place for place in self.where if place.kind != CRASH)

    def describe(self) -> str:
        """``contained``, ``leaked to …`` or ``caused …``: the first place, and how many more."""
        places = self.crashes or self.leaks
        if not places:
            return _CONTAINED
        word = _CAUSED if self.crashes else f"{_LEAKED} to"
        more = f" (+{len(places) - 1})" if len(places) > 1 else ""
        return f"{word} {places[0].describe()}{more}"

    def plus(self, new: Iterable[Place], seen: int) -> Shadow:
        """With more places, each once, and more values."""
        where = tuple(dict.fromkeys((*self.where, *new)))
        if len(where) > MOST_PLACES:  # crashes are worth more than leaks
            where = tuple(sorted(where, key=lambda place: place.kind != CRASH))[:MOST_PLACES]
        return Shadow(where, min(self.seen + seen, MOST_SEEN))

    def to_json(self) -> dict[str, object]:
        """JSON-able data; ``from_json`` reads it back."""
        where = [place.to_json() for place in self.where]
        return {"verdict": self.verdict, "seen": self.seen, "where": where}

    @classmethod
    def from_json(cls, document: object) -> Shadow:
        """Read what ``to_json`` made, strictly.

        Raises ``StoreError`` with a reason that completes the sentence "… because".
        """
        if type(document) is not dict or document.keys() != {"verdict", "seen", "where"}:
            raise StoreError("the field shadow does not have verdict, seen and where")
        fields.check_integer("shadow.seen", document["seen"], MOST_SEEN)
        places: Any = document["where"]
        if type(places) is not list or len(places) > MOST_PLACES:
            raise StoreError(
                f"the field shadow.where is not a list of at most {MOST_PLACES} places"
            )
        shadow = cls(tuple(Place.from_json(place) for place in places), document["seen"])
        if document["verdict"] != shadow.verdict:
            raise StoreError(f"the field shadow.verdict is not {shadow.verdict}, as where says")
        return shadow
