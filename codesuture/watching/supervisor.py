"""One program, its signals and its deaths.

The program runs in our process group and has our standard streams: the terminal's keys (Ctrl-C,
Ctrl-Z, Ctrl-\\), its size and its end reach it as if we were not there, and both of us are the
shell's job. A signal that somebody sends to us alone is passed on. Which of the two it was, the
kernel tells.

All signals are blocked here and waited for, one by one: there are no handlers that could run at a
bad moment.
"""

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Passed on to the program.
PASSED_ON = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
    signal.SIGCONT,
    signal.SIGTSTP,
)
#: Asking to end: what comes after them is no death.
ASKING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
#: Where no program runs, these end us; the others mean nothing then.
ENDING = (*ASKING, signal.SIGHUP)
#: By these a job is stopped from its terminal. The program has got them too, and decides.
STOPPING = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

#: Seconds that a program has to end before it is killed, where it is started anew on demand.
GRACE = 10.0
#: Seconds between two looks at what has changed.
INTERVAL = 1.0


class Supervisor:
    """Starts a program and waits for it; `tick` is called every second while it runs, and says
    whether the program is to be started anew.

    Signals are taken over as soon as there is one of these, and given back by `release`.
    """

    def __init__(self, command: list[str], tick: Callable[[], bool]) -> None:
        self.asked = 0
        self._command = command
        self._tick = tick
        taken = {*PASSED_ON, *STOPPING, signal.SIGCHLD}
        # What we were told to ignore, as `nohup` does, the program ignores too.
        self._taken = {one for one in taken if signal.getsignal(one) is not signal.SIG_IGN}
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._taken)
        self._child = 0

    def release(self) -> None:
        """Have signals do again what they did before."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def run(self, environment: dict[str, str]) -> tuple[int, bool]:
        """Start the program and wait for its end: how it ended, as `os.waitpid` gives it, and
        whether `tick` asked for that.

        Raises OSError where it cannot be started.
        """
        self._child = os.posix_spawn(
            self._command[0], self._command, environment, setsigmask=self._before
        )
        ending_since = None
        next_tick = time.monotonic() + INTERVAL
        while True:
            status = self._ended()
            if status is not None:
                self._child = 0
                while self._take_signal(0):  # what came together with its end
                    continue
                return status, ending_since is not None and not self.asked
            self._take_signal(INTERVAL)
            moment = time.monotonic()
            if ending_since is None:
                if moment >= next_tick:
                    next_tick = moment + INTERVAL
                    if not self.asked and self._tick():
                        ending_since = moment
                        self._send(signal.SIGTERM)
            elif moment - ending_since > GRACE:
                self._send(signal.SIGKILL)

    def pause(self, seconds: float) -> bool:
        """Wait while no program runs; False when a signal asks to end."""
        until = time.monotonic() + seconds
        while not self.asked:
            left = until - time.monotonic()
            if left <= 0:
                return True
            self._take_signal(left)
        return False

    def _take_signal(self, seconds: float) -> bool:
        """Wait for a signal and do what it asks for; False where none came."""
        received = signal.sigtimedwait(self._taken, seconds)
        if received is None:
            return False
        number = received.si_signo
        if number in (ASKING if self._child else ENDING):
            self.asked = number
        if number in PASSED_ON and self._child and not self._has_got(received):
            self._send(number)
        return True

    def _has_got(self, received: signal.struct_siginfo) -> bool:
        """Whether the program got the signal too: the kernel's go to all of a terminal's job."""
        if received.si_code <= 0:  # SI_USER and what else a process can send
            return False
        try:
            return os.getpgid(self._child) == os.getpgrp()
        except ProcessLookupError:
            return True

    def _send(self, number: int) -> None:
        """Nobody else waits for our child, so its number is its own until we have."""
        os.kill(self._child, number)

    def _ended(self) -> int | None:
        """How the program ended, if it has. What it left behind is ours where we are init."""
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return None
            if child == 0:
                return None
            if child != self._child:
                continue
            if not os.WIFSTOPPED(status):
                return status
            if os.WSTOPSIG(status) in STOPPING:
                # The shell is to see that its job has stopped; it continues all of it.
                os.kill(os.getpid(), signal.SIGSTOP)
