"""What a process was given when it began, so that a fresh one can be given the same.

A program changes much of it while it runs: its working directory, its environment, signals, the
terminal. ``exec`` hands all that on, so what is to be as it was has to be known and put back.
Noted under ``codesuture run`` only, which may run a script again (``codesuture.rerun``).
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    #: A call that is made later, when modules are gone.
    Step = tuple[Callable[..., object], tuple[Any, ...]]

_STANDARD = (0, 1, 2)
_OPEN_FILES = "/dev/fd"
#: What ``_signal.getsignal`` gives.
_DEFAULT, _IGNORED = 0, 1


class Given:
    """What this process has been given, taken down as it begins. Raises OSError."""

    def __init__(self) -> None:
        self.command = list(sys.orig_argv)
        self.environment = dict(os.environ)
        self.directory = os.getcwd()
        self.process = os.getpid()
        self._user = _user()
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._files = [_file(descriptor) for descriptor in _STANDARD]
        self._blocking = [(n, os.get_blocking(n)) for n in _STANDARD if self._files[n]]
        self._open = _open_files()
        self._position = _position(self._files[0])
        self._terminal = _terminal()
        import _signal  # type: ignore[import-not-found]

        self._ignored = {n for n in range(1, _signal.NSIG) if _signal.getsignal(n) == _IGNORED}
        self._blocked = _signal.pthread_sigmask(_signal.SIG_BLOCK, ())

    def obstacle(self) -> str:
        """Why a fresh process cannot be given the same; empty where it can."""
        kind = self._files[0][2] if self._files[0] else 0
        if kind in (stat.S_IFIFO, stat.S_IFSOCK):
            what = "a pipe" if kind == stat.S_IFIFO else "a socket"
            return f"standard input is {what}, and what was read from it is gone"
        if [_file(descriptor) for descriptor in _STANDARD] != self._files:
            return "it has replaced its standard input, output or error"
        if _user() != self._user:
            return "it has changed its user or group"
        if not os.path.isdir(self.directory):
            return "the working directory that it began in does not exist any more"
        return ""

    def restore_early(self) -> None:
        """Put back what Python has a hand in: signals, and which files a fresh process inherits.

        Signals that have handlers would be reset by ``exec``; but one that asks the process to end
        is lost if a handler of the dying program takes it.
        """
        import _signal

        for number in range(1, _signal.NSIG):
            wanted = _IGNORED if number in self._ignored else _DEFAULT
            if _signal.getsignal(number) not in (wanted, None):
                try:
                    _signal.signal(number, wanted)
                except (OSError, ValueError):  # not one that can be set
                    continue
        _signal.setitimer(_signal.ITIMER_REAL, 0)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self._blocked)
        for descriptor in _open_files() - self._open:
            os.set_inheritable(descriptor, False)

    def steps(self) -> list[Step]:
        """The calls that put the rest back, for the moment before ``exec``. They raise OSError."""
        steps: list[Step] = [(os.chdir, (self.directory,)), (os.umask, (self._umask,))]
        steps += [(os.set_blocking, given) for given in self._blocking]
        if self._position is not None:
            steps.append((os.lseek, (0, self._position, os.SEEK_SET)))
        # Setting the terminal would stop a process in the background.
        if self._terminal not in (None, _terminal()) and os.tcgetpgrp(0) == os.getpgrp():
            import termios

            steps.append((termios.tcsetattr, (0, termios.TCSADRAIN, self._terminal)))
        return steps


def _user() -> tuple[int, ...]:
    return os.getuid(), os.geteuid(), os.getgid(), os.getegid()


def _file(descriptor: int) -> tuple[int, int, int] | None:
    """Which file it is, and of which kind; None where it is closed."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode)


def _open_files() -> set[int]:
    """The open files beside the three standard ones; none where that cannot be told."""
    try:
        names = os.listdir(_OPEN_FILES)
    except OSError:
        return set()
    # The one that listed them is closed again.
    return {int(name) for name in names if int(name) not in _STANDARD and _file(int(name))}


def _position(file: tuple[int, int, int] | None) -> int | None:
    """Where in a regular file standard input stands."""
    return os.lseek(0, 0, os.SEEK_CUR) if file and file[2] == stat.S_IFREG else None


def _terminal() -> list[Any] | None:
    """The settings of the terminal that standard input is, if it is one."""
    if not os.isatty(0):
        return None
    import termios

    return termios.tcgetattr(0)
