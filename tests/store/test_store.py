"""Saving, reading, changing, removing and counting."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from codesuture.defaults.recipe import Recipe
from codesuture.store import Counter, Patch, Store, StoreError
from codesuture.store.history import Event
from codesuture.store.timestamps import to_text

MakePatch = Callable[..., Patch]


def _files(store: Store) -> set[str]:
    root = Path(store.path)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_looking_creates_nothing(store: Store, tmp_path: Path, now: datetime) -> None:
    store.check()
    assert store.patches() == []
    assert store.counters() == {}
    assert store.remove(["0" * 12]) == 0
    store.count({"0" * 12: 1}, now)
    assert store.problems == []
    assert list(tmp_path.iterdir()) == []


def test_a_saved_patch_is_read_back(store: Store, make_patch: MakePatch) -> None:
    patches = [make_patch(n, default=Recipe.sequence(n)) for n in range(3)]
    assert [store.save(patch) for patch in patches] == [True] * 3
    assert sorted(store.patches(), key=lambda patch: patch.ordinal) == patches
    assert sorted(Store(Path(store.path)).patches(), key=lambda p: p.ordinal) == patches
    assert store.problems == []


def test_the_files_are_made_for_people_and_git(store: Store, make_patch: MakePatch) -> None:
    patch = make_patch(qualname="größe.<locals>.<lambda>", message="naïve")
    store.save(patch)
    name = f"patches/app.gr__e.locals.lambda-{patch.id}.json"
    assert _files(store) == {".gitignore", ".lock", name}
    text = Path(store.path, name).read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert '"message": "naïve"' in text
    ignored = Path(store.path, ".gitignore").read_text().splitlines()
    assert {"/counters/", "/.lock*", "*.tmp"} <= set(ignored)


def test_an_edited_gitignore_is_left_alone(store: Store, make_patch: MakePatch) -> None:
    store.save(make_patch(1))
    gitignore = Path(store.path, ".gitignore")
    gitignore.write_text("mine")
    store.save(make_patch(2))
    assert gitignore.read_text() == "mine"


def test_a_lone_surrogate_survives(store: Store, make_patch: MakePatch) -> None:
    patch = make_patch(file="caf\udce9.py")
    store.save(patch)
    assert store.patches() == [patch]


def test_nothing_is_writable_by_others_whatever_the_umask(
    store: Store, make_patch: MakePatch, now: datetime
) -> None:
    before = os.umask(0)
    try:
        patch = make_patch()
        store.save(patch)
        store.count({patch.id: 1}, now)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in Path(store.path).rglob("*")}
    assert len(modes) == 6
    assert not any(mode & stat.S_IWOTH for mode in modes.values())
    assert stat.S_IMODE(os.stat(store.path).st_mode) == 0o700
    assert store.patches() == [patch]


def test_a_second_save_changes_nothing(store: Store, make_patch: MakePatch) -> None:
    assert store.save(make_patch(line=8))
    assert not store.save(make_patch(line=99))
    assert [patch.line for patch in store.patches()] == [8]


def test_replace(store: Store, make_patch: MakePatch, tmp_path: Path) -> None:
    assert not store.replace(make_patch())
    assert list(tmp_path.iterdir()) == []
    store.save(make_patch(1, line=8))
    assert store.replace(make_patch(1, line=99))
    assert not store.replace(make_patch(2))
    assert [patch.line for patch in store.patches()] == [99]


def test_remove_takes_the_counters_along(
    store: Store, make_patch: MakePatch, now: datetime
) -> None:
    patches = [make_patch(n) for n in range(4)]
    for patch in patches:
        store.save(patch)
    store.count({patch.id: 1 for patch in patches}, now)
    assert store.remove(patch.id for patch in patches[:2]) == 2
    assert store.remove([patches[0].id, "f" * 12, "../escape"]) == 0
    assert {patch.ordinal for patch in store.patches()} == {2, 3}
    assert set(store.counters()) == {patches[2].id, patches[3].id}
    assert store.save(patches[0])


def test_counters_add_up(store: Store, make_patch: MakePatch, now: datetime) -> None:
    one, two = make_patch(1), make_patch(2)
    store.save(one)
    store.save(two)
    assert store.counters() == {}
    store.count({one.id: 2}, now)
    store.count({one.id: 3, two.id: 1}, now + timedelta(hours=1))
    store.count({one.id: 1}, now - timedelta(hours=1))  # clocks differ
    assert store.counters() == {
        one.id: Counter.first(6, "2025-01-31T11:00:00Z").plus(0, "2025-01-31T13:00:00Z"),
        two.id: Counter.first(1, "2025-01-31T13:00:00Z"),
    }


def test_counting_leaves_the_recipe_untouched(
    store: Store, make_patch: MakePatch, now: datetime
) -> None:
    patch = make_patch()
    store.save(patch)
    recipe = next(Path(store.path, "patches").iterdir())
    before = recipe.stat()
    store.count({patch.id: 1}, now)
    after = recipe.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_patch_that_is_gone_is_not_counted(
    store: Store, make_patch: MakePatch, now: datetime
) -> None:
    patch = make_patch()
    store.save(patch)
    store.remove([patch.id])
    store.count({patch.id: 1, "../../escape": 1}, now)
    assert store.counters() == {}
    assert not (Path(store.path).parent / "escape.json").exists()


@pytest.mark.parametrize("hits", [0, -1, 1.5, True, "1"])
def test_counts_are_positive_integers(
    hits: int, store: Store, make_patch: MakePatch, now: datetime
) -> None:
    patch = make_patch()
    store.save(patch)
    with pytest.raises(StoreError, match="positive integer"):
        store.count({patch.id: hits}, now)
    assert store.counters() == {}


def test_what_could_not_be_read_back_is_not_saved(store: Store, make_patch: MakePatch) -> None:
    for wrong in (
        {"line": -1},
        {"operation": "x" * 500},
        {"rung": "luck"},
        {"qualname": "a\nb"},
        {"fingerprint": "not hex"},
    ):
        with pytest.raises(StoreError, match=r"was not saved: the field .*\.$"):
            store.save(make_patch(**wrong))
    assert not os.path.exists(store.path)


def test_parents_are_created(tmp_path: Path, make_patch: MakePatch) -> None:
    store = Store(tmp_path / "a" / "b" / "store")
    assert store.save(make_patch())
    assert len(store.patches()) == 1


def test_a_path_is_fixed_when_the_store_is_made(
    tmp_path: Path, make_patch: MakePatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(".codesuture_store")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.save(make_patch())
    assert (tmp_path / ".codesuture_store" / "patches").is_dir()


def test_counters_tell_the_last_days_apart(now: datetime) -> None:
    counter = Counter.first(2, "2025-01-31T12:00:00Z")
    for day in range(1, 41):
        counter = counter.plus(day, to_text(now + timedelta(days=day)))
    assert len(counter.days) == 31 and "2025-01-31" not in counter.days
    assert counter.within(1, "2025-03-12") == 40
    assert counter.within(3, "2025-03-12") == 40 + 39 + 38
    assert counter.within(3, "2025-03-14") == 40
    assert counter.within(1, "2025-03-13") == 0
    assert Counter.from_json(counter.to_json()) == counter
    assert counter.forgiven().within(31, "2025-03-12") == 0
    assert counter.forgiven().hits == counter.hits == 2 + sum(range(41))


@pytest.mark.parametrize(
    "days", [[], {"x": 1}, {"2025-01-31": 0}, {"2025-W05-5": 1}, {"2025-01-31": "1"},
             {f"2025-0{month}-{day}": 1 for month in range(1, 5) for day in range(10, 20)}],
)  # fmt: skip
def test_days_of_a_counter_that_are_wrong(days: object) -> None:
    document = Counter.first(2, "2025-01-31T12:00:00Z").to_json() | {"days": days}
    with pytest.raises(StoreError, match="the field days is not a table of days"):
        Counter.from_json(document)


def test_what_changes_a_patch_sees_it_as_it_is_now(
    store: Store, make_patch: MakePatch, now: datetime
) -> None:
    patch = make_patch()
    assert store.change(patch, lambda known: known) is None
    store.save(patch)
    store.replace(patch.advanced("reviewed", now, "ada"))
    changed = store.change(patch, lambda known: known.advanced(known.state, now, note="seen"))
    assert changed is not None and store.patches() == [changed]
    assert [event.state for event in changed.history] == ["persisted", "reviewed", "reviewed"]
    store.remove([patch.id])
    assert store.change(patch, lambda known: known) is None


def test_removed_patches_are_remembered_and_bounded(
    store: Store, make_patch: MakePatch, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codesuture.store.store.MOST_REMOVED", 3)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    patches = [make_patch(n) for n in range(5)]
    event = Event("rolled back", to_text(now), "ada")
    for patch in patches:
        store.save(patch)
        assert store.remove([patch.id], event) == 1
    removed = store.removed()
    assert {patch.id for patch in removed} == {patch.id for patch in patches[2:]}
    assert removed[0].history[-1] == event and store.patches() == []
    again = make_patch(4)
    found = store.removed_one(again)
    assert found is not None and store.removed_one(make_patch(0)) is None
    store.save(again.following(found))
    assert len(store.removed()) == 2
    assert [one.state for one in store.patches()[0].history][-2:] == ["rolled back", "persisted"]
