"""How a person mends in the source what a patch bridges: the sentence of its guard."""

from __future__ import annotations

from contextlib import suppress

from codesuture.guards.registry import by_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.store.patch import Patch


def advice_for(patch: Patch) -> str:
    """The guard's own sentence; a general one where the guard is gone, or its advice fails."""
    target = patch.target or "the value"
    guard = by_name(patch.guard)
    if guard is not None:
        with suppress(Exception):  # a third party's may fail: explaining goes on without it
            return guard.advice(target, patch.operation)
    return f"Handle the case in the source where `{target}` is computed."
