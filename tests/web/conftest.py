"""Real servers in processes of their own, and what their clients see."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

#: Seconds that a server may take to start, to answer, or to end.
LIMIT = 40.0

#: A server's log has no tracebacks but of what was not healed.
QUIET = {"CODESUTURE_INCIDENTS_LOGGING": "0"}


class Answer:
    """A response: `status`, `headers` as (name, value) pairs, `text`, and `marks`, the values of
    its `X-CodeSuture` headers."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.text = response.read().decode("utf-8", "replace")
        self.headers = response.getheaders()

    @property
    def marks(self) -> list[str]:
        """What the response says of itself; one value for each header."""
        return [value for name, value in self.headers if name.lower() == "x-codesuture"]

    def __repr__(self) -> str:
        return f"<{self.status} {self.text[:200]!r} {self.marks}>"


class Server:
    """A server process, which answers at `port`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self._folder = folder

    def connect(self) -> http.client.HTTPConnection:
        """A connection, which is kept alive as long as the server likes."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)

    def get(
        self,
        path: str,
        method: str = "GET",
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        connection: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """One request; on a connection of its own, unless you have one."""
        used = connection or self.connect()
        try:
            used.request(method, path, body=body, headers=dict(headers or {}))
            return Answer(used.getresponse())
        finally:
            if connection is None:
                used.close()

    def overlap(self, paths: list[str], opens: str) -> list[Answer]:
        """The answers to requests that are in the server at the same time: they wait there until
        `opens` is asked for; `/waiting` answers how many there are."""
        with ThreadPoolExecutor(len(paths)) as pool:
            found = [pool.submit(self.get, path) for path in paths]
            end = time.monotonic() + LIMIT
            while self.get("/waiting").text != str(len(paths)):
                assert time.monotonic() < end, f"they do not come to wait:\n{self.errors}"
            self.get(opens)
            return [one.result(LIMIT) for one in found]

    @property
    def output(self) -> str:
        """What the server has written to standard output so far."""
        return (self._folder / "stdout").read_text(encoding="utf-8", errors="replace")

    @property
    def errors(self) -> str:
        """What it has written to standard error so far."""
        return (self._folder / "stderr").read_text(encoding="utf-8", errors="replace")

    def comes_to_say(self, text: str) -> bool:
        """Whether it writes this to standard error, or has done so."""
        end = time.monotonic() + LIMIT
        while text not in self.errors and time.monotonic() < end:
            time.sleep(0.02)
        return text in self.errors

    def comes_to_print(self, text: str) -> bool:
        """Whether it writes this to standard output, or has done so."""
        end = time.monotonic() + LIMIT
        while text not in self.output and time.monotonic() < end:
            time.sleep(0.02)
        return text in self.output

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, as `kill` does; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(LIMIT)
            raise

    def wait_until_it_answers(self) -> None:
        """Wait until somebody accepts connections at the port."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            assert self.process.poll() is None, f"the server has ended:\n{self.errors}"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"the server does not answer:\n{self.errors}")


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


Serve = Callable[..., Server]


def _serving(python: Any, folder: Path) -> Iterator[Serve]:
    servers: list[Server] = []

    def start(
        *words: str | Path,
        cwd: Path,
        agent: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> Server:
        place = folder / f"server-{len(servers)}"
        place.mkdir()
        port = free_port()
        switch = {"CODESUTURE": "1", **QUIET} if agent else {}
        command = [str(word).replace("{port}", str(port)) for word in words]
        with open(place / "stdout", "wb") as out, open(place / "stderr", "wb") as errors:
            process = subprocess.Popen(
                [python.python, *command],
                cwd=cwd,
                env={**python.environment(**switch), "PYTHONUNBUFFERED": "1", **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )
        server = Server(process, port, place)
        servers.append(server)
        server.wait_until_it_answers()
        return server

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def serve(installed_python, tmp_path) -> Iterator[Serve]:
    """`serve("-m", "gunicorn", "-b", "127.0.0.1:{port}", "app:app", cwd=folder)` starts this
    Python with the agent (`agent=False`: without it) and waits until it answers at `{port}`."""
    yield from _serving(installed_python, tmp_path)


@pytest.fixture(scope="module")
def serve_all(installed_python, tmp_path_factory) -> Iterator[Serve]:
    """Like `serve`; what it starts serves all tests of a module."""
    yield from _serving(installed_python, tmp_path_factory.mktemp("servers"))


#: Servers for WSGI, each with the words that start it for the application `app` of `app.py`.
WSGI_SERVERS: dict[str, tuple[str, ...]] = {
    "werkzeug": (
        "-c",
        "from app import app; from werkzeug.serving import run_simple; "
        "run_simple('127.0.0.1', {port}, app, threaded=True)",
    ),
    "wsgiref": (
        "-c",
        "from app import app; from wsgiref.simple_server import make_server; "
        "make_server('127.0.0.1', {port}, app).serve_forever()",
    ),
    "waitress": ("-m", "waitress", "--listen", "127.0.0.1:{port}", "app:app"),
    "gunicorn": ("-m", "gunicorn", "-b", "127.0.0.1:{port}", "app:app"),
    "gunicorn-gthread": (
        "-m", "gunicorn", "-k", "gthread", "--threads", "4", "-b", "127.0.0.1:{port}", "app:app",
    ),
    "gunicorn-preload": (
        "-m", "gunicorn", "-k", "gthread", "--threads", "2", "-w", "2", "--preload",
        "-b", "127.0.0.1:{port}", "app:app",
    ),
}  # fmt: skip


@pytest.fixture
def serve_wsgi(serve) -> Serve:
    """`serve_wsgi("gunicorn", cwd=folder)` serves the application `app` of the folder's `app.py`
    with one of `WSGI_SERVERS`; options are those of `serve`."""

    def start(server: str, **options: object) -> Server:
        return serve(*WSGI_SERVERS[server], **options)

    return start
