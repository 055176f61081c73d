"""At the desk: check in, no-show, check out; what happens where nobody comes (booking.md 101, 102)."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from noren.booking import actions, blocks, reception, tasks, transact
from noren.booking.models import Booking, Event, Status
from noren.errors import NotThatStatus, SlotTaken, TooEarlyToCheckIn, TooLateToCheckIn
from noren.shops.tenancy import shop
from tests.booking.rush import at_once, before_first
from tests.booking.scene import NOW, House, found, when
from tests.booking.test_bookings import jobs
from tests.booking.test_classes import seats, studio

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"
STAFF = "staff:1"


def desk(**more: Any) -> House:
    """Somebody who has not checked in 15 minutes after the start makes room."""
    cut = {"needs": {"staff": ["aoi"]}, "check_in": {"opens_minutes": 60, "release_minutes": 15}, **more}
    return found({"aoi": {}}, {"cut": cut})


def come(house: House, booking: Booking, at: str, by: str = STAFF) -> None:
    reception.check_in(house.id, booking.id, now=when(f"{DAY} {at}"), by=by)


def leave(house: House, booking: Booking, at: str) -> Booking:
    return reception.check_out(house.id, booking.id, now=when(f"{DAY} {at}"), by=STAFF)


def release(house: House, booking: Booking, at: datetime) -> None:
    reception.release_unattended(house.id, booking.id, now=at)


def status(house: House, booking: Booking) -> str:
    return house.booking(booking.id).status


def free(house: House, at: str, service: str = "cut") -> bool:
    """Whether that minute of the day can be booked: staff may look behind the grid."""
    now = when(f"{DAY} 00:00") - timedelta(days=1)
    try:
        held = house.hold(service, f"{DAY} {at}", now=now)
    except SlotTaken:
        return False
    actions.release(house.id, held.id, now=now)
    return True


# -- check in


def test_case_101_no_check_in_in_time_makes_room_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    assert ("booking", "", when(f"{DAY} 10:15")) in jobs(house, booking.id)
    release(house, booking, when(f"{DAY} 10:14"))
    assert status(house, booking) == Status.CONFIRMED
    monkeypatch.setattr("noren.clock.now", lambda: when(f"{DAY} 10:15"))
    tasks.release(house.id, booking.id)
    assert status(house, booking) == Status.RELEASED
    assert [kind for task, kind, _ in jobs(house, booking.id) if task == "messages"] == ["booked", "released"]
    assert house.starts("cut", DAY, now=when(f"{DAY} 10:00"))[0] == "10:00"
    with shop(house.id):
        event = Event.objects.filter(booking_id=booking.id).latest("id")
    assert (event.what, event.by, event.why) == ("released", "system", "no_check_in")
    assert house.findings() == []


@pytest.mark.parametrize("released", [True, False])
def test_case_101_past_it_nobody_checks_in(released: bool) -> None:
    """Also where the job has not run yet."""
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    if released:
        release(house, booking, when(f"{DAY} 10:15"))
    with pytest.raises(TooLateToCheckIn):
        come(house, booking, "10:15")
    with pytest.raises(TooLateToCheckIn):
        come(house, booking, "10:15", "customer")


def test_case_101_who_has_come_keeps_her_time() -> None:
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(TooEarlyToCheckIn):
        come(house, booking, "08:59")
    come(house, booking, "09:00")
    release(house, booking, when(f"{DAY} 10:15"))
    assert status(house, booking) == Status.CHECKED_IN
    with pytest.raises(NotThatStatus):
        come(house, booking, "10:00")


def test_case_101_the_job_of_an_older_time_does_nothing() -> None:
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    actions.move(house.id, booking.id, when(f"{DAY} 15:00"), None, now=NOW, by="customer")
    release(house, booking, when(f"{DAY} 10:15"))
    assert status(house, booking) == Status.CONFIRMED
    release(house, booking, when(f"{DAY} 15:15"))
    assert status(house, booking) == Status.RELEASED


def test_case_101_moved_at_the_very_moment_it_is_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at again under its lock."""
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    move = partial(
        actions.move, house.id, booking.id, when(f"{DAY} 15:00"), None, now=when(f"{DAY} 10:15"), by=STAFF
    )
    given = before_first(monkeypatch, "noren.booking.reception.locked", move, transact.locked)
    release(house, booking, when(f"{DAY} 10:15"))
    assert isinstance(given[0], Booking)
    assert status(house, booking) == Status.CONFIRMED


def test_case_101_without_the_rule_nobody_is_released() -> None:
    house = desk(check_in={})
    booking = house.book("cut", f"{DAY} 10:00")
    release(house, booking, when(f"{DAY} 17:00"))
    assert status(house, booking) == Status.CONFIRMED
    assert not [each for each in jobs(house, booking.id) if each[0] == "booking"]
    come(house, booking, "10:50")


