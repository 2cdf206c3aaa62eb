"""aiohttp's own server: handlers, middlewares, streams, websockets."""

from __future__ import annotations

import http.client
import json

import pytest
from websockets.sync.client import connect

APP = """
import asyncio
import contextlib
import sys

from aiohttp import web

profile, log, waiting, gate = None, [], [], asyncio.Event()
routes = web.RouteTableDef()


@routes.get("/async")
async def asynchronous(request):
    log.append("before")
    await asyncio.sleep(0)
    name = profile.name
    log.append("after")
    return web.Response(text=f"{name or None} {' '.join(log)}")


@routes.view("/view")
class View(web.View):
    async def get(self):
        return web.json_response({"name": profile.name})

    async def post(self):
        data = await self.request.json()
        return web.json_response({"a": data["a"], "b": data["list"][0]})


def in_thread():
    return profile.name


@routes.get("/thread")
async def thread(request):
    return web.json_response({"name": await asyncio.to_thread(in_thread)})


@routes.get("/gather")
async def gather(request):
    found = await asyncio.gather(asyncio.to_thread(in_thread), asyncio.sleep(0, 1))
    return web.json_response(found)


@routes.get("/key")
async def key(request):
    return web.Response(text=str({}["key"]))


@routes.get("/not_found")
async def not_found(request):
    raise web.HTTPNotFound(text="nothing here")


@routes.get("/stream")
async def stream(request):
    response = web.StreamResponse()
    start = profile.start
    await response.prepare(request)
    await response.write(b"a")
    await response.write("".join(["b", profile.name or "?"]).encode())
    await response.write_eof()
    return response


@routes.get("/socket")
async def socket(request):
    websocket = web.WebSocketResponse()
    before = profile.before
    await websocket.prepare(request)
    async for message in websocket:
        await websocket.send_str(message.data + str(profile.after or "?"))
    return websocket


@routes.get("/wait/{how}")
async def wait(request):
    waiting.append(1)
    await gate.wait()
    heals = request.match_info["how"] == "heals"
    return web.json_response(profile.name if heals else "fine")


@routes.get("/waiting")
async def who(request):
    return web.Response(text=str(len(waiting)))


@routes.get("/open")
async def opens(request):
    gate.set()
    return web.Response(text="")


@routes.get("/clear")
async def clear(request):
    log.clear()
    return web.Response(text="fine")


@web.middleware
async def named(request, handler):
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Named"] = "yes"
    return response


@web.middleware
async def catching(request, handler):
    try:
        return await handler(request)
    except KeyError:
        return web.Response(text="caught", status=420)


@routes.route("*", "/doubt/{how}")
async def doubt(request):
    log.append("doubt")
    how = request.match_info["how"]
    if how == "partly":
        await web.StreamResponse().prepare(request)
    request["kept"] = "kept" in request
    with getattr(contextlib, "null" + "context")():
        text = str(profile.name) + str(request["kept"])
        if how == "raises":
            raise RuntimeError("this stays")
    if how == "twice":
        with getattr(contextlib, "null" + "context")():
            text += str({}["more"])
    return web.Response(text=text)


@routes.get("/log")
async def tell(request):
    return web.json_response(log)


app = web.Application(middlewares=[named, catching])
app.add_routes(routes)
inner = web.Application()
inner.add_routes([web.get("/async", asynchronous), web.get("/key", key)])
app.add_subapp("/inner", inner)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@pytest.fixture(scope="module")
def server(serve_all, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    return serve_all("app.py", "{port}", cwd=folder)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/async", "None before after"),
        ("/inner/async", "None before after"),
        ("/view", '{"name": null}'),
        ("/thread", '{"name": null}'),
        ("/gather", "[null, 1]"),
    ],
)
def test_healed_with_the_application_s_own_body(server, path, text):
    connection = server.connect()
    for _ in range(2):
        assert server.get("/clear", connection=connection).marks == []
        answer = server.get(path, connection=connection)
        assert (answer.status, answer.text) == (200, text), server.errors
        assert answer.marks == ["patched=1; guard=null_guard; target=profile"]
        assert dict(answer.headers)["X-Named"] == "yes"


def test_a_post_is_healed(server):
    answer = server.get("/view", "POST", '{"a": 1, "list": []}')
    assert (answer.status, answer.text) == (200, '{"a": 1, "b": null}'), server.errors
    assert len(answer.marks) == 1


def test_a_middleware_that_catches_wins_and_http_errors_are_answers(server):
    for path, status, text in (
        ("/key", 420, "caught"),
        ("/inner/key", 420, "caught"),
        ("/not_found", 404, "nothing here"),
        ("/none", 404, "404: Not Found"),
    ):
        for _ in range(2):
            answer = server.get(path)
            assert (answer.status, answer.text, answer.marks) == (status, text, [])


def test_a_stream_is_marked_by_what_was_healed_before_its_headers(server):
    answer = server.get("/stream")
    assert (answer.status, answer.text, len(answer.marks)) == (200, "ab?", 1), server.errors
    assert server.comes_to_say("Healed after the headers of GET /stream had been sent")


def test_a_websocket_is_marked_in_its_handshake(server):
    with connect(f"ws://127.0.0.1:{server.port}/socket") as socket:
        marks = socket.response.headers.get_all("X-CodeSuture")
        assert marks == ["patched=1; guard=null_guard; target=profile"]
        for text in ("a", "b"):
            socket.send(text)
            assert socket.recv(20) == f"{text}?"


def test_of_requests_at_the_same_time_only_the_healed_one_is_marked(server):
    found = server.overlap(["/wait/fine", "/wait/heals", "/wait/fine"], "/open")
    assert [(one.text, len(one.marks)) for one in found] == [
        ('"fine"', 0), ("null", 1), ('"fine"', 0),
    ]  # fmt: skip


@pytest.fixture
def fresh(serve, tmp_path):
    """A server that has learned nothing yet."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    return serve("app.py", "{port}", cwd=tmp_path)


def test_a_safe_request_is_run_again(fresh):
    first, second = fresh.get("/doubt/x"), fresh.get("/doubt/x")
    assert (first.status, first.text) == (second.status, second.text) == (200, "False")
    (mark,) = first.marks
    assert mark == "patched=1; guard=null_guard; target=profile; replayed=1"
    assert second.marks == ["patched=1; guard=null_guard; target=profile"]
    assert json.loads(fresh.get("/log").text) == ["doubt"] * 3
    assert ("X-Named", "yes") in first.headers


def test_what_crashes_twice_is_run_again_twice(fresh):
    answer = fresh.get("/doubt/twice")
    assert (answer.status, answer.text) == (420, "caught"), fresh.errors  # a KeyError is handled
    assert json.loads(fresh.get("/log").text) == ["doubt"] * 2


@pytest.mark.parametrize(
    ("words", "times"),
    [
        (("/doubt/x", "POST", "a=1"), 1),
        (("/doubt/x", "GET", "a=1"), 1),
        (("/doubt/partly",), 1),
        (("/doubt/raises",), 2),
    ],
)
def test_what_is_not_run_again(fresh, words, times):
    """Unsafe methods, bodies, what has begun to answer; and what fails of something else then."""
    path, *rest = words
    method, body = rest or ("GET", None)
    try:
        assert fresh.get(path, method, body=body).status == 500
    except (http.client.HTTPException, OSError):
        assert "partly" in path
    assert json.loads(fresh.get("/log").text) == ["doubt"] * times
