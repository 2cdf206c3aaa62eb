"""A rejection: the gate did not let changed code run, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from . import fields
from .errors import StoreError
from .timestamps import to_text

FORMAT = 1

# text field -> the most characters it may have
LENGTHS = {
    "id": fields.ID_DIGITS,
    "module": 300,
    "qualname": 1000,
    "fingerprint": 128,
    "file": 1000,
    "reason": 1000,
    "python": 20,
    "codesuture": 50,
    "created": 20,
}
KEYS = {"format", *LENGTHS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """What was to be done to the code of ``qualname`` in ``module``, and why it was not."""

    id: str
    module: str
    qualname: str
    fingerprint: str
    file: str
    reason: str
    python: str
    codesuture: str
    created: str

    @staticmethod
    def identify(fingerprint: str, reason: str) -> str:
        """The same code that is rejected for the same reason is recorded once."""
        text = f"{fingerprint}\0{reason}".encode(errors="surrogatepass")
        return sha256(text).hexdigest()[: fields.ID_DIGITS]

    @classmethod
    def create(
        cls,
        *,
        module: str,
        qualname: str,
        fingerprint: str,
        file: str,
        reason: str,
        python: str,
        codesuture: str,
        created: datetime,
    ) -> Rejection:
        """A rejection with its id worked out, the moment as text, and prose made to fit."""
        reason = fields.fitting(reason, LENGTHS["reason"])
        return cls(
            id=cls.identify(fingerprint, reason),
            module=module,
            qualname=qualname,
            fingerprint=fingerprint,
            file=fields.fitting(file, LENGTHS["file"]),
            reason=reason,
            python=python,
            codesuture=codesuture,
            created=to_text(created),
        )

    @property
    def name(self) -> str:
        """What the commands call it: ``module:qualname``."""
        return f"{self.module}:{self.qualname}"

    def to_json(self) -> dict[str, object]:
        """The file's content as JSON-able data."""
        return {"format": FORMAT, **{name: getattr(self, name) for name in LENGTHS}}

    @classmethod
    def from_json(cls, document: object) -> Rejection:
        """Read what ``to_json`` made, strictly.

        Raises ``StoreError`` with a reason that names the field and completes the sentence
        "… because".
        """
        found = fields.checked_document(document, FORMAT, KEYS)
        for name, length in LENGTHS.items():
            fields.check_text(name, found[name], length, may_be_empty=name == "file")
        fields.check_id(found["id"])
        fields.check_hexadecimal("fingerprint", found["fingerprint"])
        fields.check_moment("created", found["created"])
        rejection = cls(**{name: found[name] for name in LENGTHS})
        if rejection.id != cls.identify(rejection.fingerprint, rejection.reason):
            raise StoreError("the field id does not belong to its fingerprint and reason")
        return rejection
