"""The record of one crash, as it is written and read. ``docs/incidents.md`` has the fields, and
``schema.json`` beside this file is the same for machines (and for agents of other languages)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from codesuture.incidents.severity import ACTIONS, LEVELS
from codesuture.store import fields
from codesuture.store.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCHEMA = 1
MOST_CHAIN = 20
MOST_VALUES = 10
_DIGITS = 16

#: Texts of the record: where they are in JSON, and the most characters they may have.
_TEXTS = {
    "record": 64,
    "id": fields.ID_DIGITS,
    "time": 24,
    "severity": 20,
    "action": 20,
    "why": 1000,
    "exception.type": 200,
    "exception.message": 200,
    "site.module": 300,
    "site.qualname": 1000,
    "site.file": 1000,
    "site.fingerprint": 128,
    "site.operation": 100,
    "site.target": 500,
    "site.expression": 200,
    "guard": 100,
    "patch": fields.ID_DIGITS,
    "default": 500,
    "fate.verdict": 20,
    "fate.evidence": 1000,
    "request.method": 100,
    "request.path": 500,
    "process.thread": 100,
    "agent.language": 50,
    "agent.version": 50,
    "agent.name": 50,
    "agent.release": 50,
}
_NUMBERS = {
    "count": 2**53,
    "site.line": 2**31,
    "site.ordinal": fields.LARGEST_ORDINAL,
    "process.pid": 2**31,
}
#: What a record cannot do without; a writer of another language may leave out the rest.
REQUIRED = (
    "record", "id", "time", "severity", "action", "exception.type", "site.module", "site.qualname",
    "agent.language",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One crash. ``facts`` are its fields by dotted names (``site.line``); ``values`` the operands,
    ``chain`` the calls, the crash first; ``unknown`` what a newer version has written."""

    facts: dict[str, str | int]
    values: tuple[dict[str, Any], ...] = ()
    chain: tuple[dict[str, Any], ...] = ()
    unknown: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """The field with the dotted name, empty (or 0) where the record has none."""
        return self.facts.get(name, 0 if name in _NUMBERS else "")

    @property
    def id(self) -> str:
        """What crashes of the same kind at the same site share."""
        return str(self.facts["id"])

    @property
    def name(self) -> str:
        """``module:qualname`` of the function."""
        return f"{self['site.module']}:{self['site.qualname']}"

    @property
    def moment(self) -> datetime:
        """When it crashed."""
        return moment_of(str(self.facts["time"]))

    def changed(self, **facts: str) -> Incident:
        """The same crash with other facts, such as what became of it after all."""
        return replace(self, facts={**self.facts, **facts})

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able data."""
        document: dict[str, Any] = {"schema": SCHEMA, **self.unknown}
        for name, value in self.facts.items():
            first, dot, rest = name.partition(".")
            if dot:
                document.setdefault(first, {})[rest] = value
            else:
                document[first] = value
        if self.values:
            document["values"] = list(self.values)
        if self.chain:
            document["chain"] = list(self.chain)
        return document

    def line(self) -> bytes:
        """The record as one line, without its end."""
        document = self.to_json()
        try:
            return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:  # a lone surrogate, as in undecodable file names
            return json.dumps(document, allow_nan=False).encode()

    @classmethod
    def of(
        cls,
        facts: dict[str, str | int],
        values: list[dict[str, Any]],
        chain: list[dict[str, Any]],
    ) -> Incident:
        """A record of what was found out, made to fit; empty facts are left out."""
        fitting = {
            name: fields.fitting(value, _TEXTS[name]) if isinstance(value, str) else value
            for name, value in facts.items()
            if value != ""
        }
        return cls(facts=fitting, values=tuple(values[:MOST_VALUES]), chain=tuple(chain))

    @classmethod
    def from_json(cls, document: object) -> Incident:
        """Read a record that anybody may have written, strictly; fields that this version does not
        know are kept. Raises ``StoreError`` with a reason that completes "… because"."""
        if type(document) is not dict:
            raise StoreError("it is not a JSON object")
        if document.get("schema") != SCHEMA or type(document["schema"]) is not int:
            raise StoreError(f"the field schema is not {SCHEMA}")
        flat, unknown = _flattened(document)
        for name in REQUIRED:
            if name not in flat:
                raise StoreError(f"the field {name} is missing")
        for name, value in flat.items():
            if name in _NUMBERS:
                fields.check_integer(name, value, _NUMBERS[name])
            else:
                fields.check_text(name, value, _TEXTS[name], name not in REQUIRED)
        fields.check_id(flat["id"])
        _check_choice("severity", flat["severity"], LEVELS)
        _check_choice("action", flat["action"], ACTIONS)
        try:
            moment_of(flat["time"])
        except ValueError as error:
            raise StoreError(f"the field time is {error}") from None
        return cls(
            facts=flat,
            values=_tables(document, "values", MOST_VALUES, ("name", "type")),
            chain=_tables(document, "chain", MOST_CHAIN, ("module", "qualname", "file")),
            unknown=unknown,
        )


_PARTS = frozenset(name.partition(".")[0] for name in _TEXTS if "." in name)


def _flattened(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The known fields by dotted names, and all others."""
    flat: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, value in document.items():
        if name in _TEXTS or name in _NUMBERS:
            flat[name] = value
        elif name in _PARTS:
            if type(value) is not dict:
                raise StoreError(f"the field {name} is not a JSON object")
            for inner, content in value.items():
                full = f"{name}.{inner}"
                if full in _TEXTS or full in _NUMBERS:
                    flat[full] = content
        elif name not in ("schema", "values", "chain"):
            unknown[name] = value
    return flat, unknown


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise StoreError(f"the field {name} is unknown (possible: {', '.join(choices)})")


def _tables(
    document: dict[str, Any], name: str, most: int, texts: tuple[str, ...]
) -> tuple[dict[str, Any], ...]:
    found = document.get(name, [])
    if type(found) is not list or len(found) > most:
        raise StoreError(f"the field {name} is not a list of at most {most}")
    for one in found:
        if type(one) is not dict:
            raise StoreError(f"the field {name} holds something that is not a JSON object")
        for text in texts:
            fields.check_text(f"{name}.{text}", one.get(text, ""), 1000, True)
    return tuple(found)


def moment_text(moment: datetime) -> str:
    """ISO 8601, UTC, milliseconds: ``2026-11-25T07:00:00.123Z``."""
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(timespec="milliseconds") + "Z"


def moment_of(text: str) -> datetime:
    """The moment that ``moment_text`` wrote, or one of whole seconds; ValueError otherwise."""
    try:
        if text.endswith("Z"):
            return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"not a moment such as 2026-11-25T07:00:00.123Z: {text!r}")


def new_record() -> str:
    """What tells one record from all others."""
    from os import urandom

    return urandom(_DIGITS // 2).hex()
