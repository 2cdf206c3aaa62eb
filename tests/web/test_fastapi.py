"""FastAPI on uvicorn: endpoints, dependencies, middlewares, background tasks, websockets."""

from __future__ import annotations

import json
import time

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

APP = """
import asyncio

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse

app = FastAPI()
log, profile = [], None
gate, waiting = asyncio.Event(), []


@app.get("/healthy")
def healthy():
    return {"name": "x"}


@app.get("/sync")
def sync():
    log.append("before")
    name = profile.name
    log.append("after")
    return {"name": name}


@app.get("/async")
async def asynchronous():
    log.append("before")
    await asyncio.sleep(0)
    name = profile.name
    log.append("after")
    return {"name": name}


@app.post("/post")
async def post(item: dict):
    return {"got": item["a"], "more": item["b"]}


def plain():
    return {}["plain"]


async def coroutine():
    return {}["coroutine"]


def generator():
    log.append("enter")
    try:
        yield {}["generator"]
    finally:
        log.append("leave")


async def async_generator():
    log.append("enter")
    try:
        yield {}["async_generator"]
    finally:
        log.append("leave")


def healthy_generator():
    yield 1
    log.append("left")


async def healthy_async_generator():
    yield 2
    log.append("left")


for dependency in (plain, coroutine, generator, async_generator):
    def depends(value=Depends(dependency)):
        return {"value": value}
    app.get(f"/{dependency.__name__}")(depends)


@app.get("/inside")
def inside(a=Depends(healthy_generator), b=Depends(healthy_async_generator)):
    return {"name": profile.name, "sum": a + b}


@app.get("/async_inside")
async def async_inside(a=Depends(healthy_generator), b=Depends(healthy_async_generator)):
    return {"name": profile.name, "sum": a + b}


def handling():
    try:
        yield 1
    except AttributeError:
        log.append("handled")
        raise HTTPException(409, "handled by the dependency")


async def async_handling():
    try:
        yield 1
    except AttributeError:
        log.append("handled")
        raise HTTPException(409, "handled by the dependency")


@app.get("/handled_outside")
def handled_outside(a=Depends(handling)):
    return {"name": profile.name}


@app.get("/async_handled_outside")
async def async_handled_outside(a=Depends(async_handling)):
    return {"name": profile.name}


@app.exception_handler(ZeroDivisionError)
async def zero(request, error):
    return PlainTextResponse("zero", 418)


@app.exception_handler(500)
async def lost(request, error):
    return PlainTextResponse("lost", 500)


@app.get("/zero")
def divides():
    return {"value": 1 // len([])}


@app.get("/async_zero")
async def divides_too():
    return {"value": 1 // len([])}


def later():
    log.append({}["later"])


async def much_later():
    log.append({}["much_later"])


@app.get("/background")
def background(tasks: BackgroundTasks):
    tasks.add_task(later)
    tasks.add_task(much_later)
    return "done"


@app.get("/stream")
def stream():
    def parts():
        yield "a"
        yield "".join(["b", profile.name or "?"])
        yield "c"
    return StreamingResponse(parts())


@app.get("/async_stream")
async def async_stream():
    async def parts():
        yield "a"
        yield "".join(["b", profile.name or "?"])
        yield "c"
    return StreamingResponse(parts())


@app.websocket("/socket")
async def socket(websocket: WebSocket):
    name = profile.name
    await websocket.accept()
    while True:
        text = await websocket.receive_text()
        await websocket.send_text(f"{text} {name} {profile.last}")


@app.websocket("/refused")
async def refused(websocket: WebSocket):
    await websocket.send_denial_response(PlainTextResponse(profile.name or "refused", 403))


@app.get("/wait/{how}")
async def wait(how: str):
    waiting.append(how)
    await gate.wait()
    return {"name": profile.name if how == "heals" else how}


@app.get("/waiting", response_class=PlainTextResponse)
async def who():
    return str(len(waiting))


@app.get("/open")
async def opens():
    gate.set()


@app.get("/log")
def read():
    return log


@app.get("/clear")
def clear():
    log.clear()


inner = FastAPI()


@inner.get("/sync")
def inner_sync():
    return {"inner": profile.name}


@inner.exception_handler(AttributeError)
def of_the_inner_one(request, error):
    return PlainTextResponse("inner handler", 417)


other = FastAPI()


@other.get("/sync")
async def other_sync():
    return {"other": profile.name}


app.mount("/inner", inner)
app.mount("/other", other)
"""
HEALED = {
    "/sync": {"name": None},
    "/async": {"name": None},
    "/plain": {"value": None},
    "/coroutine": {"value": None},
    "/generator": {"value": None},
    "/async_generator": {"value": None},
    "/inside": {"name": None, "sum": 3},
    "/async_inside": {"name": None, "sum": 3},
    "/other/sync": {"other": None},
}
SIDE_EFFECTS = {
    "/sync": ["before", "after"],
    "/async": ["before", "after"],
    "/generator": ["enter", "leave"],
    "/async_generator": ["enter", "leave"],
    "/inside": ["left", "left"],
    "/async_inside": ["left", "left"],
}
HANDLED = [
    "/handled_outside", "/async_handled_outside", "/zero", "/async_zero", "/inner/sync", "/none",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(serve_all, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    words = ["-m", "uvicorn", "--port", "{port}", "--http", "h11", "app:app"]
    return serve_all(*words, cwd=folder)


@pytest.fixture(scope="module")
def plain(serve_all, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    return serve_all("-m", "uvicorn", "--port", "{port}", "app:app", cwd=folder, agent=False)


def comes_to_log(server, expected):
    """Wait until the application has logged this; what follows a response may take a moment."""
    end = time.monotonic() + 20
    while (found := json.loads(server.get("/log").text)) != expected:
        assert time.monotonic() < end and len(found) <= len(expected), found


@pytest.mark.parametrize("path", HEALED)
def test_healed_at_the_first_request_with_the_application_s_own_body(server, path):
    connection = server.connect()
    for _ in range(2):
        server.get("/clear")
        answer = server.get(path, connection=connection)
        assert (answer.status, json.loads(answer.text)) == (200, HEALED[path]), server.errors
        (mark,) = answer.marks
        assert mark.startswith("patched=1; guard="), mark
        comes_to_log(server, SIDE_EFFECTS.get(path, []))
        healthy = server.get("/healthy", connection=connection)
        assert (json.loads(healthy.text), healthy.marks) == ({"name": "x"}, [])


def test_a_post_is_healed_too(server):
    body = json.dumps({"a": 1})
    answer = server.get("/post", "POST", body, {"Content-Type": "application/json"})
    assert json.loads(answer.text) == {"got": 1, "more": None}
    assert answer.marks == ["patched=1; guard=key_guard; target=item['b']"]


@pytest.mark.parametrize("path", HANDLED)
def test_what_the_application_handles_is_left_to_it(server, plain, path):
    server.get("/clear"), plain.get("/clear")
    for _ in range(2):
        ours, theirs = server.get(path), plain.get(path)
        assert (ours.status, ours.text) == (theirs.status, theirs.text)
        assert ours.marks == [] and ours.status != 200
    assert server.get("/log").text == plain.get("/log").text


def test_background_tasks_are_healed_and_told(server):
    server.get("/clear")
    answer = server.get("/background")
    assert (answer.status, answer.text, answer.marks) == (200, '"done"', [])
    assert server.comes_to_say("Healed after the headers of GET /background had been sent")
    assert server.comes_to_say("much_later")
    comes_to_log(server, [None, None])


@pytest.mark.parametrize("path", ["/stream", "/async_stream"])
def test_streams_go_on(server, path):
    answer = server.get(path)
    assert (answer.status, answer.text, answer.marks) == (200, "ab?c", []), server.errors
    assert server.comes_to_say(f"Healed after the headers of GET {path} had been sent")


def test_a_websocket_is_marked_where_it_is_accepted(server):
    for _ in range(2):
        with connect(f"ws://127.0.0.1:{server.port}/socket") as socket:
            marks = socket.response.headers.get_all("X-CodeSuture")
            assert marks == ["patched=1; guard=null_guard; target=profile"]
            socket.send("a")
            socket.send("b")
            assert [socket.recv(10), socket.recv(10)] == ["a  ", "b  "]
    assert server.comes_to_say("Healed after the headers of websocket /socket had been sent")


def test_a_websocket_that_is_refused_is_marked_too(server):
    with pytest.raises(InvalidStatus) as raised:
        connect(f"ws://127.0.0.1:{server.port}/refused")
    response = raised.value.response
    assert (response.status_code, response.body) == (403, b"refused"), server.errors
    assert response.headers.get_all("X-CodeSuture") == [
        "patched=1; guard=null_guard; target=profile"
    ]


def test_of_requests_at_the_same_time_only_the_healed_one_is_marked(server):
    first, second, third = server.overlap(["/wait/a", "/wait/heals", "/wait/b"], "/open")
    assert [json.loads(one.text)["name"] for one in (first, second, third)] == ["a", None, "b"]
    assert [len(one.marks) for one in (first, second, third)] == [0, 1, 0]
