"""Servers of the standard library: the request that crashed is answered, and says so."""

from __future__ import annotations

import json
import re
import signal
import socket
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "server.py"

HTTP = """
import json, sys, threading
import http.server, socketserver

class Forking(socketserver.ForkingMixIn, http.server.HTTPServer):
    pass

DATA, calls, meeting = {"user": None}, [], threading.Barrier(2, timeout=20)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def page(self):
        calls.append(self.path)
        if self.path == "/crash":
            return DATA["user"].name
        if self.path.startswith("/meet"):
            meeting.wait()
            found = DATA["user"].name if self.path == "/meet-crash" else "fine"
            meeting.wait()
            return found
        if self.path == "/calls":
            return calls[:-1]
        return "fine"

    def do_GET(self):
        if self.path.startswith("/late"):
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            DATA["user"].name
            self.wfile.write(b"late")
            return
        self.answer(200, self.page())

    do_HEAD = do_POST = do_GET

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

servers = {"plain": http.server.HTTPServer, "threading": http.server.ThreadingHTTPServer}
try:
    servers.get(sys.argv[2], Forking)(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
except KeyboardInterrupt:
    pass
"""
MARK = r"patched=1; guard=null_guard; target=DATA\['user'\]"


@pytest.fixture
def http_server(serve, tmp_path):
    def start(kind="threading"):
        (tmp_path / "app.py").write_text(HTTP, encoding="utf-8")
        return serve("app.py", "{port}", kind, cwd=tmp_path)

    return start


def hits(folder):
    """How often a site was healed, as the store has it."""
    (counter,) = (folder / ".codesuture_store" / "counters").glob("*.json")
    return json.loads(counter.read_text())["hits"]


@pytest.mark.parametrize("kind", ["plain", "threading", "forking"])
def test_http_server(http_server, tmp_path, kind):
    server = http_server(kind)
    first, healthy, second = (server.get(path) for path in ("/crash", "/fine", "/crash"))
    assert [one.status for one in (first, healthy, second)] == [200] * 3
    assert (first.text, healthy.text, second.text) == ("null", '"fine"', "null")
    assert [len(one.marks) for one in (first, healthy, second)] == [1, 0, 1]
    assert re.fullmatch(MARK, first.marks[0])
    assert server.get("/crash", "POST", body="").marks
    assert server.get("/crash", "HEAD").marks
    assert server.stop(signal.SIGINT) == 0
    assert "Traceback" not in server.errors
    assert hits(tmp_path) == 4


def test_each_page_ran_once(http_server):
    server = http_server()
    for path in ("/crash", "/fine", "/crash"):
        server.get(path)
    assert json.loads(server.get("/calls").text) == ["/crash", "/fine", "/crash"]


def test_keep_alive(http_server):
    server = http_server()
    connection = server.connect()
    paths = ("/fine", "/crash", "/fine", "/late", "/fine", "/crash")
    found = [server.get(path, connection=connection).marks for path in paths]
    assert [len(marks) for marks in found] == [0, 1, 0, 0, 0, 1]
    connection.close()


def test_only_the_healed_one_of_two_requests_at_a_time(http_server):
    server = http_server()
    with ThreadPoolExecutor(2) as pool:
        crash, fine = pool.map(server.get, ("/meet-crash", "/meet-fine"))
    assert (len(crash.marks), len(fine.marks)) == (1, 0)


def test_a_heal_behind_the_headers_is_told_with_the_request(http_server):
    server = http_server()
    late = server.get("/late?token=secret")
    assert (late.status, late.text, late.marks) == (200, "late", [])
    assert server.get("/late").marks == []
    server.stop()
    told = [line for line in server.errors.splitlines() if "after the headers" in line]
    assert len(told) == 2  # once for each request
    assert all("after the headers of GET /late had been sent" in line for line in told)
    assert "secret" not in "".join(told)


@pytest.mark.parametrize(
    ("toml", "names"),
    [
        ('web.header = "X-Patched"\n', ["X-Patched"]),
        ("web.mark = false\n", []),
        ("", ["X-CodeSuture"]),
    ],
)
def test_the_header_by_configuration(http_server, tmp_path, toml, names):
    (tmp_path / "codesuture.toml").write_text(toml)
    answer = http_server().get("/crash")
    assert answer.status == 200
    assert [name for name, value in answer.headers if "guard=" in value] == names


