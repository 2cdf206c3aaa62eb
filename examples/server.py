"""A web server each of whose pages crashes on the data that it finds.

    CODESUTURE=1 python examples/server.py
    codesuture run examples/server.py --verbose --retries 3

It answers on port 8000 (or the one that you name behind it), each page with status 200. The
header `X-CodeSuture` of a response says what was healed in it.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USERS = {"ann": {"name": "Ann", "visits": [{"page": "/prices"}]}, "bob": None}
CONFIG = {"theme": "dark"}
PAYMENTS = []


def user_data():
    user = USERS["bob"]
    return {"user": user.name}


def config():
    return {"theme": CONFIG["theme"], "language": CONFIG["language"]}


def process_payment():
    amount = int("12 euros")
    PAYMENTS.append(amount)
    return {"charged": amount, "payments": len(PAYMENTS)}


def latest_user():
    log = {"visits": []}
    return {"latest": log["visits"][0]["user"]["name"]}


PAGES = {
    "/user-data": user_data,
    "/config": config,
    "/process-payment": process_payment,
    "/latest-user": latest_user,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        page = PAGES.get(self.path)
        if page is None:
            self.answer(404, {"error": "no such page", "pages": list(PAGES)})
        else:
            self.answer(200, page())

    do_POST = do_GET

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"Serving on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("Stopped.")
