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
