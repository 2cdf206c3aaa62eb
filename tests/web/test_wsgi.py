"""The protocol between servers and applications (PEP 3333), with and without the middleware."""

from __future__ import annotations

import re
import time

import pytest

APP = '''
import json, os, sys
from wsgiref.validate import validator
from codesuture.middleware import CodeSutureMiddleware
users = {"1": {"name": "Ann", "city": {"name": "Ulm"}}, "2": {"name": "Bob", "city": None}}
closed = []

class Body:
    def __init__(self, parts, key):
        self.parts, self.key = parts, key

    def __iter__(self):
        return self

    def __next__(self):
        if not self.parts:
            raise StopIteration
        part = self.parts.pop(0)
        return part if part else str(users[self.key]["city"]["name"]).encode()

    def close(self):
        closed.append(self.key)

class Lost(Body):
    def __next__(self):
        raise RuntimeError("in body")

def inner(environ, start_response):
    kind, _, key = environ["PATH_INFO"][1:].partition("/")
    headers = [("Content-Type", "text/plain")]
    if kind == "plain":
        import later
        body = later.city(users, key)
        start_response("200 OK", headers + [("Content-Length", str(len(body)))])
        return [body]
    if kind == "write":
        write = start_response("200 OK", headers)
        write(b"begin;")
        write(str(users[key]["city"]["name"]).encode())
        return [b";end"]
    if kind == "generator":
        return generator(environ, start_response, key)
    if kind == "iterator":
        start_response("200 OK", headers)
        return Body([b"", b";", b"end"], key)
    if kind == "length":
        start_response("200 OK", headers + [("Content-Length", "4")])
        return Body([b"", b";", b"end"], key)
    if kind == "boom":
        start_response("200 OK", headers)
        return Lost([], key)
    if kind == "closed":
        start_response("200 OK", headers)
        return [json.dumps(closed).encode()]
    if kind == "file":
        start_response("200 OK", headers)
        users[key]["city"]["name"]
        wrapper = environ.get("wsgi.file_wrapper", lambda f, n: iter(lambda: f.read(n), b""))
        return wrapper(open(__file__, "rb"), 8192)
    if kind == "again":
        start_response("200 OK", headers)
        try:
            raise ValueError("own")
        except ValueError:
            name = users[key]["city"]["name"]
            start_response("418 Teapot", headers, sys.exc_info())
        return [str(name).encode()]
    if kind == "twice":
        start_response("200 OK", headers)
        start_response("200 OK", headers)
        return [b"never"]
    if kind == "raise":
        raise RuntimeError("lost")
    if kind == "bad":
        start_response("200 OK", [("X", 5)])
        return Body([b"x"], "bad")
    start_response("404 Not Found", headers)
    return []

def generator(environ, start_response, key):
    name = users[key]["city"]["name"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield str(name).encode() + b";"
    yield b"end"

how = os.environ["HOW"]
if how == "plain":
    app = inner
elif how == "middleware":
    app = CodeSutureMiddleware(inner)
elif how == "inside":
    app = CodeSutureMiddleware(validator(inner))
elif how == "around":
    app = validator(CodeSutureMiddleware(inner))
'''

LATER = '''
def city(users, key):
    return str(users[key]["city"]["name"]).encode()
'''

SERVERS = ["werkzeug", "wsgiref", "waitress", "gunicorn", "gunicorn-gthread"]
HEALED = {
    "/plain/2": "", "/generator/2": ";end", "/iterator/2": ";end", "/length/2": ";end",
    "/again/2": "", "/file/2": APP,
}  # fmt: skip
OTHERS = ["/plain/1", "/twice/2", "/raise/2", "/boom/x", "/closed", "/write/1", "/file/1"]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "app"
    path.mkdir()
    (path / "app.py").write_text(APP)
    (path / "later.py").write_text(LATER)
    return path


def check_healed(server):
    """Every way to answer is healed, and marked once."""
    for path, text in HEALED.items():
        answer = server.get(path)
        assert answer.status == (418 if path == "/again/2" else 200), (path, server.errors)
        assert (answer.text, len(answer.marks)) == (text, 1), (path, answer)
    head = server.get("/plain/2", "HEAD")
    assert (head.status, head.text, len(head.marks)) == (200, "", 1)
    begun = server.get("/write/2")
    assert (begun.status, begun.text, begun.marks) == (200, "begin;;end", [])
    assert "Healed after the headers of GET /write/2 had been sent" in server.errors


def answers(server):
    """What a client sees of the others."""
    found = []
    for path in OTHERS:
        answer = server.get(path)
        headers = [(name, value) for name, value in answer.headers if name != "Date"]
        found.append((path, answer.status, answer.text, headers))
    return found


def traces(server):
    """The frames that the server shows of what the application raised, in any order: werkzeug's
    threads tell of it behind the response."""
    for path in ("/twice/2", "/raise/2"):
        assert server.get(path).status == 500
    end = time.monotonic() + 20
    while server.errors.count("Error: ") < 2 and time.monotonic() < end:
        time.sleep(0.02)
    return sorted(re.findall(r'File "([^"]+)", line (\d+), in (.*)', server.errors))


