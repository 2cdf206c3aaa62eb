"""What was UNKNOWN and reached a boundary is healed there from then on, and nowhere else.

In these programs nobody can tell what the context manager does: a function chooses it whose code
is not to be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

UNTOLD = "import contextlib\nuntold = getattr(contextlib, 'null' + 'context')\n"
PROGRAM = f"""\
{UNTOLD}
def get(d):
    with getattr(contextlib, 'null' + 'context')():
        return d["name"]
def work():
    return get({{}})
print("result", work())
"""
LEARNED = "KeyError in get reached the top of the program: nobody handles it there"


@pytest.fixture
def run(installed_python, tmp_path: Path):
    """Write `app.py` (unless the text is empty) and run it in the test's folder."""

    def run_program(text: str = "", *words: str, **options):
        if text:
            (tmp_path / "app.py").write_text(text)
        return installed_python.run("app.py", *words, cwd=tmp_path, **options)

    return run_program


def files(folder: Path) -> list[Path]:
    return sorted((folder / ".codesuture_store").glob("proofs/*.json"))


def test_what_reached_the_top_is_healed_in_the_next_run(run, tmp_path):
    plain = run(PROGRAM, agent=False)
    first = run()
    assert first.returncode == plain.returncode == 1
    assert first.stderr.startswith(plain.stderr) and LEARNED in first.stderr
    (proof,) = files(tmp_path)
    document = json.loads(proof.read_text())
    assert [link["qualname"] for link in document["chain"]] == ["get", "work", "<module>"]
    assert document["exception"] == "KeyError" and "cannot be told" in document["doubt"]
    second = run()
    assert (second.returncode, second.stdout) == (0, "result \n"), second.stderr
    assert "Applying key_guard" in second.stderr
    third = run()
    assert (third.returncode, third.stdout) == (0, "result \n")
    assert third.stderr.count("\n") == 1 and "Already healed" in third.stderr
    assert files(tmp_path) == [proof]


@pytest.mark.parametrize("how", ["-m", "codesuture run"])
def test_other_ways_to_start_the_same_program(installed_python, run, tmp_path, how):
    run(PROGRAM)
    words = ["-m", "app"] if how == "-m" else ["-m", "codesuture", "run", "app.py"]
    done = installed_python.run(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "result \n"), done.stderr


HANDLING = PROGRAM.replace("print(", "import sys\nif sys.argv[1:]:\n  print(").replace(
    "\nimport sys", "\ndef other():\n    return get({})\nimport sys"
) + """\
else:
    try:
        other()
    except KeyError as error:
        print("handled", error)
    with contextlib.suppress(LookupError):
        work()
        print("not reached")
    def third():
        return get({})
    try:
        third()
    finally:
        print("dies")
"""


def test_other_callers_are_not_touched(run, tmp_path):
    assert LEARNED in run(HANDLING, "x").stderr
    plain, ours = run("", agent=False), run()
    assert ours.stdout == plain.stdout == "handled 'name'\ndies\n"
    assert (ours.returncode, plain.returncode) == (1, 1)
    assert run("", "x").stdout == "result \n"
    assert len(files(tmp_path)) == 2, "the third caller is another chain"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def work():\n", "def work():\n    print('more')\n"),
        ("print('result', ", "print('the result', "),
        ('d["name"]', 'd["name" ""] or 0'),
    ],
    ids=["caller", "module", "site"],
)
def test_a_change_anywhere_in_the_chain_ends_it(run, tmp_path, old, new):
    run(PROGRAM)
    changed = PROGRAM.replace(old, new) if old in PROGRAM else PROGRAM.replace(
        'print("result", ', 'print("the result", '
    )
    assert changed != PROGRAM
    assert run(changed).returncode == 1
    assert run().returncode == 0


def test_verbose_says_why_it_is_left_alone(run):
    done = run(PROGRAM, env={"CODESUTURE_VERBOSE": "1"})
    (line,) = [line for line in done.stderr.splitlines() if "Left alone" in line]
    assert "KeyError at " in line and "app.py:6, because it is not known" in line
    assert "get (" in line and "has a context manager that cannot be told (line 5)." in line
    healed = run("", env={"CODESUTURE_VERBOSE": "1"})
    assert "Left alone" not in healed.stderr and "but on 20" in healed.stderr


def test_moved_lines_do_not(run):
    run(PROGRAM)
    assert run("# a comment\n\n" + PROGRAM).returncode == 0


RETRY = f"""\
{UNTOLD}
left = [{{}}, {{}}, {{"name": "ann"}}]
def get():
    return left.pop(0)["name"]
def retry(times):
    while True:
        try:
            return get()
        except KeyError:
            times -= 1
            if not times:
                raise
import sys
print(retry(int(sys.argv[1])))
"""


def test_a_handler_that_handles_at_other_times_is_no_proof(run, tmp_path):
    assert run(RETRY, "2").returncode == 1
    assert files(tmp_path) == []
    assert run("", "3").stdout == "ann\n"


CHOSEN = f"""\
{UNTOLD}
import sys
def get(d, quiet):
    with contextlib.suppress(KeyError) if quiet else contextlib.nullcontext():
        return d["name"]
print("result", get({{}}, len(sys.argv) > 1))
"""


