"""Known patterns of crash sites in a file: what ``codesuture fingerprints export`` writes and
``import`` reads. Strict, like everything that the store reads: a file may be anybody's."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from ..defaults.recipe import Recipe, RecipeError
from . import fields
from .errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FORMAT = 1
LARGEST_FILE = 4 * 1024 * 1024
MOST_PATTERNS = 5_000
MOST_SITES = 1_000_000
DIGITS = 16

_TEXTS = {"pattern": DIGITS, "python": 20, "guard": 100, "operation": 100, "exception": 200}
_KEYS = {*_TEXTS, "default", "sites", "failed"}
_OPEN = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_OPEN |= getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPattern:
    """What became of the patches of one pattern: ``sites`` kept theirs, ``failed`` did not (the
    patch was withdrawn, rejected, disarmed or rolled back)."""

    pattern: str
    python: str
    guard: str
    operation: str
    exception: str
    default: Recipe
    sites: int
    failed: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by: the same pattern may be known with several defaults."""
        return self.pattern, self.guard, repr(sorted_json(self.default))

    def plus(self, other: KnownPattern) -> KnownPattern:
        """Both together."""
        return replace(
            self,
            sites=min(self.sites + other.sites, MOST_SITES),
            failed=min(self.failed + other.failed, MOST_SITES),
        )

    def to_json(self) -> dict[str, object]:
        """JSON-able data; ``from_json`` reads it back."""
        document: dict[str, object] = {name: getattr(self, name) for name in _TEXTS}
        return {
            **document,
            "default": self.default.to_json(),
            "sites": self.sites,
            "failed": self.failed,
        }

    @classmethod
    def from_json(cls, document: object) -> KnownPattern:
        """Raises ``StoreError`` with a reason that completes the sentence "… because"."""
        if type(document) is not dict or document.keys() != _KEYS:
            raise StoreError(f"a pattern has not the fields {', '.join(sorted(_KEYS))}")
        for name, length in _TEXTS.items():
            fields.check_text(name, document[name], length, may_be_empty=False)
        fields.check_hexadecimal("pattern", document["pattern"])
        if len(document["pattern"]) != DIGITS:
            raise StoreError(f"the field pattern has not {DIGITS} digits")
        for name in ("sites", "failed"):
            fields.check_integer(name, document[name], MOST_SITES)
        try:
            default = Recipe.from_json(document["default"], "the field default")
        except RecipeError as error:
            raise StoreError(str(error).rstrip(".")) from None
        return cls(**{**document, "default": default})


def sorted_json(recipe: Recipe) -> list[tuple[str, Any]]:
    """A recipe as something that can be compared."""
    return sorted(recipe.to_json().items())


def merged(patterns: Iterable[KnownPattern]) -> list[KnownPattern]:
    """Those with the same pattern, guard and default made one, the best known first."""
    found: dict[tuple[str, str, str], KnownPattern] = {}
    for one in patterns:
        found[one.key] = found[one.key].plus(one) if one.key in found else one
    return sorted(found.values(), key=lambda one: (-one.sites, one.failed, one.key))


def encode_patterns(patterns: Iterable[KnownPattern]) -> bytes:
    """The content of a file. Raises ``StoreError`` where there are too many."""
    from .documents import encode

    every = merged(patterns)
    if len(every) > MOST_PATTERNS:
        raise StoreError(f"There are more than {MOST_PATTERNS} patterns, the most in one file.")
    return encode({"format": FORMAT, "patterns": [one.to_json() for one in every]})


def read_patterns(path: str, foreign: bool) -> list[KnownPattern]:
    """The patterns of a file; of one that is not ``foreign`` the owner and mode count too.

    Raises ``FileNotFoundError``, and ``StoreError`` with a reason that completes the sentence
    "… because".
    """
    from .documents import decode

    document = decode(_read(path, foreign))
    found = fields.checked_document(document, FORMAT, {"format", "patterns"})
    patterns = found["patterns"]
    if type(patterns) is not list or len(patterns) > MOST_PATTERNS:
        raise StoreError(f"the field patterns is not a list of at most {MOST_PATTERNS}")
    return merged(KnownPattern.from_json(one) for one in patterns)


def _read(path: str, foreign: bool) -> bytes:
    from .files import content_of
    from .trust import distrust

    try:
        descriptor = os.open(path, _OPEN)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise StoreError(f"it cannot be read ({error})") from None
    return content_of(
        descriptor, LARGEST_FILE, lambda status: "" if foreign else distrust(path, status)
    )
