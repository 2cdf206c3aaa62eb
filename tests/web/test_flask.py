"""Flask: what a view, a hook or a stream crashes of is healed; handlers for its class win."""

from __future__ import annotations

import threading

import pytest

APP = '''
import asyncio, contextlib, os, threading
from flask import Blueprint, Flask, Response, g, request, stream_with_context
from flask.views import MethodView

app = Flask(__name__)
users = {"1": {"name": "Ann", "city": {"name": "Ulm"}}, "2": {"name": "Bob", "city": None}}
effects = []
together = threading.Barrier(2)

@app.get("/city/<key>")
def city(key):
    effects.append("before")
    found = users[key]["city"]["name"]
    effects.append("after")
    return {"city": found, "effects": effects.count("before") - effects.count("after")}

@app.post("/order/<key>")
def order(key):
    effects.append("order")
    return {"orders": effects.count("order"), "letters": len(users.get(key)["name"])}, 201

@app.get("/overlap/<key>")
def overlap(key):
    together.wait(20)
    found = users[key]["city"]["name"]
    together.wait(20)
    return {"city": found}

@app.get("/stream/<key>")
def stream(key):
    def rows():
        yield str(users[key]["city"]["name"]) + ";"
        yield "end"
    return Response(stream_with_context(rows()), mimetype="text/plain")

@app.get("/late/<key>")
def late(key):
    def rows():
        yield "begin;"
        yield str(users[key]["city"]["name"])
        yield ";end"
    return Response(rows(), mimetype="text/plain")

@app.get("/async/<key>")
async def asynchronous(key):
    await asyncio.sleep(0)
    return {"city": users[key]["city"]["name"]}

@app.route("/doubt/<key>", methods=["GET", "POST"])
def doubt(key):
    effects.append("doubt")
    with getattr(contextlib, "null" + "context")():
        return {"letters": len(users[key]["name"]), "runs": effects.count("doubt")}

class Item(MethodView):
    def get(self, key):
        return {"letters": len(users.get(key)["name"])}

app.add_url_rule("/item/<key>", view_func=Item.as_view("item"))

shop = Blueprint("shop", __name__, url_prefix="/shop")
inner = Blueprint("inner", __name__, url_prefix="/inner")
other = Blueprint("other", __name__, url_prefix="/other")

@shop.errorhandler(KeyError)
def not_there(error):
    return {"missing": str(error)}, 404

def price(name):
    return {"price": {"tea": 3}[name] * 2}

def share(people):
    return {"share": 6 / people}

for blueprint in (shop, inner, other):
    blueprint.add_url_rule("/price/<name>", view_func=price)
    blueprint.add_url_rule("/share/<int:people>", view_func=share)
shop.register_blueprint(inner)
app.register_blueprint(shop)
app.register_blueprint(other)

@app.errorhandler(IndexError)
def too_short(error):
    return "too short", 400

@app.get("/first")
def first():
    return {"first": [][0]}

@app.before_request
def who():
    if "before" in request.args:
        g.letters = len(users.get("9")["name"])

@app.after_request
def named(response):
    if "after" in request.args:
        response.headers["X-Name"] = str(users.get("9")["name"])
    if "short" in request.args:
        response.headers["X-First"] = str([][0])
    return response

@app.teardown_request
def torn(error):
    if "teardown" in request.args:
        users.get("9")["name"]
        effects.append("torn")

@app.errorhandler(500)
def page(error):
    return "sorry", 500

if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
'''

SERVERS = ["werkzeug", "wsgiref", "waitress", "gunicorn", "gunicorn-gthread", "gunicorn-preload"]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "app"
    path.mkdir()
    (path / "app.py").write_text(APP)
    return path


@pytest.mark.parametrize("name", SERVERS)
def test_on_every_server(serve_wsgi, folder, name):
    server = serve_wsgi(name, cwd=folder)

    def get(path, status=200, method="GET"):
        answer = server.get(path, method)
        assert answer.status == status, (path, answer, server.errors)
        return answer

    healed = get("/city/2")
    assert healed.text == '{"city":null,"effects":0}\n'
    assert healed.marks == [
        "patched=1; guard=chain_subscript_guard; target=users[key]['city']['name']"
    ]
    assert get("/city/2", method="HEAD").marks == healed.marks
    assert (get("/city/1").text, get("/city/1").marks) == ('{"city":"Ulm","effects":0}\n', [])
    ordered = get("/order/9", 201, "POST")
    assert ordered.text == '{"letters":0,"orders":1}\n' and len(ordered.marks) == 1
    assert get("/item/9").text == '{"letters":0}\n'
    stream = get("/stream/2")
    assert (stream.text, len(stream.marks)) == (";end", 1)
    late = get("/late/2")
    assert (late.text, late.marks) == ("begin;;end", [])
    assert "Healed after the headers of GET /late/2 had been sent" in server.errors
    assert get("/async/2").text == '{"city":null}\n'
    for hook in ("before", "after", "teardown"):
        answer = get(f"/item/1?{hook}=1")
        assert (answer.text, len(answer.marks)) == ('{"letters":3}\n', 1), hook
    assert get("/other/price/milk").text == '{"price":0}\n'
    assert get("/shop/price/milk", 404).text == '{"missing":"\'milk\'"}\n'
    assert "Traceback" not in server.errors


