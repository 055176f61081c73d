"""The counters of persons' classes: of a lineage, of a shop, of the platform."""

import itertools

import pytest

from noren_vault import budgets as module
from noren_vault.budgets import (
    DAY_MS,
    HOUR_MS,
    LIMITS,
    PLATFORM_A_SHOP,
    PLATFORM_BASE,
    SHOP,
    Allowance,
    Budget,
    Budgets,
    Spender,
    units,
)
from noren_vault.errors import BudgetExceeded, BudgetHeld, SecondPersonNeeded, StepUpNeeded
from noren_vault.fields import CLASS_OF, FIELDS
from noren_vault.rights import SHOP_ROLES, Role

NOW = 1_790_000_000_000
AOI = Spender("aoi.salon", 1, Role.STAFF)
REN = Spender("ren.salon", 1, Role.STAFF)
MEI = Spender("mei.salon", 1, Role.MANAGER)


def _people(first: int, count: int) -> list[str]:
    return [f"p{number}" for number in range(first, first + count)]


def _names(first: int, count: int) -> list[str]:
    return units(_people(first, count), ["name", "kana"])


def test_it_has_limits_for_every_role_and_a_class_for_every_field() -> None:
    """No role is without limits, no field without a class, and an hour never allows more than a day."""
    assert set(LIMITS) == set(Role)
    assert set(CLASS_OF) == set(FIELDS)
    assert all(limits.hour <= limits.day for limits in (*LIMITS.values(), SHOP, PLATFORM_BASE))


def test_it_lets_a_shop_have_what_each_of_its_people_has() -> None:
    """A shop's total is above any one member's, and the platform's above any one shop's."""
    assert all(LIMITS[role].hour < SHOP.hour and LIMITS[role].day < SHOP.day for role in SHOP_ROLES)
    assert PLATFORM_BASE.hour + PLATFORM_A_SHOP.hour > SHOP.hour
    assert PLATFORM_BASE.day + PLATFORM_A_SHOP.day > SHOP.day


def test_it_counts_a_new_person_once() -> None:
    """Seeing the same class of the same person again costs nothing."""
    budgets = Budgets()
    assert budgets.debit(AOI, units(["a", "b", "a"], ["name"]), NOW) == Budget(2, 298)
    assert budgets.debit(AOI, units(["a", "c"], ["kana"]), NOW + 1000) == Budget(3, 297)


def test_it_counts_each_class_of_a_person() -> None:
    """Name and kana are one class, mail and phone another; the note, the chart and health are their own."""
    budgets = Budgets()
    assert budgets.debit(AOI, units(["a"], ["name", "kana"]), NOW).today == 1
    assert budgets.debit(AOI, units(["a"], ["name", "mail", "phone"]), NOW).today == 2
    assert budgets.debit(AOI, units(["a"], FIELDS), NOW).today == 7


def test_it_refuses_all_or_none() -> None:
    """A request that would pass the limit debits nothing, a smaller one still fits."""
    budgets = Budgets()
    budgets.debit(AOI, _names(0, 290), NOW)
    with pytest.raises(StepUpNeeded) as refusal:
        budgets.debit(AOI, _names(290, 11), NOW)
    assert refusal.value.facts == {"today": 290, "left": 10}
    assert budgets.debit(AOI, _names(290, 10), NOW) == Budget(300, 0)


def test_it_lets_the_already_seen_be_seen_when_nothing_is_left() -> None:
    """With the budget used up, today's persons can still be looked at."""
    budgets = Budgets()
    budgets.debit(AOI, _names(0, 300), NOW)
    assert budgets.debit(AOI, _names(100, 100), NOW).left == 0


def test_it_frees_an_hours_budget_after_an_hour_and_a_days_after_a_day() -> None:
    """The windows roll: after an hour the day's rest counts, after a day everything is new again."""
    budgets = Budgets()
    budgets.debit(AOI, _names(0, 300), NOW)
    budgets.debit(AOI, _names(300, 300), NOW + HOUR_MS)
    with pytest.raises(BudgetExceeded):
        budgets.debit(AOI, _names(600, 1), NOW + 2 * HOUR_MS)
    assert budgets.standing(AOI, NOW + DAY_MS).today == 300
    assert budgets.debit(AOI, _names(0, 1), NOW + DAY_MS).today == 301


def test_it_counts_each_lineage_for_itself() -> None:
    """One member's budget is not another's."""
    budgets = Budgets()
    budgets.debit(AOI, _names(0, 300), NOW)
    assert budgets.standing(REN, NOW) == Budget(0, 300)


def test_it_goes_three_steps() -> None:
    """First a passkey, once a day; then a second person, twice a day; then it is held, and time widens it."""
    budgets = Budgets()
    budgets.debit(AOI, _names(0, 300), NOW)
    steps: list[type[BudgetExceeded]] = []
    given: list[int] = []
    for request in ("", "r1", "r2", ""):
        with pytest.raises(BudgetExceeded) as refusal:
            budgets.debit(AOI, _names(len(given) * 100 + 300, 101), NOW + 1)
        steps.append(type(refusal.value))
        allowance = Allowance(AOI.lineage, 1, 100, NOW, NOW + HOUR_MS, request)
        if steps[-1] is not BudgetHeld:
            budgets.give(allowance)
            given.append(budgets.debit(AOI, _names(len(given) * 100 + 300, 100), NOW + 1).left)
    assert steps == [StepUpNeeded, SecondPersonNeeded, SecondPersonNeeded, BudgetHeld]
    assert given == [0, 0, 0]
    assert budgets.standing(AOI, NOW + HOUR_MS + 1) == Budget(600, 0)
    assert budgets.standing(AOI, NOW + DAY_MS + 1) == Budget(0, 300)


