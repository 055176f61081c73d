"""Dates of classes: moved, called off, resized, decided by how many have come (booking.md 71, 72, 74, 81)."""

import json
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection

from noren.booking import actions, agreement, blocks, classes, impact, reception, sessions, tasks
from noren.booking.models import Attention, Booking, ClassSession, Event, Status
from noren.errors import (
    AlreadyCancelled,
    ClassThere,
    HoldExpired,
    InThePast,
    NotOffered,
    SeatsBooked,
    SlotTaken,
    TooLateToCancel,
)
from noren.shops.models import Service
from noren.shops.rules import change, known
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, later, person, when
from tests.booking.test_bookings import jobs
from tests.booking.test_classes import WEDNESDAY, seats, studio, waiting_of

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-04"
TEN, ELEVEN, TWO = f"{DAY} 10:00", f"{DAY} 11:00", f"{DAY} 14:00"
STRICT: dict[str, Any] = {
    "cancel": {"minutes": 2880},
    "change": {"minutes": 2880},
    "fees": {"tiers": [{"since": {"minutes": 20_000}, "percent": 100}]},
    "price": 3000,
}


def session(house: House, at: str) -> ClassSession:
    with shop(house.id):
        return ClassSession.objects.get(start=when(at))


def move(house: House, at: str, to: str, **more: Any) -> list[int]:
    row = session(house, at)
    values: dict[str, Any] = {"now": NOW, "by": "staff:1", "why": "teacher_ill", **more}
    staff = values.pop("staff", row.staff_id)
    return sessions.move_session(house.id, row.id, when(to), staff, **values)


def call_off(house: House, at: str, **more: Any) -> list[int]:
    return sessions.cancel_session(
        house.id, session(house, at).id, **{"now": NOW, "by": "staff:1", "why": "snow", **more}
    )


def told(house: House, booking_id: int) -> list[str]:
    return [kind for task, kind, _ in jobs(house, booking_id) if task == "messages"]


def events(house: House, booking_id: int) -> list[str]:
    with shop(house.id):
        rows = Event.objects.filter(booking_id=booking_id).order_by("id")
        return list(rows.values_list("what", flat=True))


# -- moved


def test_case_072_a_moved_date_asks_those_who_booked() -> None:
    house = studio(**STRICT)
    booking = house.book("yoga", TEN, party=2)
    other = house.book("yoga", ELEVEN)
    assert move(house, TEN, TWO) == [booking.id]
    moved = house.booking(booking.id)
    assert (moved.start, moved.end, moved.wall) == (when(TWO), when(f"{DAY} 15:00"), f"{DAY}T14:00")
    assert (moved.status, moved.attention, moved.changes) == (Status.CONFIRMED, Attention.MOVED, 1)
    assert moved.agreed == booking.agreed, "what was agreed stands beside the choice, and is not lost"
    assert seats(house, TWO) == 2
    assert told(house, booking.id)[-2:] == ["rescheduled", "reminder"]
    assert [at for _, kind, at in jobs(house, booking.id) if kind == "reminder"] == [when("2026-11-03 14:00")]
    assert house.booking(other.id).attention == ""
    with shop(house.id):
        event = Event.objects.filter(booking_id=booking.id).latest("id")
    assert (event.what, event.by, event.why) == ("session_moved", "staff:1", "teacher_ill")
    assert datetime.fromisoformat(event.facts["from"]) == when(TEN)
    assert house.findings() == []


def test_case_072_its_teacher_and_room_move_with_it() -> None:
    house = studio()
    move(house, TEN, TWO)
    starts = house.starts("lesson", DAY)
    assert "10:00" in starts
    assert "14:00" not in starts
    assert house.starts("yoga", DAY) == ["11:00", "14:00"]


def test_case_072_until_she_answers_nothing_binds_her() -> None:
    house = studio(**STRICT)
    booking = house.book("yoga", TEN)
    with pytest.raises(TooLateToCancel):
        actions.cancel(house.id, booking.id, now=later(hours=5), by="customer")
    move(house, TEN, TWO)
    with shop(house.id):
        row = Booking.objects.get(id=booking.id)
        assert agreement.fee(row, now=later(days=1)).fee == 0
        assert agreement.deadline(row, "cancel") == agreement.deadline(row, "change") == when(TWO)
    actions.cancel(house.id, booking.id, now=when(TWO), by="customer")
    with shop(house.id):
        assert Event.objects.filter(booking_id=booking.id).latest("id").facts == {"fee": 0, "fee_percent": 0}
    assert seats(house, TWO) == 0


