"""Child processes have the agent once, or not at all; each keeps its own account of the store."""

from __future__ import annotations

import json
from pathlib import Path

CRASH = "def crash(x):\n    return x.name\n"


def hits(folder: Path) -> list[int]:
    """The hits that the store counts, patch by patch."""
    counters = sorted((folder / ".codesuture_store" / "counters").glob("*.json"))
    return [json.loads(path.read_text())["hits"] for path in counters]


def test_forked_children_count_for_themselves(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(
        "import os, sys\n" + CRASH + "print(crash(None), flush=True)\n"
        "for _ in range(3):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        crash(None); crash(None)\n"
        "        sys.exit(0)\n"
        "    assert os.waitpid(pid, 0)[1] == 0\n"
        "crash(None)\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr
    assert hits(tmp_path) == [1 + 3 * 2 + 1]


def test_a_child_that_is_switched_off(installed_python, tmp_path):
    (tmp_path / "child.py").write_text("import sys; print('codesuture' in sys.modules)\n")
    (tmp_path / "app.py").write_text(
        "import os, subprocess, sys\n"
        "for value in ('1', '0', 'off', None):\n"
        "    env = {k: v for k, v in os.environ.items() if k != 'CODESUTURE'}\n"
        "    if value: env['CODESUTURE'] = value\n"
        "    subprocess.run([sys.executable, 'child.py'], env=env, check=True)\n"
        "os.environ['CODESUTURE'] = '0'\n"
        "os.execv(sys.executable, [sys.executable, 'child.py'])\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.stdout.split(), done.stderr) == (["True"] + ["False"] * 4, "")


def test_nothing_is_opened_before_a_fork(installed_python, tmp_path):
    """A server that forks its workers: no descriptor of ours is shared, no store is there."""
    (tmp_path / "app.py").write_text(
        "import os\nfds = sorted(os.listdir('/proc/self/fd'))\n"
        "print(len(fds), flush=True)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    print(len(os.listdir('/proc/self/fd'))); os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
    )
    plain, ours = (installed_python.run("app.py", cwd=tmp_path, agent=on) for on in (False, True))
    assert ours.stdout == plain.stdout
    assert not (tmp_path / ".codesuture_store").exists()


def test_threads_lose_no_count(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(
        "import sys, threading\nsys.setswitchinterval(1e-6)\n" + CRASH + "def work():\n"
        "    for _ in range(200): crash(None)\n"
        "crash(None)\n"
        "threads = [threading.Thread(target=work) for _ in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert hits(tmp_path) == [801]
