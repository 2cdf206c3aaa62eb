"""Bottle: its catch-all is a boundary, unless `catchall` is off and somebody outside handles it."""

from __future__ import annotations

import pytest

APP = '''
import contextlib
from bottle import Bottle, HTTPResponse, request, response, template

app = Bottle()
users = {"1": {"name": "Ann", "city": {"name": "Ulm"}}, "2": {"name": "Bob", "city": None}}
effects = []

@app.get("/city/<key>")
def city(key):
    effects.append("before")
    return {"city": users[key]["city"]["name"], "effects": effects.count("before")}

@app.post("/order/<key>")
def order(key):
    effects.append("order")
    response.status = 201
    return {"orders": effects.count("order"), "letters": len(users.get(key)["name"])}

@app.get("/stream/<key>")
def stream(key):
    yield str(users[key]["city"]["name"]) + ";"
    yield "end"

@app.get("/late/<key>")
def late(key):
    yield "begin;"
    yield str(users[key]["city"]["name"])
    yield ";end"

@app.get("/template/<key>")
def page(key):
    return template("<{{len(user['name'])}}>", user=users.get(key, {}))

@app.route("/doubt/<key>", method=["GET", "POST"])
def doubt(key):
    effects.append("doubt")
    with getattr(contextlib, "null" + "context")():
        return {"letters": len(users[key]["name"]), "runs": effects.count("doubt")}

@app.get("/answer")
def answer():
    raise HTTPResponse("own answer", status=402)

@app.get("/handled/<key>")
def handled(key):
    return {"name": users[key]["name"]}

def plugin(callback):
    def wrapper(*arguments, **keywords):
        try:
            return callback(*arguments, **keywords)
        except KeyError as error:
            return HTTPResponse({"missing": str(error)}, status=404)
    return wrapper

app.get("/plugin/<key>", apply=[plugin])(handled)

@app.hook("before_request")
def before():
    if "before" in request.query:
        len(users.get("9")["name"])

@app.hook("after_request")
def after():
    if "after" in request.query:
        response.set_header("X-Name", str(users.get("9")["name"]))

@app.error(500)
def sorry(error):
    return "sorry"
'''


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "app"
    path.mkdir()
    (path / "app.py").write_text(APP)
    return path


@pytest.mark.parametrize("name", ["wsgiref", "gunicorn", "waitress"])
def test_on_every_server(serve_wsgi, folder, name):
    server = serve_wsgi(name, cwd=folder)

    def get(path, text, status=200, marks=1, method="GET"):
        answer = server.get(path, method)
        assert (answer.status, answer.text) == (status, text), (path, server.errors)
        assert len(answer.marks) == marks, (path, answer)
        return answer

    get("/city/2", '{"city": null, "effects": 1}')
    get("/city/1", '{"city": "Ulm", "effects": 2}', marks=0)
    get("/city/2", "", method="HEAD")
    get("/order/9", '{"orders": 1, "letters": 0}', 201, method="POST")
    get("/stream/2", ";end")
    get("/late/2", "begin;;end", marks=0)
    assert "Healed after the headers of GET /late/2 had been sent" in server.errors
    get("/handled/1?before=1", '{"name": "Ann"}')
    get("/handled/1?after=1", '{"name": "Ann"}')
    get("/answer", "own answer", 402, 0)
    get("/plugin/9", '{"missing": "\'9\'"}', 404, 0)
    get("/handled/9", '{"name": null}')
    assert "Traceback" not in server.errors
    lost = server.get("/doubt/9", "POST", body="x=1")
    assert (lost.status, lost.text, lost.marks) == (500, "sorry", []), server.errors
    get("/doubt/9", '{"letters": 0, "runs": 2}')


def test_a_safe_request_is_run_again(serve_wsgi, folder):
    server = serve_wsgi("waitress", cwd=folder)
    again = server.get("/doubt/9")
    assert (again.status, again.text) == (200, '{"letters": 0, "runs": 2}'), server.errors
    assert again.marks[0].endswith("; replayed=1")


OUTSIDE = """
app.catchall = False
inner = app

def app(environ, start_response):
    try:
        return inner(environ, start_response)
    except KeyError as error:
        start_response("404 Not there", [("Content-Type", "text/plain")])
        return [f"outside: {error}".encode()]
"""


def test_without_catchall_whoever_is_outside_handles_it(serve_wsgi, folder):
    (folder / "app.py").write_text(APP + OUTSIDE)
    server = serve_wsgi("waitress", cwd=folder)
    missing = server.get("/handled/9")
    assert (missing.status, missing.text, missing.marks) == (404, "outside: '9'", [])
    healed = server.get("/city/2")
    assert (healed.status, len(healed.marks)) == (200, 1), server.errors
