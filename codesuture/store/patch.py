"""A patch: one persisted decision to supply a default at one site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from ..defaults.recipe import Recipe, RecipeError
from .errors import StoreError
from .timestamps import from_text, to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
RUNGS = ("configured", "approved", "observed", "annotation", "consumer", "guard")
STATES = ("active",)
ID_DIGITS = 12
LARGEST_ORDINAL = 2**24
LARGEST_LINE = 2**31

# text field -> the most characters it may have
LENGTHS = {
    "id": ID_DIGITS,
    "module": 300,
    "qualname": 1000,
    "fingerprint": 128,
    "file": 1000,
    "guard": 100,
    "target": 500,
    "operation": 100,
    "exception": 200,
    "message": 200,
    "rung": 20,
    "reason": 1000,
    "fate": 1000,
    "python": 20,
    "codesuture": 50,
    "created": 20,
    "expires": 20,
    "state": 20,
}
MAY_BE_EMPTY = {"file", "target", "message", "reason", "fate"}
# Prose that ``Patch.create`` shortens; everything else must fit as it is.
SHORTENED = ("file", "target", "exception", "message", "reason", "fate")
KEYS = {"format", "ordinal", "line", "default", *LENGTHS}

# Control characters, as Python writes them: a recipe is shown on terminals.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_HEX_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """See ``docs/architecture.md`` for what each field means.

    ``create`` makes one from what is known at a crash; ``from_json`` reads one back and
    trusts nothing.
    """

    id: str
    module: str
    qualname: str
    fingerprint: str
    ordinal: int
    file: str
    line: int
    guard: str
    target: str
    operation: str
    exception: str
    message: str
    default: Recipe
    rung: str
    reason: str
    fate: str
    python: str
    codesuture: str
    created: str
    expires: str
    state: str = "active"

    @staticmethod
    def identify(module: str, qualname: str, fingerprint: str, ordinal: int, guard: str) -> str:
        """The id of the patch that ``guard`` makes for this site: the same in every process."""
        parts = (module, qualname, fingerprint, str(ordinal), guard)
        return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:ID_DIGITS]

    @classmethod
    def create(
        cls,
        *,
        module: str,
        qualname: str,
        fingerprint: str,
        ordinal: int,
        guard: str,
        created: datetime,
        expires: datetime,
        **others: Any,
    ) -> Patch:
        """A patch with its id worked out, moments as text, and prose made to fit.

        ``others`` are the remaining fields of ``Patch``. Raises ``TypeError`` when one is
        missing or unknown, as any constructor does.
        """
        for name in SHORTENED:
            if name in others:
                others[name] = _fitting(others[name], LENGTHS[name])
        return cls(
            id=cls.identify(module, qualname, fingerprint, ordinal, guard),
            module=module,
            qualname=qualname,
            fingerprint=fingerprint,
            ordinal=ordinal,
            guard=guard,
            created=to_text(created),
            expires=to_text(expires),
            **others,
        )

    @property
    def name(self) -> str:
        """What the commands call it: ``module:qualname``."""
        return f"{self.module}:{self.qualname}"

    def is_expired(self, now: datetime) -> bool:
        """Whether its time to live is over at ``now`` (which needs a time zone)."""
        return to_text(now) >= self.expires

    def to_json(self) -> dict[str, object]:
        """The recipe file's content as JSON-able data."""
        document: dict[str, object] = {name: getattr(self, name) for name in LENGTHS}
        document["format"] = FORMAT
        document["ordinal"] = self.ordinal
        document["line"] = self.line
        document["default"] = self.default.to_json()
        return document

    @classmethod
    def from_json(cls, document: object) -> Patch:
        """Read what ``to_json`` made, strictly.

        Raises ``StoreError`` with a reason that names the field and completes the sentence
        "… because".
        """
        if type(document) is not dict:
            raise StoreError("it is not a JSON object")
        if document.get("format") != FORMAT or type(document["format"]) is not int:
            raise StoreError(
                f"the field format is not {FORMAT}, the only format that this version of"
                " codesuture knows"
            )
        if document.keys() != KEYS:
            raise StoreError(_key_problem(document))
        for name, length in LENGTHS.items():
            _check_text(name, document[name], length)
        _check_choices(document)
        _check_integer("ordinal", document["ordinal"], LARGEST_ORDINAL)
        _check_integer("line", document["line"], LARGEST_LINE)
        fields = {name: value for name, value in document.items() if name != "format"}
        try:
            fields["default"] = Recipe.from_json(document["default"], "the field default")
        except RecipeError as error:
            raise StoreError(str(error).rstrip(".")) from None
        patch = cls(**fields)
        if patch.id != cls.identify(
            patch.module, patch.qualname, patch.fingerprint, patch.ordinal, patch.guard
        ):
            raise StoreError(
                "the field id does not belong to its module, qualname, fingerprint, ordinal"
                " and guard"
            )
        return patch


def is_id(text: object) -> bool:
    """Whether ``text`` has the form of a patch's id."""
    return type(text) is str and len(text) == ID_DIGITS and _HEX_DIGITS.issuperset(text)


def _fitting(text: str, length: int) -> str:
    text = text.translate(_ESCAPES)
    return text if len(text) <= length else text[: length - 3] + "..."


def _key_problem(document: dict[str, object]) -> str:
    missing = sorted(KEYS - document.keys())
    if missing:
        return f"the field {missing[0]} is missing"
    unknown = sorted(document.keys() - KEYS)[0]
    return f"the field {_fitting(unknown, 40)} is unknown"


def _check_text(name: str, value: object, length: int) -> None:
    if type(value) is not str:
        raise StoreError(f"the field {name} is not a text")
    if len(value) > length:
        raise StoreError(f"the field {name} is longer than {length} characters")
    if not value and name not in MAY_BE_EMPTY:
        raise StoreError(f"the field {name} is empty")
    if not value.isprintable() and value.translate(_ESCAPES) != value:
        raise StoreError(f"the field {name} holds control characters")


def _check_choices(document: dict[str, Any]) -> None:
    if not is_id(document["id"]):
        raise StoreError(f"the field id is not {ID_DIGITS} hexadecimal digits")
    if not _HEX_DIGITS.issuperset(document["fingerprint"]):
        raise StoreError("the field fingerprint is not hexadecimal")
    if document["rung"] not in RUNGS:
        raise StoreError(f"the field rung is unknown (possible: {', '.join(RUNGS)})")
    if document["state"] not in STATES:
        raise StoreError(f"the field state is unknown (possible: {', '.join(STATES)})")
    for name in ("created", "expires"):
        try:
            from_text(document[name])
        except ValueError as error:
            raise StoreError(f"the field {name} is {error}") from None


def _check_integer(name: str, value: object, largest: int) -> None:
    if type(value) is not int or not 0 <= value <= largest:
        raise StoreError(f"the field {name} is not an integer from 0 to {largest}")
