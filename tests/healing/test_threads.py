"""Threads that crash at one site at the same moment: one patch, told once, every heal counted."""

from __future__ import annotations

import json
from pathlib import Path

PROGRAM = """\
import threading
THREADS = 8
together = threading.Barrier(THREADS)
values = []
def work():
    together.wait()
    values.append({}["x"] or "nothing")
threads = [threading.Thread(target=work) for _ in range(THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(values))
"""


def test_one_patch_for_all(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    rounds = 5
    for number in range(rounds):
        store = tmp_path / f"store{number}"
        done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_STORE": str(store)})
        assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr
        assert done.stderr.count("Patch applied to work()") == 1, done.stderr
        (counter,) = store.glob("counters/*.json")
        assert json.loads(counter.read_text())["hits"] == 8


FIRST = """\
import sys, threading
sys.setswitchinterval(1e-6)
THREADS = 8
def crash(row): return row["x"]
def loop(rows):
    for row in rows:
        try:
            yield crash(row)
        except ValueError:
            yield "value"
def work(n, found):
    together.wait()
    for _ in range(20):
        found.append((crash({}) or 0, [].pop() if False else [*loop([{}, {"x": n}])]))
        try:
            crash([])
        except TypeError as error:
            found.append(type(error).__name__)
for attempt in range(3):
    together = threading.Barrier(THREADS)
    found = [[] for _ in range(THREADS)]
    threads = [threading.Thread(target=work, args=(n, found[n])) for n in range(THREADS)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    for n in range(THREADS):
        assert found[n] == [(0, [None, n]), "TypeError"] * 20, found[n]
print("end")
"""


def test_many_sites_of_many_threads(installed_python, tmp_path: Path) -> None:
    """The same sites crash in all threads at once; some crashes are handled, others healed."""
    (tmp_path / "app.py").write_text(FIRST)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr
    assert "fault" not in done.stderr and done.stderr.count("Patch applied") == 1
    counters = [json.loads(path.read_text())["hits"] for path in tmp_path.rglob("counters/*.json")]
    assert counters == [3 * 8 * 20 * 2]


ONCE = """\
import threading
from codesuture.once import Once
begun, go, done = threading.Event(), threading.Event(), []
def load():
    done.append(once.run())  # what it does comes here again
    begun.set(); go.wait(30)
    done.append("loaded")
once = Once(load)
def come(): done.append((once.run(), "loaded" in done))
first = threading.Thread(target=come); first.start(); begun.wait(30)
others = [threading.Thread(target=come) for _ in range(4)]
[t.start() for t in others]
assert done == [False]
go.set(); [t.join() for t in (first, *others)]
print(done)
"""


def test_other_threads_wait_for_what_is_done_once(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ONCE)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.stdout == f"{[False, 'loaded'] + [(True, True)] * 5}\n", done.stderr
