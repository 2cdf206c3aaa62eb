"""Django under WSGI: views, middlewares, transactions, templates, and REST framework's views."""

from __future__ import annotations

import threading

import pytest

APP = '''
import asyncio, contextlib, os, sys
from pathlib import Path

import django
from django.conf import settings

HERE = Path(__file__).parent
settings.configure(
    DEBUG=False, SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF="urls",
    INSTALLED_APPS=["django.contrib.staticfiles", "rest_framework", "shop"], STATIC_URL="/static/",
    MIDDLEWARE=os.environ.get("MIDDLEWARE", "").split(), LOGGING_CONFIG=None,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "db.sqlite3",
        "ATOMIC_REQUESTS": bool(os.environ.get("ATOMIC"))}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, **eval(os.environ.get("REST", "{}"))},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
from django.core.management import call_command, execute_from_command_line
from django.core.wsgi import get_wsgi_application
if not (HERE / "db.sqlite3").exists():
    call_command("migrate", run_syncdb=True, verbosity=0)
app = get_wsgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
'''

MODELS = '''
from django.db import models

class Order(models.Model):
    name = models.CharField(max_length=20)

    @property
    def price(self):
        return {"tea": 3}[self.name]

    @property
    def letters(self):
        return len(None) if self.name == "milk" else 1

    def total(self):
        return 1 + {"tea": None}["tea"]
'''

URLS = '''
import asyncio, contextlib, threading
from django import template
from django.db import transaction
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import Context, Engine
from django.urls import path
from django.views import View
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.decorators import api_view
from shop.models import Order

users = {"1": {"name": "Ann", "city": {"name": "Ulm"}}, "2": {"name": "Bob", "city": None}}
together = threading.Barrier(2)

def city(request, key):
    return JsonResponse({"city": users[key]["city"]["name"]})

async def asynchronous(request, key):
    await asyncio.sleep(0)
    return JsonResponse({"city": users[key]["city"]["name"]})

class Item(View):
    def get(self, request, key):
        return JsonResponse({"letters": len(users.get(key)["name"])})

    def post(self, request, key):
        Order.objects.create(name=key)
        with transaction.atomic():
            Order.objects.create(name=key)
            letters = len(users.get(key)["name"])
        return JsonResponse({"letters": letters, "orders": Order.objects.count()})

def lost(request, key):
    Order.objects.create(name=key)
    with transaction.atomic():
        Order.objects.create(name=key)
        raise RuntimeError("lost")

def overlap(request, key):
    together.wait(20)
    found = users[key]["city"]["name"]
    together.wait(20)
    return JsonResponse({"city": found})

def count(request):
    return JsonResponse({"orders": Order.objects.count()})

def stream(request, key):
    def rows():
        yield str(users[key]["city"]["name"]) + ";"
        yield "end"
    return StreamingHttpResponse(rows())

def late(request, key):
    def rows():
        yield "begin;"
        yield str(users[key]["city"]["name"])
        yield ";end"
    return StreamingHttpResponse(rows())

def doubt(request, key):
    with getattr(contextlib, "null" + "context")():
        return JsonResponse({"letters": len(users[key]["name"])})

register = template.Library()

@register.simple_tag
def shout(order):
    return {"tea": "TEA"}[order.name]

engine = Engine(debug=False, libraries={}, builtins=["django.template.defaulttags", "urls"])

def page(request, what):
    text = {
        "tag": "<{% shout order %}>", "property": "<{{ order.price }}>",
        "type": "<{{ order.letters }}>", "method": "<{{ order.total }}>",
        "missing": "<{{ order.nothing.at.all }}>", "word": "<{{ order.name.first }}>",
        "condition": "{% if order.price > 3 %}yes{% else %}no{% endif %}",
    }[what]
    return HttpResponse(engine.from_string(text).render(Context({"order": Order(name="milk")})))

class Api(APIView):
    def get(self, request, key):
        return Response({"city": users[key]["city"]["name"]})

@api_view(["GET"])
def api(request, key):
    return Response({"city": users[key]["city"]["name"]})

urlpatterns = [
    path("city/<key>", city), path("async/<key>", asynchronous), path("item/<key>", Item.as_view()),
    path("lost/<key>", lost), path("count", count), path("stream/<key>", stream),
    path("late/<key>", late), path("doubt/<key>", doubt), path("page/<what>", page),
    path("overlap/<key>", overlap), path("rest/<key>", Api.as_view()), path("api/<key>", api),
]
'''

