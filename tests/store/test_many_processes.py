"""Many processes on one store, some of them killed."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codesuture.store import Counter, Patch, Store
from codesuture.store.lock import STALE, HeldFile

MakePatch = Callable[..., Patch]
Start = Callable[..., "subprocess.Popen[str]"]

PROCESSES = 8

# Every process saves and counts the same patches, in an order of its own, all at once.
WORKER = """
import json, random, sys
from datetime import datetime, UTC
from codesuture.store import Patch, Store
store = Store(sys.argv[1])
patches = [Patch.from_json(document) for document in json.loads(sys.argv[2])]
random.Random(sys.argv[3]).shuffle(patches)
print("ready", flush=True)
sys.stdin.readline()
saved = 0
for patch in patches:
    saved += store.save(patch)
    store.count({patch.id: 1, patches[0].id: 1}, datetime.now(UTC))
    found = store.patches()
    assert patch in found and not store.problems, store.problems
    assert store.counters()[patch.id].hits >= 1 and not store.problems, store.problems
print(saved)
"""

# A child saves, counts, changes and removes for ever, and says what it has done; it is killed at
# a random moment; then everything it has said must be true, and the store in order.
KILLER = """
import json, os, random, signal, sys, time
from datetime import datetime, UTC
from codesuture.store import Patch, Store
from codesuture.store.lock import StoreLock

path, template, rounds = sys.argv[1], Patch.from_json(json.loads(sys.argv[2])), int(sys.argv[3])
random.seed(7)
now = datetime.now(UTC)
store = Store(path)
store.save(template)
fields = {name: getattr(template, name) for name in
          ("module", "qualname", "fingerprint", "guard", "file", "line", "target", "operation",
           "exception", "message", "default", "rung", "reason", "fate", "python", "codesuture")}

def make(ordinal):
    return Patch.create(**fields, ordinal=ordinal, created=now, expires=now)

def work(round, say):
    for n in range(10**6):
        patch = make(round * 1000 + n % 20)
        if n < 20:
            store.save(patch)
            os.write(say, f"saved {patch.id}\\n".encode())
        else:
            store.replace(patch)
        store.count({template.id: 1}, now)
        os.write(say, b"counted\\n")

said_counts = leftovers = acknowledged = 0
for round in range(1, rounds + 1):
    listen, say = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(round, say)
        finally:
            os._exit(1)
    os.close(say)
    first = os.read(listen, 1).decode()  # the child is at work
    time.sleep(random.random() * 0.004)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    said = (first + open(listen).read()).splitlines()
    with StoreLock(os.path.join(path, ".lock"), timeout=0):
        pass
    ids = {patch.id for patch in store.patches()}
    counters = store.counters()
    assert not store.problems, store.problems
    for line in said:
        word, _, patch_id = line.partition(" ")
        assert word == "counted" or patch_id in ids, (line, ids)
        acknowledged += word == "saved"
        said_counts += word == "counted"
    # one hit may have been counted without the child having had the time to say so
    hits = counters[template.id].hits if counters else 0
    assert said_counts <= hits <= said_counts + round, (said_counts, hits)
    leftovers += sum(name.endswith(".tmp") for _, _, names in os.walk(path) for name in names)
    if round % 10 == 0:
        store.remove(ids - {template.id})

