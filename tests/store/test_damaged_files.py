"""Damaged and hostile files: skipped, described, never deleted, never followed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from codesuture.store import Counter, Patch, Store, StoreError

MakePatch = Callable[..., Patch]


@pytest.fixture
def good(store: Store, make_patch: MakePatch) -> Patch:
    """A patch that must be found whatever lies beside it."""
    patch = make_patch()
    store.save(patch)
    return patch


def _recipe(store: Store, patch: Patch) -> Path:
    return next(Path(store.path, "patches").glob(f"*-{patch.id}.json"))


CONTENTS = {
    "empty": (b"", "not JSON"),
    "cut off": (b'{"format": 1, "id": "0123', "not JSON"),
    "not text": (b"\xff\xfe\x00", "not UTF-8"),
    "a mark of byte order": (b"\xef\xbb\xbf{}", "not JSON"),
    "a list": (b"[]", "not a JSON object"),
    "NaN": (b'{"format": NaN}', "NaN, which is not JSON"),
    "infinity": (b'{"format": -Infinity}', "-Infinity, which is not JSON"),
    "a huge number": (b'{"format": ' + b"9" * 6000 + b"}", "not allowed"),
    # How deep is too deep depends on the version and the stack; either way it is skipped.
    "deep": (b"[" * 60_000, "nested too deeply|not JSON"),
    "deep objects": (b'{"a":' * 10_000, "nested too deeply|not JSON"),
    "deep and closed": (b"[" * 30_000 + b"]" * 30_000, "nested too deeply|not a JSON object"),
    "large": (b'{"format": 1, "x": "' + b"x" * 70_000 + b'"}', "larger than 64 KiB"),
    "a key twice": (b'{"format": 1, "format": 1}', "same key twice"),
    "a newer format": (b'{"format": 99}', "the field format is not 1"),
    "no fields": (b'{"format": 1}', "the field codesuture is missing"),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_a_damaged_recipe_is_skipped_and_described(case: str, store: Store, good: Patch) -> None:
    content, reason = CONTENTS[case]
    damaged = Path(store.path, "patches", "app.f-0123456789ab.json")
    damaged.write_bytes(content)
    assert store.patches() == [good]
    [problem] = store.problems
    assert problem.startswith(f"Skipped the recipe {damaged} because ")
    assert re.search(reason, problem)
    assert problem.endswith("Mend the file or delete it.")
    assert store.remove(["0123456789ab"]) == 0
    assert damaged.read_bytes() == content
    damaged.unlink()
    assert store.patches() == [good]
    assert store.problems == []


def test_a_damaged_recipe_is_not_overwritten(
    store: Store, good: Patch, make_patch: MakePatch
) -> None:
    recipe = _recipe(store, good)
    damaged = recipe.read_text().replace('"persisted"', '"edited by hand"')
    recipe.write_text(damaged)
    for write in (store.save, store.replace):
        with pytest.raises(StoreError, match=r"there is one already.*the field state is unknown"):
            write(good)
    assert recipe.read_text() == damaged
    assert store.patches() == []
    assert store.save(make_patch(2))


def test_a_recipe_under_a_wrong_name_is_skipped(store: Store, good: Patch) -> None:
    recipe = _recipe(store, good)
    copy = recipe.with_name("other.name-0123456789ab.json")
    copy.write_bytes(recipe.read_bytes())
    assert store.patches() == [good]
    [problem] = store.problems
    assert f"its name should be {recipe.name}" in problem


def test_a_recipe_for_another_site_is_skipped(store: Store, good: Patch) -> None:
    recipe = _recipe(store, good)
    document = json.loads(recipe.read_bytes())
    recipe.write_text(json.dumps(document | {"ordinal": 99}))
    assert store.patches() == []
    assert "the field id does not belong" in store.problems[0]


def test_only_regular_files_are_read(store: Store, good: Patch, tmp_path: Path) -> None:
    patches = Path(store.path, "patches")
    outside = tmp_path / "outside.json"
    recipe = _recipe(store, good)
    outside.write_bytes(recipe.read_bytes())
    (patches / "a.json").mkdir()
    os.mkfifo(patches / "b.json")
    (patches / "c.json").symlink_to("/etc/passwd")
    recipe.unlink()
    recipe.symlink_to(outside)
    assert store.patches() == []
    reasons = {
        "a.json": "it is not a regular file",
        "b.json": "it is not a regular file",
        "c.json": "it is a symbolic link",
        recipe.name: "it is a symbolic link",
    }
    for name, reason in reasons.items():
        assert [reason in problem for problem in store.problems if f"/{name} " in problem] == [True]
    assert len(store.problems) == len(reasons)


def test_files_that_are_no_recipes_are_ignored(store: Store, good: Patch) -> None:
    patches = Path(store.path, "patches")
    for name in (".codesuture-1-abc.tmp", "README.md", ".hidden.json", "old.json~", "x.tmp"):
        (patches / name).write_text("{")
    assert store.patches() == [good]
    assert store.problems == []


def test_stale_temporary_files_go_with_the_next_save(
    store: Store, good: Patch, make_patch: MakePatch
) -> None:
    for folder in ("patches", "counters"):
        Path(store.path, folder, ".codesuture-1-abc.tmp").write_text("{")
    mine = Path(store.path, "patches", "mine.tmp")
    mine.touch()
    store.save(make_patch(2))
    assert list(Path(store.path).rglob("*.tmp")) == [mine]


def test_control_characters_in_a_file_name_stay_out_of_the_message(
    store: Store, good: Patch
) -> None:
    Path(store.path, "patches", "\x1b[2J\udcff.json").touch()
    assert store.patches() == [good]
    assert "\\x1b[2J\\udcff.json" in store.problems[0]
    assert store.problems[0].isprintable()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a counter"),
        ('{"format": 1, "hits": 0, "first_seen": "", "last_seen": ""}', "not a count"),
        ('{"format": 1, "hits": 1, "first_seen": "x", "last_seen": "x"}', "moment"),
        ('{"format": 1, "hits": 1, "first_seen": 1, "last_seen": 1}', "must be texts"),
        ('{"format": 9, "hits": 1, "first_seen": 1, "last_seen": 1}', "format is unknown"),
    ],
)
def test_a_damaged_counter_is_described_and_begins_anew(
    content: str, reason: str, store: Store, good: Patch, now: datetime
) -> None:
    counter = Path(store.path, "counters", f"{good.id}.json")
    counter.write_text(content)
    assert store.counters() == {}
    assert reason in store.problems[0]
    store.count({good.id: 2}, now)
    moment = "2025-01-31T12:00:00Z"
    assert store.counters() == {good.id: Counter(2, moment, moment, {"2025-01-31": 2})}
    assert store.problems == []


def test_a_counter_with_a_strange_name_is_skipped(store: Store, good: Patch) -> None:
    Path(store.path, "counters", "x.json").write_text("{}")
    assert store.counters() == {}
    assert "its name is not the id of a patch" in store.problems[0]


def test_five_hundred_patches_are_read_quickly(
    store: Store, make_patch: MakePatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from time import perf_counter

    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    for n in range(500):
        store.save(make_patch(n))
    times = []
    for _ in range(7):
        start = perf_counter()
        assert len(store.patches()) == 500
        times.append(perf_counter() - start)
    # 20 ms on the machine this was written on; the rest is for slower ones.
    assert min(times) < 0.1
