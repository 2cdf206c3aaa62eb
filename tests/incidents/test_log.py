"""The files: many processes, rotation, full disks, folders that are not to be trusted."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from codesuture.store import Store, StoreError
from codesuture.store.incidents import FILES, LONGEST_LINE

ROOT = Path(__file__).resolve().parents[2]

WRITER = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from datetime import UTC, datetime
from codesuture.store import Store
store, name, room = Store(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
for number in range(100):
    line = json.dumps({"writer": name, "number": number, "fill": "x" * 100}).encode()
    store.record(line, room)
    if not number % 20:
        store.count({"aaaaaaaaaaaa": 3, f"{name:012x}": 1}, datetime.now(UTC))
"""


def write_together(folder: Path, room: int) -> None:
    command = [sys.executable, "-c", WRITER, str(ROOT), str(folder)]
    writers = [subprocess.Popen([*command, str(name), str(room)]) for name in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4


def lines(folder: Path) -> list[dict[str, int]]:
    return [document for document, _ in Store(folder).incidents.records()]  # type: ignore[misc]


def test_many_processes_lose_nothing(tmp_path):
    write_together(tmp_path / "store", 10**7)
    found = lines(tmp_path / "store")
    assert len(found) == 400
    for name in range(4):  # each in its own order
        own = [one["number"] for one in found if one["writer"] == name]
        assert own == list(range(100))
    hours = Store(tmp_path / "store").crashes()
    total: dict[str, int] = {}
    for crashes in hours.values():
        for one, number in crashes.items():
            total[one] = total.get(one, 0) + number
    assert total == {"aaaaaaaaaaaa": 60, **{f"{name:012x}": 5 for name in range(4)}}


def test_rotation_keeps_the_newest_within_the_room(tmp_path):
    room = 24_000
    write_together(tmp_path / "store", room)
    files = sorted((tmp_path / "store" / "incidents").glob("*.jsonl"))
    assert 1 < len(files) <= FILES
    assert sum(file.stat().st_size for file in files) <= room
    store = Store(tmp_path / "store")
    found = [document for document, _ in store.incidents.records()]
    assert store.incidents.problems == [] and len(found) > 100
    for name in range(4):  # what is left of each is its end, without a gap
        own = [one["number"] for one in found if one["writer"] == name]
        assert own == list(range(100))[100 - len(own) :]


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    store.record(b'{"a": 1}', 10**6)
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if content.startswith(b'{"b"'):
            return write(descriptor, content[:4])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="Free some space"):
        store.record(b'{"b": 2}', 10**6)
    monkeypatch.undo()
    store.record(b'{"c": 3}', 10**6)
    assert lines(tmp_path / "store") == [{"a": 1}, {"c": 3}]
    with pytest.raises(StoreError, match="one line"):
        store.record(b"x" * (LONGEST_LINE + 1), 10**6)


@pytest.mark.skipif(os.name == "nt", reason="no modes in this sense")
def test_what_is_not_to_be_trusted_is_not_read(tmp_path):
    store = Store(tmp_path / "store")
    store.record(b'{"a": 1}', 10**6)
    store.count({"a" * 12: 2}, datetime.now(UTC))
    folder = tmp_path / "store" / "incidents"
    (folder / "other.jsonl").symlink_to("/etc/hostname")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "log.jsonl").chmod(0o666)
    assert lines(tmp_path / "store") == []
    assert not (folder / "log.jsonl").is_symlink()
    problems = store.incidents
    assert list(problems.records()) == [] and len(problems.problems) == 3
    (folder / "hours" / "2020-01-01T00.json").write_text('{"format": 1, "crashes": [NaN]}')
    assert [sum(one.values()) for one in store.crashes().values()] == [2]
    folder.chmod(0o777)
    with pytest.raises(StoreError, match="every user can write"):
        store.record(b'{"a": 1}', 10**6)


def test_one_line_where_nothing_can_be_written(installed_python, tmp_path):
    """The store's name is taken by a file: the program goes on as it would."""
    (tmp_path / "app.py").write_text(
        "def f(d): return d['x']\ndef g(d): return d['y']\n"
        "for _ in range(3): f({}), g({})\nprint('end')\nlen(1, 2)\n"
    )
    (tmp_path / "taken").write_text("")
    env = {"CODESUTURE_STORE": str(tmp_path / "taken")}
    done = installed_python.run("app.py", cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (1, "end\n")
    told = [line for line in done.stderr.splitlines() if "taken" in line]
    assert len(told) == 1 and "not a folder" in told[0]
