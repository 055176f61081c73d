"""Reminders: when they go out, around the shop's quiet hours."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.booking import actions, reception, reminder, reminding
from noren.booking.models import Booking
from noren.shops import edits
from noren.shops.models import Shop
from noren.shops.rules import change
from noren.shops.tenancy import shop
from noren.shops.terms import reminders_of
from tests.booking.scene import NOW, House, found, salon, when
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


# -- several, and thanks


def steps(house: House, booking: Booking) -> list[tuple[str, datetime | None]]:
    return [(kind, at) for _, kind, at in jobs(house, booking.id) if kind in ("reminder", "thanks")]


def step_on(house: House, booking: Booking, before: int | None, now: datetime) -> None:
    job = house.booking(booking.id).reminder_job
    for _ in range(2):  # a second attempt of the same job plans nothing more
        reminding.step_on(house.id, booking.id, job=job, before=before, now=now)


def test_each_reminder_plans_the_next_and_the_last_one_the_thanks() -> None:
    house = salon(reminder_minutes=4320, more_reminders=[180], thanks_hours=2)
    booking = house.book("cut", f"{DAY} 13:00")
    first, second = ("reminder", when("2026-11-02 13:00")), ("reminder", when(f"{DAY} 10:00"))
    thanks = ("thanks", booking.end + timedelta(hours=2))
    assert steps(house, booking) == [first]
    step_on(house, booking, 4320, when("2026-11-02 13:00"))
    assert steps(house, booking) == [first, second]
    step_on(house, booking, 180, when(f"{DAY} 10:00"))
    assert steps(house, booking) == [first, second, thanks]
    actions.cancel(house.id, booking.id, now=when(f"{DAY} 10:30"), by="staff:1")
    assert steps(house, booking) == [first, second]


def test_what_was_planned_moves_with_its_booking_and_ends_with_it() -> None:
    house = salon(reminder_minutes=4320, more_reminders=[180], thanks_hours=2)
    booking = house.book("cut", f"{DAY} 13:00")
    step_on(house, booking, 4320, when("2026-11-02 13:00"))
    actions.move(house.id, booking.id, when(f"{DAY} 15:00"), None, now=when("2026-11-03 09:00"), by="staff:1")
    # The first one's moment is past: she was reminded, and is so again three hours before.
    assert steps(house, booking)[1:] == [("reminder", when(f"{DAY} 12:00"))]


def test_who_books_later_than_a_reminder_gets_the_next_one_alone() -> None:
    house = salon(reminder_minutes=4320, more_reminders=[180], thanks_hours=0)
    booking = house.book("cut", f"{DAY} 13:00", now=when("2026-11-04 09:00"))
    assert steps(house, booking) == [("reminder", when(f"{DAY} 10:00"))]
    at_once = house.book("cut", f"{DAY} 16:00", now=when(f"{DAY} 14:00"))
    assert steps(house, at_once) == []


def test_two_that_quiet_hours_bring_together_are_one() -> None:
    house = salon(reminder_minutes=180, more_reminders=[120], quiet=NIGHT)
    booking = house.book("cut", f"{DAY} 09:00")
    assert steps(house, booking) == [("reminder", when("2026-11-04 21:59"))]
    step_on(house, booking, 180, when("2026-11-04 21:59"))
    assert len(steps(house, booking)) == 1


def test_thanks_wait_until_quiet_hours_are_over() -> None:
    house = salon(reminder_minutes=0, thanks_hours=5, quiet=NIGHT)
    booking = house.book("cut", f"{DAY} 17:00")
    assert steps(house, booking) == [("thanks", when("2026-11-06 08:00"))]


def test_another_rule_plans_the_bookings_to_come_anew_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminding, "CHUNK", 2)
    house = salon(reminder_minutes=1440)
    bookings = [house.book("cut", f"2026-11-0{day} 13:00") for day in (5, 6, 7)]
    with shop(house.id), change():
        assert edits.set_reminding([180, 0, 2880, 180], 1, {})
        assert not edits.set_reminding([2880, 180], 1, {})
    reminding.replan(house.id, 0, now=NOW)
    assert [len(steps(house, each)) for each in bookings] == [1, 1, 1]
    assert steps(house, bookings[2]) == [("reminder", when("2026-11-06 13:00"))]
    reminding.replan(house.id, bookings[1].id, now=NOW)
    assert [steps(house, each)[0][1] for each in bookings] == [
        when(f"2026-11-0{day} 13:00") for day in (3, 4, 5)
    ]
    assert house.booking(bookings[0].id).agreed["more_reminders"] == [180]


def test_what_waits_for_approval_is_reminded_by_the_newest_rule_once_it_is_approved() -> None:
    services = {"cut": {"needs": {"staff": ["aoi"]}, "approval": "keeps"}}
    house = found({"aoi": {}}, services, reminder_minutes=1440)
    booking = house.book("cut", f"{DAY} 13:00")
    with shop(house.id), change():
        edits.set_reminding([180], 0, {})
    reminding.replan(house.id, 0, now=NOW)
    assert steps(house, booking) == []
    reception.approve(house.id, booking.id, now=NOW, by="staff:1")
    assert steps(house, booking) == [("reminder", when(f"{DAY} 10:00"))]


def test_a_rule_that_ends_leaves_nothing_planned() -> None:
    house = salon(reminder_minutes=1440, thanks_hours=3)
    booking = house.book("cut", f"{DAY} 13:00")
    with shop(house.id), change():
        edits.set_reminding([], 0, {})
    reminding.replan(house.id, 0, now=NOW)
    assert steps(house, booking) == []
    assert house.booking(booking.id).reminder_job is None


@given(
    st.lists(st.integers(10, 6000), min_size=1, max_size=4),
    st.integers(0, 48),
    st.sampled_from([None, [22 * 60, 8 * 60], [12 * 60, 13 * 60]]),
    st.integers(0, 7000),
)
def test_each_step_comes_after_the_one_before_and_none_is_past(
    minutes: list[int], hours: int, quiet: list[int] | None, booked: int
) -> None:
    first, *more = reminders_of(*minutes)
    begins = when(f"{DAY} 10:00")
    agreed = {"reminder_minutes": first, "more_reminders": more, "thanks_hours": hours, "quiet": quiet}
    booking = Booking(
        shop_id=1, start=begins, end=begins + timedelta(hours=1), zone="Asia/Tokyo", agreed=agreed
    )
    now, after, seen = begins - timedelta(minutes=booked), None, []
    while (step := reminder.following(booking, now=now, after=after)) is not None:
        assert step.at > now
        assert step.kind == "thanks" or (step.at < begins and step.before in (first, *more))
        seen.append(step.before)
        if step.kind == "thanks":
            assert step.at > booking.end
            break
        now, after = step.at, step.before
    assert len(seen) == len(set(seen))