def test_a_manager_that_is_chosen_each_time_is_no_proof(run, tmp_path):
    run(CHOSEN)
    assert files(tmp_path) == []
    assert run("", "quiet").stdout == "result None\n"


THREAD = f"""\
{UNTOLD}
import threading
def get(d):
    with getattr(contextlib, 'null' + 'context')():
        print("got", d["name"])
for _ in range(2):
    thread = threading.Thread(target=get, args=({{}},))
    thread.start()
    thread.join()
"""


def test_the_top_of_a_thread(run, tmp_path):
    first = run(THREAD)
    assert (first.returncode, first.stdout) == (0, "got \n"), first.stderr
    assert first.stderr.count("Traceback") == 1
    assert "reached threading.Thread._bootstrap_inner" in first.stderr
    assert run().stdout == "got \n" * 2


SERVER = f"""\
{UNTOLD}
import socket, socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        with getattr(contextlib, 'null' + 'context')():
            self.wfile.write(f"hello {{({{}})['name']}}".encode())
class Server(socketserver.TCPServer):
    allow_reuse_address = True
with Server(("127.0.0.1", 0), Handler) as server:
    for _ in range(2):
        with socket.create_connection(server.server_address) as client:
            server.handle_request()
            print(client.recv(100))
"""


def test_a_server_that_reports_an_error(run):
    done = run(SERVER)
    assert done.stdout.splitlines() == ["b''", "b'hello '"], done.stderr
    assert done.stderr.count("Traceback") == 1 and "Exception occurred during" in done.stderr


def test_a_server_that_handles_errors_itself(run, tmp_path):
    own = SERVER.replace(
        "    allow", "    def handle_error(self, *a): print('handled')\n    allow"
    )
    for _ in range(2):
        done = run(own)
        assert (done.stdout.splitlines(), done.stderr) == (["handled", "b''"] * 2, "")
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "setting",
    [{"CODESUTURE_DRY_RUN": "1"}, {"CODESUTURE_MODE": "observe"}, {"CODESUTURE_PROTECT": "app"}],
    ids=lambda setting: next(iter(setting)),
)
def test_nothing_is_learned_where_nothing_may_be_healed(run, tmp_path, setting):
    run(PROGRAM, env=setting)
    assert files(tmp_path) == []


def test_what_no_guard_knows_is_not_learned(run, tmp_path):
    (tmp_path / "codesuture.toml").write_text("[guards]\nkey_guard = false\n")
    assert run(PROGRAM).returncode == 1
    assert files(tmp_path) == []


def test_an_expired_proof(run, tmp_path):
    run(PROGRAM)
    (proof,) = files(tmp_path)
    document = json.loads(proof.read_text())
    document["expires"] = "2020-01-01T00:00:00Z"
    proof.write_text(json.dumps(document))
    assert run("", env={"CODESUTURE_ON_EXPIRY": "disable"}).returncode == 1
    assert run().returncode == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document | {"chain": []},
        lambda document: document | {"chain": document["chain"][1:]},
        lambda document: document | {"chain": [{}]},
        lambda document: document | {"exception": "TypeError"},
        lambda document: {key: document[key] for key in document if key != "reached"},
        lambda document: document | {"doubt": "\x1b[2J"},
        lambda document: [],
    ],
)
def test_a_damaged_proof_is_told_of_and_not_used(
    run, tmp_path, damage: Callable[[dict[str, object]], object]
):
    run(PROGRAM)
    (proof,) = files(tmp_path)
    damaged = json.dumps(damage(json.loads(proof.read_text())))
    proof.write_text(damaged)
    done = run()
    assert done.returncode == 1
    assert f"Skipped the proof {proof} because" in done.stderr
    assert proof.read_text() == damaged


def test_the_commands_show_and_remove_it(installed_python, run, tmp_path):
    def command(*words: str):
        return installed_python.run("-m", "codesuture", *words, cwd=tmp_path, agent=False)

    run(PROGRAM)
    (proof,) = files(tmp_path)
    audit = command("audit")
    assert audit.returncode == 0 and "reached the top of the program" in audit.stdout
    assert "app:get" in audit.stdout and "No patches and 1 proof in" in audit.stdout
    (told,) = json.loads(command("audit", "--json").stdout)["proofs"]
    assert told["id"] in proof.name and told["state"] == "active"
    explained = command("explain", "get")
    assert explained.returncode == 0
    for words in ("cannot be told", "get <- work <- <module>", "the top of the program"):
        assert words in explained.stdout, explained.stdout
    assert json.loads(command("explain", "get", "--json").stdout)["proofs"][0]["id"] == told["id"]
    assert told["id"] in command("rollback", "get", "--dry-run").stdout
    assert files(tmp_path) == [proof]
    assert command("rollback", "get").returncode == 0
    assert files(tmp_path) == []
    assert run().returncode == 1


def test_a_proof_of_changed_code_is_stale(installed_python, run, tmp_path):
    run(PROGRAM)
    (tmp_path / "app.py").write_text(PROGRAM.replace("return get(", "return get(d="))
    audit = installed_python.run("-m", "codesuture", "audit", cwd=tmp_path, agent=False)
    assert "stale" in audit.stdout
