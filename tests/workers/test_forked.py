"""Children of forking servers end by `os._exit`: their heals are counted all the same."""

from __future__ import annotations

import pytest

from codesuture.store import Store

FORKED = """
import os

def price(row):
    return row["price"]

def work(times):
    for _ in range(times):
        price({})

if __name__ == "__main__":
    work(FIRST)
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            work(5)
            os._exit(7)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    print("ended")
"""

SERVER = """
import socket, socketserver, threading

def price(row):
    return row["price"]

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for _ in range(5):
            price({})
        self.wfile.write(b"answered")

if __name__ == "__main__":
    with socketserver.ForkingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        for _ in range(4):
            with socket.create_connection(server.server_address, 20) as client:
                assert client.makefile().read() == "answered"
        server.shutdown()
        thread.join()
    print("ended")
"""

PROCESSES = """
import multiprocessing, sys

def price(row):
    return row["price"]

def work():
    for _ in range(5):
        price({})

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    processes = [context.Process(target=work) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    print("ended")
"""

EXIT = """
import os
def price(row):
    return row["price"]
for _ in range(3):
    price({})
print(type(os._exit).__name__, flush=True)
os._exit(5)
"""


def counted(folder):
    store = folder / ".codesuture_store"
    assert len(list(store.glob("patches/*.json"))) == 1
    return sum(counter.hits for counter in Store(store).counters().values())


@pytest.mark.parametrize("first", [0, 3], ids=["children only", "parent too"])
def test_forked_children(installed_python, tmp_path, first):
    (tmp_path / "app.py").write_text(FORKED.replace("FIRST", str(first)))
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
    assert counted(tmp_path) == 20 + first


def test_a_forking_server(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(SERVER)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
    assert counted(tmp_path) == 20


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing(installed_python, tmp_path, method):
    (tmp_path / "app.py").write_text(PROCESSES)
    done = installed_python.run("app.py", method, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
    assert counted(tmp_path) == 20


def test_a_process_that_was_quicker_by_a_moment(installed_python, tmp_path):
    """Its patch of the same place is the one that counts; no heal is lost for that."""
    (tmp_path / "app.py").write_text(
        "import dataclasses, os\n"
        "from codesuture.store.store import Store\n"
        "real = Store.save\n"
        "def save(self, patch, *rest):\n"
        "    real(self, dataclasses.replace(patch, created='2026-01-01T00:00:00Z'))\n"
        "    return real(self, patch, *rest)\n"
        "Store.save = save\n"
        "def crash(x): return x.name\n"
        "crash(None)\n"
        "os._exit(0)\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert counted(tmp_path) == 1


def test_an_exit_without_a_word(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(EXIT)
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (5, "builtin_function_or_method\n")
    assert counted(tmp_path) == 3
