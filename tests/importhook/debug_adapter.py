"""A small client of the debug adapter protocol, which editors speak with debugpy."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

PATIENCE = 30

Message = dict[str, Any]


class Client:
    """Speaks with the adapter at a port; every wait has a limit."""

    def __init__(self, port: int) -> None:
        self._connection = _connect(port)
        self._connection.settimeout(PATIENCE)
        self._stream = self._connection.makefile("rb")
        self._number = 0
        self._waiting: list[Message] = []

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request; gives its number."""
        self._number += 1
        request = {"type": "request", "command": command, "arguments": arguments}
        data = json.dumps({**request, "seq": self._number}).encode()
        self._connection.sendall(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        return self._number

    def ask(self, command: str, **arguments: Any) -> Message:
        """The body of the answer to a request."""
        number = self.send(command, **arguments)
        body: Message = self._wait(lambda m: m.get("request_seq") == number).get("body", {})
        return body

    def event(self, *names: str) -> Message:
        """The next event of one of these names."""
        return self._wait(lambda message: message.get("event") in names)

    def close(self) -> None:
        """Leave without a word."""
        self._stream.close()
        self._connection.close()

    def _wait(self, wanted: Any) -> Message:
        while True:
            for message in self._waiting:
                if wanted(message):
                    self._waiting.remove(message)
                    return message
            self._waiting.append(self._receive())

    def _receive(self) -> Message:
        size = 0
        while line := self._stream.readline().strip():
            size = int(line.partition(b":")[2])
        assert size, "the adapter has closed the connection"
        message: Message = json.loads(self._stream.read(size))
        return message


def _connect(port: int) -> socket.socket:
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < limit
            time.sleep(0.02)
