"""A patch: one persisted decision to supply a default at one site."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from .. import __version__
from ..defaults.recipe import Recipe, RecipeError
from . import fields
from .errors import StoreError
from .history import AGENT, Event, bounded, check_state, events_from_json
from .timestamps import to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .shadow import Shadow

FORMAT = 1
RUNGS = (
    "configured", "approved", "observed", "fingerprint", "annotation", "consumer", "guard",
)  # fmt: skip
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
    "python": 20,
    "codesuture": 50,
    "created": 20,
    "expires": 20,
}
MAY_BE_EMPTY = {"file", "target", "message", "reason", "fate"}
# Prose that ``Patch.create`` shortens; everything else must fit as it is.
SHORTENED = ("file", "target", "exception", "message", "reason", "fate", "library", "operands")
KEYS = {"format", "ordinal", "line", "default", "state", *LENGTHS}
#: The states in which a patch that is stored is not applied.
NOT_APPLIED = ("rejected", "withdrawn", "disarmed")


class Optional:
    """A field that most patches do without, and that is not in the file then.

    ``read`` makes its value of JSON, and raises ``StoreError`` as ``fields`` does; ``write`` makes
    JSON of the value.
    """

    __slots__ = ("absent", "read", "write")

    def __init__(
        self,
        absent: object,
        read: Callable[[object], object],
        write: Callable[[Any], object] = lambda value: value,
    ) -> None:
        self.absent = absent
        self.read = read
        self.write = write


def _shadow_from_json(document: object) -> Shadow:
    from .shadow import Shadow  # few patches have one

    return Shadow.from_json(document)


OPTIONAL: dict[str, Optional] = {
    "library": Optional("", fields.text_of("library", 1000)),
    "operands": Optional("", fields.text_of("operands", 1000)),
    "pattern": Optional("", fields.text_of("pattern", 16)),
    "learned": Optional("", fields.text_of("learned", 300)),
    "history": Optional(
        (), events_from_json, lambda events: [event.to_json() for event in events]
    ),
    "pinned": Optional(False, fields.truth_of("pinned")),
    "shadow": Optional(None, _shadow_from_json, lambda shadow: shadow.to_json()),
}


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
    state: str = "persisted"
    library: str = ""
    pattern: str = ""
    operands: str = ""
    learned: str = ""
    history: tuple[Event, ...] = ()
    pinned: bool = False
    shadow: Shadow | None = None
    #: Fields that a newer version has written, as they are.
    unknown: dict[str, object] = field(default_factory=dict, hash=False)

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

        ``others`` are the remaining fields of ``Patch``; its history begins with its state. Raises
        ``TypeError`` when one is missing or unknown, as any constructor does.
        """
        state = others.setdefault("state", "persisted")
        others.setdefault("history", (Event.made(state, to_text(created), AGENT),))
        for name in SHORTENED:
            if name in others:
                others[name] = fields.fitting(others[name], LENGTHS.get(name, 1000))
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
        """Whether its time to live is over at ``now`` (which needs a time zone).

        One that is pinned never ends.
        """
        return to_text(now) >= self.expires and not self.pinned

    @property
    def is_applied(self) -> bool:
        """Whether its state lets it heal; its day and the source may still be against it."""
        return self.state not in NOT_APPLIED

    def advanced(
        self, state: str, now: datetime, by: str = AGENT, note: str = "", **changes: Any
    ) -> Patch:
        """This patch in another state (or in the same, when something else is to be remembered),
        with who brought it there; ``changes`` are other fields."""
        return replace(self.after(Event.made(state, to_text(now), by, note)), **changes)

    @property
    def is_reviewed(self) -> bool:
        """Whether somebody has approved it and its default."""
        return self.rung == "approved"

    def is_for_same_expression(self, other: Patch) -> bool:
        """Whether both are for one expression of a function, whatever its code was or is."""
        return self.name == other.name and (self.guard, self.target) == (other.guard, other.target)

    def after(self, event: Event) -> Patch:
        """This patch in the state that ``event`` brought it to."""
        changed = newest(self.codesuture)
        history = bounded((*self.history, event))
        return replace(self, state=event.state, history=history, codesuture=changed)

    def following(self, removed: Patch) -> Patch:
        """This patch with the history of the ``removed`` one that it takes the place of."""
        return replace(self, history=bounded((*removed.history, *self.history)))

    def to_json(self) -> dict[str, object]:
        """The recipe file's content as JSON-able data."""
        document: dict[str, object] = dict(self.unknown)
        document.update((name, getattr(self, name)) for name in LENGTHS)
        document["format"] = FORMAT
        document["ordinal"] = self.ordinal
        document["line"] = self.line
        document["default"] = self.default.to_json()
        document["state"] = self.state
        for name, optional in OPTIONAL.items():
            value = getattr(self, name)
            if value != optional.absent:
                document[name] = optional.write(value)
        return document

    @classmethod
    def from_json(cls, document: object) -> Patch:
        """Read what ``to_json`` made, strictly.

        Raises ``StoreError`` with a reason that names the field and completes the sentence
        "… because".
        """
        known_keys = KEYS | OPTIONAL.keys()
        unknown: dict[str, object] = {}
        if type(document) is dict and is_newer(document.get("codesuture")):
            unknown = {name: document[name] for name in document if name not in known_keys}
            document = {name: document[name] for name in document if name in known_keys}
        found = fields.checked_document(document, FORMAT, KEYS, frozenset(OPTIONAL))
        for name, length in LENGTHS.items():
            fields.check_text(name, found[name], length, name in MAY_BE_EMPTY)
        _check_choices(found)
        fields.check_integer("ordinal", found["ordinal"], fields.LARGEST_ORDINAL)
        fields.check_integer("line", found["line"], LARGEST_LINE)
        known = {name: value for name, value in found.items() if name != "format"}
        known["state"] = check_state("state", found["state"])
        known["unknown"] = unknown
        for name, optional in OPTIONAL.items():
            if name in known:
                known[name] = optional.read(known[name])
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
    for name in ("created", "expires"):
        fields.check_moment(name, document[name])


def is_newer(version: object) -> bool:
    """Whether a version of codesuture is newer than this one; what is no version is not."""
    return _order(version) > _order(__version__)


def newest(version: str) -> str:
    """The newer of a version and this one: what it has written is kept."""
    return version if is_newer(version) else __version__


def _order(version: object) -> tuple[int, ...]:
    if type(version) is not str:
        return ()
    parts = version.split(".")[:4]
    if not all(part.isascii() and part.isdecimal() and len(part) < 7 for part in parts):
        return ()
    return tuple(map(int, parts))
