"""Kills a process at every step of every write to the store, and looks at what is left.

`python killing.py STORE ROUNDS` forks a child for each round, which does one write and kills itself
(SIGKILL) just before one of the system calls that change something, or with half of a write done.
First it goes through all steps of all writes, in a store that does not exist yet and in one that
is in use; then, until there were ROUNDS, through random ones, each on what the others left behind.
After each round the store must load without a complaint, nothing that had been written before may
be lost, what was being written must be there as it was or as it was to be, and the next writer must
be able to write. The test goes through the steps (about 400 rounds); with `KILLS=1000` in the
environment it does as many as that says.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from codesuture.defaults.recipe import Recipe
from codesuture.store import Patch, Proof, Store
from codesuture.store.cells import Cells
from codesuture.store.history import Event
from codesuture.store.journal import Journal, pending
from codesuture.store.lock import StoreLock
from codesuture.store.proof import Link
from codesuture.store.shelf import Seen
from codesuture.store.timestamps import to_text

NOW = datetime.now(UTC)
ROOM = 20_000
#: Patches, and proofs, from which on none are added: all are read after each round.
MOST = 40

#: The calls that change what is on the disk, or let others do so.
CALLS = {
    os: ("open", "write", "fsync", "replace", "unlink", "close", "ftruncate", "mkdir"),
    fcntl: ("flock",),
    Cells: ("put",),
}


def patch(number: int) -> Patch:
    return Patch.create(
        module="app", qualname="f", fingerprint="0123456789abcdef" * 2, ordinal=number,
        guard="null_guard", created=NOW, expires=NOW + timedelta(days=7), file="app.py", line=8,
        target="x", operation="load_attr", exception="AttributeError", message="m" * 190,
        default=Recipe.constant(None), rung="guard", reason="r" * 900, fate="f" * 900,
        python="3.13", codesuture="0.1.0",
    )  # fmt: skip


def proof(number: int) -> Proof:
    return Proof.create(
        chain=(Link("app", "f", "0123456789abcdef" * 2, number, "app.py"),), exception="KeyError",
        reached="the top of the program", doubt="d", python="3.13", codesuture="0.1.0",
        created=NOW, expires=NOW + timedelta(days=7),
    )  # fmt: skip


class Model:
    """What must be in the store: by id, what may be there instead of it (None: nothing)."""

    def __init__(self) -> None:
        self.number = 0
        #: Of patches and proofs; what has not changed since is not read again.
        self.seen = (Seen({}, {}), Seen({}, {}))
        self.patches: dict[str, list[Patch | None]] = {}
        self.proofs: dict[str, list[Proof | None]] = {}
        self.removed: set[str] = set()
        #: Heals by patch. Those that were in a journal when a process was killed that was about to
        #: count them may be counted twice, rather than be lost.
        self.least: dict[str, int] = {}
        self.twice: dict[str, int] = {}
        self.records: list[str] = []

    def settle(self, store: Store) -> None:
        """Compare with the store, and take over which of the possibilities it was."""
        self.seen = (store.patches_since(self.seen[0]), store.proofs_since(self.seen[1]))
        patches, proofs = ({one.id: one for one in seen.documents.values()} for seen in self.seen)
        removed = {one.id for one in store.removed()}
        counters = store.counters()
        lines = [document["n"] for document, _ in store.incidents.records()]
        store.incidents.hours()
        torn = [one for one in store.incidents.problems if "incident at" in one]
        assert store.problems == [] and len(store.incidents.problems) == len(torn)
        for model, found in ((self.patches, patches), (self.proofs, proofs)):
            assert found.keys() <= model.keys()
            for one, possible in model.items():
                assert found.get(one) in possible, (one, found.get(one), possible)
                model[one] = [found.get(one)]
        for one in self.removed:  # nothing is in neither place
            assert one in removed or one in patches, one
        for one, least in self.least.items():
            hits = counters[one].hits if one in counters else 0
            assert one not in patches or least <= hits <= least + self.twice.get(one, 0), (
                one, least, hits, self.twice
            )  # fmt: skip
            self.least[one] = hits if one in patches else 0
        self.twice = {}
        for pending_hits, _ in pending(os.path.join(store.path, "counters")):
            for one, hits in pending_hits.items():
                self.twice[one] = self.twice.get(one, 0) + hits
        kept = [line for line in self.records if line in lines]
        assert kept == self.records[len(self.records) - len(kept) :], "a record in the middle"
        assert not lines or lines[-1] >= self.records[-1]

    def some(self) -> Patch | None:
        """A patch that is there."""
        there = [possible[0] for possible in self.patches.values() if possible[0] is not None]
        return random.choice(there) if there else None


# Each write tells the model what may be found if it is killed, and gives what is to be done in the
# child, and what tells the model whether that came to its end.
Write = Callable[[Store, Model], "tuple[Callable[[], object], Callable[[bool], object]] | None"]


def save(store: Store, model: Model):
    if sum(possible[0] is not None for possible in model.patches.values()) > MOST:
        return None
    model.number += 1
    new = patch(model.number)
    model.patches[new.id] = [None, new]
    return lambda: store.save(new), lambda whole: whole and model.patches.update({new.id: [new]})


def save_proof(store: Store, model: Model):
    if len(model.proofs) > MOST:
        return None
    model.number += 1
    new = proof(model.number)
    model.proofs[new.id] = [None, new]
    return lambda: store.save_proof(
        new
    ), lambda whole: whole and model.proofs.update({new.id: [new]})


def edit(store: Store, model: Model):
    old = model.some()
    if old is None:
        return None
    new = replace(old, line=old.line + 1)
    model.patches[old.id] = [old, new]
    return lambda: store.replace(new), lambda whole: whole and model.patches.update({old.id: [new]})


def decide(store: Store, model: Model):
    old = model.some()
    if old is None:
        return None
    new = old.advanced("reviewed", NOW, "somebody")
    model.patches[old.id] = [old, new]
    return (
        lambda: store.change(old, lambda now: now.advanced("reviewed", NOW, "somebody")),
        lambda whole: whole and model.patches.update({old.id: [new]}),
    )


def roll_back(store: Store, model: Model):
    old = model.some()
    if old is None or len([p for p in model.patches.values() if p[0]]) < 3:
        return None
    model.patches[old.id] = [old, None]
    model.removed.add(old.id)
    event = Event.made("rolled back", to_text(NOW), "somebody")
    return lambda: store.remove(
        {old.id}, event
    ), lambda whole: whole and model.patches.update({old.id: [None]})


def make_again(store: Store, model: Model):
    gone = [one for one in model.removed if model.patches[one] == [None]]
    if not gone:
        return None
    new = next(one for one in (patch(n) for n in range(model.number + 1)) if one.id == gone[0])
    model.patches[new.id] = [None, new]
    return lambda: store.save(new), lambda whole: whole and model.patches.update({new.id: [new]})


def heal(store: Store, model: Model):
    """Three heals as an agent notes and counts them."""
    old = model.some()
    if old is None:
        return None
    store.remove({"0" * 12})  # counts what others left behind
    model.least.setdefault(old.id, 0)
    model.twice = {old.id: 3}
    rest = {old.id: 1}  # of a patch that is on its way to the store
    listen, tell = os.pipe()
    said = os.write  # does not count as a step

    def work() -> None:
        for _ in range(3):
            store.journal.note(old.id)
            said(tell, b".")
        store.count({old.id: 2}, NOW)
        store.journal.keep(rest)
        store.count(rest, NOW)
        store.journal.keep({})
        store.journal.end()

    def done(whole: bool) -> None:
        os.close(tell)
        model.least[old.id] += len(os.read(listen, 3))
        os.close(listen)
        if whole:
            model.twice = {}

    return work, done


def take_over(store: Store, model: Model):
    """Heals of two processes that are gone, and one of our own."""
    old = model.some()
    if old is None:
        return None
    for _ in range(2):
        journal = Journal(os.path.join(store.path, "counters"))
        journal.note(old.id)
        journal.note(old.id)
        journal.leave()
    model.least[old.id] = model.least.get(old.id, 0) + 4
    model.twice[old.id] = model.twice.get(old.id, 0) + 5

    def done(whole: bool) -> None:
        if whole:
            model.least[old.id] += 1

    return lambda: store.count({old.id: 1}, NOW), done


def record(store: Store, model: Model):
    model.number += 1
    name = f"{model.number:08}"
    line = json.dumps({"n": name, "text": "t" * 300}).encode()
    return lambda: store.record(line, ROOM), lambda whole: whole and model.records.append(name)


WRITES = (save, save_proof, edit, decide, heal, take_over, record, roll_back, make_again)


def die_at(step: int, half: bool) -> None:
    """Have this process die before the call of that number; or in the middle of the write of that
    number."""
    left = [step]

    def wrapped(call: Callable[..., object], is_write: bool) -> Callable[..., object]:
        def counted(*arguments: object, **named: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                if half:
                    call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return counted if is_write or not half else call

    for module, names in CALLS.items():
        for name in names:
            setattr(module, name, wrapped(getattr(module, name), name == "write"))


def one_round(path: str, model: Model, write: Write, step: int, half: bool) -> bool:
    """Whether the child was killed; False where the write has fewer steps, and so is done."""
    prepared = write(Store(path), model)
    if prepared is None:
        return False
    work, done = prepared
    child = os.fork()
    if child == 0:
        try:
            die_at(step, half)
            work()
        except BaseException as error:
            os.write(2, f"{write.__name__}, step {step}: {error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), (write.__name__, step, status)
    done(status == 0)
    if os.path.isdir(path):
        with StoreLock(os.path.join(path, ".lock"), timeout=0):
            pass
    model.settle(Store(path))
    return status != 0


def sweep(path: str, model: Model) -> int:
    """All steps of all writes; how many rounds that were."""
    rounds = 0
    for write in WRITES:
        for half in (False, True):
            step = 0
            while one_round(path, model, write, step, half):
                step += 1
                rounds += 1
            assert step > (0 if half else 5) or write in (roll_back, make_again), write.__name__
    return rounds


def main(path: str, least: int) -> None:
    random.seed(7)
    rounds = 0
    for step in range(100):  # the first write of all, which makes the folders
        fresh = f"{path}-{step}"
        killed = one_round(fresh, Model(), save, step, False)
        rounds += killed
        if not killed:
            break
    model = Model()
    for _ in range(5):
        one_round(path, model, save, 1000, False)
    swept = sweep(path, model)
    rounds += swept
    store = Store(path)
    while rounds < least:
        rounds += one_round(
            path, model, random.choice(WRITES), random.randrange(40), random.random() < 0.5
        )
    step = 0
    while not leftovers(path):  # the last writers may have tidied up
        step += 1
        assert one_round(path, model, edit, step, False), (
            "nobody is killed in the middle of a write"
        )
    for one in (*store.patches()[:1], *store.proofs()[:1]):
        # The next writers tidy up.
        changing = store.change if isinstance(one, Patch) else store.change_proof
        changing(one, lambda now: replace(now, expires=to_text(NOW + timedelta(days=9))))
    store.record(b"{}", ROOM)
    store.remove(
        {store.removed()[0].id, store.patches()[0].id}, Event.made("rolled back", to_text(NOW), "x")
    )
    assert not leftovers(path), leftovers(path)
    print(f"{rounds} rounds, {swept} of them step by step")


def leftovers(path: str) -> list[str]:
    """Temporary files of writers that were killed."""
    return [
        os.path.join(folder, name)
        for folder, _, names in os.walk(path)
        for name in names
        if name.endswith(".tmp")
    ]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
