"""Bookings: confirmed, cancelled, moved; jobs, agreements, events (booking.md §2, 43, 62, 77-82)."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection

from noren.booking import actions, blocks, day
from noren.booking.models import Event, Status
from noren.errors import (
    AlreadyCancelled,
    BookingUnknown,
    SlotTaken,
    TooLate,
    TooLateToCancel,
    TooLateToChange,
)
from noren.shops.models import Service, Staff
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, salon, when

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"


OF_BOOKING = """
SELECT split_part(task_name, '.', 2), coalesce(args->>'kind', ''), scheduled_at FROM procrastinate_jobs
WHERE args @> %s::jsonb AND status = %s AND task_name <> 'noren.booking.tasks.expire' ORDER BY id
"""
KEEPING = """
SELECT args->>'person_id' FROM procrastinate_jobs
WHERE task_name = 'noren.people.tasks.keep' AND args @> %s::jsonb
"""


def jobs(house: House, booking_id: int, status: str = "todo") -> list[tuple[str, str, datetime | None]]:
    """Task, kind and time of the jobs of a booking."""
    with connection.cursor() as cursor:
        cursor.execute(OF_BOOKING, [json.dumps({"shop_id": house.id, "booking_id": booking_id}), status])
        rows: list[tuple[str, str, datetime | None]] = cursor.fetchall()
    return rows


def test_it_writes_the_jobs_with_the_booking() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    assert jobs(house, booking.id) == [
        ("messages", "booked", None),
        ("messages", "reminder", when("2026-11-04 10:00")),
    ]
    with connection.cursor() as cursor:
        cursor.execute(KEEPING, [json.dumps({"shop_id": house.id})])
        assert cursor.fetchall() == [(str(booking.person_id),)]


def test_it_keeps_the_person_before_any_mail_is_sent() -> None:
    """A mail server that hangs makes mails wait; a person who waits with them is erased within the hour."""
    house = salon()
    for hour in (10, 11):
        house.book("cut", f"{DAY} {hour}:00")
    query = (
        "SELECT split_part(task_name, '.', 2) FROM procrastinate_jobs WHERE args @> %s::jsonb "
        "AND status = 'todo' AND scheduled_at IS NULL AND task_name !~ 'noren.booking' "
        "ORDER BY priority DESC, id"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [json.dumps({"shop_id": house.id})])
        assert [name for (name,) in cursor.fetchall()] == ["people", "people", "messages", "messages"]


def test_it_writes_no_job_without_its_booking(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("noren.booking.referee.confirm", fail)
    with pytest.raises(ZeroDivisionError):
        actions.confirm(house.id, held.id, uuid4(), now=NOW, locale="ja", consent=1)
    assert jobs(house, held.id) == []


def test_it_reminds_of_nothing_that_is_too_near() -> None:
    house = salon()
    booking = house.book("cut", "2026-11-02 15:00")
    assert [kind for _, kind, _ in jobs(house, booking.id)] == ["booked"]


def test_case_043_cancelled_is_free_at_once() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    actions.cancel(house.id, booking.id, now=NOW, by="staff:7", reason="ill")
    assert "10:00" in house.starts("cut", DAY)
    assert house.sheet_rows() == 0
    assert house.booking(booking.id).status == Status.CANCELLED
    with shop(house.id):
        last = Event.objects.filter(booking_id=booking.id).latest("id")
    assert (last.what, last.by, last.why) == ("cancelled", "staff:7", "ill")
    assert [kind for _, kind, _ in jobs(house, booking.id)] == ["booked", "cancelled"]
    assert [kind for _, kind, _ in jobs(house, booking.id, "cancelled")] == ["reminder"]


def test_it_keeps_no_free_text_as_a_reason() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(DatabaseError, match="booking_event_why_check"):
        actions.cancel(house.id, booking.id, now=NOW, by="staff:7", reason="Mrs Sato is ill")
    assert house.booking(booking.id).status == Status.CONFIRMED


def test_it_cancels_once() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    actions.cancel(house.id, booking.id, now=NOW, by="customer")
    with pytest.raises(AlreadyCancelled):
        actions.cancel(house.id, booking.id, now=NOW, by="customer")
    with pytest.raises(BookingUnknown):
        actions.cancel(house.id, 999_999, now=NOW, by="customer")


def test_it_refuses_a_late_cancel_but_not_to_staff() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "cancel": {"minutes": 1440}}})
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(TooLateToCancel):
        actions.cancel(house.id, booking.id, now=when("2026-11-04 10:01"), by="customer")
    actions.cancel(house.id, booking.id, now=when("2026-11-04 10:01"), by="staff:1")


def test_it_allows_a_cancel_at_the_edge() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "cancel": {"minutes": 1440}}})
    booking = house.book("cut", f"{DAY} 10:00")
    actions.cancel(house.id, booking.id, now=when("2026-11-04 10:00"), by="customer")


def test_case_082_a_booking_keeps_its_policy() -> None:
    house = found(
        {"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "cancel": {"minutes": 60}, "price": 4000}}
    )
    booking = house.book("cut", f"{DAY} 10:00")
    with shop(house.id), change():
        Service.objects.filter(key="cut").update(cancel={"minutes": 9999}, price=9999)
    assert house.booking(booking.id).agreed["price"] == 4000
    assert house.booking(booking.id).agreed["consent"] == 1
    actions.cancel(house.id, booking.id, now=NOW, by="customer")


def test_case_080_a_moved_booking_keeps_its_policy() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "cancel": {"minutes": 2880}}})
    booking = house.book("cut", f"{DAY} 10:00")
    with shop(house.id), change():
        Service.objects.filter(key="cut").update(cancel={"minutes": 0})
    actions.move(house.id, booking.id, when(f"{DAY} 11:00"), None, now=NOW, by="customer")
    with pytest.raises(TooLateToCancel):
        actions.cancel(house.id, booking.id, now=when(f"{DAY} 10:00"), by="customer")


def test_case_062_a_wish_for_somebody_has_its_price_then() -> None:
    house = found(
        {"aoi": {"fee": 500}, "ren": {"fee": 800}},
        {"cut": {"needs": {"staff": ["aoi", "ren"]}, "price": 4000}},
    )
    booking = house.book("cut", f"{DAY} 10:00", "aoi")
    assert booking.agreed["price"] == 4500
    with shop(house.id), change():
        Staff.objects.filter(key="aoi").update(fee=900)
    aoi, ren = house.resources["aoi"], house.resources["ren"]
    kept = actions.move(house.id, booking.id, when(f"{DAY} 11:00"), aoi, now=NOW, by="customer")
    assert kept.agreed["price"] == 4500
    other = actions.move(house.id, booking.id, when(f"{DAY} 11:00"), ren, now=NOW, by="customer")
    assert (other.agreed["price"], other.staff_id) == (4800, ren)
    anyone = house.book("cut", f"{DAY} 10:00")
    assert anyone.agreed["price"] == 4000


def test_case_077_a_move_may_overlap_itself() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    moved = actions.move(house.id, booking.id, when(f"{DAY} 10:30"), None, now=NOW, by="customer")
    assert (moved.start, moved.changes) == (when(f"{DAY} 10:30"), 1)
    assert house.findings() == []


def test_case_078_the_old_time_is_free_at_once() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    actions.move(house.id, booking.id, when("2026-11-06 12:00"), None, now=NOW, by="customer")
    assert "10:00" in house.starts("cut", DAY)
    assert "12:00" not in house.starts("cut", "2026-11-06")
    with shop(house.id):
        event = Event.objects.filter(booking_id=booking.id).latest("id")
    assert event.what == "moved"
    assert datetime.fromisoformat(event.facts["from"]) == when(f"{DAY} 10:00")


def test_case_108_three_moves_leave_one_reminder() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    for hour in (11, 12, 13):
        actions.move(house.id, booking.id, when(f"{DAY} {hour}:00"), None, now=NOW, by="customer")
    left = [at for _, kind, at in jobs(house, booking.id) if kind == "reminder"]
    assert left == [when("2026-11-04 13:00")]
    actions.cancel(house.id, booking.id, now=NOW, by="customer")
    assert [kind for _, kind, _ in jobs(house, booking.id) if kind == "reminder"] == []


def test_a_move_that_is_refused_changes_nothing() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    house.book("cut", f"{DAY} 12:00")
    with pytest.raises(SlotTaken):
        actions.move(house.id, booking.id, when(f"{DAY} 12:30"), None, now=NOW, by="customer")
    assert house.booking(booking.id).changes == 0
    assert len([kind for _, kind, _ in jobs(house, booking.id) if kind == "reminder"]) == 1
    assert house.findings() == []


def test_case_040_a_move_heeds_both_its_times() -> None:
    house = found(
        {"aoi": {}},
        {"cut": {"needs": {"staff": ["aoi"]}, "lead": {"minutes": 120}, "change": {"minutes": 60}}},
    )
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(TooLateToChange):
        actions.move(
            house.id, booking.id, when(f"{DAY} 15:00"), None, now=when(f"{DAY} 09:01"), by="customer"
        )
    with pytest.raises(TooLate):
        actions.move(
            house.id, booking.id, when(f"{DAY} 10:30"), None, now=when(f"{DAY} 09:00"), by="customer"
        )


def test_it_moves_nothing_that_was_cancelled() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    actions.cancel(house.id, booking.id, now=NOW, by="customer")
    with pytest.raises(AlreadyCancelled):
        actions.move(house.id, booking.id, when(f"{DAY} 12:00"), None, now=NOW, by="customer")
    with pytest.raises(BookingUnknown):
        actions.move(house.id, 999_999, when(f"{DAY} 12:00"), None, now=NOW, by="customer")


def test_case_020_a_booking_to_midnight_is_not_on_the_next_day() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}}}, hours=((0, 1440),), zone="UTC")
    start = datetime.fromisoformat(f"{DAY}T23:00+00:00")
    actions.hold(house.id, actions.HoldRequest(house.services["cut"], start, None, 1), now=NOW)
    assert house.sheet_rows() == 1


def test_it_lists_a_day_and_a_history() -> None:
    house = salon()
    late = house.book("cut", f"{DAY} 15:00")
    early = house.book("cut", f"{DAY} 09:00")
    house.book("cut", "2026-11-06 09:00")
    house.hold("cut", f"{DAY} 12:00")
    gone = house.book("cut", f"{DAY} 16:30")
    actions.cancel(house.id, gone.id, now=NOW, by="customer")
    rows = day.day(house.id, when(f"{DAY} 00:00").date())
    assert [row.id for row in rows] == [early.id, late.id]
    assert early.person_id is not None
    assert [row.id for row in day.history(house.id, early.person_id)] == [early.id]


def test_a_day_is_the_shops() -> None:
    """8:00 in Tokyo is the day before in UTC."""
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}}}, hours=((7 * 60, 12 * 60),))
    booking = house.book("cut", f"{DAY} 08:00")
    assert [row.id for row in day.day(house.id, when(f"{DAY} 00:00").date())] == [booking.id]
    assert day.day(house.id, when("2026-11-04 00:00").date()) == []


def test_it_keeps_the_wall_time_that_was_meant() -> None:
    house = salon()
    booking = house.booking(house.book("cut", f"{DAY} 10:00").id)
    assert (booking.wall, booking.zone) == (f"{DAY}T10:00", "Asia/Tokyo")
    assert booking.end == when(f"{DAY} 11:00")


def test_case_098_a_block_closes_over_bookings_and_drops_none() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    block = blocks.block(
        house.id,
        house.resources["stylist0"],
        when(f"{DAY} 09:00"),
        when(f"{DAY} 13:00"),
        now=NOW,
        by="staff:1",
        reason="pause",
    )
    assert house.starts("cut", DAY)[0] == "13:00"
    assert house.booking(booking.id).status == Status.CONFIRMED
    blocks.unblock(house.id, block)
    assert house.starts("cut", DAY)[0] == "09:00"
    assert "10:00" not in house.starts("cut", DAY)
    assert house.findings() == []