@pytest.mark.parametrize("name", ["werkzeug", "wsgiref", "waitress", "gunicorn"])
def test_what_is_in_doubt_is_learned_and_run_again(serve_wsgi, folder, name):
    server = serve_wsgi(name, cwd=folder)
    lost = server.get("/doubt/9", "POST", body="x=1")
    assert (lost.status, lost.text, lost.marks) == (500, "sorry", [])
    assert "nobody handles it there" in server.errors
    healed = server.get("/doubt/9", "POST", body="x=1")
    assert (healed.status, healed.text) == (200, '{"letters":0,"runs":2}\n')
    (folder / "app.py").write_text(APP.replace("def doubt(key):", "def doubt(key):\n    key"))
    server.stop()
    server = serve_wsgi(name, cwd=folder)
    again = server.get("/doubt/9")
    assert (again.status, again.text) == (200, '{"letters":0,"runs":2}\n'), server.errors
    assert again.marks[0].endswith("; replayed=1") and len(again.marks) == 1
    assert not server.get("/doubt/9").marks[0].endswith("replayed=1")


HANDLED = [
    "/shop/price/milk", "/shop/inner/price/milk", "/first", "/city/1", "/nowhere", "/order/1",
    "/shop/price/tea", "/item/1",
]  # fmt: skip


def test_what_the_application_handles_is_as_without_it(serve_wsgi, folder):
    def answers(agent):
        server = serve_wsgi("werkzeug", cwd=folder, agent=agent, env={"PYTHONHASHSEED": "0"})
        found = [server.get(path) for path in HANDLED]
        return [
            (one.status, one.text, [pair for pair in one.headers if pair[0] != "Date"])
            for one in found
        ]

    assert answers(True) == answers(False)
    assert not (folder / ".codesuture_store").exists()


def test_a_handler_that_is_for_others_handles_nothing(serve, folder):
    server = serve("-m", "flask", "run", "-p", "{port}", cwd=folder)
    for path in ("/shop/share/0", "/shop/inner/share/0", "/other/share/0"):
        answer = server.get(path)
        assert (answer.status, answer.text) == (200, '{"share":0.0}\n'), server.errors
        assert answer.marks == ["patched=1; guard=division_guard; target=people"]
    assert server.get("/other/price/milk").marks
    # Flask does not ask handlers for what is raised behind the view's response.
    assert server.get("/item/1?short=1").marks


def test_a_handler_for_every_exception_wins(serve_wsgi, folder):
    text = APP.replace("@app.errorhandler(IndexError)", "@app.errorhandler(Exception)")
    (folder / "app.py").write_text(text)
    server = serve_wsgi("waitress", cwd=folder)
    for path in ("/city/2", "/other/share/0", "/async/2", "/item/9", "/item/1?before=1"):
        answer = server.get(path)
        assert (answer.status, answer.text, answer.marks) == (400, "too short", []), path


@pytest.mark.parametrize(
    "method", ["handle_exception(self, e)", "handle_user_exception(self, e)"]
)
def test_a_subclass_that_handles_by_itself_wins(serve_wsgi, folder, method):
    own = f"class Own(Flask):\n    def {method}:\n        return app.make_response('own')\n"
    (folder / "app.py").write_text(APP.replace("app = Flask", own + "app = Own"))
    server = serve_wsgi("waitress", cwd=folder)
    answer = server.get("/city/2")
    assert (answer.status, answer.text, answer.marks) == (200, "own", []), server.errors


def test_app_run_in_debug_mode(serve, folder):
    text = APP.replace("app.run(port", "app.run(debug=True, use_reloader=False, port")
    (folder / "app.py").write_text(text.replace('os.environ["PORT"]', "os.sys.argv[1]"))
    server = serve("app.py", "{port}", cwd=folder)
    answer = server.get("/city/2")
    assert answer.status == 200 and len(answer.marks) == 1, server.errors


@pytest.mark.parametrize("name", ["werkzeug", "waitress", "gunicorn-gthread"])
def test_of_two_requests_at_a_time_the_healed_one_is_marked(serve_wsgi, folder, name):
    server = serve_wsgi(name, cwd=folder)
    found = {}

    def ask(key):
        found[key] = server.get(f"/overlap/{key}")

    for _ in range(2):
        threads = [threading.Thread(target=ask, args=(key,)) for key in "12"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(40)
        assert (found["1"].text, found["1"].marks) == ('{"city":"Ulm"}\n', [])
        assert (found["2"].text, len(found["2"].marks)) == ('{"city":null}\n', 1)


@pytest.mark.parametrize("name", ["waitress", "gunicorn-gthread"])
def test_a_connection_that_is_kept_alive(serve_wsgi, folder, name):
    server = serve_wsgi(name, cwd=folder)
    connection = server.connect()
    for path, marks in [("/city/2", 1), ("/city/1", 0), ("/late/2", 0), ("/city/1", 0)] * 2:
        assert len(server.get(path, connection=connection).marks) == marks, path
    connection.close()


CLIENT = """
from app import app
app.testing = True
try:
    print(app.test_client().get("/city/2").status)
except TypeError as error:
    print("seen", error)
print(app.test_client().get("/city/2").status)
"""


def test_the_test_client_sees_what_a_test_expects(installed_python, folder):
    (folder / "client.py").write_text(CLIENT)
    done = installed_python.run("client.py", cwd=folder)
    assert done.stdout == "seen 'NoneType' object is not subscriptable\n200 OK\n", done.stderr
