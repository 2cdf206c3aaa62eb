"""Running processes that share a store: what one learns all use, what is rolled back ends."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Runs the function that a line names in a thread of its own: there a crash is nobody's.
WORKER = """
import contextlib, sys
from threading import Thread

def price(row):
    return row["price"]

def weight(row):
    return row["weight"]

def untold(row):  # nobody can tell what the context manager does
    with getattr(contextlib, "null" + "context")():
        return row["name"]

def show(function):
    print(function.__name__, repr(function({})), flush=True)

if __name__ == "__main__":
    for line in sys.stdin:
        thread = Thread(target=show, args=(globals()[line.strip()],))
        thread.start()
        thread.join()
        print("done", flush=True)
"""

#: What is supplied where nothing has been approved: the value is printed.
NEW = repr("")
#: Seconds within which a running worker has to follow the store.
LIMIT = 3.0


class Worker:
    """A running process that crashes when it is told to."""

    def __init__(
        self, python: str, folder: Path, errors: Path, environment: dict[str, str]
    ) -> None:
        self.errors = errors
        self.process = subprocess.Popen(
            [python, "worker.py"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors.open("w"),
            text=True,
        )

    def call(self, name: str) -> str:
        """What the function gave; empty where it died of its crash."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if said == "done\n":
            return ""
        assert self.process.stdout.readline() == "done\n", self.said
        return said.strip().removeprefix(f"{name} ")

    @property
    def said(self) -> str:
        return self.errors.read_text()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0, self.said


class Shop:
    """A folder with the program, its store, and the workers that run in it."""

    def __init__(self, installed, folder: Path) -> None:
        self.installed = installed
        self.folder = folder
        self.workers: list[Worker] = []
        (folder / "worker.py").write_text(WORKER)

    def worker(self, **variables: str) -> Worker:
        errors = self.folder / f"errors{len(self.workers)}.txt"
        environment = self.installed.environment(CODESUTURE="1", **variables)
        self.workers.append(Worker(self.installed.python, self.folder, errors, environment))
        return self.workers[-1]

    def rollback(self, *words: str) -> None:
        done = self.installed.run("-m", "codesuture", "rollback", *words, cwd=self.folder)
        assert done.returncode == 0, done.stderr

    def files(self, kind: str = "patches") -> list[Path]:
        return sorted((self.folder / ".codesuture_store" / kind).glob("*.json"))

    def edit(self, value: str, text: str = "") -> None:
        """Change the default of the one patch, as an editor does: in place."""
        (path,) = self.files()
        document = json.loads(path.read_text())
        document["default"] = {"kind": "constant", "value": value}
        path.write_text(text or json.dumps(document))

    def hits(self) -> int:
        return sum(json.loads(path.read_text())["hits"] for path in self.files("counters"))


def within(limit: float, what) -> float:
    """Wait until `what()` is true; the seconds that it took."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < limit, "it takes too long"
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.fixture
def shop(installed_python, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(installed_python, tmp_path)
    yield made
    for worker in made.workers:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait(30)


def test_what_one_worker_learns_the_others_use(shop):
    one, other = shop.worker(), shop.worker(CODESUTURE_VERBOSE="true")
    assert other.call("weight") == NEW  # it has read the store
    assert one.call("price") == NEW
    news = "The store has changed: 1 patches are new, 0 changed, 0 gone."
    within(LIMIT, lambda: other.call("weight") and news in other.said)
    assert other.call("price") == NEW
    assert "Patch applied to price()" in one.said
    assert "Patch applied to price()" not in other.said
    one.end(), other.end()
    assert len(shop.files()) == 2


def test_a_default_that_is_edited_is_used_by_running_workers(shop):
    one, other = shop.worker(), shop.worker()
    assert one.call("price") == other.call("price") == NEW
    shop.edit("approved")
    within(LIMIT, lambda: one.call("price") == "'approved'")
    within(LIMIT, lambda: other.call("price") == "'approved'")
    late = shop.worker()
    assert late.call("price") == "'approved'"
    assert "Caught" not in late.said


def test_a_file_in_the_middle_of_an_edit_stays_what_it_was(shop):
    worker = shop.worker()
    worker.call("price")
    shop.edit("first")
    within(LIMIT, lambda: worker.call("price") == "'first'")
    text = shop.files()[0].read_text()
    shop.files()[0].write_text(text[:100])
    within(LIMIT, lambda: worker.call("price") and "Skipped the recipe" in worker.said)
    assert worker.call("price") == "'first'"
    shop.files()[0].write_text(text.replace("first", "second"))
    within(LIMIT, lambda: worker.call("price") == "'second'")
    assert worker.said.count("Patch applied") == 1


def test_a_rollback_takes_effect_in_running_workers(shop):
    one, other = shop.worker(), shop.worker()
    for worker in (one, other):
        assert worker.call("price") == NEW
    shop.edit("approved")
    for worker in (one, other):
        within(LIMIT, lambda worker=worker: worker.call("price") == "'approved'")
    shop.rollback("price")
    assert shop.files() == [] == shop.files("counters")
    # What was approved is gone: the next crash is decided anew, as after a restart.
    took = within(LIMIT, lambda: one.call("price") == NEW)
    took = max(took, within(LIMIT, lambda: other.call("price") == NEW))
    assert "approved" not in shop.files()[0].read_text()
    print(f"rolled back within {took:.2f} seconds")


def test_a_patch_that_was_rolled_back_is_not_written_again(shop):
    worker = shop.worker()
    for _ in range(3):  # the first is counted at once, the others are not yet
        worker.call("price")
    shop.rollback("--all")
    worker.end()
    assert shop.files() == [] == shop.files("counters")


def test_heals_from_before_a_rollback_do_not_count_for_the_patch_after_it(shop):
    one, other = shop.worker(), shop.worker()
    for _ in range(3):
        one.call("price")
    made = json.loads(shop.files()[0].read_text())["created"]
    shop.rollback("--all")
    within(LIMIT, lambda: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) > made[:19])
    other.call("price")
    one.end(), other.end()
    assert (len(shop.files()), shop.hits()) == (1, 1)


def test_what_one_worker_has_proved_the_others_use(shop):
    one, other = shop.worker(), shop.worker()
    assert other.call("weight") == NEW
    assert one.call("untold") == ""
    assert "KeyError" in one.said and "nobody handles it" in one.said
    assert one.call("untold") == NEW
    within(LIMIT, lambda: other.call("untold") == NEW)
    shop.rollback("untold")
    assert shop.files("proofs") == []
    # Nothing is known about it any more: it crashes again, once, in one of the workers.
    within(LIMIT, lambda: one.call("untold") == "")
    assert one.said.count("nobody handles it") == 2


def test_hits_are_exact_when_several_workers_heal_one_site(shop):
    workers = [shop.worker() for _ in range(3)]
    for _ in range(20):
        for worker in workers:
            assert worker.call("price") == NEW
    for worker in workers:
        worker.end()
    assert (len(shop.files()), shop.hits()) == (1, 60)
