"""The lock between writers, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codesuture.store import StoreError
from codesuture.store.lock import StoreLock

Start = Callable[..., "subprocess.Popen[str]"]

HOLD = """
import sys
from codesuture.store.lock import StoreLock
with StoreLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
print("let go", flush=True)
sys.stdin.readline()
"""
HOLD_AND_FORK = """
import os, sys
from codesuture.store.lock import StoreLock
with StoreLock(sys.argv[1]):
    child = os.fork()
    if child == 0:
        sys.stdin.readline()
        os._exit(0)
print("let go", flush=True)
os.waitpid(child, 0)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the lock is."""
    return str(tmp_path / ".lock")


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_lock_that_is_held_is_waited_for_until_the_time_is_up(
    path: str, start_python: Start
) -> None:
    with start_python(HOLD, path) as holder:
        assert _said(holder) == "held"
        start = time.monotonic()
        with pytest.raises(StoreError, match=r"more than 0\.2 seconds.*is locked"):
            StoreLock(path, timeout=0.2).__enter__()
        assert 0.2 <= time.monotonic() - start < 5
        holder.stdin.write("\n")  # type: ignore[union-attr]
        holder.stdin.flush()  # type: ignore[union-attr]
        with StoreLock(path):
            pass
        holder.communicate()


def test_a_killed_holder_leaves_no_lock_behind(path: str, start_python: Start) -> None:
    with start_python(HOLD, path) as holder:
        assert _said(holder) == "held"
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    with StoreLock(path, timeout=0):
        pass


def test_a_forked_child_does_not_keep_the_lock(path: str, start_python: Start) -> None:
    with start_python(HOLD_AND_FORK, path) as holder:
        assert _said(holder) == "let go"
        with StoreLock(path, timeout=0):
            pass
        holder.communicate()


def test_an_exception_lets_go(path: str) -> None:
    with pytest.raises(KeyError), StoreLock(path):
        raise KeyError
    with StoreLock(path, timeout=0):
        pass


def test_threads_exclude_each_other(path: str) -> None:
    inside = []
    most = []

    def work() -> None:
        for _ in range(20):
            with StoreLock(path):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0002)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 120


def test_no_descriptor_is_lost(path: str) -> None:
    before = os.listdir("/dev/fd")
    for _ in range(50):
        with StoreLock(path):
            for _ in range(2):
                with pytest.raises(StoreError):
                    StoreLock(path, timeout=0).__enter__()
    assert len(os.listdir("/dev/fd")) == len(before)


def test_a_lock_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("folder", "link", "missing/.lock"):
        with pytest.raises(StoreError, match="Could not open the lock"):
            StoreLock(str(tmp_path / name)).__enter__()
    assert not (tmp_path / "elsewhere").exists()
