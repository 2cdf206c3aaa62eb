"""Falcon: what `add_error_handler` has been given wins; its own handler for Exception does not."""

from __future__ import annotations

import pytest

APP = '''
import contextlib
import falcon

users = {"1": {"name": "Ann", "city": {"name": "Ulm"}}, "2": {"name": "Bob", "city": None}}
effects = []

class City:
    def on_get(self, req, resp, key):
        effects.append("before")
        resp.media = {"city": users[key]["city"]["name"], "effects": effects.count("before")}

    def on_post(self, req, resp, key):
        effects.append("order")
        resp.status = falcon.HTTP_201
        resp.media = {"letters": len(users.get(key)["name"]), "orders": effects.count("order")}

class Stream:
    def on_get(self, req, resp, key):
        def rows():
            yield str(users[key]["city"]["name"]).encode() + b";"
            yield b"end"
        resp.stream = rows()

class Hooked:
    @falcon.before(lambda req, resp, resource, params: len(users.get("9")["name"]))
    def on_get(self, req, resp):
        resp.text = "hooked"

class Doubt:
    def on_get(self, req, resp, key):
        effects.append("doubt")
        with getattr(contextlib, "null" + "context")():
            letters = len(users[key]["name"])
            resp.media = {"letters": letters, "runs": effects.count("doubt")}

    on_post = on_get

class Share:
    def on_get(self, req, resp, people):
        resp.media = {"share": 6 / people}

class Answer:
    def on_get(self, req, resp):
        raise falcon.HTTPNotFound(title="own answer")

class Middleware:
    def process_request(self, req, resp):
        if "before" in req.params:
            len(users.get("9")["name"])

    def process_response(self, req, resp, resource, succeeded):
        if "after" in req.params:
            resp.set_header("X-Name", str(users.get("9")["name"]))

app = falcon.App(middleware=[Middleware()])
app.add_route("/city/{key}", City())
app.add_route("/stream/{key}", Stream())
app.add_route("/hooked", Hooked())
app.add_route("/doubt/{key}", Doubt())
app.add_route("/share/{people:int}", Share())
app.add_route("/answer", Answer())

def no_share(req, resp, error, params):
    resp.status = falcon.HTTP_400
    resp.text = "no share"
'''


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "app"
    path.mkdir()
    (path / "app.py").write_text(APP)
    return path


@pytest.mark.parametrize("name", ["wsgiref", "gunicorn-gthread", "waitress"])
def test_on_every_server(serve_wsgi, folder, name):
    server = serve_wsgi(name, cwd=folder)

    def get(path, text, status=200, marks=1, method="GET"):
        answer = server.get(path, method)
        assert (answer.status, answer.text) == (status, text), (path, server.errors)
        assert len(answer.marks) == marks, (path, answer)

    get("/city/2", '{"city": null, "effects": 1}')
    get("/city/1", '{"city": "Ulm", "effects": 2}', marks=0)
    get("/city/9", '{"letters": 0, "orders": 1}', 201, method="POST")
    get("/stream/2", ";end")
    get("/hooked", "hooked")
    get("/share/0", '{"share": 0.0}')
    get("/share/3?before=1", '{"share": 2.0}')
    get("/share/3?after=1", '{"share": 2.0}')
    get("/answer", '{"title": "own answer"}', 404, 0)
    assert "Traceback" not in server.errors
    lost = server.get("/doubt/9", "POST", body="x=1")
    assert (lost.status, lost.marks) == (500, []), server.errors
    get("/doubt/9", '{"letters": 0, "runs": 2}')


def test_a_safe_request_is_run_again(serve_wsgi, folder):
    server = serve_wsgi("waitress", cwd=folder)
    again = server.get("/doubt/9")
    assert (again.status, again.text) == (200, '{"letters": 0, "runs": 2}'), server.errors
    assert again.marks[0].endswith("; replayed=1")


@pytest.mark.parametrize("kind", ["ZeroDivisionError", "ArithmeticError", "Exception"])
def test_an_error_handler_wins(serve_wsgi, folder, kind):
    (folder / "app.py").write_text(APP + f"\napp.add_error_handler({kind}, no_share)\n")
    server = serve_wsgi("waitress", cwd=folder)
    answer = server.get("/share/0")
    assert (answer.status, answer.text, answer.marks) == (400, "no share", []), server.errors
    other = server.get("/city/2")
    if kind == "Exception":
        assert (other.status, other.text, other.marks) == (400, "no share", [])
    else:
        assert (other.status, len(other.marks)) == (200, 1), server.errors
