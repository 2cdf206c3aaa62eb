"""What was found out about each patch's value: said at once, and kept with the patch."""

from __future__ import annotations

import os
from dataclasses import replace

from codesuture.messages import emit
from codesuture.session import current
from codesuture.shadow.reached import SENTENCES
from codesuture.store.errors import StoreError
from codesuture.store.shadow import MOST_PLACES, Place, Shadow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.session import Session
    from codesuture.shadow.reached import Reach
    from codesuture.store.patch import Patch


class _Account:
    """What this process has found out about a patch; ``new`` and ``seen`` are not stored yet."""

    __slots__ = ("new", "patch", "seen", "told")

    def __init__(self, patch: Patch) -> None:
        self.patch = patch
        self.seen = 0
        self.new: list[Place] = []
        self.told: set[Place] = set()


#: What follows from a fault of ours.
CONSEQUENCE = "a supplied value is not followed"

_accounts: dict[str, _Account] = {}


def note(patch: Patch, reach: Reach, code: CodeType) -> None:
    """The value of a patch has come to a place; said and kept once in a process."""
    session = current()
    if session is None:
        return
    place = Place.create(reach.kind, reach.what, session.relative(code.co_filename), reach.line)
    account = _account(patch)
    with session.lock:
        if place in account.told or len(account.told) >= MOST_PLACES:
            return
        account.told.add(place)
        account.new.append(place)
    emit(_warning(patch, place))
    if place.kind == "crash":
        store(session)


def note_end(patch: Patch) -> None:
    """A value of the patch has been followed to its end."""
    _account(patch).seen += 1


def _account(patch: Patch) -> _Account:
    found = _accounts.get(patch.id)
    return found if found is not None else _accounts.setdefault(patch.id, _Account(patch))


def _warning(patch: Patch, place: Place) -> str:
    target = f" for '{patch.target}'" if patch.target else ""
    return (
        f"Shadow: the value that {patch.guard} supplied{target} at {patch.file}:{patch.line} "
        f"{SENTENCES[place.kind].format(place.what, f'{place.file}:{place.line}')}."
    )


def store(session: Session) -> None:
    """Add to the store what was found out since the last time."""
    for patch_id, account in list(_accounts.items()):
        with session.lock:
            if patch_id in session.saving:
                continue
            seen, new = account.seen, account.new
            account.seen, account.new = 0, []
        if not seen and not new:
            continue

        def grown(patch: Patch, seen: int = seen, new: list[Place] = new) -> Patch:
            known = patch.shadow or Shadow((), 0)
            return replace(patch, shadow=known.plus(new, seen))

        try:
            session.store.change(account.patch, grown)
        except StoreError as error:
            session.complain("What --shadow has found out is not kept", error)


def _after_fork() -> None:
    """What the parent has not stored yet is the parent's to store."""
    for account in _accounts.values():
        account.seen, account.new = 0, []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