def test_case_072_who_keeps_it_is_bound_again() -> None:
    house = studio(**STRICT)
    booking = house.book("yoga", TEN)
    move(house, TEN, TWO)
    actions.keep(house.id, booking.id, now=NOW, by="customer")
    assert house.booking(booking.id).attention == ""
    assert events(house, booking.id)[-1] == "kept"
    with pytest.raises(TooLateToCancel):
        actions.cancel(house.id, booking.id, now=later(days=1), by="customer")


def test_a_customer_answers_only_what_is_hers_to_answer() -> None:
    house = studio()
    booking = house.book("yoga", TEN)
    with shop(house.id):
        Booking.objects.filter(id=booking.id).update(attention=Attention.BLOCKED)
    actions.keep(house.id, booking.id, now=NOW, by="customer")
    assert house.booking(booking.id).attention == Attention.BLOCKED
    actions.keep(house.id, booking.id, now=NOW, by="staff:1")
    assert house.booking(booking.id).attention == ""


def test_case_072_moved_twice_she_is_told_of_both_and_shown_what_she_knew() -> None:
    house = studio()
    booking = house.book("yoga", TEN)
    move(house, TEN, TWO)
    move(house, TWO, "2026-11-05 15:00")
    with shop(house.id):
        assert sessions.was(Booking.objects.get(id=booking.id)) == (when(TEN), when(ELEVEN))
    assert told(house, booking.id).count("rescheduled") == 2
    actions.keep(house.id, booking.id, now=NOW, by="customer")
    move(house, "2026-11-05 15:00", "2026-11-05 16:00")
    with shop(house.id):
        row = Booking.objects.get(id=booking.id)
        assert sessions.was(row) == (when("2026-11-05 15:00"), when("2026-11-05 16:00"))


def test_case_072_a_form_that_is_being_filled_is_let_go() -> None:
    house = studio()
    held = house.hold("yoga", TEN, party=3)
    assert move(house, TEN, TWO) == []
    with pytest.raises(HoldExpired):
        actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=1)
    assert house.booking(held.id).status == Status.RELEASED
    assert seats(house, TWO) == 0
    assert house.findings() == []


def test_a_date_may_overlap_itself() -> None:
    house = studio(timetable=[{"weekday": WEDNESDAY, "start": 600}])
    booking = house.book("yoga", TEN)
    move(house, TEN, f"{DAY} 10:30")
    assert house.booking(booking.id).start == when(f"{DAY} 10:30")
    assert house.findings() == []


def test_a_date_is_moved_only_to_where_everything_is_free() -> None:
    house = studio()
    house.book("lesson", TWO)
    with pytest.raises(SlotTaken):
        move(house, TEN, f"{DAY} 14:30")
    with pytest.raises(NotOffered):
        move(house, TEN, f"{DAY} 19:00")
    with pytest.raises(InThePast):
        move(house, TEN, "2026-11-02 09:00")
    with pytest.raises(InThePast):
        move(house, TEN, "2026-11-06 10:00", now=when(ELEVEN))
    assert session(house, TEN).staff_id == house.resources["yui"]
    assert house.findings() == []


def test_a_date_where_another_of_its_class_is_stays() -> None:
    """Two halls and two teachers: nothing is taken, but a class is found by its start."""
    house = found(
        {"yui": {}, "rei": {}},
        {
            "yoga": {
                "needs": {"staff": ["yui", "rei"]},
                "capacity": 8,
                "timetable": [{"weekday": WEDNESDAY, "start": hour * 60} for hour in (10, 11)],
            }
        },
    )
    classes.schedule(house.id, now=NOW)
    with pytest.raises(ClassThere):
        move(house, TEN, ELEVEN, staff=None)
    call_off(house, ELEVEN)
    move(house, TEN, ELEVEN, staff=None)
    assert house.starts("yoga", DAY) == ["11:00"]


