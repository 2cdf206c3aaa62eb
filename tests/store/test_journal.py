"""Heals that nobody stored before a process was killed are counted all the same."""

from __future__ import annotations

import json
import struct
import subprocess
import time
from pathlib import Path

import pytest

from codesuture.store import Store, cells

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


def cell(patch_id: str, count: int = 1, moment: float | None = None) -> bytes:
    """One of a journal's: id, count, time of the last one."""
    return struct.pack("=12s4xQd", patch_id.encode(), count, moment or time.time())


def journals(folder: Path) -> list[Path]:
    return list((folder / ".codesuture_store" / "counters").glob(".*.heals"))


def hits(folder: Path) -> list[int]:
    return [counter.hits for counter in Store(folder / ".codesuture_store").counters().values()]


#: On a file system that may not be mapped into memory.
WRITTEN = "import codesuture.store.cells as cells; cells._IN_PLACE = frozenset()\n"


@pytest.mark.parametrize("before", ["", WRITTEN], ids=["mapped", "written"])
@pytest.mark.parametrize("end", ENDS)
def test_a_process_that_just_ends(installed_python, tmp_path, end, before):
    (tmp_path / "app.py").write_text(before + HEALS + ENDS[end])
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


def test_file_systems_that_are_mapped(tmp_path):
    """Whatever this one is: the kernel's own name of it decides."""
    with open(tmp_path / "file", "wb+") as file:
        words = ["stat", "--file-system", "--format=%T", str(tmp_path)]
        name = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
        known = {"ext2/ext3", "ext4", "xfs", "tmpfs", "ramfs"}
        assert cells._overwrites_in_place(file.fileno()) == (name in known)


@pytest.mark.parametrize("before", ["", WRITTEN], ids=["mapped", "written"])
def test_more_patches_than_a_journal_holds(installed_python, tmp_path, before):
    """The rest is counted all the same when the process ends as it should."""
    functions = "".join(f"def crash{n}(x): return x.name\n" for n in range(12))
    calls = "for _ in range(2):\n" + "".join(f"    crash{n}(None)\n" for n in range(12))
    small = "import codesuture.store.cells as few; few.CELLS = 10\n"
    (tmp_path / "app.py").write_text(before + small + functions + calls)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert hits(tmp_path) == [2] * 12 and journals(tmp_path) == []


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
        (lambda one: cell(one, 3) + cell(one)[:5], 3),  # cut: it was killed while it wrote
        (lambda one: b"", 0),
        (lambda one: bytes(32), 0),
        (lambda one: cell(one, 0) + cell(one, 2), 2),
        (lambda one: b"\xff" * 96 + cell(one), 1),
        (lambda one: cell(one, 2**63) + cell(one, 1, -5.0) + cell(one, 1, 1e300), 0),
        (lambda one: cell(one, 1, float("nan")), 0),
        (lambda one: cell("not an id!!!", 9), 0),
        (lambda one: cell("0123456789ab"), 0),  # of a patch that was rolled back
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
    left.write_bytes(cell(one))
    left.chmod(0o666)
    assert hits(tmp_path) == [5]
    left.unlink()
    left.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(cell(one))
    assert hits(tmp_path) == [5]
    installed_python.run("app.py", cwd=tmp_path)
    assert hits(tmp_path) == [10] and left.is_symlink()


def test_the_time_of_the_last_heal(installed_python, tmp_path, one):
    left = tmp_path / ".codesuture_store" / "counters" / ".1-00000000.heals"
    later = time.time() + 80_000
    left.write_bytes(cell(one, 1, later))
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


def test_counters_that_cannot_be_written_for_a_while(installed_python, tmp_path):
    """What was not counted then is counted later, or found in the journal."""
    (tmp_path / "app.py").write_text(
        "import codesuture.ending as ending, codesuture.store.files as files\n"
        "ending.INTERVAL = 0.0\n"
        "def full(path, content): raise StoreError('the disk is full')\n"
        "from codesuture.store import StoreError\n"
        "real = files.write_atomically\n"
        + HEALS
        + "files.write_atomically = full\nmany(7)\n"
        "if sys.argv[1:] == ['killed']: os._exit(0)\n"
        "if not sys.argv[1:]: files.write_atomically = real\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stderr.count("Heals are not counted") == 1, done.stderr
    assert hits(tmp_path) == [12] and journals(tmp_path) == []
    for number, end in enumerate(("killed", "not before the end"), 2):
        installed_python.run("app.py", end, cwd=tmp_path)
        assert hits(tmp_path) == [12 * number] and len(journals(tmp_path)) == 1, end


def test_what_was_left_of_a_patch_that_is_rolled_back_counts_no_more(
    installed_python, tmp_path, one
):
    left = tmp_path / ".codesuture_store" / "counters" / ".1-00000000.heals"
    left.write_bytes(cell(one, 7))
    assert hits(tmp_path) == [12]
    Store(tmp_path / ".codesuture_store").remove([one])
    assert hits(tmp_path) == [] and journals(tmp_path) == []
    installed_python.run("app.py", cwd=tmp_path)
    assert hits(tmp_path) == [5]