assert acknowledged >= rounds
assert leftovers, "no child was killed in the middle of a write"
store.save(make(999_999))
assert not [name for _, _, names in os.walk(path) for name in names if name.endswith(".tmp")]
print("done")
"""


def test_eight_processes_save_and_count_the_same_patches(
    store: Store, make_patch: MakePatch, start_python: Start
) -> None:
    patches = [make_patch(n) for n in range(10)]
    documents = json.dumps([patch.to_json() for patch in patches])
    workers = [start_python(WORKER, store.path, documents, str(n)) for n in range(PROCESSES)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    saved = 0
    for worker in workers:
        output, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors
        saved += int(output)
    assert saved == len(patches)
    assert sorted(store.patches(), key=lambda patch: patch.ordinal) == patches
    counters = store.counters()
    # Each process counted each patch once, and once more the one it began with; where those
    # two were the same patch, the dictionary made one of them.
    firsts = PROCESSES * (len(patches) - 1)
    assert sum(c.hits for c in counters.values()) == PROCESSES * len(patches) + firsts
    assert all(isinstance(c, Counter) and c.hits >= PROCESSES for c in counters.values())
    assert store.problems == []
    assert len(list(Path(store.path, "patches").iterdir())) == len(patches)


def test_a_hundred_writers_are_killed(
    store: Store, make_patch: MakePatch, run_python: Callable[..., str]
) -> None:
    document = json.dumps(make_patch().to_json())
    assert run_python(KILLER, store.path, document, "100") == "done\n"


# Each process has patches of its own, so that all of them together are a thousand.
SAVER = """
import errno, fcntl, json, sys
from datetime import datetime, UTC
from codesuture.store import Patch, Store
if sys.argv[4] == "without locks":  # as NFS answers without its lock service
    def flock(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")
    fcntl.flock = flock
template, first, count = Patch.from_json(json.loads(sys.argv[2])), *map(int, sys.argv[3].split())
names = ("module", "qualname", "fingerprint", "guard", "file", "line", "target", "operation",
         "exception", "message", "default", "rung", "reason", "fate", "python", "codesuture")
fields = {name: getattr(template, name) for name in names}
store, now = Store(sys.argv[1]), datetime.now(UTC)
print("ready", flush=True)
sys.stdin.readline()
for ordinal in range(first, first + count):
    patch = Patch.create(**fields, ordinal=ordinal, created=now, expires=now)
    assert store.save(patch)
    if ordinal % 5 == 0:
        store.count({patch.id: 1}, now)
print("done")
"""


@pytest.mark.parametrize(("kind", "each"), [("with locks", 125), ("without locks", 125)])
def test_none_of_a_thousand_patches_is_lost(
    store: Store, make_patch: MakePatch, start_python: Start, kind: str, each: int
) -> None:
    document = json.dumps(make_patch().to_json())
    workers = [
        start_python(SAVER, store.path, document, f"{n * each + 1} {each}", kind)
        for n in range(PROCESSES)
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        output, errors = worker.communicate(timeout=90)
        assert (worker.returncode, output) == (0, "done\n"), errors
    ordinals = sorted(patch.ordinal for patch in store.patches())
    assert ordinals == list(range(1, PROCESSES * each + 1)) and store.problems == []
    assert sum(counter.hits for counter in store.counters().values()) == PROCESSES * each // 5
    assert not list(Path(store.path).glob(".lock.*"))


def test_a_lock_without_locks_outlives_its_holder(tmp_path: Path) -> None:
    """A file whose holder was killed is taken away when it is old, and not before."""
    clock = os.open(tmp_path / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        left, waiting = HeldFile(str(tmp_path / "held")), HeldFile(str(tmp_path / "held"))
        left.take(clock)
        with pytest.raises(BlockingIOError):
            waiting.take(clock)
        os.utime(left.path, (time.time() - STALE + 5,) * 2)
        with pytest.raises(BlockingIOError):
            waiting.take(clock)
        os.utime(left.path, (time.time() - STALE - 5,) * 2)
        waiting.take(clock)
        left.give_back()  # it was only slow: what is there now is another's
        assert os.path.exists(waiting.path)
        # Somebody was killed while taking such a file away.
        old = (time.time() - STALE - 5,) * 2
        os.utime(waiting.path, old)
        Path(f"{left.path}.breaking").touch()
        os.utime(f"{left.path}.breaking", old)
        with pytest.raises(BlockingIOError):
            left.take(clock)
        left.take(clock)
        left.give_back()
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    finally:
        os.close(clock)