def test_another_teacher_is_a_change_too() -> None:
    house = found(
        {"yui": {}, "rei": {}},
        {
            "yoga": {
                "needs": {"staff": ["yui", "rei"]},
                "capacity": 8,
                "timetable": [{"weekday": WEDNESDAY, "start": 600}],
            }
        },
    )
    classes.schedule(house.id, now=NOW)
    booking = house.book("yoga", TEN)
    row = session(house, TEN)
    assert row.staff_id is not None
    other = next(each for each in house.resources.values() if each != row.staff_id)
    assert move(house, TEN, TEN, staff=row.staff_id) == [], "nothing has changed"
    assert move(house, TEN, TEN, staff=other) == [booking.id]
    assert house.booking(booking.id).staff_id == other
    assert house.findings() == []


def test_the_timetable_makes_no_second_date_for_one_that_was_moved_or_called_off() -> None:
    house = studio()
    move(house, TEN, TWO)
    call_off(house, ELEVEN)
    classes.schedule(house.id, now=later(hours=1))
    assert house.starts("yoga", DAY) == ["14:00"]


def test_case_101_a_moved_date_is_checked_in_to_at_its_new_time() -> None:
    house = studio(check_in={"opens_minutes": 60, "release_minutes": 15})
    booking = house.book("yoga", TEN)
    early = house.book("yoga", TEN)
    reception.check_in(house.id, early.id, now=when(f"{DAY} 09:50"), by="staff:1")
    move(house, TEN, TWO, now=when(f"{DAY} 09:55"))
    assert house.booking(early.id).status == Status.CONFIRMED, "who had come comes anew"
    reception.release_unattended(house.id, booking.id, now=when(f"{DAY} 10:20"))
    assert house.booking(booking.id).status == Status.CONFIRMED
    assert ("booking", "", when(f"{DAY} 14:15")) in jobs(house, booking.id)
    reception.release_unattended(house.id, booking.id, now=when(f"{DAY} 14:15"))
    assert house.booking(booking.id).status == Status.RELEASED


def test_who_waits_for_an_answer_is_told_of_the_move_too() -> None:
    house = studio(approval="free")
    booking = house.book("yoga", TEN)
    assert booking.status == Status.PENDING
    assert move(house, TEN, TWO) == [booking.id]
    assert told(house, booking.id) == ["asked", "rescheduled"]
    reception.lapse(house.id, booking.id, now=when(TEN))
    approved = reception.approve(house.id, booking.id, now=when(TEN), by="staff:1")
    assert (approved.status, approved.start) == (Status.CONFIRMED, when(TWO))
    assert seats(house, TWO) == 1


@pytest.mark.parametrize("approval", ["free", "keeps"])
def test_the_shops_yes_is_not_her_answer(approval: str) -> None:
    house = studio(approval=approval)
    booking = house.book("yoga", TEN)
    move(house, TEN, TWO)
    reception.approve(house.id, booking.id, now=NOW, by="staff:1")
    assert house.booking(booking.id).attention == Attention.MOVED


# -- called off


def test_case_081_what_the_shop_calls_off_costs_nothing() -> None:
    house = studio(**STRICT)
    booking = house.book("yoga", TEN, party=2)
    waiting = house.hold("yoga", TEN)
    assert call_off(house, TEN) == [booking.id]
    assert house.booking(booking.id).status == Status.CANCELLED
    assert house.booking(waiting.id).status == Status.RELEASED
    with shop(house.id):
        event = Event.objects.filter(booking_id=booking.id).latest("id")
    assert (event.what, event.why, event.facts) == ("cancelled", "snow", {"fee": 0, "fee_percent": 0})
    assert told(house, booking.id) == ["booked", "called_off"]
    assert seats(house, TEN) == 0
    assert house.starts("yoga", DAY) == ["11:00"]
    assert "10:00" in house.starts("lesson", DAY), "its teacher is free"
    with pytest.raises(NotOffered):
        house.hold("yoga", TEN)
    with pytest.raises(NotOffered):
        call_off(house, TEN)
    assert house.findings() == []


def test_who_had_come_or_not_owes_nothing_for_a_class_that_is_called_off() -> None:
    house = studio()
    here, absent = house.book("yoga", TEN), house.book("yoga", TEN)
    reception.check_in(house.id, here.id, now=when(f"{DAY} 09:50"), by="staff:1")
    reception.no_show(house.id, absent.id, now=when(f"{DAY} 10:05"), by="staff:1")
    assert call_off(house, TEN, now=when(f"{DAY} 10:10")) == [here.id, absent.id]
    with pytest.raises(InThePast):
        call_off(house, ELEVEN, now=when(f"{DAY} 12:00"))


