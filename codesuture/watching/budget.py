"""How often and how soon a program is started again."""

from __future__ import annotations

import random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Budget:
    """At most `most` restarts in any `period` of seconds, each after a longer wait than the last.

    The wait begins with `first` seconds and doubles with each restart of the period, up to half of
    what the period has for each restart: so a program that dies at once uses its budget up, rather
    than to be restarted for ever. Restarts that are longer ago than the period count no more, for
    the budget as for the wait.

    A random part of up to a half is taken off each wait. Many copies of a program that die
    together, of a database that is gone, would else come back together, and all at once again.
    """

    def __init__(
        self,
        most: int,
        period: float,
        first: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.most = most
        self.period = period
        self._first = first
        self._chance = chance
        self._longest = period / (2 * most) if most else 0.0
        self._moments: list[float] = []

    @property
    def used(self) -> int:
        """The restarts of the last period, when `next` was asked last."""
        return len(self._moments)

    def next(self, now: float) -> float | None:
        """The seconds to wait before the restart that is due at `now`; None where the budget is
        used up."""
        self._moments = [moment for moment in self._moments if now - moment < self.period]
        if self.used >= self.most:
            return None
        wait = min(self._first * 2.0 ** min(self.used, 60), self._longest)
        wait *= 1 - self._chance() / 2
        self._moments.append(now + wait)
        return wait
