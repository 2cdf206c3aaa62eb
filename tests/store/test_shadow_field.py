"""What became of a patch's values, as the store keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from codesuture.store import Patch, Store, StoreError
from codesuture.store.shadow import MOST_PLACES, Place, Shadow

RETURNED = Place.create("return", "get_bio()", "app.py", 9)
CRASHED = Place.create("crash", "TypeError in show()", "app.py", 12)


def test_a_patch_keeps_it(store: Store, make_patch: Callable[..., Patch]) -> None:
    patch = make_patch()
    assert "shadow" not in patch.to_json()
    store.save(patch)
    store.change(patch, lambda now: replace(now, shadow=Shadow((RETURNED,), 3)))
    (read,) = store.patches()
    assert read.shadow == Shadow((RETURNED,), 3)
    assert Patch.from_json(read.to_json()) == read


def test_the_worst_that_was_seen_is_the_verdict() -> None:
    shadow = Shadow((), 1)
    assert (shadow.verdict, shadow.describe()) == ("contained", "contained")
    shadow = shadow.plus([RETURNED], 1)
    assert shadow.verdict == "leaked"
    assert shadow.describe() == "leaked to the return value of get_bio(), app.py:9"
    shadow = shadow.plus([RETURNED, CRASHED], 0)
    assert (shadow.verdict, shadow.seen, len(shadow.where)) == ("caused", 2, 2)
    assert shadow.describe() == "caused TypeError in show(), app.py:12"
    assert shadow.crashes == (CRASHED,)


def test_a_crash_is_never_pushed_out_by_leaks() -> None:
    leaks = [Place.create("item", str(n), "app.py", n) for n in range(MOST_PLACES)]
    full = Shadow((), 0).plus(leaks, 1).plus([CRASHED], 0)
    assert len(full.where) == MOST_PLACES
    assert full.verdict == "caused"


PLACE = RETURNED.to_json()
GOOD: dict[str, Any] = {"verdict": "leaked", "seen": 3, "where": [PLACE]}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "verdict, seen and where"),
        ({**GOOD, "more": 1}, "verdict, seen and where"),
        ({**GOOD, "seen": -1}, "shadow.seen is not an integer"),
        ({**GOOD, "seen": True}, "shadow.seen is not an integer"),
        ({**GOOD, "verdict": "contained"}, "shadow.verdict is not leaked"),
        ({**GOOD, "where": {}}, "shadow.where is not a list"),
        ({**GOOD, "where": [PLACE] * (MOST_PLACES + 1)}, "shadow.where is not a list"),
        ({**GOOD, "where": [{}]}, "without kind, what, file or line"),
        ({**GOOD, "where": [{**PLACE, "kind": "elsewhere"}]}, "shadow.where.kind is unknown"),
        ({**GOOD, "where": [{**PLACE, "line": "9"}]}, "shadow.where.line is not an integer"),
        ({**GOOD, "where": [{**PLACE, "what": "\x1b[2J"}]}, "control characters"),
    ],
)
def test_damage_is_told(document: object, reason: str, make_patch: Callable[..., Patch]) -> None:
    whole = make_patch().to_json()
    assert Patch.from_json({**whole, "shadow": GOOD}).shadow is not None
    with pytest.raises(StoreError) as caught:
        Patch.from_json({**whole, "shadow": document})
    assert reason in str(caught.value)