# -- resized


def resize(house: House, at: str, capacity: int, **more: Any) -> sessions.Seats:
    values: dict[str, Any] = {"now": NOW, "by": "staff:1", **more}
    return sessions.resize(house.id, session(house, at).id, capacity, **values)


def test_case_071_fewer_seats_than_booked_are_refused() -> None:
    house = studio(capacity=8)
    house.book("yoga", TEN, party=4)
    assert sessions.seats(house.id, session(house, TEN).id, 3) == sessions.Seats(3, 4)
    with pytest.raises(SeatsBooked) as refusal:
        resize(house, TEN, 3)
    assert refusal.value.facts == {"booked": 4}
    assert session(house, TEN).capacity == 8
    assert resize(house, TEN, 4).over == 0


def test_case_071_who_insists_sees_the_overbooking_and_drops_nobody() -> None:
    house = studio(capacity=8)
    booking = house.book("yoga", TEN, party=4)
    assert resize(house, TEN, 3, insist=True).over == 1
    assert house.booking(booking.id).status == Status.CONFIRMED
    assert seats(house, TEN) == 4
    with pytest.raises(SlotTaken):
        house.hold("yoga", TEN)
    with pytest.raises(RuntimeError):
        resize(house, TEN, 2, insist=True, by="customer")
    assert house.findings() == []


def test_case_071_seats_of_an_expired_hold_are_no_bookings() -> None:
    house = studio(capacity=8)
    house.hold("yoga", TEN, party=4)
    with pytest.raises(SeatsBooked):
        resize(house, TEN, 2)
    assert resize(house, TEN, 2, now=later(minutes=11)) == sessions.Seats(2, 0)
    assert house.findings() == []


def test_more_seats_are_there_at_once() -> None:
    house = studio(capacity=2)
    house.book("yoga", TEN, party=2)
    resize(house, TEN, 4)
    house.book("yoga", TEN, party=2)
    with pytest.raises(NotOffered):
        sessions.seats(house.id, 999_999, 4)


# -- the minimum


def small(**more: Any) -> House:
    """Three must have booked by 20:00 on the day before."""
    return studio(minimum={"seats": 3, "deadline": {"days": 1, "at": 1200}}, **more)


EVENING = when("2026-11-03 20:00")


def test_case_074_too_few_by_the_deadline_are_told_once_and_owe_nothing() -> None:
    house = small(**STRICT)
    booking = house.book("yoga", TEN, party=2)
    row = session(house, TEN)
    assert row.decided_at == EVENING
    assert deciding(house, row.id) == [EVENING]
    sessions.decide(house.id, row.id, now=EVENING.replace(minute=0) - (EVENING - NOW) / 100)
    assert house.booking(booking.id).status == Status.CONFIRMED, "not before the deadline"
    for _ in range(3):
        sessions.decide(house.id, row.id, now=EVENING)
    assert house.booking(booking.id).status == Status.CANCELLED
    assert told(house, booking.id) == ["booked", "called_off"]
    assert events(house, booking.id) == ["held", "confirmed", "cancelled"]
    with shop(house.id):
        event = Event.objects.filter(booking_id=booking.id).latest("id")
    assert (event.by, event.why, event.facts["fee"]) == ("system", "minimum", 0)
    assert house.findings() == []


def test_case_074_enough_is_enough() -> None:
    house = small()
    booking = house.book("yoga", TEN, party=3)
    sessions.decide(house.id, session(house, TEN).id, now=EVENING)
    assert house.booking(booking.id).status == Status.CONFIRMED
    assert not session(house, TEN).cancelled


def test_case_074_a_form_that_is_being_filled_is_not_booked() -> None:
    house = small()
    house.book("yoga", TEN, party=2)
    house.hold("yoga", TEN, now=EVENING)
    sessions.decide(house.id, session(house, TEN).id, now=EVENING)
    assert session(house, TEN).cancelled


def test_case_074_a_moved_date_is_decided_by_its_new_deadline() -> None:
    house = small()
    booking = house.book("yoga", TEN)
    row = session(house, TEN)
    move(house, TEN, "2026-11-06 10:00")
    sessions.decide(house.id, row.id, now=EVENING)
    assert house.booking(booking.id).status == Status.CONFIRMED, "the old job does nothing"
    assert when("2026-11-05 20:00") in deciding(house, row.id)
    sessions.decide(house.id, row.id, now=when("2026-11-05 20:00"))
    assert house.booking(booking.id).status == Status.CANCELLED


