"""Reminders: when they go out, around the shop's quiet hours."""

from datetime import datetime, timedelta

import pytest

from noren.booking import actions, reminder
from noren.booking.models import Booking
from noren.shops.models import Shop
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, salon, when
from tests.booking.test_bookings import jobs

pytestmark = pytest.mark.usefixtures("module_app_db")
NIGHT = {"from": 22 * 60, "to": 8 * 60}
DAY = "2026-11-05"


def quiet_salon(before: int = 1440, quiet: dict[str, int] | None = None) -> House:
    return salon(reminder_minutes=before, quiet=NIGHT if quiet is None else quiet)


def reminders(house: House, booking: Booking) -> list[datetime | None]:
    return [at for _, kind, at in jobs(house, booking.id) if kind == "reminder"]


@pytest.mark.parametrize(
    ("before", "start", "due"),
    [
        (1440, f"{DAY} 10:00", "2026-11-04 10:00"),  # no quiet hour
        (120, f"{DAY} 09:00", "2026-11-04 21:59"),  # 7:00: the evening before
        (120, f"{DAY} 10:00", f"{DAY} 08:00"),  # as they end it is quiet no more
        (121, f"{DAY} 10:00", "2026-11-04 21:59"),
        (600, f"{DAY} 10:00", "2026-11-04 21:59"),  # midnight
        (720, f"{DAY} 10:00", "2026-11-04 21:59"),  # 22:00, as they begin
        (721, f"{DAY} 10:00", "2026-11-04 21:59"),
        (722, f"{DAY} 10:00", "2026-11-04 21:58"),
    ],
)
def test_it_goes_out_before_the_quiet_hours_it_falls_into(before: int, start: str, due: str) -> None:
    house = quiet_salon(before)
    assert reminders(house, house.book("cut", start)) == [when(due)]


def test_it_knows_quiet_hours_within_a_day_and_none() -> None:
    siesta = quiet_salon(240, {"from": 12 * 60, "to": 13 * 60})
    assert reminders(siesta, siesta.book("cut", f"{DAY} 16:30")) == [when(f"{DAY} 11:59")]
    never = quiet_salon(240, {})
    assert reminders(never, never.book("cut", f"{DAY} 16:30")) == [when(f"{DAY} 12:30")]


def test_where_their_beginning_is_past_it_goes_out_once_they_are_over() -> None:
    house, late = quiet_salon(120), when("2026-11-04 22:30")
    assert reminders(house, house.book("cut", f"{DAY} 09:00", now=late)) == [when(f"{DAY} 08:00")]


def test_it_does_not_remind_where_the_quiet_lasts_until_the_start() -> None:
    house, late = quiet_salon(120, {"from": 22 * 60, "to": 9 * 60}), when("2026-11-04 22:30")
    assert reminders(house, house.book("cut", f"{DAY} 09:00", now=late)) == []


def test_a_reminder_moves_with_its_booking_and_ends_with_it() -> None:
    house = quiet_salon(120)
    booking = house.book("cut", f"{DAY} 13:00")
    assert reminders(house, booking) == [when(f"{DAY} 11:00")]
    actions.move(house.id, booking.id, when(f"{DAY} 09:00"), None, now=NOW, by="customer")
    assert reminders(house, booking) == [when("2026-11-04 21:59")]
    actions.cancel(house.id, booking.id, now=NOW, by="customer")
    assert reminders(house, booking) == []


def test_it_is_by_the_quiet_hours_that_were_when_it_was_booked() -> None:
    """So its job, which is written already, is due at the moment it comes."""
    house = quiet_salon(120)
    booking = house.book("cut", f"{DAY} 09:00")
    with shop(house.id), change():
        Shop.objects.update(quiet={})
    assert reminder.earliest(house.booking(booking.id)) == when("2026-11-04 21:59")


@pytest.mark.parametrize(
    ("start", "due"),
    [
        # The clock goes back at 3:00 on 25 October: 4 hours before 5:00 is the first 2:00.
        ("2026-10-25T05:00+01:00", "2026-10-24T21:59+02:00"),
        # It goes forward at 2:00 on 28 March.
        ("2027-03-28T09:00+02:00", "2027-03-27T21:59+01:00"),
        ("2027-03-28T12:00+02:00", "2027-03-28T08:00+02:00"),
    ],
)
def test_it_goes_by_the_wall_over_a_clock_change(start: str, due: str) -> None:
    begins = datetime.fromisoformat(start)
    agreed = {"reminder_minutes": 240, "quiet": [22 * 60, 8 * 60]}
    booking = Booking(shop_id=1, start=begins, zone="Europe/Berlin", agreed=agreed)
    assert reminder.at(booking, now=begins - timedelta(days=3)) == datetime.fromisoformat(due)


def test_a_booking_of_before_there_were_quiet_hours_is_reminded_as_ever() -> None:
    begins = when(f"{DAY} 02:00")
    booking = Booking(shop_id=1, start=begins, zone="Asia/Tokyo", agreed={"reminder_minutes": 60})
    assert reminder.at(booking, now=NOW) == when(f"{DAY} 01:00")
