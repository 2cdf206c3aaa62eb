"""Patches and proofs on disk: recipes, counters, locking, trust.

Importing this package imports nothing else; the names below are loaded when first used,
because a program that has no store must not pay for one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .counter import Counter
    from .errors import StoreError
    from .patch import Patch
    from .proof import Proof
    from .rejection import Rejection
    from .store import Store

__all__ = ["Counter", "Patch", "Proof", "Rejection", "Store", "StoreError"]

_HOMES = {
    "Counter": "counter",
    "Patch": "patch",
    "Proof": "proof",
    "Rejection": "rejection",
    "Store": "store",
    "StoreError": "errors",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(f"{__name__}.{home}", fromlist=[name])
    value: object = getattr(module, name)
    globals()[name] = value
    return value