@pytest.mark.parametrize("name", SERVERS)
def test_with_the_agent(serve_wsgi, folder, name):
    plain = serve_wsgi(name, cwd=folder, agent=False, env={"HOW": "plain"})
    server = serve_wsgi(name, cwd=folder, env={"HOW": "plain"})
    assert answers(server) == answers(plain)
    check_healed(server)


@pytest.mark.parametrize("name", ["werkzeug", "wsgiref", "waitress", "gunicorn"])
def test_no_frame_of_ours_is_shown(serve_wsgi, folder, name):
    plain = serve_wsgi(name, cwd=folder, agent=False, env={"HOW": "plain"})
    server = serve_wsgi(name, cwd=folder, env={"HOW": "middleware"})
    shown = traces(server)
    assert shown == traces(plain) and shown


@pytest.mark.parametrize("name", SERVERS)
def test_the_middleware_without_the_agent(serve_wsgi, folder, name):
    server = serve_wsgi(name, cwd=folder, agent=False, env={"HOW": "middleware"})
    check_healed(server)
    for path in ("/twice/2", "/raise/2", "/boom/x"):
        assert server.get(path).status == 500
    closed = server.get("/closed")
    assert closed.text == '["2", "2", "x"]' and closed.marks == []


@pytest.mark.parametrize("name", ["werkzeug", "wsgiref", "gunicorn"])
def test_the_middleware_with_the_agent(serve_wsgi, folder, name):
    plain = serve_wsgi(name, cwd=folder, agent=False, env={"HOW": "plain"})
    server = serve_wsgi(name, cwd=folder, env={"HOW": "middleware"})
    assert answers(server) == answers(plain)
    check_healed(server)


UNKNOWN_SERVER = """
import sys
from app import app
from cheroot.wsgi import Server

def outside(environ, start_response):
    try:
        return app(environ, start_response)
    except TypeError as error:
        start_response("400 Outside", [("Content-Type", "text/plain")])
        return [str(error).encode()]

Server(("127.0.0.1", int(sys.argv[1])), globals()[sys.argv[2]]).start()
"""


@pytest.mark.parametrize("agent", [True, False], ids=["agent", "no agent"])
def test_the_middleware_under_a_server_that_is_not_known(serve, folder, agent):
    (folder / "serve.py").write_text(UNKNOWN_SERVER)

    def start(application):
        return serve(
            "serve.py", "{port}", application, cwd=folder, agent=agent, env={"HOW": "middleware"}
        )

    check_healed(start("app"))
    handled = start("outside").get("/plain/2")
    assert (handled.status, handled.marks) == (400, [])


OWN_ERRORS = """
import sys
from app import app
from wsgiref import simple_server

class Own(simple_server.ServerHandler):
    def error_output(self, environ, start_response):
        start_response("503 Own", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"own"]

simple_server.ServerHandler = Own
simple_server.make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""


@pytest.mark.parametrize("how", ["plain", "middleware"])
def test_a_handler_of_wsgiref_with_its_own_way_wins(serve, folder, how):
    (folder / "serve.py").write_text(OWN_ERRORS)
    server = serve("serve.py", "{port}", cwd=folder, env={"HOW": how})
    for path in ("/plain/2", "/iterator/2", "/generator/2"):
        answer = server.get(path)
        assert (answer.status, answer.text, answer.marks) == (503, "own", []), server.errors


@pytest.mark.parametrize("how", ["inside", "around"])
@pytest.mark.parametrize("agent", [True, False], ids=["agent", "no agent"])
def test_the_validator_has_no_objections(serve_wsgi, folder, how, agent):
    server = serve_wsgi("wsgiref", cwd=folder, agent=agent, env={"HOW": how})
    check_healed(server)
    assert "AssertionError" not in server.errors and "Iterator garbage" not in server.errors


@pytest.mark.parametrize("name", ["waitress", "gunicorn-gthread"])
def test_a_connection_that_is_kept_alive(serve_wsgi, folder, name):
    server = serve_wsgi(name, cwd=folder, env={"HOW": "middleware"})
    connection = server.connect()
    for _ in range(2):
        for path, marks in {"/plain/2": 1, "/plain/1": 0, "/generator/2": 1, "/closed": 0}.items():
            assert len(server.get(path, connection=connection).marks) == marks, path
        head = server.get("/plain/2", "HEAD", connection=connection)
        assert (head.text, len(head.marks)) == ("", 1)
    connection.close()


def test_switched_off(serve_wsgi, folder):
    server = serve_wsgi(
        "waitress", cwd=folder, agent=False, env={"HOW": "middleware", "CODESUTURE": "0"}
    )
    assert server.get("/plain/2").status == 500 and server.get("/plain/1").text == "Ulm"
    assert "CodeSuture" not in server.errors
