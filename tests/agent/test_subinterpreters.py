"""Subinterpreters: each has a session of its own, or none; the process never pays for it."""

from __future__ import annotations

import sys

import pytest

from codesuture.store import Store

MOD = "def crash(x):\n    return x.name\n"
APP = """\
import sys, threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
run = getattr(interpreters, "exec", interpreters.run_string)
SOURCE = '''
import sys
sys.path.insert(0, %r)
import mod
armed = "__codesuture_recover__" in mod.crash.__code__.co_names
print(armed, "codesuture.session" in sys.modules, flush=True)
if armed:
    for _ in range(50): mod.crash(None)
''' % sys.path[0]
import mod
for _ in range(5): mod.crash(None)
made = [interpreters.create() for _ in range(3)]
def work(one):
    problem = run(one, SOURCE)
    assert problem is None, problem
threads = [threading.Thread(target=work, args=(one,)) for one in made]
for thread in threads: thread.start()
for thread in threads: thread.join()
for one in made: interpreters.destroy(one)
mod.crash(None)
print("end", flush=True)
"""
HEALS = sys.version_info >= (3, 14)


def test_each_heals_for_itself_or_not_at_all(installed_python, tmp_path):
    (tmp_path / "mod.py").write_text(MOD)
    (tmp_path / "app.py").write_text(APP)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == [f"{HEALS} {HEALS}"] * 3 + ["end"]
    assert "fault" not in done.stderr and "Error" not in done.stderr.replace("AttributeError:", "")
    (counter,) = Store(tmp_path / ".codesuture_store").counters().values()
    assert counter.hits == 6 + (150 if HEALS else 0)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="concurrent.interpreters is new in 3.14")
def test_the_public_module(installed_python, tmp_path):
    """PEP 734: functions are called in another interpreter, and its pool."""
    (tmp_path / "mod.py").write_text(
        MOD + "def work(n):\n"  # its code is sent there, and runs without this module's names
        "    import mod, sys, threading\n"
        "    thread = threading.Thread(target=lambda: [mod.crash(None) for _ in range(n)])\n"
        "    thread.start(); thread.join()\n"
        "    return n, 'codesuture.session' in sys.modules\n"
    )
    (tmp_path / "app.py").write_text(
        "from concurrent import interpreters\n"
        "from concurrent.futures import InterpreterPoolExecutor\n"
        "import mod\n"
        "if __name__ == '__main__':\n"
        "    one = interpreters.create()\n"
        "    print(one.call(mod.work, 3)); one.close()\n"
        "    with InterpreterPoolExecutor(2) as pool:\n"
        "        print(*pool.map(mod.work, range(1, 5)))\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(3, True)\n(1, True) (2, True) (3, True) (4, True)\n"
    (counter,) = Store(tmp_path / ".codesuture_store").counters().values()
    assert counter.hits == 3 + 1 + 2 + 3 + 4
