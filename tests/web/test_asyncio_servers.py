"""Servers of asyncio itself: streams and protocols."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

APP = """
import asyncio
import sys

profile = None


async def connected(reader, writer):
    while line := await reader.readline():
        writer.write(b"got " + line.strip() + str(profile.name or "?").encode() + b"\\n")
        await writer.drain()
    writer.close()


class Protocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.name = profile.name

    def data_received(self, data):
        self.transport.write(b"got " + data.strip() + str(profile.name or "?").encode() + b"\\n")

    def eof_received(self):
        self.transport.write(str(profile.name or "last").encode())


async def main(kind, port, handler):
    loop = asyncio.get_running_loop()
    if handler:
        loop.set_exception_handler(lambda loop, context: print("told", flush=True))
    if kind == "streams":
        server = await asyncio.start_server(connected, "127.0.0.1", port)
    else:
        server = await loop.create_server(Protocol, "127.0.0.1", port)
    await server.serve_forever()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), len(sys.argv) > 3))
"""


@pytest.fixture
def start(serve, tmp_path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    return lambda kind, *more: serve("app.py", kind, "{port}", *more, cwd=tmp_path)


def talk(server, *lines):
    """What it answers to lines, and at the end."""
    found = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        answers = connection.makefile("rb")
        for line in lines:
            connection.sendall(line + b"\n")
            found.append(answers.readline())
        connection.shutdown(socket.SHUT_WR)
        return [*found, answers.read()]


@pytest.mark.parametrize(("kind", "end"), [("streams", b""), ("protocol", b"last")])
def test_a_connection_whose_handler_crashes_goes_on(start, kind, end):
    server = start(kind)
    for _ in range(2):
        assert talk(server, b"a", b"b") == [b"got a?\n", b"got b?\n", end], server.errors


@pytest.mark.parametrize("kind", ["streams", "protocol"])
def test_the_loop_s_exception_handler_handles_it(start, kind):
    server = start(kind, "handler")
    with suppress(ConnectionError):
        talk(server, b"a")
    assert server.comes_to_print("told")
    assert "Patch applied" not in server.errors
