"""What is decided for a site and a guard, once in a process: apply or not, and which default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from codesuture import __version__
from codesuture.breaker import Mark
from codesuture.config.match import matches, names_of
from codesuture.defaults.ladder import Choice, choose
from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.crash import Crash
from codesuture.fate import Verdict
from codesuture.guards.guard import Guard
from codesuture.guards.seen import seen
from codesuture.session import Session
from codesuture.store.errors import StoreError
from codesuture.store.history import AGENT
from codesuture.store.patch import Patch
from codesuture.store.timestamps import from_text
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.opcodes import TAG

#: Why nothing is applied where it would be if this were no dry run.
DRY = "this is a dry run"


class Decision:
    """The patch of a site and what to do about it.

    ``patch`` came from the store or is new (``is_new``); ``refusal`` is empty where it is applied,
    else the reason why it is not, as the end of a sentence. ``is_recorded`` tells that its crash
    has a full record (``incidents``), ``on_probation`` that what follows from it is watched, and
    ``watched`` when that was last looked after, ``mark`` is what the frames carry that it has
    healed (``probation``).
    """

    __slots__ = (
        "guard", "is_new", "is_recorded", "is_shown", "mark", "on_probation", "patch", "recipe",
        "refusal", "watched",
    )  # fmt: skip

    def __init__(
        self,
        patch: Patch,
        guard: Guard,
        recipe: Recipe,
        is_new: bool,
        refusal: str,
        on_probation: bool = False,
    ) -> None:
        self.patch = patch
        self.guard = guard
        self.recipe = recipe
        self.is_new = is_new
        self.refusal = refusal
        self.is_shown = False
        self.is_recorded = False
        self.on_probation = on_probation
        self.watched = 0.0
        self.mark: Mark | None = None

    def stop(self, why: str) -> bool:
        """Apply it no longer; ``why`` as ``refusal``. False where it was not applied anyhow."""
        if self.refusal:
            return False
        self.refusal = why
        self.is_new = False
        return True

    @property
    def is_pending(self) -> bool:
        """Whether its patch is not meant to be in the store, or not yet."""
        return self.is_new and (bool(self.refusal) or not self.is_shown)


def decide(
    session: Session,
    module: str,
    crash: Crash,
    guard: Guard,
    ordinal: int,
    verdict: Verdict,
    added: int = 0,
) -> Decision:
    """Find the patch of the site in the store, or make one; choose the default by the ladder.

    ``added`` is how many instructions arming has added for the site.
    """
    found = [
        patch
        for patch in session.patches_at(module, crash.code)
        if patch.ordinal == ordinal and patch.guard == guard.name
    ]
    approved = found[0] if found else None
    if approved is None:
        approved = rejected(session, module, crash.code.co_qualname, guard, guard.target(crash))
    known = approved.default if approved else None
    reviewed = approved is not None and approved.is_reviewed
    pattern, from_pattern = "", None
    if approved is None:
        pattern, from_pattern = _by_pattern(session, crash, guard, ordinal)
    choice = choose(
        crash, guard, session.config.defaults, known, module, reviewed, from_pattern
    )
    names = names_of(crash.frame.f_globals.get("__name__"), module)
    refused = refusal(session, names, approved)
    if added > guard.budget:
        refused = f"it needs {added} instructions, and {guard.name} may add {guard.budget}"
    created = datetime.now(UTC)
    probation = session.config.probation
    if approved is not None:
        if approved.state == "fixed" and not refused:
            approved = _back(session, approved, created)
        watched = is_on_probation(approved, probation, created)
        return Decision(approved, guard, choice.recipe, False, refused, watched)
    patch = Patch.create(
        module=module,
        qualname=crash.code.co_qualname,
        fingerprint=fingerprint(crash.code),
        ordinal=ordinal,
        file=session.relative(crash.code.co_filename),
        line=crash.line,
        guard=guard.name,
        target=guard.target(crash),
        operation=crash.operation,
        exception=type(crash.exception).__name__,
        message=crash.message,
        default=choice.recipe,
        rung=choice.rung,
        reason=choice.reason,
        fate=verdict.evidence,
        operands=seen(crash),
        pattern=pattern,
        library="" if crash.passage is None else crash.passage.describe(),
        python=TAG,
        codesuture=__version__,
        created=created,
        expires=created + timedelta(days=session.config.ttl),
        state="detected",
    )
    watched = is_on_probation(patch, probation, created)
    return Decision(patch, guard, choice.recipe, True, refused, watched)


def _by_pattern(
    session: Session, crash: Crash, guard: Guard, ordinal: int
) -> tuple[str, Choice | None]:
    """The pattern of the site, and the default that the registry has for it."""
    from codesuture.diagnosis.pattern import pattern_of
    from codesuture.fingerprints import choice_for

    if crash.passage is not None:  # what is missing is what a package would have given
        return "", None
    try:
        pattern = pattern_of(crash, ordinal)
        return pattern, choice_for(session, pattern, guard) if pattern else None
    except Exception:  # strange objects in the frame: it is decided as if there were no registry
        return "", None


def is_on_probation(patch: Patch, days: float, now: datetime) -> bool:
    """Whether a patch is new, and nobody has approved it."""
    if not days or patch.is_reviewed or patch.pinned:
        return False
    return now < from_text(patch.created) + timedelta(days=days)


def _back(session: Session, patch: Patch, now: datetime) -> Patch:
    """A patch that was fixed crashes again: its code is what it was before."""

    def reopened(known: Patch) -> Patch:
        note = f"the code of {known.qualname} is what it was before, and crashes again"
        return known.advanced("persisted", now, note=note)

    try:
        return session.store.change(patch, reopened) or patch
    except StoreError as error:
        session.complain("It is not stored that a patch is needed again", error)
        return patch


def refusal(session: Session, names: tuple[str, ...], approved: Patch | None) -> str:
    """Why a decision is not applied, as the end of a sentence; empty where it is.

    ``names`` are the module's, the one that patches know first.
    """
    config = session.config
    if config.mode != "heal":
        return f"the mode is {config.mode}"
    if matches(names, config.protect):
        return f"{names[0]} is protected"
    if approved is not None and not approved.is_applied:
        return in_words(approved)
    if (
        approved is not None
        and config.on_expiry == "disable"
        and approved.is_expired(datetime.now(UTC))
    ):
        return f"its patch expired on {approved.expires[:10]}"
    return DRY if config.dry_run else ""


def rejected(
    session: Session, module: str, qualname: str, guard: Guard, target: str
) -> Patch | None:
    """The patch that somebody rejected for this expression of this function, whatever has become of
    the function's code since: what is rejected is not made again."""
    for patch in list(session.knowledge.patches().by_id.values()):
        if (
            patch.state == "rejected"
            and (patch.module, patch.qualname) == (module, qualname)
            and (patch.guard, patch.target) == (guard.name, target)
        ):
            found: Patch = patch
            return found
    return None


def in_words(patch: Patch) -> str:
    """Why a patch in this state is not applied, as the end of a sentence."""
    last = patch.history[-1] if patch.history else None
    if last is None or last.state != patch.state:
        return f"its patch is {patch.state}"
    by = f" by {last.by}" if last.by != AGENT else ""
    why = f": {last.note}" if last.note else ""
    return f"its patch was {patch.state}{by} on {last.at[:10]}{why}"
