"""A proof: an exception whose fate could not be told has reached a boundary, so nobody handles it.

It holds for one site, one exception type and one chain of callers, and only as long as the code of
all of them is what it was (``codesuture.proving`` compares).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from . import fields
from .errors import StoreError
from .timestamps import to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

FORMAT = 1
LONGEST_CHAIN = 200
LENGTHS = {
    "id": fields.ID_DIGITS,
    "exception": 200,
    "reached": 300,
    "doubt": 1000,
    "python": 20,
    "codesuture": 50,
    "created": 20,
    "expires": 20,
}
KEYS = {"format", "chain", *LENGTHS}
_LINK_LENGTHS = {"module": 300, "qualname": 1000, "fingerprint": 128, "file": 1000}
_LINK_KEYS = {"ordinal", *_LINK_LENGTHS}


@dataclass(frozen=True, slots=True)
class Link:
    """One frame of the chain: which code, and at which of its instructions.

    ``fingerprint`` and ``ordinal`` are those of ``store.Patch``; ``file`` is as the code names it.
    """

    module: str
    qualname: str
    fingerprint: str
    ordinal: int
    file: str

    def identity(self) -> str:
        """What makes it this link; where the file lies does not."""
        return "\0".join((self.module, self.qualname, self.fingerprint, str(self.ordinal)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``chain`` begins with the site; ``reached`` names the boundary; ``doubt`` is the evidence
    for which the fate was unknown. ``create`` makes one, ``from_json`` trusts nothing."""

    id: str
    chain: tuple[Link, ...]
    exception: str
    reached: str
    doubt: str
    python: str
    codesuture: str
    created: str
    expires: str

    @staticmethod
    def identify(chain: tuple[Link, ...], exception: str, reached: str) -> str:
        """The id of the proof for this chain: the same in every process."""
        parts = (exception, reached, *(link.identity() for link in chain))
        text = "\1".join(parts).encode(errors="surrogatepass")
        return sha256(text).hexdigest()[: fields.ID_DIGITS]

    @classmethod
    def create(
        cls,
        *,
        chain: tuple[Link, ...],
        exception: str,
        reached: str,
        doubt: str,
        python: str,
        codesuture: str,
        created: datetime,
        expires: datetime,
    ) -> Proof:
        """A proof with its id worked out, moments as text, and prose made to fit."""
        return cls(
            id=cls.identify(chain, exception, reached),
            chain=chain,
            exception=exception,
            reached=reached,
            doubt=fields.fitting(doubt, LENGTHS["doubt"]),
            python=python,
            codesuture=codesuture,
            created=to_text(created),
            expires=to_text(expires),
        )

    @property
    def module(self) -> str:
        """The module of the site."""
        return self.chain[0].module

    @property
    def qualname(self) -> str:
        """The function of the site."""
        return self.chain[0].qualname

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the site's code."""
        return self.chain[0].fingerprint

    @property
    def name(self) -> str:
        """What the commands call it: ``module:qualname``."""
        return f"{self.module}:{self.qualname}"

    def is_expired(self, now: datetime) -> bool:
        """Whether its time to live is over at ``now`` (which needs a time zone)."""
        return to_text(now) >= self.expires

    def to_json(self) -> dict[str, object]:
        """The file's content as JSON-able data."""
        document: dict[str, object] = {name: getattr(self, name) for name in LENGTHS}
        document["format"] = FORMAT
        document["chain"] = [
            {name: getattr(link, name) for name in sorted(_LINK_KEYS)} for link in self.chain
        ]
        return document

    @classmethod
    def from_json(cls, document: object) -> Proof:
        """Read what ``to_json`` made, strictly.

        Raises ``StoreError`` with a reason that names the field and completes the sentence
        "… because".
        """
        found = fields.checked_document(document, FORMAT, KEYS)
        for name, length in LENGTHS.items():
            fields.check_text(name, found[name], length, may_be_empty=name == "doubt")
        fields.check_id(found["id"])
        for name in ("created", "expires"):
            fields.check_moment(name, found[name])
        chain = _read_chain(found["chain"])
        known = {name: found[name] for name in LENGTHS}
        proof = cls(chain=chain, **known)
        if proof.id != cls.identify(chain, proof.exception, proof.reached):
            raise StoreError("the field id does not belong to its chain and exception")
        return proof


def _read_chain(value: object) -> tuple[Link, ...]:
    if type(value) is not list or not 0 < len(value) <= LONGEST_CHAIN:
        raise StoreError(f"the field chain is not a list of 1 to {LONGEST_CHAIN} links")
    return tuple(_read_link(entry) for entry in value)


def _read_link(value: object) -> Link:
    if type(value) is not dict or value.keys() != _LINK_KEYS:
        raise StoreError(f"a link of the chain has not the fields {', '.join(sorted(_LINK_KEYS))}")
    for name, length in _LINK_LENGTHS.items():
        fields.check_text(f"{name} of a link", value[name], length, may_be_empty=name == "file")
    fields.check_hexadecimal("fingerprint of a link", value["fingerprint"])
    fields.check_integer("ordinal of a link", value["ordinal"], fields.LARGEST_ORDINAL)
    return Link(**value)
