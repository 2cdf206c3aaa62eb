"""`codesuture run`: a program with the agent on."""

from __future__ import annotations

import os
import sys

from codesuture.cli.failure import Parser
from codesuture.cli.program import KEY_FLAGS, RULES, USAGE, Flag, read

_ABOUT = """\
Run a Python program with codesuture on: a structural crash that nobody would have handled is
healed in place, and a summary is printed at the end. The exit code is the program's own.
"""

FLAGS = (
    *KEY_FLAGS,
    Flag(
        "--retries",
        "N",
        "how often a script may be run again after a crash that could not be healed in place and "
        "taught something; and how often a server may run a request again",
        "retries",
    ),
)


def execute(words: list[str]) -> int:
    """Replace this process by the program (on Windows: run it and pass its exit code on)."""
    parser = Parser(
        prog="codesuture run",
        usage=USAGE.format("run"),
        description=_ABOUT,
        epilog=RULES.format("run"),
    )
    program = read(words, parser, FLAGS)
    return _start(program.command, program.environment())


def _start(command: list[str], environment: dict[str, str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)
    import subprocess

    # Windows' exec returns to the shell before the program has ended, so it is waited for.
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the program has got it too and decides