MIDDLEWARES = '''
from django.http import JsonResponse
from django.utils.deprecation import MiddlewareMixin
from rest_framework.response import Response

class Old(MiddlewareMixin):
    def process_exception(self, request, exception):
        if isinstance(exception, LookupError):
            return JsonResponse({"handled": str(exception)}, status=400)

class Observer:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        print("seen", type(exception).__name__, flush=True)

class Everything(Observer):
    def process_exception(self, request, exception):
        return JsonResponse({"handled": type(exception).__name__}, status=400)

def crashing(get_response):
    def middleware(request):
        request.letters = len({"a": None}["a"]) if "before" in request.GET else 0
        response = get_response(request)
        if "after" in request.GET:
            response["X-Name"] = str({"a": None}["a"]["name"])
        return response
    return middleware

def too_late(get_response):
    # Django makes a response of every exception before it comes here.
    def middleware(request):
        try:
            return get_response(request)
        except Exception:
            return JsonResponse({"never": True})
    return middleware

def handler(exception, context):
    return Response({"handled": type(exception).__name__}, status=400)
'''


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "app"
    (path / "shop").mkdir(parents=True)
    (path / "app.py").write_text(APP)
    (path / "urls.py").write_text(URLS)
    (path / "middlewares.py").write_text(MIDDLEWARES)
    (path / "shop" / "__init__.py").touch()
    (path / "shop" / "models.py").write_text(MODELS)
    return path


@pytest.fixture
def serve_django(serve, serve_wsgi):
    """`runserver`, or one of the servers for WSGI."""

    def start(name, **options):
        if name == "runserver":
            return serve("app.py", "runserver", "--noreload", "{port}", **options)
        return serve_wsgi(name, **options)

    return start


@pytest.mark.parametrize("name", ["runserver", "gunicorn", "gunicorn-gthread", "waitress"])
def test_on_every_server(serve_django, folder, name):
    server = serve_django(name, cwd=folder)

    def get(path, text, marks=1, method="GET"):
        answer = server.get(path, method)
        assert (answer.status, answer.text) == (200, text), (path, server.errors)
        assert len(answer.marks) == marks, (path, answer)
        return answer

    healed = get("/city/2", '{"city": null}')
    assert healed.marks == [
        "patched=1; guard=chain_subscript_guard; target=users[key]['city']['name']"
    ]
    get("/city/1", '{"city": "Ulm"}', 0)
    get("/city/2", "", method="HEAD")
    get("/async/2", '{"city": null}')
    get("/item/9", '{"letters": 0}')
    get("/stream/2", ";end")
    get("/late/2", "begin;;end", 0)
    get("/rest/2", '{"city":null}')
    get("/api/2", '{"city":null}')
    assert get("/doubt/9", '{"letters": 0}').marks[0].endswith("; replayed=1")
    assert server.errors.count("Traceback") == 1  # of the first run of /doubt/9


def test_transactions_are_committed_where_it_is_healed_and_rolled_back_elsewhere(
    serve_django, folder
):
    server = serve_django("waitress", cwd=folder)
    healed = server.get("/item/9", "POST")
    assert healed.text == '{"letters": 0, "orders": 2}' and len(healed.marks) == 1, server.errors
    lost = server.get("/lost/9", "POST")
    assert (lost.status, lost.marks) == (500, [])
    assert server.get("/count").text == '{"orders": 3}'  # what was not in the block is kept


def test_requests_that_are_one_transaction(serve_django, folder):
    server = serve_django("runserver", cwd=folder, env={"ATOMIC": "1"})
    healed = server.get("/item/9", "POST")
    assert healed.text == '{"letters": 0, "orders": 2}' and len(healed.marks) == 1, server.errors
    assert server.get("/lost/9", "POST").status == 500
    assert server.get("/count").text == '{"orders": 2}'


