"""`codesuture watch` as a process that a test talks to."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PATIENCE = 30.0


def _as_at_a_terminal() -> None:
    """Signals that whoever runs the tests ignores (``nohup``, a shell's ``&``) are not ignored by
    the program."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Watched:
    """A running `codesuture watch` (or what starts one); what it and its program write is read from
    one place: a pipe, or the terminal that they have."""

    def __init__(self, command: list[str], folder: Path, environment, terminal: bool, **options):
        if terminal:
            self._source, slave = os.openpty()
            streams = {"preexec_fn": lambda: (_as_at_a_terminal(), os.login_tty(slave))}
            self.process = subprocess.Popen(command, cwd=folder, env=environment, **streams)
            os.close(slave)
        else:
            self._source, sink = os.pipe()
            options.setdefault("preexec_fn", _as_at_a_terminal)
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=sink, stderr=sink, **options,
            )  # fmt: skip
            os.close(sink)
        self.seen = ""
        self._place = 0

    def expect(self, text: str) -> str:
        """Wait until it has written `text` behind what was expected before; all between."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.seen.find(text, self._place)) < 0:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self._source], [], [], left)[0], self.seen
            piece = self._read()
            assert piece, f"{text!r} is missing in:\n{self.seen}"
        begin, self._place = self._place, found + len(text)
        return self.seen[begin : self._place]

    def type(self, text: str) -> None:
        """Type at the terminal."""
        os.write(self._source, text.encode())

    def end(self) -> int:
        """Wait for its end; the return code, as `subprocess` gives it."""
        deadline = time.monotonic() + PATIENCE
        while select.select([self._source], [], [], max(0, deadline - time.monotonic()))[0]:
            if not self._read():
                break
        return self.process.wait(PATIENCE)

    def _read(self) -> str:
        try:
            piece = os.read(self._source, 10_000).decode().replace("\r\n", "\n")
        except OSError:  # a terminal that nobody has any more
            return ""
        self.seen += piece
        return piece

    def close(self) -> None:
        """End whatever is left of it."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._source)


Watch = Callable[..., Watched]


@pytest.fixture
def watch(installed_python, tmp_path: Path) -> Iterator[Watch]:
    """`watch("app.py", terminal=True, backoff=0.01)` in the test's folder."""
    running: list[Watched] = []

    def start(*words: str, terminal=False, through=(), env=None, popen=None, **flags) -> Watched:
        flags = {"backoff": 0.01, **flags}
        own = [f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items()]
        command = [installed_python.python, "-m", "codesuture", "watch", *own, *words]
        environment = installed_python.environment(TERM="dumb", **(env or {}))
        one = Watched([*through, *command], tmp_path, environment, terminal, **(popen or {}))
        running.append(one)
        return one

    yield start
    for one in running:
        one.close()


@pytest.fixture
def app(tmp_path: Path) -> Callable[[str], None]:
    """`app(source)` writes `app.py`; `number` is how often it was started before, and `say` prints
    a line with it."""

    def write(source: str) -> None:
        (tmp_path / "app.py").write_text(
            "import os, signal, sys, time\n"
            "with open('starts', 'a') as note: note.write('.')\n"
            "number = len(open('starts').read()) - 1\n"
            "def say(*words):  # from handlers of signals too\n"
            "    os.write(1, ' '.join([f'<{number}', *map(str, words)]).encode() + b'>\\n')\n"
            f"{source}"
        )

    return write
