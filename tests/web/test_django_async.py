"""Django under ASGI: async views, sync views in threads, middlewares of both kinds, streams."""

from __future__ import annotations

import django
import pytest

APP = """
import asyncio
import os

from django.conf import settings

settings.configure(
    SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None,
    MIDDLEWARE=[f"app.{name}" for name in os.environ["MIDDLEWARES"].split()],
)

import django

django.setup()

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views import View

profile, log, waiting, gate = None, [], [], asyncio.Event()


def of_sync_kind(get_response):
    def middleware(request):
        response = get_response(request)
        response["X-Sync"] = "yes"
        return response
    return middleware


class Both:
    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request):
        response = await self.get_response(request)
        response["X-Async"] = "yes"
        return response

    def process_exception(self, request, error):
        if isinstance(error, KeyError):
            return HttpResponse("processed", status=420)


async def asynchronous(request):
    log.append("before")
    await asyncio.sleep(0)
    name = profile.name
    log.append("after")
    return HttpResponse(f"{name or None} {' '.join(log)}")


def sync(request):
    log.append("before")
    name = profile.name
    log.append("after")
    return HttpResponse(f"{name or None} {' '.join(log)}")


class Viewed(View):
    async def get(self, request):
        return HttpResponse(f"got {profile.name or None}")


async def key(request):
    return HttpResponse({}["key"] or "none")


async def stream(request):
    async def parts():
        yield "a"
        yield "".join(["b", profile.name or "?"])
    return StreamingHttpResponse(parts())


async def wait(request, how):
    waiting.append(1)
    await gate.wait()
    return HttpResponse((profile.name or "healed") if how == "heals" else how)


async def who(request):
    return HttpResponse(str(len(waiting)))


async def opens(request):
    gate.set()
    return HttpResponse("")


async def clear(request):
    log.clear()
    return HttpResponse("")


urlpatterns = [
    path("async", asynchronous), path("sync", sync), path("view", Viewed.as_view()),
    path("key", key), path("stream", stream), path("wait/<how>", wait), path("waiting", who),
    path("open", opens), path("clear", clear),
]
app = get_asgi_application()
"""


@pytest.fixture(scope="module", params=["Both", "of_sync_kind Both"], ids=["async", "mixed"])
def server(request, serve_all, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    words = ["-m", "uvicorn", "--lifespan", "off", "--port", "{port}", "app:app"]
    return serve_all(*words, cwd=folder, env={"MIDDLEWARES": request.param})


@pytest.mark.parametrize(
    ("path", "text"),
    [("/async", "None before after"), ("/sync", "None before after"), ("/view", "got None")],
)
def test_views_are_healed(server, path, text):
    connection = server.connect()
    for _ in range(2):
        assert server.get("/clear", connection=connection).marks == []
        answer = server.get(path, connection=connection)
        assert (answer.status, answer.text) == (200, text), server.errors
        assert answer.marks == ["patched=1; guard=null_guard; target=profile"]
        assert dict(answer.headers)["x-async"] == "yes"


def test_a_middleware_that_makes_a_response_of_the_exception_wins(server):
    for _ in range(2):
        answer = server.get("/key")
        assert (answer.status, answer.text, answer.marks) == (420, "processed", [])


@pytest.mark.skipif(django.VERSION < (6,), reason="the exception goes through asyncio.wait there")
def test_a_stream_goes_on(server):
    answer = server.get("/stream")
    assert (answer.status, answer.text, answer.marks) == (200, "ab?", []), server.errors
    assert server.comes_to_say("Healed after the headers of GET /stream had been sent")


def test_of_requests_at_the_same_time_only_the_healed_one_is_marked(server):
    found = server.overlap(["/wait/a", "/wait/heals", "/wait/b"], "/open")
    assert [(one.text, len(one.marks)) for one in found] == [("a", 0), ("healed", 1), ("b", 0)]
