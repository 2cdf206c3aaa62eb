"""The fields of the store's documents: what each may hold, checked before anything is trusted.

Every check raises ``StoreError`` with a reason that names the field and completes the sentence
"… because".
"""

from __future__ import annotations

from .errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Set
    from typing import Any

ID_DIGITS = 12
LARGEST_ORDINAL = 2**24

# Control characters, as Python writes them: documents are shown on terminals.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_HEX_DIGITS = frozenset("0123456789abcdef")


def fitting(text: str, length: int) -> str:
    """The text without control characters, shortened to ``length`` characters."""
    text = text.translate(_ESCAPES)
    return text if len(text) <= length else text[: length - 3] + "..."


def checked_document(
    document: object, format: int, keys: Set[str], optional: Set[str] = frozenset()
) -> dict[str, Any]:
    """The document, which has exactly these keys and this format; ``optional`` ones may be
    missing."""
    if type(document) is not dict:
        raise StoreError("it is not a JSON object")
    if document.get("format") != format or type(document["format"]) is not int:
        raise StoreError(
            f"the field format is not {format}, the only format that this version of"
            " codesuture knows"
        )
    missing, unknown = sorted(keys - document.keys()), sorted(document.keys() - keys - optional)
    if missing:
        raise StoreError(f"the field {missing[0]} is missing")
    if unknown:
        raise StoreError(f"the field {fitting(unknown[0], 40)} is unknown")
    return document


def check_text(name: str, value: object, length: int, may_be_empty: bool) -> None:
    """A text of at most ``length`` characters, none of which controls a terminal."""
    if type(value) is not str:
        raise StoreError(f"the field {name} is not a text")
    if len(value) > length:
        raise StoreError(f"the field {name} is longer than {length} characters")
    if not value and not may_be_empty:
        raise StoreError(f"the field {name} is empty")
    if not value.isprintable() and value.translate(_ESCAPES) != value:
        raise StoreError(f"the field {name} holds control characters")


def check_integer(name: str, value: object, largest: int) -> None:
    """An integer from 0 to ``largest``."""
    if type(value) is not int or not 0 <= value <= largest:
        raise StoreError(f"the field {name} is not an integer from 0 to {largest}")


def check_hexadecimal(name: str, value: str) -> None:
    """Lower-case hexadecimal digits."""
    if not _HEX_DIGITS.issuperset(value):
        raise StoreError(f"the field {name} is not hexadecimal")


def check_moment(name: str, value: str) -> None:
    """A moment as ``timestamps`` writes it."""
    from .timestamps import from_text

    try:
        from_text(value)
    except ValueError as error:
        raise StoreError(f"the field {name} is {error}") from None


def is_id(text: object) -> bool:
    """Whether ``text`` has the form of an id."""
    return type(text) is str and len(text) == ID_DIGITS and _HEX_DIGITS.issuperset(text)


def check_id(value: object) -> None:
    """An id."""
    if not is_id(value):
        raise StoreError(f"the field id is not {ID_DIGITS} hexadecimal digits")


def text_of(name: str, length: int) -> Callable[[object], str]:
    """What reads an optional text that may be empty."""

    def read(value: object) -> str:
        check_text(name, value, length, True)
        return str(value)

    return read


def truth_of(name: str) -> Callable[[object], bool]:
    """What reads an optional ``true`` or ``false``."""

    def read(value: object) -> bool:
        if type(value) is not bool:
            raise StoreError(f"the field {name} is not true or false")
        return value

    return read
