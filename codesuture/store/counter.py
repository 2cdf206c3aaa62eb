"""How often a patch was used; beside the recipe, so that the recipe can be committed."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import StoreError
from .timestamps import from_text

FORMAT = 1
MOST_HITS = 2**62


@dataclass(frozen=True, slots=True)
class Counter:
    """``first_seen`` and ``last_seen`` are ISO 8601 UTC texts."""

    hits: int
    first_seen: str
    last_seen: str

    def plus(self, hits: int, when: str) -> Counter:
        """This counter after ``hits`` more at ``when``."""
        return Counter(
            min(self.hits + hits, MOST_HITS),
            min(self.first_seen, when),
            max(self.last_seen, when),
        )

    def to_json(self) -> dict[str, object]:
        """JSON-able data; ``from_json`` reads it back."""
        return {
            "format": FORMAT,
            "hits": self.hits,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }

    @classmethod
    def from_json(cls, document: object) -> Counter:
        """Raises ``StoreError`` with a reason that completes the sentence "… because"."""
        if type(document) is not dict or document.keys() != {
            "format",
            "hits",
            "first_seen",
            "last_seen",
        }:
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
        return cls(hits, first, last)
