"""Disks that are full, read-only or limited: a sentence, and no half files."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from codesuture.store import Counter, Patch, Store, StoreError

MakePatch = Callable[..., Patch]

LIMITED = """
import json, resource, sys
from datetime import datetime, UTC
from codesuture.store import Patch, Store, StoreError
store = Store(sys.argv[1])
first, second = [Patch.from_json(document) for document in json.loads(sys.argv[2])]
now = datetime.now(UTC)
resource.setrlimit(resource.RLIMIT_FSIZE, (50, resource.RLIM_INFINITY))
for write in (
    lambda: store.save(second),
    lambda: store.replace(first),
    lambda: store.count({first.id: 1}, now),
):
    try:
        write()
    except StoreError as error:
        print(error)
assert store.patches() == [first] and store.counters()[first.id].hits == 1 and not store.problems
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert store.save(second)
"""


def _snapshot(store: Store) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in Path(store.path).rglob("*") if p.is_file()}


def test_a_limit_on_file_sizes(
    store: Store, make_patch: MakePatch, now: datetime, run_python: Callable[..., str]
) -> None:
    first, second = make_patch(1), make_patch(2)
    store.save(first)
    store.count({first.id: 1}, now)
    before = _snapshot(store)
    documents = json.dumps([first.to_json(), second.to_json()])
    lines = run_python(LIMITED, store.path, documents).splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith(f"Could not write {store.path}{os.sep}")
        assert "File too large. Raise the limit" in line
    after = _snapshot(store)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_every_step_may_fail(
    call: str,
    number: int,
    store: Store,
    make_patch: MakePatch,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a full or read-only disk, where root would not be stopped by permissions."""
    first = make_patch(1)
    store.save(first)
    store.count({first.id: 1}, now)
    before = _snapshot(store)
    real_open = os.open

    def fail(*arguments: object, **options: object) -> object:
        raise OSError(number, os.strerror(number))

    def fail_to_create(path: str, flags: int, *rest: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number))
        return real_open(path, flags, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail_to_create if call == "open" else fail)
        for write in (
            lambda: store.save(make_patch(2)),
            lambda: store.replace(make_patch(1, line=99)),
            lambda: store.count({first.id: 1}, now),
        ):
            with pytest.raises(StoreError) as caught:
                write()
            assert os.strerror(number) in str(caught.value)
            assert "CODESUTURE_STORE" in str(caught.value)
        assert store.patches() == [first]
        assert store.counters()[first.id].hits == 1
    assert _snapshot(store) == before
    assert store.save(make_patch(2))


def test_a_write_may_be_short(
    store: Store, make_patch: MakePatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    assert store.save(make_patch())
    assert store.patches() == [make_patch()]


def test_an_interrupt_leaves_nothing_half_done(
    store: Store, make_patch: MakePatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(make_patch(1))
    before = _snapshot(store)

    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(os, "fsync", interrupt)
        store.save(make_patch(2))
    assert _snapshot(store) == before
    assert store.save(make_patch(2))


def test_a_folder_that_cannot_be_synced_is_good_enough(
    store: Store, make_patch: MakePatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/dev/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert store.save(make_patch())


def test_no_descriptor_is_lost(store: Store, make_patch: MakePatch, now: datetime) -> None:
    before = len(os.listdir("/dev/fd"))
    for n in range(20):
        patch = make_patch(n)
        store.save(patch)
        store.count({patch.id: 1}, now)
    Path(store.path, "patches", "bad.json").write_text("{")
    store.patches()
    assert store.counters()[make_patch(0).id] == Counter(
        1, "2025-01-31T12:00:00Z", "2025-01-31T12:00:00Z", {"2025-01-31": 1}
    )
    assert len(os.listdir("/dev/fd")) == before


def test_a_folder_that_cannot_be_listed_keeps_no_patch_from_being_saved(
    store: Store, make_patch: MakePatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where somebody took the rights to the counters away, which root does not feel."""
    store.save(make_patch(1))
    real_listdir = os.listdir

    def listdir(path: str) -> list[str]:
        if os.path.basename(path) == "counters":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real_listdir(path)

    monkeypatch.setattr(os, "listdir", listdir)
    assert store.save(make_patch(2))
    assert len(store.patches()) == 2
    with pytest.raises(StoreError, match="Could not read the store"):
        store.counters()
