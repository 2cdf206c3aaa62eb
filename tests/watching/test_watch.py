"""`codesuture watch`: deaths, ends that were meant, signals, and what people change meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

DEATHS = """\
def crash(x): return x.name
say("begins", crash(None), *sys.argv[1:])
if number == 0: raise ValueError
if number == 1: os.kill(os.getpid(), signal.SIGKILL)
if number == 2: os.abort()
if number == 3: sys.exit(3)
if number == 4: raise SystemExit("words")
say("ends")
"""


def summary(restarts, *more):
    return "\n".join(["\nWatch summary:", f"  Restarts: {restarts}", *more]) + "\n"


def test_every_death_is_followed_by_a_restart(watch, app, tmp_path):
    app(DEATHS)
    (tmp_path / "codesuture.toml").write_text("probation = 0\n")  # what follows is no verdict
    one = watch("app.py", "a", "--b", max_restarts=9)
    for number, death in enumerate(["exit code 1", "SIGKILL", "SIGABRT", "exit code 3"]):
        one.expect(f"<{number} begins None a --b>\n")
        one.expect(f"[CodeSuture] app.py died ({death}) after ")
        one.expect(f"({number + 1} of 9 in 60 s).\n")
    assert one.end() == 0
    assert one.seen.endswith(
        "<5 ends>\n" + summary(5, "  Patches applied: 1", "  Crashes healed in place: 6")
    ), one.seen
    assert one.seen.count("Applying") == 1 and "Session summary" not in one.seen
    assert not (tmp_path / "core").exists()


@pytest.mark.parametrize(
    ("death", "code", "restarts"),
    [("sys.exit(5)", 5, 2), ("os.kill(os.getpid(), 9)", -9, 2), ("sys.exit(5)", 5, 0)],
)
def test_a_budget_that_is_used_up(watch, app, death, code, restarts):
    app(f"say('begins')\n{death}\n")
    one = watch("app.py", max_restarts=restarts)
    assert one.end() == code
    assert one.seen.count("begins") == restarts + 1
    assert f"; not restarted: {restarts} in 60 s are used up (--max-restarts).\n" in one.seen
    assert one.seen.endswith(summary(restarts, "  Patches applied: 0"))


ENDS = {
    "well": ("pass", 0),
    "usage": ("import argparse; argparse.ArgumentParser().parse_args()", 2),
    "EX_USAGE": ("sys.exit(os.EX_USAGE)", 64),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", -signal.SIGINT),
    "as shells say it": ("sys.exit(130)", 130),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    "SIGHUP": ("os.kill(os.getpid(), signal.SIGHUP)", -signal.SIGHUP),
}


def test_ends_that_were_meant(watch, app):
    running = []
    for end, code in ENDS.values():
        app(f"{end}\n")
        running.append((watch("app.py", "x"), code))
        assert running[-1][0].end() == code, running[-1][0].seen
    for one, _ in running:
        assert "died" not in one.seen and "  Restarts: 0\n" in one.seen


def test_what_names_a_program_is_as_for_run(watch, app, tmp_path):
    app("say(sys.argv[1:], os.environ.get('CODESUTURE'), 'codesuture.session' in sys.modules)\n")
    for words, said in [
        (["-m", "app", "--verbose"], "<0 ['--verbose'] 1 True>"),
        (["app.py", "--", "--verbose"], "<1 ['--verbose'] 1 True>"),
        (["app.py", "--verbose"], "<2 [] 1 True>"),
    ]:
        one = watch(*words)
        assert one.end() == 0 and said in one.seen
    one = watch("app.py", env={"CODESUTURE": "0"})
    assert one.end() == 0 and "<3 [] 0 False>" in one.seen
    assert "CODESUTURE=0 is set: running without codesuture" in one.seen


@pytest.mark.parametrize(
    ("flags", "words", "sentence"),
    [
        ({}, ["shwo.py"], "error: there is no file 'shwo.py'\n"),
        ({"max_restarts": "-1"}, ["app.py"], "error: --max-restarts: '-1' is not a number of"),
        ({"period": "0"}, ["app.py"], "error: --period: '0' is not a number of seconds above 0\n"),
        ({"backoff": "nan"}, ["app.py"], "error: --backoff: 'nan' is not a number of seconds"),
        ({"ttl": "soon"}, ["app.py"], "error: --ttl: 'ttl' must be a number of days"),
    ],
)
def test_wrong_usage(watch, app, flags, words, sentence):
    app("say('begins')\n")
    one = watch(*words, **flags)
    assert one.end() == 2
    assert one.seen.startswith(sentence) and "begins" not in one.seen


SIGNALS = """\
def note(number, frame): say(signal.Signals(number).name)
for one in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGWINCH, signal.SIGINT,
            signal.SIGQUIT):
    signal.signal(one, note)
