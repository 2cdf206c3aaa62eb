"""`codesuture watch` at a terminal: the program has it, as if nobody were between."""

from __future__ import annotations

import fcntl
import struct
import sys
import termios

TALKS = """\
signal.signal(signal.SIGWINCH, lambda *_: say("size", os.get_terminal_size().columns))
def interrupted(*_):
    say("interrupted")
    if number: raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupted)
say("reads", sys.stdin.isatty(), os.tcgetpgrp(0) == os.getpgrp())
say("got", input())
if number == 0: sys.exit(1)
say("waits")
while True: signal.pause()
"""


def test_input_keys_and_size(watch, app):
    app(TALKS)
    one = watch("app.py", terminal=True)
    one.expect("<0 reads True True>")
    one.type("first\n")
    one.expect("<0 got first>")
    one.expect("<1 reads True True>")
    one.type("second\n")
    one.expect("<1 waits>")
    fcntl.ioctl(one._source, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 99, 0, 0))
    one.expect("<1 size 99>")
    one.type("\x03")
    one.expect("<1 interrupted>")
    one.end()
    assert one.seen.count("<1 interrupted>") == 1 and one.seen.count("<1 size 99>") == 1
    assert "<2" not in one.seen and "  Restarts: 1\n" in one.seen


#: A shell with one job: puts it into the foreground, and continues it once after it has stopped.
SHELL = """\
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
def foreground(group):
    os.tcsetpgrp(0, group)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    foreground(os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status = os.waitpid(job, os.WUNTRACED)
foreground(os.getpgrp())
print("stopped", os.WIFSTOPPED(status), flush=True)
input()
foreground(job)
os.killpg(job, signal.SIGCONT)
_, status = os.waitpid(job, 0)
foreground(os.getpgrp())
print("ended", os.waitstatus_to_exitcode(status), flush=True)
"""

JOB = """\
signal.signal(signal.SIGCONT, lambda *_: say("continued"))
say("ready")
say("got", input())
sys.exit(4)
"""


def test_job_control(watch, app, tmp_path):
    app(JOB)
    (tmp_path / "shell.py").write_text(SHELL)
    one = watch("app.py", terminal=True, through=(sys.executable, "shell.py"), max_restarts=0)
    one.expect("<0 ready>")
    one.type("\x1a")
    one.expect("stopped True")
    one.type("fg\n")
    one.expect("<0 continued>")
    one.type("text\n")
    one.expect("<0 got text>")
    one.expect("ended 4")
    assert one.end() == 0
