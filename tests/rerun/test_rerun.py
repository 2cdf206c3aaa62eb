"""A script that died of a crash which taught something is run again, in a process as fresh as the
first one was; nothing else ever is."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import zipfile

import pytest

from ..agent.test_launch import bare  # noqa: F401
from .conftest import CRASH

AGAIN = "[CodeSuture] Re-executing after 1 patch(es)...\n"
HAPPENED = "What this attempt has written, sent and changed has happened, and happens again.\n"

#: Everything that a program can change and `exec` would hand on. Each attempt appends to a file.
STATE = """\
import atexit, json, os, signal, subprocess, sys, tempfile, threading
with open("attempts", "a") as note: note.write(".")
number, here = len(open("attempts").read()), os.getcwd()
line = sys.stdin.readline()
print(json.dumps({
    "process": [os.getpid(), os.getppid(), os.getpgrp()],
    "argv": [sys.argv, sys.orig_argv, sys.path[0]],
    "directory": os.getcwd(),
    "environment": dict(os.environ),
    "children": subprocess.run([sys.executable, "-c",
        "import os; print(sorted(k for k in os.environ if k.startswith('CODESUTURE')))"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout,
    "umask": os.umask(0o022),
    "signals": [str(signal.getsignal(n)) for n in signal.valid_signals()],
    "blocked": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
    "timer": signal.getitimer(signal.ITIMER_REAL),
    "files": [n for n in os.listdir("/dev/fd") if os.path.exists(f"/dev/fd/{n}")],
    "blocking": [os.get_blocking(n) for n in (0, 1, 2)],
    "input": line,
}, sort_keys=True))

class Footer:  # what is written when objects are finalized, which is after all `atexit` functions
    def __init__(self): self.file = open(f"finalized{number}", "w")
    def __del__(self): self.file.write("footer")
footer = Footer()
atexit.register(
    lambda: open(f"{here}/exited{number}", "w").write("exited"))
threading.Thread(target=lambda: (threading.main_thread().join(),
                                 open(f"{here}/joined{number}", "w").write("joined"))).start()
unflushed = open(f"unflushed{number}", "w"); unflushed.write("text")
temporary = tempfile.NamedTemporaryFile(dir=".", prefix="temporary")
sys.excepthook = lambda *_: print("hook", number, file=sys.stderr)  # keeps our globals alive

os.chdir("/"); os.environ["GIVEN"] = "2"; os.environ["MORE"] = "x"; os.umask(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGUSR1, print)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); signal.setitimer(signal.ITIMER_REAL, 60)
os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True); os.set_blocking(0, False)
result = crash({})
print("result", repr(result))
"""


def attempts(folder):
    return len((folder / "attempts").read_text())


def test_the_fresh_process_is_given_what_the_first_one_was(installed_python, app, tmp_path):
    app(STATE)
    (tmp_path / "input").write_text("not this\nthis\nnot this either\n")
    inherited = os.open(os.devnull, os.O_RDONLY)
    with open(tmp_path / "input", "rb") as stdin:
        os.lseek(stdin.fileno(), 9, os.SEEK_SET)
        done = subprocess.run(
            [installed_python.python, "-X", "utf8", "-m", "codesuture", "run", "app.py", "a", "-b"],
            cwd=tmp_path,
            env=installed_python.environment(GIVEN="1"),
            stdin=stdin,
            capture_output=True,
            text=True,
            pass_fds=[inherited],
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
            timeout=60,
        )
    os.close(inherited)
    assert done.returncode == 0, done.stderr
    first, second, result = done.stdout.splitlines()
    assert second == first and '"input": "this\\n"' in first and "MORE" not in first
    assert result == "result None"
    assert AGAIN + "[CodeSuture] " + HAPPENED in done.stderr
    assert done.stderr.count("hook") == done.stderr.count("Re-executing") == 1
    assert done.stderr.endswith(
        "\nSession summary:\n"
        "  Patches applied: 1\n  Crashes healed in place: 1\n  Re-executions: 1\n"
    )
    for name, text in [("exited", "exited"), ("joined", "joined"), ("unflushed", "text")]:
        for number in (1, 2):
            assert (tmp_path / f"{name}{number}").read_text() == text
    for number in (1, 2):
        assert (tmp_path / f"finalized{number}").read_text() == "footer"
    assert not list(tmp_path.glob("temporary*"))


BODY = "print('begin', flush=True)\nprint(repr(crash({})))\n"


@pytest.mark.parametrize("words", [["-m", "app"], ["-c", CRASH + BODY], ["-"], ["app.pyz"]])
def test_every_way_to_name_a_program(run, app, tmp_path, words):
    app(BODY)
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", CRASH + BODY)
    with open(tmp_path / "app.py") as script:
        done = run(*words, stdin=script)
    assert (done.returncode, done.stdout) == (0, "begin\nbegin\n''\n"), done.stderr
    assert AGAIN in done.stderr


def test_without_the_pth_line(run, bare, app):  # noqa: F811
    app(BODY)
    done = run("app.py", python=bare)
    assert (done.returncode, done.stdout) == (0, "begin\nbegin\n''\n"), done.stderr


CHAIN = """\
open("attempts", "a").write(".")
def one(): return crash({})
def two(): return crash({})
def three(): return crash({})
def four(): return crash({})
one(), two(), three(), four()
print("finished")
"""


@pytest.mark.parametrize(("retries", "attempted"), [(None, 4), (1, 2), (0, 1), (9, 5)])
def test_how_often(run, app, tmp_path, retries, attempted):
    app(CHAIN)
    done = run("app.py", **({} if retries is None else {"retries": retries}))
    assert attempts(tmp_path) == attempted
    assert done.stderr.count(AGAIN) == attempted - 1
    assert done.returncode == (0 if attempted == 5 else 1)
    used_up = f"Not run again: that was attempt {attempted} of {attempted} (--retries)."
    assert (used_up in done.stderr) == (attempted in (2, 4))


def test_a_crash_that_comes_back_ends_it_at_once(run, app, tmp_path):
    app(
        'open("attempts", "a").write(".")\n'
        'open("codesuture.toml", "w").write("protect = [\'app\']")\n'
        "crash({})\n"
    )
    done = run("app.py")
    assert (done.returncode, attempts(tmp_path)) == (1, 2)
    assert "[CodeSuture] The same crash has come back: not run again.\n" in done.stderr
    assert done.stderr.count("KeyError: 'name'\n") >= 2


OTHER_ENDS = {
    "a crash by raise": "raise KeyError(1)\n",
    "SystemExit": "try: crash({})\nfinally: raise SystemExit(3)\n",
    "os._exit": "import os\nos._exit(4)\n",
    "KeyboardInterrupt": "raise KeyboardInterrupt\n",
    "a thread that learned": (
        "import threading\n"
        "thread = threading.Thread(target=crash, args=({},)); thread.start(); thread.join()\n"
        "raise KeyError(1)\n"
    ),
    "healed in place": "def f(x): return x['a']\nprint(f({}))\n",
    "a child": "import os\nif os.fork() == 0: crash({})\nos.wait()\n",
}


@pytest.mark.parametrize("end", OTHER_ENDS)
def test_nothing_else_is_run_again(run, app, tmp_path, end):
    app('open("attempts", "a").write(".")\n' + OTHER_ENDS[end])
    done = run("app.py")
    assert attempts(tmp_path) == 1 and "Re-exec" not in done.stderr, done.stderr
    assert ("now on it is healed" in done.stderr) == (end in ("a child", "a thread that learned"))


def test_nor_by_the_switch_alone(installed_python, app, tmp_path):
    app('open("attempts", "a").write(".")\ncrash({})\n')
    done = installed_python.run("app.py", cwd=tmp_path)
    assert (done.returncode, attempts(tmp_path)) == (1, 1)
    assert "from now on it is healed" in done.stderr and "run again" not in done.stderr


def test_what_cannot_be_given_again_is_said(run, app, tmp_path):
    moved = tmp_path.with_name("moved")
    (tmp_path / "codesuture.toml").write_text(f'store = "{tmp_path.with_name("store")}"\n')
    for obstacle, doing in {
        "standard input is a pipe, and what was read from it is gone": "pass",
        "it has replaced its standard input, output or error": "os.dup2(os.open('o', 66), 1)",
        "the working directory that it began in does not exist any more": (
            f"os.path.exists('{moved}') or os.rename('{tmp_path}', '{moved}')"
        ),
    }.items():
        app(f"import os\n{doing}\ncrash({{}})\n")
        stdin = subprocess.PIPE if "pipe" in obstacle else subprocess.DEVNULL
        done = run("app.py", stdin=stdin)
        assert done.returncode == 1
        assert f"[CodeSuture] Not run again: {obstacle}.\n" in done.stderr
        assert "[CodeSuture] What was learned counts from the next start on.\n" in done.stderr
        if moved.exists():
            moved.rename(tmp_path)
            moved.mkdir()
        assert run("app.py").returncode == 0


def test_when_it_cannot_be_done_the_program_has_died_as_it_did(run, app):
    app(
        "from codesuture.session import current\n"
        "current().run.given.command[0] = '/nowhere/python'\n"
        "crash({})\n"
    )
    done = run("app.py")
    assert done.returncode == 1 and done.stderr.endswith(
        "[CodeSuture] It could not be run again: "
        "[Errno 2] No such file or directory: '/nowhere/python'\n"
    ), done.stderr


SIGNALLED = """\
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: None)
class Slow:  # gives signals time to arrive while Python takes its modules down
    def __del__(self, range=range):
        for _ in range(10**6): pass
