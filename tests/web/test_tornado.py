"""Tornado's own server: handlers of all kinds, and those that bring their own error methods."""

from __future__ import annotations

import pytest
from websockets.sync.client import connect

APP = """
import asyncio
import sys

from tornado import web, websocket

profile, log, waiting, gate = None, [], [], asyncio.Event()


class Sync(web.RequestHandler):
    def get(self):
        log.append("before")
        name = profile.name
        log.append("after")
        self.write({"name": name, "log": log})


class Async(web.RequestHandler):
    async def get(self):
        log.append("before")
        await asyncio.sleep(0)
        name = profile.name
        log.append("after")
        self.write({"name": name, "log": log})

    async def post(self):
        self.write({"key": {}["key"]})


class Prepared(web.RequestHandler):
    async def prepare(self):
        self.user = profile.name

    def get(self):
        self.write({"user": self.user})


class InThread(web.RequestHandler):
    async def get(self):
        self.write({"name": await asyncio.to_thread(lambda: profile.name)})


class Own(web.RequestHandler):
    def get(self):
        self.write({"name": profile.name})

    def write_error(self, status, **details):
        self.write(f"own page: {status} {details['exc_info'][0].__name__}")


class Logging(web.RequestHandler):
    async def get(self):
        self.write({"name": profile.name})

    def log_exception(self, kind, error, trace):
        log.append(kind.__name__)


class Missing(web.RequestHandler):
    def get(self):
        raise web.HTTPError(404)


class Stream(web.RequestHandler):
    async def get(self):
        self.write("a")
        await self.flush()
        self.write("".join(["b", profile.name or "?"]))


class Socket(websocket.WebSocketHandler):
    def open(self):
        self.name = profile.name

    def on_message(self, text):
        self.write_message(text + str(self.name or "?") + str(profile.last or "?"))


class Wait(web.RequestHandler):
    async def get(self, how):
        waiting.append(1)
        await gate.wait()
        self.write({"name": profile.name if how == "heals" else "fine"})


class Waiting(web.RequestHandler):
    def get(self):
        self.write(str(len(waiting)))


class Open(web.RequestHandler):
    def get(self):
        gate.set()


class Clear(web.RequestHandler):
    def get(self):
        self.write({"log": log})
        log.clear()


async def main():
    web.Application([
        ("/sync", Sync), ("/async", Async), ("/prepared", Prepared), ("/thread", InThread),
        ("/own", Own), ("/logging", Logging), ("/missing", Missing), ("/stream", Stream),
        ("/socket", Socket), ("/wait/(.*)", Wait), ("/waiting", Waiting), ("/open", Open),
        ("/clear", Clear),
    ]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def server(serve_all, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    return serve_all("app.py", "{port}", cwd=folder)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/sync", '{"name": null, "log": ["before", "after"]}'),
        ("/async", '{"name": null, "log": ["before", "after"]}'),
        ("/prepared", '{"user": null}'),
        ("/thread", '{"name": null}'),
    ],
)
def test_healed_with_the_application_s_own_body(server, path, text):
    connection = server.connect()
    for _ in range(2):
        assert server.get("/clear", connection=connection).marks == []
        answer = server.get(path, connection=connection)
        assert (answer.status, answer.text) == (200, text), server.errors
        assert answer.marks == ["patched=1; guard=null_guard; target=profile"]


def test_a_post_is_healed(server):
    answer = server.get("/async", "POST", "a=1")
    assert (answer.status, answer.text, len(answer.marks)) == (200, '{"key": null}', 1)


def test_handlers_that_bring_their_own_error_methods_win(server):
    server.get("/clear")
    for _ in range(2):
        answer = server.get("/own")
        assert (answer.status, answer.text) == (500, "own page: 500 AttributeError")
        assert answer.marks == []
        answer = server.get("/logging")
        assert (answer.status, answer.marks) == (500, [])
        assert server.get("/missing").status == 404
    assert server.get("/clear").text == '{"log": ["AttributeError", "AttributeError"]}'


def test_a_stream_goes_on(server):
    answer = server.get("/stream")
    assert (answer.status, answer.text, answer.marks) == (200, "ab?", []), server.errors
    assert server.comes_to_say("Healed after the headers of GET /stream had been sent")


def test_a_websocket_goes_on(server):
    with connect(f"ws://127.0.0.1:{server.port}/socket") as socket:
        for text in ("a", "b"):
            socket.send(text)
            assert socket.recv(20) == f"{text}??"


def test_of_requests_at_the_same_time_only_the_healed_one_is_marked(server):
    found = server.overlap(["/wait/fine", "/wait/heals", "/wait/fine"], "/open")
    assert [(one.text, len(one.marks)) for one in found] == [
        ('{"name": "fine"}', 0), ('{"name": null}', 1), ('{"name": "fine"}', 0),
    ]  # fmt: skip