def test_case_101_a_class_seat_is_free_again() -> None:
    house = studio(capacity=1, check_in={"release_minutes": 15})
    booking = house.book("yoga", "2026-11-04 10:00")
    release(house, booking, when("2026-11-04 10:15"))
    assert seats(house, "2026-11-04 10:00") == 0
    assert house.findings() == []


# -- nobody came, or late


def test_a_no_show_keeps_its_time_and_may_come_late() -> None:
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(TooEarlyToCheckIn):
        reception.no_show(house.id, booking.id, now=when(f"{DAY} 09:59"), by=STAFF)
    reception.no_show(house.id, booking.id, now=when(f"{DAY} 10:05"), by=STAFF)
    release(house, booking, when(f"{DAY} 10:15"))
    assert status(house, booking) == Status.NO_SHOW
    assert not free(house, "10:00")
    with pytest.raises(NotThatStatus):
        come(house, booking, "10:10", "customer")
    come(house, booking, "10:10")
    assert status(house, booking) == Status.CHECKED_IN
    with shop(house.id):
        seen = list(Event.objects.filter(booking_id=booking.id).order_by("id").values_list("what", flat=True))
    assert seen == ["held", "confirmed", "no_show", "checked_in"]


def test_only_what_was_booked_is_a_no_show() -> None:
    house = desk(approval="keeps")
    pending = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(NotThatStatus):
        reception.no_show(house.id, pending.id, now=when(f"{DAY} 10:05"), by=STAFF)
    with pytest.raises(NotThatStatus):
        come(house, pending, "10:00")


def test_two_deeds_at_once_leave_one_state() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}}})
    for hour in range(9, 18):
        booking = house.book("cut", f"{DAY} {hour:02}:00")
        at = when(f"{DAY} {hour:02}:05")
        come_ = partial(reception.check_in, house.id, booking.id, now=at, by="customer")
        deeds: list[Any] = [
            come_,
            partial(reception.no_show, house.id, booking.id, now=at, by=STAFF),
            partial(actions.cancel, house.id, booking.id, now=at, by=STAFF),
        ] * 2
        answers = [type(each).__name__ for each in at_once(deeds) if isinstance(each, BaseException)]
        assert len(answers) == 5, "one of them is done, the others are told"
        assert set(answers) <= {"NotThatStatus", "AlreadyCancelled"}
    assert house.findings() == []


# -- check out


def test_case_102_what_remains_is_free_but_for_the_buffer() -> None:
    house = desk(minutes=120, after=20, grid={"kind": "clock", "interval": 1})
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(NotThatStatus):
        leave(house, booking, "10:30")
    come(house, booking, "10:00")
    left = leave(house, booking, "10:29:30")
    assert (left.end, left.status) == (when(f"{DAY} 10:30"), Status.CHECKED_IN)
    assert not free(house, "10:49")
    assert free(house, "10:50")
    assert house.findings() == []


def test_case_102_one_leaves_once() -> None:
    house = desk(minutes=120)
    booking = house.book("cut", f"{DAY} 10:00")
    come(house, booking, "10:00")
    answers = at_once([partial(leave, house, booking, f"10:{minute}") for minute in (30, 31, 32, 33)])
    assert {each.end for each in answers if isinstance(each, Booking)} == {house.booking(booking.id).end}
    with shop(house.id):
        assert Event.objects.filter(booking_id=booking.id, what="checked_out").count() == 1
    again = leave(house, booking, "11:00")
    assert again.changes == 1
    assert house.findings() == []


def test_case_102_who_leaves_in_time_changes_nothing() -> None:
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    come(house, booking, "10:00")
    assert leave(house, booking, "11:05").end == when(f"{DAY} 11:00")
    leave(house, booking, "11:06")
    with shop(house.id):
        assert Event.objects.filter(booking_id=booking.id, what="checked_out").count() == 1


@pytest.mark.parametrize(
    ("out", "first"),
    [("2026-11-06 08:30", "08:50"), ("2026-11-06 08:50", "09:10"), ("2026-11-06 09:30", "09:50")],
)
def test_case_102_over_the_border_of_a_day(out: str, first: str) -> None:
    """9:00 in Tokyo is midnight in UTC: claims are cut there."""
    night = {"minutes": 180, "after": 20, "before": 10, "grid": {"kind": "clock", "interval": 1}}
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, **night}}, hours=((0, 1440),))
    booking = house.book("cut", "2026-11-06 08:00")
    reception.check_in(house.id, booking.id, now=when("2026-11-06 08:00"), by=STAFF)
    reception.check_out(house.id, booking.id, now=when(out), by=STAFF)
    starts = house.starts("cut", "2026-11-06", now=when("2026-11-06 08:00"))
    assert starts[0] == first
    assert house.findings() == []


