"""`--dry-run`: what each crash would get, and nothing is changed: no program and no store."""

from __future__ import annotations

from pathlib import Path

import pytest

PROGRAM = """\
import asyncio, contextlib, http.server, sys, threading, urllib.error, urllib.request

def price(row):
    return row["price"]

def pick(rows):
    return rows[0].name

def guarded(call, *arguments):
    try:
        return call(*arguments)
    except LookupError as error:
        return f"handled {error!r}"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(price({"price": 1} if self.path == "/" else {})).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass

class Server(http.server.HTTPServer):
    def handle_timeout(self):
        pass

def fetch(url):
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as answer:
            return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__

async def job():
    return pick([None])

async def main():
    print("gathered", await asyncio.gather(job(), return_exceptions=True))
    await job()

print(guarded(price, {}), guarded(list.pop, []))
for number in range(3):
    thread = threading.Thread(target=price, args=({},), name=f"worker-{number}")
    thread.start()
    thread.join()
server = Server(("127.0.0.1", 0), Handler)
serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
serving.start()
where = f"http://127.0.0.1:{server.server_port}"
print(fetch(where + "/"), fetch(where + "/bad"), fetch(where + "/"))
server.shutdown()
serving.join()
server.server_close()
loop = asyncio.new_event_loop()
loop.call_soon(pick, [None])
loop.call_soon(loop.stop)
loop.run_forever()
loop.close()
sys.stderr.write("the end\\n")
asyncio.run(main())
"""


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All files and folders below, with times and contents."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            b"" if path.is_dir() else path.read_bytes(),
        )
        for path in sorted(folder.rglob("*"))
    }


def split(text: str) -> tuple[list[str], list[str]]:
    """Our lines without the tag, and the program's own."""
    tag = "[CodeSuture] "
    ours = [line.removeprefix(tag) for line in text.splitlines() if line.startswith(tag)]
    return ours, [line for line in text.splitlines() if not line.startswith(tag)]


def steady_ports(lines: list[str]) -> list[str]:
    return [line.partition("('127.0.0.1', ")[0] for line in lines]


def test_every_shape_fails_as_it_would_have(installed_python, tmp_path: Path, steady) -> None:
    """Threads, a server, callbacks of a loop, tasks, and the end of the program."""
    (tmp_path / "app.py").write_text(PROGRAM)
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
    assert plain.returncode == 1 and plain.stderr.count("Traceback") == 6, plain.stderr
    done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_DRY_RUN": "1"})
    assert (done.stdout, done.returncode) == (plain.stdout, 1)
    ours, rest = split(steady(done.stderr))
    assert steady_ports(rest) == steady_ports(steady(plain.stderr).splitlines())
    assert not (tmp_path / ".codesuture_store").exists()
    price, pick = "KeyError at app.py:4", "AttributeError at app.py:7"
    assert ours[:4] == [
        "Caught KeyError: 'price'",
        "Would apply key_guard on 'row['price']' ...",
        "Not applied at app.py:4: this is a dry run; it would have supplied None "
        "(guard: It is the default of key_guard).",
        "Seen for the first time.",
    ]
    again = [line for line in ours if line.startswith("Seen ") and "times" in line]
    assert again == [
        f"Seen {number} times in this process: {price}, which would get None by key_guard."
        for number in (2, 3, 4)
    ] + [f"Seen 2 times in this process: {pick}, which would get None by null_guard."]
    assert len(ours) == 12


