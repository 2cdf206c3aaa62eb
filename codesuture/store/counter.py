"""How often a patch was used; beside the recipe, so that the recipe can be committed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from .errors import StoreError
from .timestamps import from_text

FORMAT = 1
MOST_HITS = 2**62
#: Days whose hits are known apart.
MOST_DAYS = 31
_KEYS = {"format", "hits", "first_seen", "last_seen"}


@dataclass(frozen=True, slots=True)
class Counter:
    """``first_seen`` and ``last_seen`` are ISO 8601 UTC texts; ``days`` has the hits of the last
    days (``2025-01-31``), as far as they count for a budget."""

    hits: int
    first_seen: str
    last_seen: str
    days: dict[str, int] = field(default_factory=dict, hash=False)

    def plus(self, hits: int, when: str) -> Counter:
        """This counter after ``hits`` more at ``when``."""
        day = when[:10]
        days = {**self.days, day: min(self.days.get(day, 0) + hits, MOST_HITS)}
        return Counter(
            min(self.hits + hits, MOST_HITS),
            min(self.first_seen, when),
            max(self.last_seen, when),
            {one: days[one] for one in sorted(days)[-MOST_DAYS:]},
        )

    @classmethod
    def first(cls, hits: int, when: str) -> Counter:
        """A counter of ``hits`` that came at ``when``."""
        return cls(hits, when, when, {when[:10]: hits})

    def within(self, days: int, today: str) -> int:
        """The hits of so many days, of which ``today`` (as in ``days``) is the last."""
        first = (date.fromisoformat(today) - timedelta(days=days - 1)).isoformat()
        return sum(hits for day, hits in self.days.items() if first <= day <= today)

    def forgiven(self) -> Counter:
        """The same, of which nothing counts for a budget."""
        return Counter(self.hits, self.first_seen, self.last_seen)

    def to_json(self) -> dict[str, object]:
        """JSON-able data; ``from_json`` reads it back."""
        document: dict[str, object] = {
            "format": FORMAT,
            "hits": self.hits,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }
        return {**document, "days": self.days} if self.days else document

    @classmethod
    def from_json(cls, document: object) -> Counter:
        """Raises ``StoreError`` with a reason that completes the sentence "… because"."""
        if type(document) is not dict or document.keys() - {"days"} != _KEYS:
            raise StoreError("it is not a counter")
        hits, first, last = document["hits"], document["first_seen"], document["last_seen"]
        if document["format"] != FORMAT:
            raise StoreError("its format is unknown to this version of codesuture")
        if type(hits) is not int or not 0 < hits <= MOST_HITS:
            raise StoreError("the field hits is not a count")
        if type(first) is not str or type(last) is not str:
            raise StoreError("the fields first_seen and last_seen must be texts")
        try:
            from_text(first), from_text(last)
        except ValueError as error:
            raise StoreError(f"a field is {error}") from None
        return cls(hits, first, last, _days(document.get("days", {})))


def _days(document: object) -> dict[str, int]:
    if type(document) is not dict or len(document) > MOST_DAYS:
        raise StoreError("the field days is not a table of days")
    for day, hits in document.items():
        try:
            known = date.fromisoformat(day).isoformat() == day
        except ValueError:
            known = False
        if not known or type(hits) is not int or not 0 < hits <= MOST_HITS:
            raise StoreError("the field days is not a table of days")
    return document
