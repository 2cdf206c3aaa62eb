"""Budgets: how often a site may be healed in a number of days, by all processes together.

Imported where ``budget.heals`` is set, at the first heal. What a patch has left is read from its
counter when it is first asked for, counted down here heal by heal, and read again whenever counters
have been stored: then what other processes have healed counts too.
"""

from __future__ import annotations

from datetime import UTC, datetime

from codesuture.ending import follow
from codesuture.store.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.decision import Decision
    from codesuture.session import Session

#: What is left to each patch of the session, by id.
_left: dict[str, int] = {}
_sessions: list[Session] = []


def allows(session: Session, decision: Decision) -> bool:
    """Count one heal; False, and the patch is disarmed, where that would exceed its budget."""
    _sessions[:] = [session]
    patch_id = decision.patch.id
    left = _left.get(patch_id)
    if left is None:
        left = _remaining(session, patch_id)
    with session.lock:
        left = _left[patch_id] = min(left, _left.get(patch_id, left)) - 1
    if left >= 0:
        return True
    _disarm(session, decision)
    return False


def _remaining(session: Session, patch_id: str) -> int:
    """What is left, as far as is counted in the store or by this process."""
    config = session.config
    try:
        counter = session.store.counter(patch_id)
    except StoreError:  # whatever is wrong is told where heals are counted
        counter = None
    today = datetime.now(UTC).date().isoformat()
    spent = 0 if counter is None else counter.within(config.budget_days, today)
    return config.budget_heals - spent - session.hits.get(patch_id, 0)


def _disarm(session: Session, decision: Decision) -> None:
    """Stop applying the patch, in the store too; told once."""
    config, patch = session.config, decision.patch
    days = "1 day" if config.budget_days == 1 else f"{config.budget_days} days"
    spent = f"{config.budget_heals} heals in {days}, its budget"
    with session.lock:
        if not decision.stop(f"its patch has had {spent}"):
            return
    now = datetime.now(UTC)
    try:
        changed = session.store.change(
            patch, lambda one: one.advanced("disarmed", now, note=spent) if one.is_applied else one
        )
        decision.patch = changed or patch
    except StoreError as error:
        session.complain("A patch is disarmed in this process only", error)
    _left.pop(patch.id, None)  # whoever approves it gives it a new one
    from codesuture.messages import emit

    emit(
        f"{patch.guard} on '{patch.target}' at {patch.file}:{patch.line} is disarmed: it has had "
        f"{spent}. The exception goes on; `codesuture approve {patch.id}` arms it again."
    )


def _look_again() -> None:
    """Counters have been stored: see what is left now."""
    for session in _sessions:
        for patch_id in list(_left):
            left = _remaining(session, patch_id)
            with session.lock:
                if patch_id in _left:
                    _left[patch_id] = left


follow(_look_again, _left.clear)
