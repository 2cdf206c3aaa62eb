"""JSON as the store writes it (diffable) and reads it (strict)."""

from __future__ import annotations

import json

from .errors import StoreError


def encode(document: dict[str, object]) -> bytes:
    """Indented, keys sorted, one newline at the end: made for ``git diff``."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    try:
        return (text + "\n").encode()
    except UnicodeEncodeError:  # a lone surrogate, as in undecodable file names
        return (json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def decode(content: bytes) -> object:
    """Raises ``StoreError`` with a reason that completes the sentence "… because"."""
    try:
        return _DECODER.decode(content.decode())
    except UnicodeDecodeError:
        raise StoreError("it is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise StoreError(f"it is not JSON ({error.msg}, {place})") from None
    except RecursionError:
        raise StoreError("its JSON is nested too deeply") from None
    except ValueError as error:  # an integer with thousands of digits
        raise StoreError(f"it holds a value that is not allowed ({error})") from None


def _no_constants(name: str) -> object:
    raise StoreError(f"it holds {name}, which is not JSON")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise StoreError("it has the same key twice")
    return document


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constants)
