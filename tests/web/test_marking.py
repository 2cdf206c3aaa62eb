"""The header of a response that was healed: one for each guard, at most ten, and nothing else."""

from __future__ import annotations

import json

APP = """
import json
SMUGGLED = "a\\r\\nSet-Cookie: x=1; \\u00e4\\"b"

def app(environ, start_response):
    path, data = environ["PATH_INFO"], {}
    if path == "/again":
        found = [data["same"] for _ in range(5)]
    elif path == "/smuggle":
        found = data[SMUGGLED]
    elif path == "/long":
        found = data["k" * 5000]
    elif path == "/twelve":
        found = TWELVE
    else:
        found = "fine"
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Own", "kept")])
    return [json.dumps(found).encode()]
""".replace("TWELVE", str([f"data['k{n}']" for n in range(12)]).replace('"', ""))


def start(serve, tmp_path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    return serve("-m", "waitress", "--listen", "127.0.0.1:{port}", "app:app", cwd=tmp_path)


def test_one_header_for_each_guard_and_at_most_ten(serve, tmp_path):
    server = start(serve, tmp_path)
    for _ in range(2):
        answer = server.get("/twelve")
        assert json.loads(answer.text) == [None] * 12
        targets = [f"patched=1; guard=key_guard; target=data['k{n}']" for n in range(10)]
        assert answer.marks == [*targets, "more=2"]
    assert server.get("/again").marks == ["patched=1; guard=key_guard; target=data['same']"]
    assert server.get("/fine").marks == []


def test_nothing_is_smuggled_into_the_headers(serve, tmp_path):
    server = start(serve, tmp_path)
    answer = server.get("/smuggle")
    names = [name.lower() for name, _ in answer.headers]
    assert "set-cookie" not in names and names.count("x-own") == 1
    (mark,) = answer.marks
    assert mark.startswith("patched=1; guard=key_guard; target=data[SMUGGLED]")
    (mark,) = server.get("/long").marks
    assert len(mark) < 200


def test_keys_are_percent_encoded():
    from codesuture.web.words import line, token

    assert token("data['a\r\nSet-Cookie: x']") == "data['a%0D%0ASet-Cookie%3A%20x']"
    assert token("\u00e4;,\"") == "%C3%A4%3B%2C%22"
    assert len(token("\u00e4" * 1000)) <= 100 and token("\u00e4" * 1000).endswith("%A4")
    assert line("GET", "/a b/\r\nc?token=1") == "GET /a%20b/%0D%0Ac"
