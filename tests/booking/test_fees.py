"""What cancelling costs, by what was agreed (booking.md 79-81)."""

from datetime import timedelta
from typing import Any

import pytest

from noren.booking import actions, agreement, reception
from noren.booking.models import Booking, Event
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, when

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-20"
TEN = f"{DAY} 10:00"
SECOND = timedelta(seconds=1)
TIERS: dict[str, Any] = {
    "tiers": [
        {"since": {"minutes": 7 * 1440}, "percent": 50},
        {"since": {"days": 1, "at": 1200}, "percent": 80},
        {"since": {"minutes": 0}, "percent": 100},
    ]
}


def salon(fees: dict[str, Any] = TIERS, **more: Any) -> House:
    return found(
        {"aoi": {"fee": 555}, "ren": {}},
        {"cut": {"needs": {"staff": ["aoi", "ren"]}, "price": 4000, "fees": fees, **more}},
    )


def cost(house: House, booking: Booking, at: Any) -> tuple[int, int]:
    with shop(house.id):
        found_ = agreement.fee(Booking.objects.get(id=booking.id), now=at)
    return found_.fee_percent, found_.fee


def facts(house: House, booking: Booking) -> dict[str, Any]:
    with shop(house.id):
        return dict(Event.objects.filter(booking_id=booking.id).latest("id").facts)


def test_case_079_each_tier_begins_the_second_after_its_moment() -> None:
    house = salon()
    booking = house.book("cut", TEN, "aoi")
    week, evening = when("2026-11-13 10:00"), when("2026-11-19 20:00")
    assert cost(house, booking, week) == (0, 0)
    assert cost(house, booking, week + SECOND) == (50, 2277), "half of 4,555 yen, rounded down"
    assert cost(house, booking, evening) == (50, 2277)
    assert cost(house, booking, evening + SECOND) == (80, 3644)
    assert cost(house, booking, when(TEN)) == (80, 3644)
    assert cost(house, booking, when(TEN) + SECOND) == (100, 4555)


def test_case_079_within_the_first_hour_nothing_is_due() -> None:
    house = salon({**TIERS, "free_minutes": 60})
    booked = when("2026-11-20 08:00")
    booking = house.book("cut", TEN, now=booked)
    assert cost(house, booking, booked + timedelta(minutes=60)) == (0, 0)
    assert cost(house, booking, booked + timedelta(minutes=60) + SECOND) == (80, 3200)


def test_case_079_what_is_due_is_in_the_history() -> None:
    house = salon()
    booking = house.book("cut", TEN)
    actions.cancel(house.id, booking.id, now=when("2026-11-19 20:01"), by="customer")
    assert facts(house, booking) == {"fee_percent": 80, "fee": 3200}


def test_case_080_a_move_does_not_lower_what_was_due() -> None:
    """She moves inside the window to a far day, and cancels there."""
    house = salon()
    booking = house.book("cut", TEN)
    inside = when("2026-11-18 10:00")
    actions.move(house.id, booking.id, when("2026-12-20 10:00"), None, now=inside, by="customer")
    assert cost(house, booking, inside + timedelta(minutes=1)) == (50, 2000)
    actions.move(house.id, booking.id, when("2026-12-25 10:00"), None, now=inside, by="customer")
    assert cost(house, booking, inside + timedelta(minutes=2)) == (50, 2000), "nor does another"
    assert cost(house, booking, when("2026-12-24 20:01")) == (80, 3200), "and it rises as agreed"
    actions.cancel(house.id, booking.id, now=inside + timedelta(minutes=3), by="customer")
    assert facts(house, booking) == {"fee_percent": 50, "fee": 2000}


def test_case_080_a_free_move_leaves_nothing_behind() -> None:
    house = salon()
    booking = house.book("cut", TEN)
    actions.move(house.id, booking.id, when("2026-12-20 10:00"), None, now=NOW, by="customer")
    assert cost(house, booking, NOW) == (0, 0)


def test_case_080_what_the_shop_moves_makes_nothing_due() -> None:
    house = salon()
    booking = house.book("cut", TEN)
    inside = when("2026-11-19 21:00")
    actions.move(house.id, booking.id, when("2026-12-20 10:00"), None, now=inside, by="staff:1")
    assert cost(house, booking, inside) == (0, 0)


def test_case_080_the_policy_of_its_making_applies_after_a_move() -> None:
    house = salon()
    booking = house.book("cut", TEN)
    with shop(house.id), change():
        dear = {"tiers": [{"since": {"minutes": 90_000}, "percent": 100}]}
        Service.objects.filter(key="cut").update(fees=dear, price=9000)
    actions.move(house.id, booking.id, when("2026-11-21 10:00"), None, now=NOW, by="customer")
    assert cost(house, booking, NOW) == (0, 0)
    assert cost(house, booking, when("2026-11-20 20:01")) == (80, 3200)
    assert cost(house, house.book("cut", TEN), NOW) == (100, 9000)


@pytest.mark.parametrize("by", ["staff:1", "system"])
def test_case_081_what_the_shop_cancels_costs_nothing(by: str) -> None:
    house = salon()
    booking = house.book("cut", TEN)
    actions.cancel(house.id, booking.id, now=when(TEN), by=by, reason="ill")
    assert facts(house, booking) == {"fee_percent": 0, "fee": 0}


def test_case_081_nor_what_it_declines_or_releases() -> None:
    house = salon(approval="keeps", check_in={"release_minutes": 15})
    one, two = house.book("cut", TEN), house.book("cut", TEN)
    reception.decline(house.id, one.id, now=when("2026-11-20 09:00"), by="staff:1")
    reception.approve(house.id, two.id, now=NOW, by="staff:1")
    reception.release_unattended(house.id, two.id, now=when("2026-11-20 10:15"))
    for booking in (one, two):
        assert facts(house, booking) == {"fee_percent": 0, "fee": 0}


def test_without_fees_nothing_is_due() -> None:
    house = salon({})
    booking = house.book("cut", TEN)
    assert cost(house, booking, when(TEN) + timedelta(hours=1)) == (0, 0)