def test_templates(serve_django, folder):
    server = serve_django("waitress", cwd=folder)
    healed = {"tag": "<None>", "property": "<None>", "type": "<0>", "method": "<1>"}
    for what, text in healed.items():
        answer = server.get(f"/page/{what}")
        assert (answer.status, answer.text, len(answer.marks)) == (200, text, 1), server.errors
    # What Django itself takes for an answer.
    for what, text in {"missing": "<>", "word": "<>", "condition": "no"}.items():
        answer = server.get(f"/page/{what}")
        assert (answer.status, answer.text, answer.marks) == (200, text, [])


PATHS = ["/city/9", "/city/2", "/item/9", "/async/9", "/page/tag", "/city/1", "/api/9", "/nowhere"]


@pytest.mark.parametrize(
    ("settings", "healed"),
    [
        ({"MIDDLEWARE": "middlewares.Everything"}, []),
        ({"MIDDLEWARE": "middlewares.Old"}, ["/city/2", "/item/9"]),
        ({"MIDDLEWARE": "middlewares.Observer"}, [*PATHS[:5], "/api/9"]),
        ({"MIDDLEWARE": "middlewares.too_late middlewares.Observer"}, [*PATHS[:5], "/api/9"]),
        ({"REST": "{'EXCEPTION_HANDLER': 'middlewares.handler'}"}, PATHS[:5]),
    ],
    ids=["everything", "old style", "observer", "too late", "rest framework"],
)
def test_who_handles_an_exception_gets_it(serve_django, folder, settings, healed):
    plain = serve_django("waitress", cwd=folder, env=settings, agent=False)
    server = serve_django("waitress", cwd=folder, env=settings)
    for path in PATHS:
        expected, answer = plain.get(path), server.get(path)
        if path in healed:
            assert expected.status == 500
            assert (answer.status, len(answer.marks)) == (200, 1), (path, answer, server.errors)
        else:
            assert expected.status < 500
            assert (answer.status, answer.text, answer.marks) == (
                expected.status, expected.text, [],
            ), path  # fmt: skip
    assert "seen" not in server.output


def test_middlewares_and_receivers_of_signals(serve_django, folder):
    told = "def told(**_):\n    print('told', flush=True)\nSIGNAL.connect(told)\n"
    text = APP.replace("app = get", told.replace("SIGNAL", "got_request_exception") + "app = get")
    signal = "from django.core.signals import got_request_exception\n"
    text = text.replace("from django.core.wsgi", signal + "from django.core.wsgi")
    (folder / "app.py").write_text(text)
    server = serve_django("runserver", cwd=folder, env={"MIDDLEWARE": "middlewares.crashing"})
    paths = {"/city/2": 1, "/city/1?before=1": 1, "/city/1?after=1": 1, "/city/1": 0}
    for path, marks in paths.items():
        answer = server.get(path)
        assert (answer.status, len(answer.marks)) == (200, marks), (path, server.errors)
    assert server.get("/lost/9", "POST").status == 500
    assert server.output.count("told") == 1


@pytest.mark.parametrize("name", ["runserver", "gunicorn-gthread", "waitress"])
def test_of_two_requests_at_a_time_the_healed_one_is_marked(serve_django, folder, name):
    server = serve_django(name, cwd=folder)
    found = {}

    def ask(key):
        found[key] = server.get(f"/overlap/{key}")

    threads = [threading.Thread(target=ask, args=(key,)) for key in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert (found["1"].text, found["1"].marks) == ('{"city": "Ulm"}', [])
    assert (found["2"].text, len(found["2"].marks)) == ('{"city": null}', 1)


CLIENT = """
import app
from django.test import Client
try:
    print(Client().get("/city/2").status_code)
except TypeError as error:
    print("seen", error)
print(Client(raise_request_exception=False).get("/city/2").status_code)
"""


def test_the_test_client_sees_what_a_test_expects(installed_python, folder):
    (folder / "client.py").write_text(CLIENT)
    done = installed_python.run("client.py", cwd=folder)
    assert done.stdout == "seen 'NoneType' object is not subscriptable\n200\n", done.stderr