slow = Slow()
crash({})
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("moment", range(6))
def test_a_signal_in_between_is_not_lost(installed_python, app, tmp_path, moment):
    """Neither attempt's handler is in place then: it ends the process, as at every start."""
    app(SIGNALLED)
    process = subprocess.Popen(
        [installed_python.python, "-m", "codesuture", "run", "app.py"],
        cwd=tmp_path,
        env=installed_python.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while "happens again" not in (line := process.stderr.readline()):
            assert line
        select.select([], [], [], moment * 0.005)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
        assert (process.returncode, out) == (-signal.SIGTERM, "")
    finally:
        process.kill()
        process.wait()


def test_the_terminal(installed_python, app, tmp_path, terminal):
    """A program that has switched off line mode and dies: the next attempt has it again."""
    app(
        "import termios, tty, sys\n"
        "print('echo', bool(termios.tcgetattr(0)[3] & termios.ECHO), flush=True)\n"
        "tty.setraw(0)\n"
        "print('result', crash({}))\n"
    )
    master, slave = terminal
    process = subprocess.Popen(
        [installed_python.python, "-m", "codesuture", "run", "app.py"],
        cwd=tmp_path,
        env=installed_python.environment(TERM="dumb"),
        preexec_fn=lambda: os.login_tty(os.dup(slave)),
    )
    try:
        seen = b""
        while b"Re-executions: 1" not in seen:
            assert select.select([master], [], [], 30)[0], seen
            seen += os.read(master, 1000)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert seen.count(b"echo True") == 2 and b"result" in seen
