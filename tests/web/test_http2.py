"""Requests that share a connection: HTTP/2 on hypercorn, workers of uvicorn under gunicorn."""

from __future__ import annotations

import socket
import time

import h2.connection
import h2.events
import pytest

APP = """
import asyncio

profile, waiting, gate = None, [], asyncio.Event()


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    path, text = scope["path"], "fine"
    if path.startswith("/wait/"):
        waiting.append(path)
        await gate.wait()
    if path == "/waiting":
        text = str(len(waiting))
    if path == "/open":
        gate.set()
    if path.endswith("heals"):
        text = f"healed {profile.name or '?'}"
    if path.endswith("handled"):
        try:
            text = profile.name
        except AttributeError:
            text = "handled"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})
"""


class Connection:
    """One connection for HTTP/2 with prior knowledge (RFC 9113, 3.3); its streams share it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.state = h2.connection.H2Connection()
        self.state.initiate_connection()
        self.found = {}
        self.open = set()
        self.flush()

    def flush(self):
        self.socket.sendall(self.state.data_to_send())

    def ask(self, path):
        """Begin a stream; gives its number."""
        stream = self.state.get_next_available_stream_id()
        names = {":method": "GET", ":path": path, ":scheme": "http", ":authority": "localhost"}
        self.state.send_headers(stream, list(names.items()), end_stream=True)
        self.open.add(stream)
        self.found[stream] = {"marks": [], "text": ""}
        self.flush()
        return stream

    def answer(self, stream):
        """The text and the marks of the stream's response."""
        end = time.monotonic() + 20
        while stream in self.open:
            assert time.monotonic() < end
            for event in self.state.receive_data(self.socket.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    marks = [value.decode() for name, value in event.headers
                             if name.lower() == b"x-codesuture"]
                    self.found[event.stream_id]["marks"] = marks
                elif isinstance(event, h2.events.DataReceived):
                    self.found[event.stream_id]["text"] += event.data.decode()
                elif isinstance(event, h2.events.StreamEnded):
                    self.open.discard(event.stream_id)
            self.flush()
        return self.found[stream]["text"], self.found[stream]["marks"]


def test_of_the_streams_of_one_connection_only_the_healed_one_is_marked(serve, tmp_path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    server = serve("-m", "hypercorn", "-b", "127.0.0.1:{port}", "app:app", cwd=tmp_path)
    connection = Connection(server.port)
    paths = ["/wait/fine", "/wait/heals", "/wait/handled", "/wait/fine", "/wait/heals"]
    streams = [connection.ask(path) for path in paths]
    end = time.monotonic() + 20
    while connection.answer(connection.ask("/waiting"))[0] != str(len(paths)):
        assert time.monotonic() < end
    assert connection.answer(connection.ask("/open")) == ("fine", [])
    found = [connection.answer(stream) for stream in streams]
    mark = ["patched=1; guard=null_guard; target=profile"]
    assert found == [
        ("fine", []), ("healed ?", mark), ("handled", []), ("fine", []), ("healed ?", mark),
    ], server.errors  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "hypercorn", "-b", "127.0.0.1:{port}"],
        ["-m", "gunicorn", "-k", "uvicorn.workers.UvicornWorker", "-w", "2",
         "-b", "127.0.0.1:{port}"],
        ["-m", "uvicorn", "--port", "{port}", "--workers", "2"],
    ],
    ids=["hypercorn", "gunicorn", "uvicorn"],
)
def test_a_plain_asgi_application_on_every_server(serve, tmp_path, words):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    server = serve(*words, "app:app", cwd=tmp_path)
    connection = server.connect()
    for _ in range(3):
        answer = server.get("/heals", connection=connection)
        assert (answer.status, answer.text) == (200, "healed ?"), server.errors
        assert answer.marks == ["patched=1; guard=null_guard; target=profile"]
        answer = server.get("/handled", connection=connection)
        assert (answer.text, answer.marks) == ("handled", [])
