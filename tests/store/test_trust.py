"""Whose store is read, and what is said about the others."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from codesuture.store import Patch, Store, StoreError

MakePatch = Callable[..., Patch]


@pytest.fixture
def patch(store: Store, make_patch: MakePatch) -> Patch:
    """A patch in the store."""
    patch = make_patch()
    store.save(patch)
    return patch


def _everything(store: Store, patch: Patch, now: datetime) -> list[Callable[[], object]]:
    return [
        store.check,
        store.patches,
        store.counters,
        lambda: store.save(patch),
        lambda: store.replace(patch),
        lambda: store.remove([patch.id]),
        lambda: store.count({patch.id: 1}, now),
    ]


@pytest.mark.parametrize("folder", ["", "patches", "counters"])
def test_a_folder_that_everybody_can_write_to_is_refused(
    folder: str, store: Store, patch: Patch, now: datetime
) -> None:
    path = os.path.join(store.path, folder).rstrip("/")
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, mode | stat.S_IWOTH)
    for act in _everything(store, patch, now):
        with pytest.raises(StoreError, match="every user can write to it") as caught:
            act()
    command = str(caught.value).rpartition("run: ")[2].removesuffix(".")
    assert command == f"chmod -R o-w '{path}'"
    subprocess.run(command, shell=True, check=True)
    assert store.patches() == [patch]


def test_a_folder_of_somebody_else_is_refused(
    store: Store, patch: Patch, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    for act in _everything(store, patch, now):
        with pytest.raises(StoreError, match=f"another user .user id {user}, you are {user + 1}"):
            act()
    with pytest.raises(StoreError, match=f"run: chown -R {user + 1} '{store.path}'"):
        store.check()


def test_a_recipe_that_everybody_can_write_to_is_skipped(store: Store, patch: Patch) -> None:
    [recipe] = Path(store.path, "patches").iterdir()
    recipe.chmod(0o666)
    assert store.patches() == []
    assert (
        f"every user can write to it. To mend it, run: chmod -R o-w '{recipe}'"
        in (store.problems[0])
    )


def test_a_quote_in_the_path_does_not_break_the_command(
    tmp_path: Path, make_patch: MakePatch
) -> None:
    store = Store(tmp_path / "it's; touch hacked")
    store.save(make_patch())
    os.chmod(store.path, 0o777)
    with pytest.raises(StoreError) as caught:
        store.check()
    command = str(caught.value).rpartition("run: ")[2].removesuffix(".")
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    store.check()
    assert not (tmp_path / "hacked").exists()


def test_a_file_in_place_of_the_store(store: Store, make_patch: MakePatch, now: datetime) -> None:
    Path(store.path).write_text("precious")
    for act in _everything(store, make_patch(), now):
        with pytest.raises(StoreError, match=r"is not a folder\. Move it away"):
            act()
    assert Path(store.path).read_text() == "precious"


def test_a_store_beneath_a_file(tmp_path: Path, make_patch: MakePatch) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / ".codesuture_store")
    for act in (store.check, store.patches, store.counters, lambda: store.save(make_patch())):
        with pytest.raises(StoreError, match=r"Not a directory\. .* CODESUTURE_STORE"):
            act()


def test_a_link_to_a_store_is_followed_but_must_lead_somewhere(
    store: Store, tmp_path: Path, make_patch: MakePatch
) -> None:
    Path(store.path).symlink_to(tmp_path / "real")
    for act in (store.check, lambda: store.save(make_patch())):
        with pytest.raises(StoreError, match="symbolic link to a folder that does not exist"):
            act()
    (tmp_path / "real").mkdir()
    assert store.save(make_patch())
    assert len(store.patches()) == 1
