"""Starlette on uvicorn: its handlers, its middlewares, and `CodeSutureASGIMiddleware` in it."""

from __future__ import annotations

import pytest

APP = """
import asyncio
import os

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

profile, log, waiting, gate = None, [], [], asyncio.Event()


class Named(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["X-Named"] = type(self).__name__
        return response


class Catching(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except KeyError:
            return PlainTextResponse("caught by a middleware", 420)


class Pure:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        try:
            await self.app(scope, receive, send)
        except IndexError:
            await PlainTextResponse("caught by a pure one", 421)(scope, receive, send)


class Endpoint(HTTPEndpoint):
    def get(self, request):
        return PlainTextResponse(f"got {profile.name or None}")

    async def post(self, request):
        body = await request.body()
        return PlainTextResponse(f"posted {len(body)} {profile.name or None}")


def sync(request):
    log.append("before")
    name = profile.name
    log.append("after")
    return PlainTextResponse(f"{name or None} {' '.join(log)}")


async def asynchronous(request):
    log.append("before")
    name = profile.name
    log.append("after")
    return PlainTextResponse(f"{name or None} {' '.join(log)}")


def clear(request):
    log.clear()
    return PlainTextResponse("")


async def key(request):
    return PlainTextResponse({}["key"] or "none")


def index(request):
    return PlainTextResponse([][0] or "none")


async def zero(request):
    return PlainTextResponse(str(1 // len([])))


def mistyped(request):
    return PlainTextResponse("1" + len([]))


async def stream(request):
    async def parts():
        yield "a"
        yield str({}.get("b") or profile.name or "?")
        yield "c"
    return StreamingResponse(parts())


async def wait(request):
    waiting.append(1)
    await gate.wait()
    heals = request.path_params["how"] == "heals"
    return PlainTextResponse(str(profile.name if heals else "fine"))


async def who(request):
    return PlainTextResponse(str(len(waiting)))


async def opens(request):
    gate.set()
    return PlainTextResponse("")


async def healthy(request):
    return PlainTextResponse("fine")


async def by_class(request, error):
    return PlainTextResponse(f"by class: {type(error).__name__}", 418)


def last_resort(request, error):
    return PlainTextResponse("something went wrong", 500)


routes = [
    Route("/endpoint", Endpoint), Route("/sync", sync), Route("/async", asynchronous),
    Route("/key", key), Route("/index", index), Route("/zero", zero), Route("/stream", stream),
    Route("/wait/{how}", wait), Route("/waiting", who), Route("/open", opens),
    Route("/healthy", healthy), Route("/clear", clear), Route("/mistyped", mistyped),
]
middlewares = {
    "": [],
    "named": [Middleware(Named)],
    "catching": [Middleware(Named), Middleware(Catching), Middleware(Pure)],
}
if os.environ.get("OURS"):
    from codesuture.middleware import CodeSutureASGIMiddleware
    middlewares[""].append(Middleware(CodeSutureASGIMiddleware))
handlers = {ZeroDivisionError: by_class}
if os.environ.get("LAST"):
    handlers[{"500": 500, "Exception": Exception}[os.environ["LAST"]]] = last_resort
app = Starlette(
    routes=[Mount("/inner", Starlette(routes=list(routes))), *routes],
    middleware=middlewares[os.environ.get("MIDDLEWARES", "")],
    exception_handlers=handlers,
)
"""


@pytest.fixture
def start(serve, tmp_path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")

    def start(*words, agent=True, **env):
        command = ["-m", "uvicorn", "--port", "{port}", *words, "app:app"]
        return serve(*command, cwd=tmp_path, agent=agent, env=env)

    return start


def heals(server, path, text, method="GET", body=None):
    server.get("/clear")
    answer = server.get(path, method, body)
    assert (answer.status, answer.text) == (200, text), server.errors
    assert [mark.partition(";")[0] for mark in answer.marks] == ["patched=1"]
    return answer


def test_endpoints_functions_and_mounted_applications_are_healed(start):
    server = start(LAST="500")
    for _ in range(2):
        heals(server, "/sync", "None before after")
        heals(server, "/async", "None before after")
        heals(server, "/endpoint", "got None")
        heals(server, "/endpoint", "posted 2 None", "POST", "ab")
        heals(server, "/inner/async", "None before after")
        heals(server, "/key", "none")
        heals(server, "/index", "none")
        assert server.get("/healthy").marks == []
    answer = server.get("/zero")
    assert (answer.status, answer.text) == (418, "by class: ZeroDivisionError")
    lost = server.get("/inner/zero")  # answered in there already when the handler is found
    assert (lost.status, lost.text, lost.marks) == (500, "Internal Server Error", [])


def test_a_handler_for_exception_handles_everything(start):
    server = start(LAST="Exception")
    for path in ("/sync", "/async", "/key", "/index", "/sync"):
        answer = server.get(path)
        assert (answer.status, answer.text, answer.marks) == (500, "something went wrong", [])
    for path in ("/inner/sync", "/inner/zero"):
        answer = server.get(path)
        assert (answer.status, answer.text, answer.marks) == (500, "Internal Server Error", [])
    assert server.get("/zero").text == "by class: ZeroDivisionError"


def test_behind_a_base_http_middleware(start):
    server = start(MIDDLEWARES="named")
    for _ in range(2):
        answers = [
            heals(server, "/sync", "None before after"),
            heals(server, "/async", "None before after"),
            heals(server, "/inner/async", "None before after"),
        ]
        assert {dict(one.headers)["x-named"] for one in answers} == {"Named"}
    answer = server.get("/stream")
    assert (answer.text, answer.marks) == ("a?c", []), server.errors
    found = server.overlap(["/wait/fine", "/wait/heals", "/wait/fine"], "/open")
    assert [(one.text, len(one.marks)) for one in found] == [("fine", 0), ("", 1), ("fine", 0)]


def test_middlewares_that_catch_win(start):
    server = start(MIDDLEWARES="catching")
    for path, status, text in (
        ("/key", 420, "caught by a middleware"),
        ("/index", 421, "caught by a pure one"),
        ("/inner/key", 500, "Internal Server Error"),
        ("/zero", 418, "by class: ZeroDivisionError"),
    ):
        answer = server.get(path)
        assert (answer.status, answer.text, answer.marks) == (status, text, []), server.errors
    heals(server, "/sync", "None before after")
    heals(server, "/async", "None before after")


@pytest.mark.parametrize(("agent", "words"), [(True, ["--workers", "2"]), (False, [])])
def test_our_middleware_with_the_agent_and_without_it(start, agent, words):
    server = start(*words, OURS="1", agent=agent)
    for _ in range(3):
        heals(server, "/endpoint", "got None")
        heals(server, "/key", "none")
        assert server.get("/healthy").marks == []
    assert server.get("/zero").status == 418
