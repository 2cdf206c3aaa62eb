"""Heals that nobody stored before a process was killed are counted all the same."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from codesuture.store import Store

HEALS = """\
import os, sys, signal, subprocess
def crash(x): return x.name
def many(n):
    for _ in range(n): crash(None)
many(5)
"""
#: Ways to end without a word to anybody.
ENDS = {
    "os._exit": "os._exit(0)\n",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)\n",
    "terminated": "os.kill(os.getpid(), signal.SIGTERM)\n",
    "exec": "os.execv(sys.executable, [sys.executable, '-c', ''])\n",
    "forked": "if os.fork() == 0:\n    many(4)\n    os._exit(0)\nos.wait()\nmany(3)\nos._exit(0)\n",
}


def journals(folder: Path) -> list[Path]:
    return list((folder / ".codesuture_store" / "counters").glob(".*.heals"))


def hits(folder: Path) -> list[int]:
    return [counter.hits for counter in Store(folder / ".codesuture_store").counters().values()]


@pytest.mark.parametrize("end", ENDS)
def test_a_process_that_just_ends(installed_python, tmp_path, end):
    (tmp_path / "app.py").write_text(HEALS + ENDS[end])
    installed_python.run("app.py", cwd=tmp_path)
    expected = 12 if end == "forked" else 5
    assert hits(tmp_path) == [expected]
    assert len(journals(tmp_path)) == (2 if end == "forked" else 1)
    # The next one that counts takes over what was left, and leaves nothing itself.
    (tmp_path / "app.py").write_text(HEALS)
    installed_python.run("app.py", cwd=tmp_path)
    assert hits(tmp_path) == [expected + 5]
    assert journals(tmp_path) == []
    (counter,) = (tmp_path / ".codesuture_store" / "counters").glob("*.json")
    assert json.loads(counter.read_text())["hits"] == expected + 5


def test_workers_of_multiprocessing(installed_python, tmp_path):
    """Forked ones end by `os._exit`, and those of a pool that is terminated by a signal."""
    (tmp_path / "app.py").write_text(
        "import multiprocessing as m, threading\n" + HEALS + "def job(n):\n"
        "    thread = threading.Thread(target=many, args=(n,))\n"
        "    thread.start(); thread.join()\n"
        "if __name__ == '__main__':\n"
        "    context = m.get_context('fork')\n"
        "    children = [context.Process(target=many, args=(4,)) for _ in range(2)]\n"
        "    [c.start() for c in children]; [c.join() for c in children]\n"
        "    with context.Pool(2) as pool: pool.map(job, [1, 2, 3])\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert hits(tmp_path) == [5 + 8 + 6]


def test_a_process_that_lives_is_counted_once(installed_python, tmp_path):
    """Its journal is read by others, and stays its own."""
    (tmp_path / "app.py").write_text(HEALS + "print('ready', flush=True)\ninput()\nmany(2)\n")
    alive = subprocess.Popen(
        [installed_python.python, "app.py"],
        cwd=tmp_path,
        env=installed_python.environment(CODESUTURE="1"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert alive.stdout.readline() == b"ready\n"
        assert hits(tmp_path) == [5]
        (tmp_path / "other.py").write_text(HEALS)
        (tmp_path / "app.py").rename(tmp_path / "kept.py")
        (tmp_path / "other.py").rename(tmp_path / "app.py")
        installed_python.run("app.py", cwd=tmp_path)
        assert hits(tmp_path) == [10] and len(journals(tmp_path)) == 1
        alive.communicate(b"\n", timeout=30)
    finally:
        alive.kill()
        alive.wait()
    assert hits(tmp_path) == [12] and journals(tmp_path) == []


@pytest.fixture
def one(installed_python, tmp_path) -> str:
    """A store with one patch, used five times; gives the patch's id."""
    (tmp_path / "app.py").write_text(HEALS)
    installed_python.run("app.py", cwd=tmp_path)
    (patch_id,) = Store(tmp_path / ".codesuture_store").counters()
    return patch_id


@pytest.mark.parametrize(
    ("content", "more"),
    [
        (lambda one: f"{one}\n{one[:5]}".encode(), 1),  # cut: it was killed while it wrote
        (lambda one: b"", 0),
        (lambda one: b"\xff" * 100 + b"\n" + one.encode() + b"\n", 1),
        (lambda one: b"not an id!!!\n" * 9, 0),
        (lambda one: b"0123456789ab\n", 0),  # of a patch that was rolled back
    ],
)
def test_what_a_journal_may_hold(installed_python, tmp_path, one, content, more):
    left = tmp_path / ".codesuture_store" / "counters" / ".1-00000000.heals"
    left.write_bytes(content(one))
    store = Store(tmp_path / ".codesuture_store")
    assert store.counters()[one].hits == 5 + more
    assert store.problems == []
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0
    assert list(store.counters()) == [one]
    assert store.counters()[one].hits == 5 + more + 5 and journals(tmp_path) == []


def test_journals_of_others_do_not_count(installed_python, tmp_path, one):
    left = tmp_path / ".codesuture_store" / "counters" / ".1-00000000.heals"
    left.write_text(f"{one}\n")
    left.chmod(0o666)
    assert hits(tmp_path) == [5]
    left.unlink()
    left.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text(f"{one}\n")
    assert hits(tmp_path) == [5]
    installed_python.run("app.py", cwd=tmp_path)
    assert hits(tmp_path) == [10] and left.is_symlink()


def test_the_time_of_the_last_heal(installed_python, tmp_path, one):
    left = tmp_path / ".codesuture_store" / "counters" / ".1-00000000.heals"
    left.write_text(f"{one}\n")
    later = time.time() + 86400
    os.utime(left, (later, later))
    shown = Store(tmp_path / ".codesuture_store").counters()[one].last_seen
    assert shown[:10] == time.strftime("%Y-%m-%d", time.gmtime(later))


def test_a_disk_that_is_full(installed_python, tmp_path):
    """Then heals are counted in memory only; here the journal is the device that is always full."""
    (tmp_path / "app.py").write_text(
        "import os, codesuture.store.journal as journal\n"
        "def open_full(path, *rest): return real(\n"
        "    '/dev/full' if path.endswith('.heals') else path, *(rest if '.heals' not in path\n"
        "    else (os.O_WRONLY,)))\n"
        "real = os.open\n"
        "class Os:\n"
        "    open = staticmethod(open_full)\n"
        "    def __getattr__(self, name): return getattr(os, name)\n"
        "journal.os = Os()\n" + HEALS
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0 and "fault" not in done.stderr, done.stderr
    assert hits(tmp_path) == [5]


def test_what_was_left_of_a_patch_that_is_rolled_back_counts_no_more(
    installed_python, tmp_path, one
):
    left = tmp_path / ".codesuture_store" / "counters" / ".1-00000000.heals"
    left.write_text(f"{one}\n" * 7)
    assert hits(tmp_path) == [12]
    Store(tmp_path / ".codesuture_store").remove([one])
    assert hits(tmp_path) == [] and journals(tmp_path) == []
    installed_python.run("app.py", cwd=tmp_path)
    assert hits(tmp_path) == [5]
