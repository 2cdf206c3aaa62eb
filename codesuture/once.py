"""Something that is done once in a process, while other threads wait for it."""

from __future__ import annotations

from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds to wait for another thread. In a child that was forked meanwhile there is none to end it.
PATIENCE = 10.0


class Once:
    """``run`` does it, or waits until another thread has done it. ``done`` says that it is done."""

    __slots__ = ("_begun", "_do", "_lock", "done")

    def __init__(self, do: Callable[[], None]) -> None:
        self._do = do
        self._lock = RLock()
        self._begun = False
        self.done = False

    def run(self) -> bool:
        """Whether it has been done by now. It has not for a thread that comes here again while it
        is doing it. Raises what doing it raises, once."""
        if self.done:
            return True
        if not self._lock.acquire(timeout=PATIENCE):
            return False
        try:
            if not self._begun:
                self._begun = True
                try:
                    self._do()
                finally:
                    self.done = True
        finally:
            self._lock.release()
        return self.done
