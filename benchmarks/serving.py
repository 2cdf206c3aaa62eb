"""Requests for real servers, from a real load generator (`ab`, of Debian's apache2-utils).

    python benchmarks/serving.py                        # throughput, in turn
    python benchmarks/serving.py --endurance 100000     # all answered, counted, memory flat

The Python that runs this must have codesuture and its `test` extra installed. Three endpoints do
the same: one on a plain server, one with the agent on, one that crashes and is healed each time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from in_turn import ratios

APPLICATION = '''
import json
from flask import Flask

app = Flask(__name__)
USERS = {"ann": {"name": "Ann", "orders": [{"price": n, "count": 2} for n in range(20)]}}
EMPTY = None


def summary(user, nick):
    total = sum(order["price"] * order["count"] for order in user["orders"])
    return {"name": user["name"].upper(), "total": total, "nick": nick}


@app.get("/healthy")
def healthy():
    return summary(USERS["ann"], "none")


@app.get("/crash")
def crash():
    return summary(USERS["ann"], EMPTY.nick)
'''

SERVERS = {
    "gunicorn, 1 process, 8 threads": ["-w", "1", "--threads", "8"],
    "gunicorn, 4 processes": ["-w", "4", "--threads", "2"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=3_000, help="of one round")
    parser.add_argument("--endurance", type=int, default=0, metavar="REQUESTS")
    asked = parser.parse_args()
    if shutil.which("ab") is None:
        raise SystemExit("There is no `ab` here: apt-get install apache2-utils")
    print(f"Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "application.py").write_text(APPLICATION, encoding="utf-8")
        for title, options in SERVERS.items():
            print(f"  {title}:")
            if asked.endurance:
                endure(folder, options, asked.endurance)
            else:
                compare(folder, options, asked.rounds, asked.requests)


def compare(folder: Path, options: Sequence[str], rounds: int, requests: int) -> None:
    """Seconds for the same number of requests, in turn."""
    with serving(folder, options, "0") as plain, serving(folder, options, "1") as armed:
        places = [(plain.port, "healthy"), (armed.port, "healthy"), (armed.port, "crash")]
        for port, path in places:
            load(port, path, 200)
        seconds: list[list[float]] = [[], [], []]
        for number in range(rounds):
            for index in [0, 1, 2][number % 3 :] + [0, 1, 2][: number % 3]:
                seconds[index].append(load(*places[index], requests))
    print(f"    throughput, healthy, agent / plain:   {ratios(seconds[0], seconds[1])}")
    print(f"    throughput, agent, healed / healthy:  {ratios(seconds[1], seconds[2])}")


def endure(folder: Path, options: Sequence[str], requests: int) -> None:
    """Half of the requests crash; ends with an error where anything is not as it is to be."""
    store = folder / ".codesuture_store"
    shutil.rmtree(store, ignore_errors=True)
    with serving(folder, options, "1") as server:
        run_both(server.port, requests // 10)
        early = server.memory()
        run_both(server.port, requests - requests // 10)
        late = server.memory()
    counters = [json.loads(path.read_text()) for path in store.glob("counters/*.json")]
    patches = list(store.glob("patches/*.json"))
    hits = sum(counter["hits"] for counter in counters)
    print(f"    {requests} requests answered; {len(patches)} patch, {hits} heals counted")
    print(f"    memory: {early / 1024:.1f} MiB after a tenth, {late / 1024:.1f} at the end")
    if len(patches) != 1 or hits != requests // 2:
        raise SystemExit(f"expected one patch and {requests // 2} heals")
    audit = [sys.executable, "-m", "codesuture", "audit", "--json"]
    subprocess.run(audit, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def run_both(port: int, requests: int) -> None:
    """As many healthy requests as ones that crash, at the same time."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path: load(port, path, requests // 2), ("healthy", "crash")))


def load(port: int, path: str, requests: int) -> float:
    """Seconds for so many requests over eight connections; ends where one is not answered well."""
    place = f"http://127.0.0.1:{port}/{path}"
    words = ["ab", "-q", "-l", "-k", "-c", "8", "-n", str(requests), place]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    text = done.stdout
    complete, failed = (
        int(found.group(1)) if (found := re.search(rf"{what} requests:\s+(\d+)", text)) else -1
        for what in ("Complete", "Failed")
    )
    if done.returncode or (complete, failed) != (requests, 0) or "Non-2xx" in text:
        raise SystemExit(f"ab: {text[-2000:]}\n{done.stderr}")
    found = re.search(r"Time taken for tests:\s+([\d.]+)", text)
    assert found is not None
    return float(found.group(1))


class Server:
    """A server, and the memory of its processes."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def memory(self) -> int:
        """KiB of the workers together."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        sizes = []
        for child in listed.split():
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{child}/status").read_text())
            sizes.append(int(found.group(1)) if found else 0)
        return sum(sizes)


@contextmanager
def serving(folder: Path, options: Sequence[str], switch: str) -> Iterator[Server]:
    """gunicorn, which answers."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = [sys.executable, "-m", "gunicorn", *options, "--keep-alive", "60"]
    process = subprocess.Popen(
        [*words, "-b", f"127.0.0.1:{port}", "application:app"],
        cwd=folder,
        env={**os.environ, "CODESUTURE": switch},
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    main()
