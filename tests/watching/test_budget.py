"""How often and how soon a program is started again."""

from __future__ import annotations

import pytest

from codesuture.watching.budget import Budget


def test_waits_double_up_to_what_lets_the_budget_be_used_up() -> None:
    budget = Budget(5, 60, 0.5, chance=lambda: 0.0)
    assert [budget.next(0) for _ in range(6)] == [0.5, 1, 2, 4, 6, None]
    assert budget.used == 5


@pytest.mark.parametrize("most", [1, 3, 20, 1000])
def test_a_program_that_dies_at_once_uses_it_up_within_the_period(most: int) -> None:
    budget, now = Budget(most, 60, 0.5), 0.0
    for _ in range(most):
        wait = budget.next(now)
        assert wait is not None
        now += wait
    assert now < 60 and budget.next(now) is None


def test_a_random_part_is_taken_off() -> None:
    waits = {Budget(5, 60, 0.5).next(0) for _ in range(50)}
    assert len(waits) > 40 and all(0.25 <= wait <= 0.5 for wait in waits if wait)


def test_what_is_long_ago_counts_no_more() -> None:
    budget = Budget(2, 10, 1, chance=lambda: 0.0)
    assert [budget.next(0), budget.next(3), budget.next(4)] == [1, 2, None]
    assert budget.next(11.5) == 2 and budget.used == 2
    assert budget.next(100) == 1 and budget.used == 1


def test_none_at_all() -> None:
    assert Budget(0, 60, 0.5).next(0) is None