def test_the_example(serve, tmp_path):
    """The four pages of the README, with `CODESUTURE=1` and with `codesuture run`."""
    flags = ["-m", "codesuture", "run", EXAMPLE, "--verbose", "--retries", "3", "{port}"]
    for words, agent in (([EXAMPLE, "{port}"], True), (flags, False)):
        server = serve(*words, cwd=tmp_path, agent=agent)
        pages = {
            "/user-data": ("null_guard", {"user": None}),
            "/config": ("key_guard", {"theme": "dark", "language": None}),
            "/process-payment": ("type_coercion_guard", {"charged": 0, "payments": 1}),
            "/latest-user": ("chain_subscript_guard", {"latest": None}),
        }
        for path, (guard, body) in pages.items():
            answer = server.get(path)
            assert (answer.status, json.loads(answer.text)) == (200, body)
            (mark,) = answer.marks
            assert mark.startswith(f"patched=1; guard={guard}; target=")
        assert server.get("/nothing").marks == []
        assert server.stop(signal.SIGINT) == 0
        assert "Traceback" not in server.errors


RAW = """
import socketserver, sys
DATA, served = {"hello": "world"}, []
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            served.append(line)
            self.wfile.write(f"{len(served)}:{DATA[line.decode().strip()]}\\n".encode())
class Server(socketserver.%sTCPServer):
    allow_reuse_address = daemon_threads = True
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.parametrize("kind", ["", "Threading", "Forking"])
def test_socketserver(serve, tmp_path, kind):
    (tmp_path / "app.py").write_text(RAW % kind)
    server = serve("app.py", "{port}", cwd=tmp_path)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        lines = client.makefile("rw", encoding="utf-8")
        for number, (word, answer) in enumerate(
            [("hello", "world"), ("nobody", "None"), ("hello", "world"), ("nobody", "None")], 1
        ):
            lines.write(f"{word}\n")
            lines.flush()
            assert lines.readline() in (f"{number}:{answer}\n", f"{number}:\n")
        lines.close()
    server.stop()
    assert "Traceback" not in server.errors


XMLRPC = """
import sys
from xmlrpc.server import SimpleXMLRPCServer
PRICES, calls = {"tea": 2}, []

def price(name: str) -> int:
    calls.append(name)
    return PRICES[name]

def careful(name):
    try:
        return PRICES[name]
    except KeyError:
        return -1

server = SimpleXMLRPCServer(("127.0.0.1", int(sys.argv[1])), allow_none=True, logRequests=False)
server.register_multicall_functions()
for function in (price, careful):
    server.register_function(function)
server.register_function(lambda: calls, "calls")
server.serve_forever()
"""


def test_xmlrpc(serve, tmp_path):
    (tmp_path / "app.py").write_text(XMLRPC)
    plain = serve("app.py", "{port}", cwd=tmp_path, agent=False)
    server = serve("app.py", "{port}", cwd=tmp_path)
    proxy = xmlrpc.client.ServerProxy(f"http://127.0.0.1:{plain.port}")
    with proxy, pytest.raises(xmlrpc.client.Fault, match="KeyError"):
        proxy.price("coffee")
    with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{server.port}", allow_none=True) as proxy:
        assert (proxy.price("tea"), proxy.price("coffee"), proxy.careful("coffee")) == (2, 0, -1)
        many = xmlrpc.client.MultiCall(proxy)
        many.price("coffee")
        many.price("tea")
        assert list(many()) == [0, 2]
        assert proxy.calls() == ["tea", "coffee", "coffee", "tea"]
    request = xmlrpc.client.dumps(("coffee",), "price")
    answer = server.get("/RPC2", "POST", request, {"Content-Type": "text/xml"})
    assert len(answer.marks) == 1


WSGIREF = """
import sys
from wsgiref.simple_server import make_server
DATA, calls = {"user": None}, []

def app(environ, start_response):
    calls.append(environ["PATH_INFO"])
    if environ["PATH_INFO"] == "/handled":
        try:
            DATA["user"].name
        except AttributeError:
            pass
    body = f"{DATA['user'].name}" if environ["PATH_INFO"] == "/crash" else "fine"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]

make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""


def test_wsgiref(serve, tmp_path):
    (tmp_path / "app.py").write_text(WSGIREF)
    server = serve("app.py", "{port}", cwd=tmp_path)
    found = [server.get(path) for path in ("/crash", "/fine", "/handled", "/crash")]
    assert [one.status for one in found] == [200] * 4
    assert [len(one.marks) for one in found] == [1, 0, 0, 1]
    server.stop()
    assert "Traceback" not in server.errors


def test_requests_from_many_threads(http_server, tmp_path):
    server = http_server()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(server.get, ["/crash", "/fine"] * 100))
    assert [len(one.marks) for one in found] == [1, 0] * 100
    server.stop(signal.SIGINT)
    assert hits(tmp_path) == 100
