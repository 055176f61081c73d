"""The counters of distinct persons."""

import pytest

from noren_vault.budgets import DAY_MS, HOUR_MS, LIMITS, Budget, Budgets
from noren_vault.errors import BudgetExceeded
from noren_vault.rights import Role

NOW = 1_790_000_000_000


def _people(first: int, count: int) -> list[str]:
    return [f"p{number}" for number in range(first, first + count)]


def test_it_has_limits_for_every_role() -> None:
    """No role is without limits, and an hour never allows more than a day."""
    assert set(LIMITS) == set(Role)
    assert all(limits.hour <= limits.day for limits in LIMITS.values())


def test_it_counts_a_new_person_once() -> None:
    """Seeing the same person again costs nothing."""
    budgets = Budgets()
    assert budgets.debit("aoi", Role.STAFF, ["a", "b", "a"], NOW) == Budget(2, 298)
    assert budgets.debit("aoi", Role.STAFF, ["a", "c"], NOW + 1000) == Budget(3, 297)


def test_it_refuses_all_or_none() -> None:
    """A request that would pass the limit debits nothing, a smaller one still fits."""
    budgets = Budgets()
    budgets.debit("aoi", Role.STAFF, _people(0, 290), NOW)
    with pytest.raises(BudgetExceeded) as refusal:
        budgets.debit("aoi", Role.STAFF, _people(290, 11), NOW)
    assert refusal.value.facts == {"today": 290, "left": 10}
    assert budgets.debit("aoi", Role.STAFF, _people(290, 10), NOW) == Budget(300, 0)


def test_it_lets_the_already_seen_be_seen_when_nothing_is_left() -> None:
    """With the budget used up, today's persons can still be looked at."""
    budgets = Budgets()
    budgets.debit("aoi", Role.STAFF, _people(0, 300), NOW)
    assert budgets.debit("aoi", Role.STAFF, _people(100, 100), NOW).left == 0


def test_it_frees_an_hours_budget_after_an_hour_and_a_days_after_a_day() -> None:
    """The windows roll: after an hour the day's rest counts, after a day everything is new again."""
    budgets = Budgets()
    budgets.debit("aoi", Role.STAFF, _people(0, 300), NOW)
    budgets.debit("aoi", Role.STAFF, _people(300, 300), NOW + HOUR_MS)
    later = NOW + 2 * HOUR_MS
    with pytest.raises(BudgetExceeded):
        budgets.debit("aoi", Role.STAFF, _people(600, 1), later)
    assert budgets.standing("aoi", Role.STAFF, NOW + DAY_MS).today == 300
    assert budgets.debit("aoi", Role.STAFF, _people(0, 1), NOW + DAY_MS).today == 301


def test_it_counts_each_lineage_for_itself() -> None:
    """One member's budget is not another's."""
    budgets = Budgets()
    budgets.debit("aoi", Role.STAFF, _people(0, 300), NOW)
    assert budgets.standing("ren", Role.STAFF, NOW) == Budget(0, 300)


def test_it_remembers_what_the_ledger_tells_again() -> None:
    """Replayed entries leave the same standing as the debits they were."""
    lived, replayed = Budgets(), Budgets()
    for step in range(5):
        lived.debit("aoi", Role.MANAGER, _people(step * 40, 50), NOW + step * HOUR_MS)
        replayed.replay("aoi", _people(step * 40, 50), NOW + step * HOUR_MS)
    at = NOW + 5 * HOUR_MS
    assert lived.standing("aoi", Role.MANAGER, at) == replayed.standing("aoi", Role.MANAGER, at)


def test_it_never_meets_an_honest_saturday() -> None:
    """A front desk with 120 visits, its lists looked at all day, stays far below the limits."""
    budgets = Budgets()
    for quarter in range(40):
        at = NOW + quarter * HOUR_MS // 4
        budgets.debit("aoi", Role.STAFF, _people(0, 120), at)
        budgets.debit("aoi", Role.STAFF, _people(quarter * 3, 3), at)
    assert budgets.standing("aoi", Role.STAFF, NOW + 10 * HOUR_MS) == Budget(120, 300)


def test_it_stops_a_drain_at_the_days_limit() -> None:
    """Who takes one person after the other for a day gets as many as a day has, and no more."""
    budgets, taken = Budgets(), 0
    for minute in range(24 * 60):
        for number in range(5):
            try:
                budgets.debit("aoi", Role.STAFF, [f"m{minute}-{number}"], NOW + minute * 60_000)
            except BudgetExceeded:
                continue
            taken += 1
    assert taken == LIMITS[Role.STAFF].day
