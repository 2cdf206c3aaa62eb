"""A patch: one persisted decision to supply a default at one site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from ..defaults.recipe import Recipe, RecipeError
from . import fields
from .errors import StoreError
from .timestamps import to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
RUNGS = ("configured", "approved", "observed", "annotation", "consumer", "guard")
STATES = ("active",)
LARGEST_LINE = 2**31

# text field -> the most characters it may have
LENGTHS = {
    "id": fields.ID_DIGITS,
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
    "library": 1000,
    "python": 20,
    "codesuture": 50,
    "created": 20,
    "expires": 20,
    "state": 20,
}
MAY_BE_EMPTY = {"file", "target", "message", "reason", "fate", "library"}
# Prose that ``Patch.create`` shortens; everything else must fit as it is.
SHORTENED = ("file", "target", "exception", "message", "reason", "fate", "library")
KEYS = {"format", "ordinal", "line", "default", *LENGTHS}


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
    library: str = ""

    @staticmethod
    def identify(module: str, qualname: str, fingerprint: str, ordinal: int, guard: str) -> str:
        """The id of the patch that ``guard`` makes for this site: the same in every process."""
        parts = (module, qualname, fingerprint, str(ordinal), guard)
        text = "\0".join(parts).encode(errors="surrogatepass")
        return sha256(text).hexdigest()[: fields.ID_DIGITS]

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
                others[name] = fields.fitting(others[name], LENGTHS[name])
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
        if not self.library:  # most patches are for the program's own code
            del document["library"]
        return document

    @classmethod
    def from_json(cls, document: object) -> Patch:
        """Read what ``to_json`` made, strictly.

        Raises ``StoreError`` with a reason that names the field and completes the sentence
        "… because".
        """
        if type(document) is dict:
            document = {"library": "", **document}
        found = fields.checked_document(document, FORMAT, KEYS)
        for name, length in LENGTHS.items():
            fields.check_text(name, found[name], length, name in MAY_BE_EMPTY)
        _check_choices(found)
        fields.check_integer("ordinal", found["ordinal"], fields.LARGEST_ORDINAL)
        fields.check_integer("line", found["line"], LARGEST_LINE)
        known = {name: value for name, value in found.items() if name != "format"}
        try:
            known["default"] = Recipe.from_json(found["default"], "the field default")
        except RecipeError as error:
            raise StoreError(str(error).rstrip(".")) from None
        patch = cls(**known)
        if patch.id != cls.identify(
            patch.module, patch.qualname, patch.fingerprint, patch.ordinal, patch.guard
        ):
            raise StoreError(
                "the field id does not belong to its module, qualname, fingerprint, ordinal"
                " and guard"
            )
        return patch


def _check_choices(document: dict[str, Any]) -> None:
    fields.check_id(document["id"])
    fields.check_hexadecimal("fingerprint", document["fingerprint"])
    if document["rung"] not in RUNGS:
        raise StoreError(f"the field rung is unknown (possible: {', '.join(RUNGS)})")
    if document["state"] not in STATES:
        raise StoreError(f"the field state is unknown (possible: {', '.join(STATES)})")
    for name in ("created", "expires"):
        fields.check_moment(name, document[name])
