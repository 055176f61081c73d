"""Who of several: order, what a newcomer is given, and what a choice takes."""

from noren.engine import assign
from noren.engine.model import Assignment, Claim, Load, Resource
from tests.engine.build import desk, staff

DAY = "2026-12-01"


def ranked(loads: dict[int, Load], *pool: Resource) -> list[int]:
    return assign.ranked(desk(resources=pool).rules, [each.id for each in pool], loads)


def test_it_prefers_one_who_was_never_assigned() -> None:
    assert ranked({1: Load(0, last=0)}, staff(1), staff(2)) == [2, 1]
    assert ranked({1: Load(0, last=500), 3: Load(0, last=400)}, staff(1), staff(2), staff(3)) == [2, 3, 1]


def test_it_compares_loads_by_weight_down_to_a_weight_of_one() -> None:
    assert ranked({1: Load(1), 2: Load(1)}, staff(1, weight=1), staff(2, weight=2)) == [2, 1]
    assert ranked({1: Load(1), 2: Load(1)}, staff(1, weight=0), staff(2, weight=1)) == [1, 2]


def test_it_counts_what_one_is_credited_with() -> None:
    assert ranked({1: Load(1, credit=3), 2: Load(3)}, staff(1), staff(2)) == [2, 1]


def credited(newcomer: Resource, others: dict[int, Load], *pool: Resource) -> int:
    return assign.credit(newcomer, others, {each.id: each for each in (newcomer, *pool)})


def test_a_newcomer_is_credited_with_the_mean_share_for_their_own_weight() -> None:
    others = {1: Load(10, credit=30), 2: Load(60)}
    assert credited(staff(3, weight=50), others, staff(1), staff(2)) == 25
    assert credited(staff(3, weight=200), others, staff(1), staff(2)) == 100


def test_a_newcomer_is_compared_with_the_light_ones_too() -> None:
    assert credited(staff(3, weight=2), {1: Load(6)}, staff(1, weight=1)) == 12


def test_a_newcomer_is_not_compared_with_oneself_or_with_who_has_gone() -> None:
    others = {1: Load(40), 3: Load(1000), 77: Load(1000)}
    assert credited(staff(3), others, staff(1)) == 40


def test_an_assignment_says_what_when_and_of_whom() -> None:
    shop = desk()
    start = shop.at(f"{DAY} 10:00")
    assert shop.choose(start) == Assignment(
        1, start, start + 60, {"staff": (1,)}, (Claim(1, 1, start, start + 60, start, start + 60),)
    )