def test_case_102_of_a_stock_its_units_come_back() -> None:
    house = found(
        {"kit": {"kind": "equipment", "stock": 3}},
        {
            "two": {"needs": {"kit": {"pool": ["kit"], "units": 2}}, "minutes": 120},
            "one": {"needs": {"kit": {"pool": ["kit"], "units": 1}}, "minutes": 120},
        },
    )
    booking = house.book("two", f"{DAY} 10:00")
    house.book("one", f"{DAY} 10:00")
    assert not free(house, "11:00", "one")
    come(house, booking, "10:00")
    leave(house, booking, "11:00")
    assert free(house, "11:00", "two")
    assert house.findings() == []


def test_case_102_of_a_whole_all_parts_come_back() -> None:
    house = found(
        {"a": {"kind": "court"}, "b": {"kind": "court"}, "hall": {"kind": "court", "parts": ["a", "b"]}},
        {"hall": {"needs": {"court": ["hall"]}, "minutes": 180}, "court": {"needs": {"court": ["a", "b"]}}},
    )
    booking = house.book("hall", f"{DAY} 09:00")
    come(house, booking, "09:00")
    leave(house, booking, "10:00")
    for _ in "ab":
        house.book("court", f"{DAY} 10:00")
    assert not free(house, "09:30", "hall")
    assert house.findings() == []


def colour() -> House:
    """Staff and chair 30, the chair 30, staff and chair 30; then ten minutes of cleaning."""
    minute = {"kind": "clock", "interval": 1}
    return found(
        {"aoi": {}, "chair": {"kind": "chair"}},
        {
            "colour": {
                "needs": {"staff": ["aoi"], "chair": ["chair"]},
                "segments": [
                    {"minutes": 30, "roles": ["staff", "chair"]},
                    {"minutes": 30, "roles": ["chair"]},
                    {"minutes": 30, "roles": ["staff", "chair"]},
                ],
                "after": 40,
            },
            "talk": {"needs": {"staff": ["aoi"]}, "minutes": 10, "grid": minute},
            "sit": {"needs": {"chair": ["chair"]}, "minutes": 10, "grid": minute},
        },
    )


def test_case_102_of_segments_what_was_to_come_goes() -> None:
    """She leaves while the colour works: the staff's second part goes with its buffer."""
    house = colour()
    booking = house.book("colour", f"{DAY} 10:00")
    come(house, booking, "10:00")
    leave(house, booking, "10:40")
    assert not free(house, "10:29", "talk")
    for at in ("10:30", "11:00", "11:10"):
        assert free(house, at, "talk")
    assert not free(house, "11:19", "sit")
    assert free(house, "11:20", "sit")
    assert house.findings() == []


def test_case_102_of_segments_the_part_that_runs_is_cut() -> None:
    house = colour()
    booking = house.book("colour", f"{DAY} 10:00")
    come(house, booking, "10:00")
    leave(house, booking, "11:10")
    assert free(house, "10:40", "talk")
    assert not free(house, "11:49", "talk")
    assert free(house, "11:50", "talk")


def test_case_102_a_place_in_a_class_ends_with_the_class() -> None:
    house = studio(capacity=2)
    booking = house.book("yoga", "2026-11-04 10:00")
    reception.check_in(house.id, booking.id, now=when("2026-11-04 10:00"), by=STAFF)
    left = reception.check_out(house.id, booking.id, now=when("2026-11-04 10:20"), by=STAFF)
    assert left.end == when("2026-11-04 11:00")
    assert seats(house, "2026-11-04 10:00") == 1


def test_case_102_what_was_blocked_over_it_stays_blocked() -> None:
    house = desk(minutes=120)
    booking = house.book("cut", f"{DAY} 10:00")
    come(house, booking, "10:00")
    start, end = when(f"{DAY} 11:00"), when(f"{DAY} 12:00")
    blocks.block(house.id, house.resources["aoi"], start, end, now=NOW, by=STAFF, reason="pause")
    leave(house, booking, "10:30")
    assert not free(house, "10:30")
    assert free(house, "12:00")
    assert house.findings() == []


def test_a_check_in_by_mistake_is_undone_until_she_leaves() -> None:
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(NotThatStatus):
        reception.undo_check_in(house.id, booking.id, now=when(f"{DAY} 10:00"), by=STAFF)
    come(house, booking, "10:00")
    reception.undo_check_in(house.id, booking.id, now=when(f"{DAY} 10:05"), by=STAFF)
    assert status(house, booking) == Status.CONFIRMED
    assert not free(house, "10:10"), "its time is kept all the while"
    release(house, booking, when(f"{DAY} 10:15"))
    assert status(house, booking) == Status.RELEASED, "and given free as if she had never been noted"
    assert house.findings() == []


def test_who_has_left_was_here() -> None:
    house = desk()
    booking = house.book("cut", f"{DAY} 10:00")
    come(house, booking, "10:00")
    leave(house, booking, "10:30")
    with pytest.raises(NotThatStatus):
        reception.undo_check_in(house.id, booking.id, now=when(f"{DAY} 10:31"), by=STAFF)
