"""What of the program's data may stand in an incident: by default types and lengths.

Names that speak of secrets are hidden whatever is configured. Nothing here runs the program's code:
only objects of exact built-in types are looked into, and none is asked for its ``repr`` but those.
"""

from __future__ import annotations

import re

from codesuture.diagnosis.lookup import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: Words that mean a secret wherever they stand in a name, without regard to case and ``_``.
SECRET = (
    "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey",
    "authorization", "credential", "cookie", "session", "csrf", "socialsecurity", "creditcard",
    "cardnumber", "cardno", "accountnumber", "signature", "bearer",
)  # fmt: skip
#: Those that mean one where they are a whole word of it: ``card_id`` and not ``discard``.
SECRET_WORDS = frozenset({
    "key", "keys", "auth", "card", "pin", "pass", "pwd", "pan", "dob", "sid", "ssn", "cvv", "cvc",
    "iban", "jwt", "otp",
})  # fmt: skip

HIDDEN = "hidden"
MOST_TEXT = 100
MOST_ITEMS = 10
MOST_DEPTH = 2
_MOST_BITS = 256

_SIZED = (
    str, bytes, bytearray, list, tuple, dict, set, frozenset, range, memoryview,
)  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_NAME = re.compile(r"[A-Za-z_][\w.]*|[<>+\-*/%&|^@=!]+|\w+\(\)|%[a-z]")

_type_name = type.__dict__["__name__"].__get__


class Redaction:
    """How much is told. ``level`` is ``types`` (names, types and lengths), ``contents`` (bounded
    values of plain data, too) or ``off`` (names only); ``more`` are further words for secrets."""

    __slots__ = ("_secret", "level")

    def __init__(self, level: str = "types", more: Iterable[str] = ()) -> None:
        self.level = level
        self._secret = (*SECRET, *(_squeezed(word) for word in more if _squeezed(word)))

    def is_secret(self, name: str) -> bool:
        """Whether a name (of a variable, an attribute, a key) speaks of a secret."""
        squeezed = _squeezed(name)
        if any(word in squeezed for word in self._secret):
            return True
        words = {word.lower() for word in _WORDS.findall(name)}
        return not SECRET_WORDS.isdisjoint(words)

    def describe(self, name: str, value: object) -> dict[str, object]:
        """An operand as it stands in the record: its name, and what may be told of it."""
        told: dict[str, object] = {"name": name}
        if value is MISSING or self.level == "off":
            return told
        told["type"] = _type_name(type(value))[:MOST_TEXT]
        if self.is_secret(name):
            told["redacted"] = True
            return told
        if type(value) in _SIZED:
            told["length"] = len(value)  # type: ignore[arg-type]
        if self.level == "contents":
            content = self._content(value, 0)
            if content is not MISSING:
                told["value"] = content
        return told

    def message(self, kind: type[BaseException], text: str, known: Iterable[str]) -> str:
        """An exception's message without the data that it quotes.

        ``known`` are texts that stand in the program's source anyhow. What names an attribute or a
        type stays, so ``'NoneType' object has no attribute 'bio'`` does.
        """
        if self.level == "contents" or not text:
            return text
        kept = set(known)
        names = issubclass(kind, (AttributeError, TypeError, NameError, ZeroDivisionError))
        if issubclass(kind, KeyError):
            return text if text[1:-1] in kept or text in kept else "…"

        def shown(found: re.Match[str]) -> str:
            quoted = found[0]
            inside = quoted[1:-1]
            if inside in kept or (names and _NAME.fullmatch(inside)):
                return quoted
            return f"{quoted[0]}…{quoted[0]}"

        return _QUOTED.sub(shown, text)

    def _content(self, value: object, depth: int) -> object:
        """JSON for plain data, bounded; ``MISSING`` for everything else."""
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if value.bit_length() <= _MOST_BITS else MISSING  # type: ignore[attr-defined]
        if kind is float:
            return value if value == value and abs(value) != float("inf") else str(value)  # type: ignore[arg-type]
        if kind is str:
            return _cut(value)  # type: ignore[arg-type]
        if depth >= MOST_DEPTH:
            return MISSING
        if kind is dict:
            return self._table(value, depth)  # type: ignore[arg-type]
        if kind in (list, tuple):
            parts = [self._content(one, depth + 1) for one in value[:MOST_ITEMS]]  # type: ignore[index]
            return ["…" if part is MISSING else part for part in parts]
        return MISSING

    def _table(self, table: dict[object, object], depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in list(table.items())[:MOST_ITEMS]:
            if type(key) is str:
                content = HIDDEN if self.is_secret(key) else self._content(value, depth + 1)
                found[_cut(key)] = "…" if content is MISSING else content
        return found


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _squeezed(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