def end(number, frame): say("ends"); sys.exit(7)
signal.signal(signal.SIGTERM, end)
say("ready")
while True: signal.pause()
"""


def test_signals_are_passed_on_each_once(watch, app):
    app(SIGNALS)
    one = watch("app.py")
    one.expect("ready")
    for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGWINCH", "SIGUSR1", "SIGINT", "SIGQUIT"):
        one.process.send_signal(getattr(signal, name))
        one.expect(f"<0 {name}>\n")
    one.process.terminate()
    assert one.end() == 7
    assert one.seen.count("<0 ") == 9 and "<1" not in one.seen
    assert "app.py died (exit code 7)" in one.seen and "SIGTERM asked it to end" in one.seen


def test_one_that_is_asked_to_end_is_not_started_again(watch, app):
    app(
        "try:\n"
        "    say('ready')\n"
        "    while True: signal.pause()\n"
        "except KeyboardInterrupt: sys.exit(1)\n"
    )
    for asked, code in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 1)):
        one = watch("app.py")
        one.expect("ready")
        one.process.send_signal(asked)
        assert one.end() == code
        assert "  Restarts: 0\n" in one.seen


def test_a_signal_while_no_program_runs(watch, app):
    app("say('begins')\nsys.exit(1)\n")
    one = watch("app.py", backoff=20, period=600)
    one.expect("restarting in ")
    one.process.send_signal(signal.SIGUSR1)  # means nothing now
    one.process.terminate()
    assert one.end() == -signal.SIGTERM
    assert one.seen.count("begins") == 1 and one.seen.endswith(summary(0, "  Patches applied: 0"))


def test_what_is_ignored_stays_ignored(watch, app):
    app("say(signal.getsignal(signal.SIGHUP).name, signal.pthread_sigmask(0, ()))\n")
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    one = watch("app.py", popen=ignoring)
    assert one.end() == 0 and "<0 SIG_IGN set()>" in one.seen


CHILDREN = """\
import subprocess
if number == 0:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                             stdin=subprocess.PIPE)
    child.kill(); say("child", child.wait())
    left = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    say("left", left.pid)
    os._exit(1)
say("again")
"""


def test_children_of_the_program_are_its_own(watch, app):
    """One that dies is no death of the program; one that outlives it is left alone."""
    app(CHILDREN)
    one = watch("app.py")
    one.expect("<0 child -9>\n<0 left ")
    left = int(one.expect(">")[:-1])
    try:
        assert one.end() == 0 and "<1 again>" in one.seen
        os.kill(left, 0)
    finally:
        os.kill(left, signal.SIGKILL)


INIT = """\
import subprocess
if number == 0:  # a grandchild whose parent ends is handed to us
    subprocess.run(["sh", "-c", "sleep 0 & exit 0"])
    sys.exit(1)
say("ready")
signal.pause()
"""


def test_as_the_first_process_of_a_container(watch, app):
    unshare = shutil.which("unshare")
    through = [unshare or "", "--pid", "--fork", "--kill-child"]
    if not unshare or subprocess.run([*through, "true"], capture_output=True).returncode:
        pytest.skip("no namespaces of processes here")
    app(INIT)
    one = watch("app.py", through=through)
    one.expect("<1 ready>")
    (first,) = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children").read_text().split()
    (program,) = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    assert Path(f"/proc/{program}/stat").read_text().split()[2] in "RS"
    os.kill(int(first), signal.SIGTERM)
    assert one.end() == 128 + signal.SIGTERM
    assert one.seen.endswith(summary(1, "  Patches applied: 0"))


SERVICE = """\
def crash(x): return x.name
say("begins", repr(crash(None)))
while True: time.sleep(0.1)
"""


def test_changes_are_told(installed_python, watch, app, tmp_path):
    app(SERVICE.replace("while", "if number: pass\nwhile number and"))
    assert installed_python.run("app.py", cwd=tmp_path).returncode == 0
    one = watch("app.py")
    one.expect("<1 begins ''>")
    (patch,) = tmp_path.glob(".codesuture_store/patches/*.json")
    document = json.loads(patch.read_text())
    document["default"]["value"] = "nobody"
    patch.write_text(json.dumps(document))
    one.expect("[CodeSuture] 1 patch(es) supply something else. Patches are followed when")
    patch.unlink()
    one.expect("[CodeSuture] 1 patch(es) are gone from the store. ")
    (tmp_path / "codesuture.toml").write_text("ttl = 3\n")
    one.expect("[CodeSuture] codesuture.toml has changed. ")
    one.process.terminate()
    assert one.end() == -signal.SIGTERM and "<2" not in one.seen


def test_and_start_the_program_anew_where_that_is_wished(watch, app, tmp_path):
    app(SERVICE)
    one = watch("--reload", "app.py", max_restarts=0)
    one.expect("<0 begins ''>")
    (tmp_path / "codesuture.toml").write_text("tll = 3\n")
    one.expect("codesuture.toml has changed, but the program goes on as it was: ")
    (tmp_path / "codesuture.toml").write_text("[defaults]\nnull_guard = '\"new\"'\n")
    one.expect("[CodeSuture] codesuture.toml has changed: app.py is started anew.\n")
    one.expect("<1 begins 'new'>")
    one.process.terminate()
    assert one.end() == -signal.SIGTERM and "  Restarts: 1\n" in one.seen
