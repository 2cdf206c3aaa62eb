"""`codesuture watch`: keeps a program running, by starting it again after each death."""

from __future__ import annotations

import os
import signal
import time

from codesuture.cli.failure import Failure, Parser
from codesuture.cli.program import KEY_FLAGS, RULES, USAGE, Flag, Program, read
from codesuture.config.runflags import SESSION
from codesuture.messages import emit, use_color, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from codesuture.watching.supervisor import Supervisor

_ABOUT = """\
Keep a Python program running: it runs with codesuture on, and is started again after each death,
after a wait that grows, and only so often in a minute. An end that was meant is no death: exit
code 0, a usage error (exit code 2 or 64), a signal by which one ends a program. Signals and the
terminal are the program's, and the exit code is too.
"""

FLAGS = (
    *KEY_FLAGS,
    Flag("--retries", "N", "how often a server may run a request again", "retries"),
    Flag("--max-restarts", "N", "how often it is started again in a period (5)"),
    Flag("--period", "SECONDS", "how long a period is (60)"),
    Flag("--backoff", "SECONDS", "the first wait; it doubles with each restart (0.5)"),
    Flag("--reload", "", "start the program anew when its patches or the configuration change"),
)


def execute(words: list[str]) -> int:
    """Run the program until it has ended for good; give its exit code, or die by its signal."""
    parser = Parser(
        prog="codesuture watch",
        usage=USAGE.format("watch"),
        description=_ABOUT,
        epilog=RULES.format("watch"),
    )
    program = read(words, parser, FLAGS)
    if not hasattr(signal, "sigtimedwait"):
        raise Failure(
            "`codesuture watch` needs a system that tells where signals come from",
            "Linux and FreeBSD do; elsewhere let the system's own service manager run "
            "`codesuture run`",
        )
    use_color(program.config.color)
    return _end(*_Watch(program).run())


class _Watch:
    """One `codesuture watch`: the program, its budget, and what is counted for the summary."""

    def __init__(self, program: Program) -> None:
        from codesuture.watching.budget import Budget
        from codesuture.watching.changes import Changes
        from codesuture.watching.supervisor import Supervisor

        given = program.given
        self.budget = Budget(
            _whole(given, "max_restarts", 5),
            _seconds(given, "period", 60.0),
            _seconds(given, "backoff", 0.5),
        )
        self.program = program
        self.name = program.name
        self.restarts = 0
        self.tally = _Tally(program)
        self.changes = Changes(program.config)
        self.supervisor: Supervisor = Supervisor(program.command, self.tick)

    def run(self) -> tuple[int, int]:
        """How the last run ended, as `os.waitpid` gives it, and the signal that asked us to end
        while no program ran (0 otherwise)."""
        environment = self.program.environment(**{SESSION: "watch"})
        while True:
            begun = time.monotonic()
            try:
                status, wanted = self.supervisor.run(environment)
            except OSError as error:
                raise Failure(f"{self.name} could not be started ({error.strerror})") from None
            if not wanted:
                wait = self.wait_after(status, time.monotonic() - begun)
                if wait is None:
                    break
                if not self.supervisor.pause(wait):
                    self.summary()
                    return 0, self.supervisor.asked
            self.restarts += 1
        self.summary()
        return status, 0

    def wait_after(self, status: int, lived: float) -> float | None:
        """The seconds until the program is to be started again; None if it is not. Says which."""
        from codesuture.watching.death import described, signal_name, was_meant

        if was_meant(status):
            return None
        death = f"{self.name} died ({described(status)}) after {lived:.1f} s"
        if self.supervisor.asked:
            emit(f"{death}; not restarted: {signal_name(self.supervisor.asked)} asked it to end.")
            return None
        wait = self.budget.next(time.monotonic())
        if wait is None:
            emit(f"{death}; not restarted: {self._budget()} are used up (--max-restarts).")
            return None
        emit(f"{death}; restarting in {wait:.2f} s ({self.budget.used} of {self._budget()}).")
        return wait

    def _budget(self) -> str:
        return f"{self.budget.most} in {self.budget.period:g} s"

    def tick(self) -> bool:
        """Tell what has changed, and whether the program is to be started anew for it."""
        told = self.changes.look()
        if not told:
            return False
        sentence = " and ".join(told)
        if not self.program.given.reload:
            emit(
                f"{sentence}. Patches are followed when something crashes; the configuration is "
                "read at a start (--reload starts the program anew)."
            )
            return False
        problem = self.program.problem()
        if problem:
            emit(f"{sentence}, but the program goes on as it was: {problem}")
            return False
        emit(f"{sentence}: {self.name} is started anew.")
        return True

    def summary(self) -> None:
        """Say what happened."""
        lines = ["", "Watch summary:", f"  Restarts: {self.restarts}", *self.tally.lines()]
        write("\n".join(lines) + "\n")
        self.supervisor.release()


class _Tally:
    """What the store counts for all processes of the program, from now on."""

    def __init__(self, program: Program) -> None:
        self._store = program.config.store
        self._patches, self._heals = self._count()

    def lines(self) -> list[str]:
        """The lines of the summary."""
        patches, heals = self._count()
        lines = [f"  Patches applied: {len(patches - self._patches)}"]
        healed = sum(max(0, hits - self._heals.get(one, 0)) for one, hits in heals.items())
        return [*lines, f"  Crashes healed in place: {healed}"] if healed else lines

    def _count(self) -> tuple[set[str], dict[str, int]]:
        from codesuture.store import Store, StoreError

        store = Store(self._store)
        try:
            patches = {patch.id for patch in store.patches()}
            return patches, {one: counter.hits for one, counter in store.counters().items()}
        except StoreError:
            return set(), {}


def _whole(given: Namespace, name: str, default: int) -> int:
    text = getattr(given, name)
    if text is None:
        return default
    if not text.isdecimal():
        raise Failure(f"--{name.replace('_', '-')}: {text!r} is not a number of restarts", code=2)
    return int(text)


def _seconds(given: Namespace, name: str, default: float) -> float:
    text = getattr(given, name)
    if text is None:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e9:
        raise Failure(f"--{name}: {text!r} is not a number of seconds above 0", code=2)
    return seconds


def _end(status: int, asked: int) -> int:
    """The exit code; where a signal ended the program, the same ends us."""
    from codesuture.watching.death import die_of

    if asked or os.WIFSIGNALED(status):
        die_of(asked or os.WTERMSIG(status))
    return os.WEXITSTATUS(status)