def test_case_074_after_the_deadline_the_shop_decides() -> None:
    house = small()
    booking = house.book("yoga", "2026-11-11 10:00")
    row = session(house, "2026-11-11 10:00")
    move(house, "2026-11-11 10:00", "2026-11-03 10:00", now=later(hours=12))
    assert session(house, "2026-11-03 10:00").decided_at is None
    sessions.decide(house.id, row.id, now=EVENING)
    assert house.booking(booking.id).status == Status.CONFIRMED


def test_case_074_a_minimum_that_comes_later_holds_for_the_dates_that_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = studio()
    row = session(house, TEN)
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    for minimum in ({"seats": 2, "deadline": {"minutes": 60}}, {"seats": 3, "deadline": {"minutes": 60}}):
        with shop(house.id), change():
            Service.objects.filter(key="yoga").update(minimum=minimum)
        tasks.follow_rules(house.id)
    assert deciding(house, row.id) == [when(f"{DAY} 09:00")]
    with shop(house.id), change():
        Service.objects.filter(key="yoga").update(minimum={})
    tasks.follow_rules(house.id)
    monkeypatch.setattr("noren.clock.now", lambda: when(f"{DAY} 09:00"))
    tasks.decide(house.id, row.id)
    assert not session(house, TEN).cancelled, "the rule was taken away"


def deciding(house: House, session_id: int) -> list[datetime | None]:
    return waiting_of("noren.booking.tasks.decide", {"shop_id": house.id, "session_id": session_id})


# -- the timetable's first and last day


def test_a_course_begins_and_ends() -> None:
    days = {"first": "2026-11-11", "last": "2026-11-25"}
    house = studio(timetable=[{"weekday": WEDNESDAY, "start": 600, **days}])
    with shop(house.id):
        made = [row.start.date() for row in ClassSession.objects.order_by("start")]
    assert made == [date(2026, 11, day) for day in (11, 18, 25)]


def test_a_date_is_made_where_a_block_is_not() -> None:
    house = studio(timetable=[])
    start, end = when(f"{DAY} 09:00"), when(f"{DAY} 13:00")
    blocks.block(house.id, house.resources["hall"], start, end, now=NOW, by="staff:1", reason="repair")
    with shop(house.id), change():
        Service.objects.filter(key="yoga").update(
            timetable=[{"weekday": WEDNESDAY, "start": hour * 60} for hour in (10, 14)]
        )
    classes.schedule(house.id, now=NOW)
    assert house.starts("yoga", DAY) == ["14:00"]


def test_a_cancelled_booking_is_not_cancelled_again_with_its_date() -> None:
    house = studio()
    booking = house.book("yoga", TEN)
    actions.cancel(house.id, booking.id, now=NOW, by="customer")
    assert call_off(house, TEN) == []
    assert told(house, booking.id) == ["booked", "cancelled"]
    with pytest.raises(AlreadyCancelled):
        actions.keep(house.id, booking.id, now=NOW, by="customer")


def test_a_moved_date_is_still_the_timetables() -> None:
    """A change of the rules does not take it for one that nobody planned."""
    line = {"weekday": WEDNESDAY, "start": 600, "last": DAY}
    house = studio(timetable=[line])
    move(house, TEN, TWO)
    row = session(house, TWO)
    with shop(house.id):
        assert impact.date_is_held(known(), row)
        with change():
            Service.objects.filter(key="yoga").update(timetable=[{**line, "last": "2026-11-03"}])
        assert not impact.date_is_held(known(), row)


def test_what_a_date_lets_go_is_offered_to_who_waits() -> None:
    house = studio(capacity=1, waiting={"hours": 4})
    house.hold("yoga", TEN)
    offers = offering(house)
    resize(house, TEN, 2)
    move(house, TEN, TWO)
    call_off(house, TWO)
    assert offering(house) >= offers + 4, (
        "more seats, the old time, the seats of the form, the time called off"
    )


def offering(house: House) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND args @> %s::jsonb",
            ["noren.booking.tasks.offer", json.dumps({"shop_id": house.id})],
        )
        return int((cursor.fetchone() or (0,))[0])
