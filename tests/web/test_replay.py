"""Requests that could not be healed in place: run again where that is safe, left alone elsewhere.

What `untold` is a function chooses whose code is not to be read, so nobody can tell beforehand
whether it swallows the exception.
"""

from __future__ import annotations

import http.client
import json

import pytest

UNTOLD = "import contextlib\nuntold = getattr(contextlib, 'null' + 'context')\n"
WSGI = f"""{UNTOLD}
import json
calls = []

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/calls":
        body = json.dumps(calls)
    else:
        calls.append(environ["REQUEST_METHOD"] + path)
        if path == "/partly":
            start_response("200 OK", [("Content-Type", "text/plain")])(b"begun ")
        if path == "/started":
            start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        if path == "/first":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return first()
        with getattr(contextlib, "null" + "context")():
            body = "[" + str({{}}["name"]) + "]" if path != "/raises" else raises()
    if path != "/started":
        start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]

def first():
    with getattr(contextlib, "null" + "context")():
        body = "[" + str({{}}["name"]) + "]"
    yield body.encode()

def raises():
    raise KeyError("name")
"""
ASGI = f"""{UNTOLD}
import json
calls = []

async def app(scope, receive, send):
    assert scope["type"] == "http"
    message = await receive()
    path = scope["path"]
    start = {{"type": "http.response.start", "status": 200, "headers": []}}
    if path == "/calls":
        body = json.dumps(calls)
    else:
        calls.append(scope["method"] + path)
        if path == "/partly":
            await send(start)
            await send({{"type": "http.response.body", "body": b"begun ", "more_body": True}})
        with getattr(contextlib, "null" + "context")():
            body = str({{}}["name"]) if path != "/raises" else raises()
    if path != "/partly":
        await send(start)
    await send({{"type": "http.response.body", "body": body.encode()}})

def raises():
    raise KeyError("name")
"""
SERVERS = {
    "gunicorn": (WSGI, ["-m", "gunicorn", "-b", "127.0.0.1:{port}", "app:app"]),
    "gthread": (WSGI, ["-m", "gunicorn", "--threads", "2", "-b", "127.0.0.1:{port}", "app:app"]),
    "waitress": (WSGI, ["-m", "waitress", "--listen", "127.0.0.1:{port}", "app:app"]),
    "uvicorn": (ASGI, ["-m", "uvicorn", "--lifespan", "off", "--port", "{port}", "app:app"]),
    "hypercorn": (ASGI, ["-m", "hypercorn", "-b", "127.0.0.1:{port}", "app:app"]),
}


@pytest.fixture(params=SERVERS)
def start(request, serve, tmp_path):
    def start_server(toml=""):
        source, words = SERVERS[request.param]
        (tmp_path / "app.py").write_text(source)
        (tmp_path / "codesuture.toml").write_text(toml)
        return serve(*words, cwd=tmp_path)

    return start_server


def calls(server):
    return json.loads(server.get("/calls").text)


def test_a_safe_request_is_run_again_and_then_healed_in_place(start):
    server = start()
    first, second = server.get("/x"), server.get("/x")
    assert (first.status, second.status) == (200, 200), server.errors
    (mark,) = first.marks
    assert mark.startswith("patched=1; guard=key_guard; ") and mark.endswith("; replayed=1")
    (mark,) = second.marks
    assert "replayed" not in mark
    assert calls(server) == ["GET/x", "GET/x", "GET/x"]


@pytest.mark.parametrize("start", ["gunicorn", "gthread", "waitress"], indirect=True)
@pytest.mark.parametrize("path", ["/started", "/first"])
def test_a_response_that_is_started_but_not_out_is_begun_again(start, path):
    server = start()
    answer = server.get(path)
    assert (answer.status, answer.text) == (200, "[]"), server.errors
    (mark,) = answer.marks
    assert mark.endswith("; replayed=1")
    assert calls(server) == [f"GET{path}", f"GET{path}"]


def test_other_requests_fail_as_they_would_have_and_are_healed_next_time(start):
    server = start()
    first, second = server.get("/x", "POST", body="a=1"), server.get("/x", "POST", body="a=1")
    assert (first.status, first.marks) == (500, [])
    assert (second.status, len(second.marks)) == (200, 1)
    assert calls(server) == ["POST/x", "POST/x"]


def test_a_safe_request_with_a_body_is_not_run_again(start):
    server = start()
    assert server.get("/x", "GET", body="a=1").status == 500
    assert calls(server) == ["GET/x"]


def test_what_has_begun_to_answer_is_not_run_again(start):
    server = start()
    try:
        text = server.get("/partly").text
    except (http.client.HTTPException, OSError):
        text = "cut off"
    assert text in ("begun ", "cut off")
    assert calls(server) == ["GET/partly"]


def test_a_crash_that_nothing_is_learned_from_is_not_run_again(start):
    server = start()
    assert server.get("/raises").status == 500
    assert calls(server) == ["GET/raises"]


@pytest.mark.parametrize("toml", ["retries = 0\n", 'web.replay = ["HEAD"]\n'])
def test_configuration(start, toml):
    server = start(toml)
    assert [server.get("/x").status, server.get("/x").status] == [500, 200]
    assert calls(server) == ["GET/x", "GET/x"]
