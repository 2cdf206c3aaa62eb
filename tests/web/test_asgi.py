"""What an ASGI application and its server tell each other comes through as it is (ASGI 3.0)."""

from __future__ import annotations

import asyncio
import types

import pytest

from codesuture.web import marking
from codesuture.web.asgi import ServedASGIApplication

HTTP = {"type": "http", "method": "GET", "path": "/", "headers": []}


def run(application, scope, messages=({"type": "http.request"},)):
    """What the application has sent, and what it has raised."""
    sent, incoming = [], list(messages)

    async def receive():
        return incoming.pop(0)

    async def send(message):
        sent.append(message)

    async def call():
        await ServedASGIApplication(application)(dict(scope), receive, send)

    try:
        asyncio.run(call())
    except BaseException as error:
        return sent, error
    return sent, None


def test_other_scopes_and_their_messages_go_through():
    seen = []

    async def application(scope, receive, send):
        seen.append((scope["type"], await receive(), marking.current()))
        await send({"type": "lifespan.startup.failed", "message": "no"})
        raise RuntimeError("no lifespan")

    sent, error = run(application, {"type": "lifespan"}, [{"type": "lifespan.startup"}])
    assert seen == [("lifespan", {"type": "lifespan.startup"}, None)]
    assert sent == [{"type": "lifespan.startup.failed", "message": "no"}]
    assert type(error) is RuntimeError
    names = frames(error)
    assert names[-2:] == ["call", "application"] and "__call__" not in names


def frames(error):
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return found


def test_messages_of_extensions_are_the_very_same_objects():
    messages = [
        {"type": "http.response.debug", "info": {}},
        {"type": "http.response.early_hint", "links": []},
        {"type": "http.response.start", "status": 200, "trailers": True},
        {"type": "http.response.pathsend", "path": "/tmp/x"},
        {"type": "http.response.trailers", "headers": []},
    ]

    async def application(scope, receive, send):
        for message in messages:
            await send(message)

    sent, error = run(application, HTTP)
    assert error is None
    assert all(one is other for one, other in zip(sent, messages, strict=True))


def test_a_cancelled_application_sends_nothing_more_and_the_request_ends():
    sent = []

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message["type"])

    async def receive():
        return {"type": "http.disconnect"}

    async def main():
        task = asyncio.create_task(ServedASGIApplication(application)(HTTP, receive, send))
        while not sent:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())
    assert sent == ["http.response.start"]


def test_a_coroutine_that_is_closed_does_not_go_on():
    @types.coroutine
    def suspended():
        yield

    async def application(scope, receive, send):
        await suspended()

    async def nothing(message=None):
        return {}

    coroutine = ServedASGIApplication(application)(dict(HTTP), nothing, nothing)
    coroutine.send(None)
    coroutine.close()
    assert marking.current() is None