def test_an_existing_store_is_read_and_stays_as_it_is(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import sys\n"
        "def bio(profile): return profile.bio\n"
        "def price(row): return row['price'] * 2\n"
        "for number in range(int(sys.argv[1])): bio(None)\n"
        "if sys.argv[2:]: price({})\n"
        "print('done')\n"
    )
    installed_python.run("app.py", "3", cwd=tmp_path)
    # Left alone, and counted.
    installed_python.run("app.py", "0", "x", cwd=tmp_path, env={"CODESUTURE_PROTECT": "app"})
    store = tmp_path / ".codesuture_store"
    before = tree(store)
    assert len(before) > 8
    plain = installed_python.run("app.py", "1", cwd=tmp_path, agent=False)
    (tmp_path / "codesuture.toml").write_text("dry_run = true\n")
    done = installed_python.run("app.py", "1", cwd=tmp_path)
    ours, rest = split(done.stderr)
    assert (done.stdout, rest, done.returncode) == ("", plain.stderr.splitlines(), 1)
    assert ours[1:] == [
        "Would apply null_guard on 'profile' ...",
        "Not applied at app.py:2: this is a dry run; it would have supplied None "
        "(approved: its patch says so).",
        "Seen for the first time in this process; before it was healed 3 times.",
    ]
    done = installed_python.run("app.py", "0", "x", cwd=tmp_path)
    assert split(done.stderr)[0][-1] == (
        "Seen for the first time in this process; before it was left alone once."
    )
    assert "supplied 0 (consumer: " in done.stderr
    assert tree(store) == before


PATTERNS = """\
import sys
def title(row): return "a" + row["title"]
def name(row): return "b" + row["name"]
def nick(person): return "c" + person["nick"]
print(title({}), name({})) if sys.argv[1:] else nick({})
"""


def test_how_often_a_pattern_is_known(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PATTERNS)
    installed_python.run("app.py", "heal", cwd=tmp_path)
    done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_DRY_RUN": "1"})
    assert split(done.stderr)[0][-1] == (
        "Seen for the first time. Its pattern is known from 2 other sites."
    )
    done = installed_python.run("app.py", "x", cwd=tmp_path, env={"CODESUTURE_DRY_RUN": "1"})
    assert split(done.stderr)[0][-1] == (
        "Seen for the first time in this process; before it was healed once. "
        "Its pattern is known from 1 other site."
    )


DOUBTED = """\
import contextlib
def get(d):
    with getattr(contextlib, 'null' + 'context')():
        return d["name"]
def work():
    return get({})
work()
"""


def test_what_would_be_learned_and_what_would_be_left_alone(
    installed_python, tmp_path: Path
) -> None:
    """A fate that is not known beforehand; a guard that is off; a module that is protected."""
    (tmp_path / "app.py").write_text(DOUBTED)
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)

    def run(**variables: str) -> str:
        done = installed_python.run(
            "-m", "codesuture", "run", "--dry-run", "app.py", agent=False, cwd=tmp_path,
            env=variables,
        )  # fmt: skip
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith(plain.stderr)
        assert "Re-executing" not in done.stderr
        assert not (tmp_path / ".codesuture_store").exists()
        return done.stderr.removeprefix(plain.stderr)

    told = run()
    assert "Would apply key_guard on 'd['name']' ...\n" in told
    assert "reached the top of the program: that would be learned, and from the next time" in told
    assert told.endswith(
        "Session summary:\n  Patches applied: 0\n  Patches that would be applied: 1\n"
        "  Crashes that would be healed: 1\n"
    )
    alone = "  Patches applied: 0\n  Patches that would be applied: 0\n"
    alone += "  Crashes that would be healed: 0\n  Crashes that would be left alone: 1\n"
    told = run(CODESUTURE_GUARDS="key_guard=off")
    assert "Would leave alone KeyError at app.py:4: no guard recognises it.\n" in told
    assert told.endswith(alone)
    told = run(CODESUTURE_PROTECT="app")
    assert "but app is protected.\n" in told
    assert told.endswith(alone)


@pytest.mark.parametrize(
    "text", ["print('well')", "{}['x']", "raise KeyError('x')", "import nothing"]
)
def test_there_is_nothing_to_tell(installed_python, tmp_path: Path, text: str) -> None:
    """Where nothing crashes, or the program handles it, or it speaks itself."""
    (tmp_path / "app.py").write_text(f"try:\n    {text}\nfinally:\n    print('end')\n")
    if text.startswith("{}"):
        (tmp_path / "app.py").write_text(f"try:\n    {text}\nexcept KeyError:\n    print('end')\n")
    plain = installed_python.run("app.py", cwd=tmp_path, agent=False)
    done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_DRY_RUN": "1"})
    assert (done.stdout, done.stderr) == (plain.stdout, plain.stderr)
    assert done.returncode == plain.returncode
