"""Workers of real servers: each has the agent once, heals, and counts exactly."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codesuture.store import Store

#: Every request crashes once, in a thread of its own: who serves it makes no difference.
APP = """\
import os, sys, threading, time
def crash(row):
    return row["name"]
def heal():
    found = []
    thread = threading.Thread(target=lambda: found.append(crash({})))
    thread.start(); thread.join()
    return found
def wait_for_two():
    '''Until another process is here as well.'''
    open(f"seen-{os.getpid()}", "w").close()
    limit = time.monotonic() + 2
    while len([n for n in os.listdir() if n.startswith("seen-")]) < 2 and time.monotonic() < limit:
        time.sleep(0.01)
def answer(path):
    if path == "/both": wait_for_two()
    import codesuture.importhook, importlib.machinery
    hooks = importlib.machinery.SourceFileLoader.get_code
    wrapped = [c.cell_contents for c in hooks.__closure__ if callable(c.cell_contents)]
    once = all(not getattr(w, "__closure__", None) for w in wrapped)
    return f"{os.getpid()} {heal()} {once}".encode()
def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [answer(environ["PATH_INFO"])]
async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer(scope["path"])})
"""

GUNICORN = "gunicorn app:wsgi -w 2 -b 127.0.0.1:{port} --no-control-socket"
SERVERS = {
    "gunicorn": GUNICORN,
    "gunicorn --preload": f"{GUNICORN} --preload",
    "uvicorn": "uvicorn --workers 2 --port {port} --log-level warning app:asgi",
}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def until_it_answers(port: int, server: subprocess.Popen[bytes]) -> str:
    limit = time.monotonic() + 30
    while True:
        try:
            return get(port, "/")
        except OSError:
            assert server.poll() is None and time.monotonic() < limit
            time.sleep(0.05)


@pytest.fixture
def start(installed_python, tmp_path) -> Iterator:
    """Start a module's command line in the test's folder; ended in the end."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(command: str, **env: str) -> subprocess.Popen[bytes]:
        with open(tmp_path / "log", "wb") as log:
            process = subprocess.Popen(
                [installed_python.python, "-m", *command.split()],
                cwd=tmp_path,
                env=installed_python.environment(**{"CODESUTURE": "1", **env}),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS)
def test_servers(start, tmp_path: Path, command):
    (tmp_path / "app.py").write_text(APP)
    port = free_port()
    server = start(command.format(port=port))
    answers = [until_it_answers(port, server)]
    limit = time.monotonic() + 60
    while len({answer.split()[0] for answer in answers}) < 2:  # one may accept all of a round
        assert time.monotonic() < limit
        together = [
            threading.Thread(target=lambda: answers.append(get(port, "/both"))) for _ in range(4)
        ]
        for thread in together:
            thread.start()
        for thread in together:
            thread.join()
    answers += [get(port, "/") for _ in range(10)]
    assert all(answer.endswith(" [None] True") for answer in answers), answers
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) in (0, -signal.SIGTERM)
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log and "fault" not in log
    (counter,) = Store(tmp_path / ".codesuture_store").counters().values()
    assert counter.hits == len(answers)


def test_a_server_that_is_switched_off(start, tmp_path):
    say = "def answer(path):\n    return str('codesuture' in sys.modules).encode()\n"
    (tmp_path / "app.py").write_text(APP.replace("def answer(path):\n", say))
    port = free_port()
    server = start(SERVERS["gunicorn"].format(port=port), CODESUTURE="0")
    assert until_it_answers(port, server) == "False"


TASKS = """\
import os
from pathlib import Path
import app
from celery import Celery
here = Path(__file__).parent
folders = {name: str(here / "broker") for name in ("data_folder_in", "data_folder_out")}
tasks = Celery("tasks", broker="filesystem://", backend=f"file://{here}/results")
tasks.conf.update(
    broker_transport_options={**folders, "control_folder": str(here / "broker")},
    worker_prefetch_multiplier=1, broker_connection_retry_on_startup=True,
)
@tasks.task
def work(path):
    return app.answer(path).decode()
"""
ASK = """\
import tasks
both = [tasks.work.delay("/both") for _ in range(2)]
rest = [tasks.work.delay("/") for _ in range(6)]
for result in both + rest: print(result.get(timeout=60, interval=0.02))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="prefork")
def test_celery(start, installed_python, tmp_path):
    """Its pool forks workers, and they end by `os._exit`."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "tasks.py").write_text(TASKS)
    (tmp_path / "ask.py").write_text(ASK)
    for name in ("broker", "results"):
        (tmp_path / name).mkdir()
    worker = start(
        "celery -A tasks worker --pool prefork -c 2 --without-gossip --without-mingle"
        " --without-heartbeat -l WARNING"
    )
    done = installed_python.run("ask.py", cwd=tmp_path, agent=False, timeout=90)
    answers = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr + (tmp_path / "log").read_text()
    assert all(answer.endswith(" [None] True") for answer in answers), answers
    assert len(answers) == 8
    worker.send_signal(signal.SIGTERM)
    worker.wait(60)
    (counter,) = Store(tmp_path / ".codesuture_store").counters().values()
    assert counter.hits == 8, json.dumps(counter.to_json())