def test_it_asks_no_passkey_of_who_came_without_one() -> None:
    """A grant that no passkey gave goes on to a second person at once."""
    budgets, who = Budgets(), Spender("aoi.salon", 1, Role.STAFF, passkey=False)
    assert budgets.next_step(who, NOW) is SecondPersonNeeded


def test_it_holds_an_operator_after_the_step_up() -> None:
    """The platform has no second person: an operator's step-up is all there is."""
    budgets, who = Budgets(), Spender("first.operator", 0, Role.OPERATOR)
    assert Allowance.step_up(who, NOW).amount == LIMITS[Role.OPERATOR].hour // 3
    budgets.give(Allowance.step_up(who, NOW))
    assert budgets.next_step(who, NOW) is BudgetHeld


def test_it_ends_an_allowance_with_its_time_and_with_its_lineage() -> None:
    """What was given to one is not another's, and is gone when its minutes are."""
    budgets = Budgets()
    budgets.give(Allowance(AOI.lineage, 1, 100, NOW, NOW + 60_000, "r1"))
    assert budgets.standing(AOI, NOW).left == 400
    assert budgets.standing(REN, NOW).left == 300
    assert budgets.standing(AOI, NOW + 60_000).left == 300


def test_it_counts_an_approval_twice_written_once() -> None:
    """The same request approved again, after a crash between entry and row, gives nothing more."""
    budgets = Budgets()
    for _ in range(2):
        budgets.give(Allowance(AOI.lineage, 1, 100, NOW, NOW + 60_000, "r1"))
    assert budgets.standing(AOI, NOW).left == 400


@pytest.mark.parametrize("request_id", ["", "0123456789abcdef"])
def test_it_reads_an_allowance_as_it_wrote_it(request_id: str) -> None:
    """The entry's `ref` brings the same allowance back."""
    given = Allowance(AOI.lineage, 1, 100, NOW, NOW + 45 * 60_000, request_id)
    assert Allowance.from_ref(given.to_ref(), actor=AOI.lineage, shop=1, at=NOW) == given


def test_it_meets_six_colluding_accounts_in_the_shops_total() -> None:
    """Six accounts that share the work, each with its step-up, get the shop's day and no more."""
    budgets = Budgets()
    gang = [Spender(f"m{n}.salon", 1, Role.STAFF) for n in range(6)]
    for one in gang:
        budgets.give(Allowance.step_up(one, NOW))
    taken, next_one = 0, itertools.count()
    for minute in range(24 * 60):
        for one in gang:
            try:
                budgets.debit(one, units([f"v{next(next_one)}"], ["name"]), NOW + minute * 60_000)
            except BudgetExceeded:
                continue
            taken += 1
    assert taken == SHOP.day < 6 * LIMITS[Role.STAFF].day
    with pytest.raises(SecondPersonNeeded):
        budgets.debit(REN, _names(0, 1), NOW + DAY_MS - 60_000)


def test_it_meets_one_who_moves_from_shop_to_shop_in_the_platforms_total() -> None:
    """Many shops' members together meet the platform's total, which grows with its shops."""
    budgets = Budgets()
    budgets.shops = 2
    most = PLATFORM_BASE.hour + 2 * PLATFORM_A_SHOP.hour
    taken = 0
    for shop in range(1, 12):
        who = Spender(f"o.s{shop}", shop, Role.OWNER)
        for number in range(4):
            try:
                taken += (
                    len(_names(0, 100))
                    if budgets.debit(who, units([f"s{shop}-{number}-{n}" for n in range(100)], ["name"]), NOW)
                    else 0
                )
            except BudgetHeld:
                continue
    assert taken == most // 100 * 100


def test_it_remembers_what_the_ledger_tells_again() -> None:
    """Replayed entries leave the same standing as the debits they were."""
    lived, replayed = Budgets(), Budgets()
    for step in range(5):
        for budgets in (lived, replayed):
            wanted = _names(step * 40, 50)
            if budgets is lived:
                budgets.debit(MEI, wanted, NOW + step * HOUR_MS)
            else:
                budgets.replay(MEI.lineage, 1, wanted, NOW + step * HOUR_MS)
    at = NOW + 5 * HOUR_MS
    assert lived.standing(MEI, at) == replayed.standing(MEI, at)
    assert lived.standing(AOI, at) == replayed.standing(AOI, at)


def test_it_never_meets_an_honest_saturday() -> None:
    """Four people, 120 visits: lists looked at all day, tomorrow's too, and each card opened by two."""
    budgets = Budgets()
    desk = [AOI, REN, MEI, Spender("ume.salon", 1, Role.RECEPTION)]
    for quarter in range(40):
        at = NOW + quarter * HOUR_MS // 4
        for number, one in enumerate(desk):
            budgets.debit(one, _names(0, 120), at)
            budgets.debit(one, _names(120, 100 if quarter > 30 else 0), at)
            if number in (quarter % 4, (quarter + 1) % 4):
                cards = units(_people(quarter * 3, 3), ["name", "mail", "phone", "note", "health"])
                budgets.debit(one, cards, at)
    assert all(budgets.standing(one, NOW + 10 * HOUR_MS).left > 100 for one in desk)


def test_it_stops_a_drain_at_the_days_limit() -> None:
    """Who takes one person after the other for a day gets as many as a day has, and no more."""
    budgets, taken = Budgets(), 0
    for minute in range(24 * 60):
        for number in range(5):
            try:
                budgets.debit(AOI, units([f"m{minute}-{number}"], ["name"]), NOW + minute * 60_000)
            except BudgetExceeded:
                continue
            taken += 1
    assert taken == LIMITS[Role.STAFF].day
    assert module.MOST_AMOUNT * module.APPROVALS_OF_ONE == 1000
