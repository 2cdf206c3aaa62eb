"""How a program ended (`status` is what `os.waitpid` gives), and ending in the same way."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

#: What argparse and Python itself end with, and `os.EX_USAGE`: the same words would end the same.
_USAGE_ERRORS = (2, 64)
#: Signals by which a program is ended on purpose; the list is systemd's (`systemd.service`(5)).
_CLEAN_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)


def was_meant(status: int) -> bool:
    """Whether the program ended on purpose, by its own will or somebody's."""
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) in _CLEAN_SIGNALS
    code = os.WEXITSTATUS(status)
    return code == 0 or code in _USAGE_ERRORS or code - 128 in _CLEAN_SIGNALS


def described(status: int) -> str:
    """`exit code 1`, or the name of the signal."""
    if os.WIFSIGNALED(status):
        return signal_name(os.WTERMSIG(status))
    return f"exit code {os.WEXITSTATUS(status)}"


def signal_name(number: int) -> str:
    """`SIGTERM`, or what stands for one that has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def die_of(number: int) -> NoReturn:
    """End this process by a signal, so that a shell sees what ended the program."""
    import resource

    sys.stdout.flush()
    sys.stderr.flush()
    # The program has left its core, if any; ours would only overwrite it.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)  # the first process of a container is not killed so
