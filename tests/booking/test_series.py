"""Series and courses: the report, the modes, the locks, and what becomes of them."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from noren.booking import actions, reception, referee, series
from noren.booking.models import Booking, ClassSession, Status
from noren.booking.report import Line, Mode, SeriesRequest
from noren.engine.series import Rhythm, Unit
from noren.errors import (
    AlreadyCancelled,
    BadField,
    BookingUnknown,
    CourseOnly,
    HoldExpired,
    IdempotencyKeyReused,
    LimitReached,
    NotOffered,
    SeriesNotFree,
    SeriesTooLong,
    ServiceUnknown,
    TooLateToCancel,
)
from noren.shops.models import Override, Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, later, person, salon, when
from tests.booking.test_classes import seats, studio
from tests.booking.test_history import parlour

pytestmark = pytest.mark.usefixtures("module_app_db")
WEEKLY = Rhythm(Unit.WEEK, count=10)
FIRST = "2026-11-04 10:00"  # a Wednesday


def wish(
    house: House, service: str, first: str, rhythm: Rhythm | None = WEEKLY, **more: Any
) -> SeriesRequest:
    staff = more.pop("staff", None)
    at = more.pop("starts", (when(first),))
    whom = None if staff is None else house.resources[staff]
    return SeriesRequest(house.services[service], whom, more.pop("party", 1), at, rhythm, **more)


def hold(
    house: House, service: str, first: str, rhythm: Rhythm | None = WEEKLY, **more: Any
) -> series.HeldSeries:
    return series.hold_series(house.id, wish(house, service, first, rhythm, **more), now=NOW)


def confirm(house: House, held: series.HeldSeries, **more: Any) -> list[Booking]:
    values = {"now": NOW, "locale": "ja", "consent": 1, **more}
    return series.confirm_series(house.id, held.id, values.pop("person", None) or person(), **values)


def starts(house: House, ids: list[int]) -> list[str]:
    zone = ZoneInfo(house.zone)
    return [f"{house.booking(each).start.astimezone(zone):%m-%d %H:%M}" for each in ids]


def told(lines: tuple[Line, ...]) -> list[tuple[str, str, str]]:
    def shown(at: datetime | None) -> str:
        return "" if at is None else f"{at.astimezone(ZoneInfo('Asia/Tokyo')):%m-%d %H:%M}"

    return [(shown(line.wanted), line.refusal, shown(line.nearest)) for line in lines]


def busy(house: House) -> None:
    """The second and the fifth of ten Wednesdays are taken."""
    house.book("cut", "2026-11-11 10:00")
    house.book("cut", "2026-12-02 10:30")


def nothing_is_left(house: House) -> None:
    assert house.findings() == []
    assert house.sheet_rows() == 0


# -- the report, and what is held


def test_case_075_she_sees_which_of_ten_dates_are_busy() -> None:
    house = salon()
    busy(house)
    rows = house.sheet_rows()
    seen = told(series.look(house.id, wish(house, "cut", FIRST), now=NOW))
    assert [line for line in seen if line[1]] == [
        ("11-11 10:00", "slot_taken", "11-11 09:00"),
        ("12-02 10:00", "slot_taken", "12-02 09:30"),
    ]
    assert len(seen) == 10
    assert house.sheet_rows() == rows, "looking writes nothing"


def test_case_075_skip_holds_what_is_free() -> None:
    house = salon()
    busy(house)
    held = hold(house, "cut", FIRST, mode=Mode.SKIP)
    assert starts(house, held.bookings) == [
        *("11-04 10:00", "11-18 10:00", "11-25 10:00", "12-09 10:00"),
        *("12-16 10:00", "12-23 10:00", "12-30 10:00", "01-06 10:00"),
    ]
    assert [line.refusal for line in held.report if line.booking is None] == ["slot_taken"] * 2
    assert {house.booking(each).series_id for each in held.bookings} == {held.id}
    assert house.findings() == []


def test_case_075_nearest_holds_the_nearest_for_what_is_busy() -> None:
    house = salon()
    busy(house)
    held = hold(house, "cut", FIRST, mode=Mode.NEAREST)
    moved = [line for line in held.report if line.refusal]
    assert told(tuple(moved)) == [
        ("11-11 10:00", "slot_taken", "11-11 09:00"),
        ("12-02 10:00", "slot_taken", "12-02 09:30"),
    ]
    assert starts(house, [line.booking or 0 for line in moved]) == ["11-11 09:00", "12-02 09:30"]
    assert len(held.bookings) == 10
    assert house.findings() == []


def test_case_075_all_or_nothing_holds_nothing_and_reports() -> None:
    house = salon()
    busy(house)
    rows = house.sheet_rows()
    with pytest.raises(SeriesNotFree) as refused:
        hold(house, "cut", FIRST)
    assert told(refused.value.facts["report"]) == told(
        series.look(house.id, wish(house, "cut", FIRST), now=NOW)
    )
    with shop(house.id):
        assert not Booking.objects.exclude(series_id=None).exists()
    assert house.sheet_rows() == rows
    assert house.findings() == []


def test_case_075_all_are_free_and_all_are_booked_in_one_transaction() -> None:
    house = salon()
    held = hold(house, "cut", FIRST)
    assert house.sheet_rows() == 10, "days that were locked and stayed empty have no row"
    bookings = confirm(house, held)
    assert [booking.status for booking in bookings] == ["confirmed"] * 10
    assert {booking.series_id for booking in bookings} == {held.id}
    assert house.findings() == []


# -- dates


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("America/New_York", "2026-10-25T10:00:00-04:00"),
        ("Europe/Paris", "2026-10-18T10:00:00+02:00"),
        ("Australia/Sydney", "2026-10-01T10:00:00+10:00"),
        ("Australia/Lord_Howe", "2026-10-01T10:00:00+10:30"),
    ],
)
def test_case_027_a_weekly_series_stays_at_ten(zone: str, first: str) -> None:
    now = datetime(2026, 9, 20, tzinfo=UTC)
    house = salon(zone=zone)
    start = datetime.fromisoformat(first)
    request = wish(house, "cut", FIRST, Rhythm(Unit.WEEK, count=4), starts=(start,))
    held = series.hold_series(house.id, request, now=now)
    bookings = [house.booking(each) for each in held.bookings]
    info = ZoneInfo(zone)
    assert [booking.wall[11:] for booking in bookings] == ["10:00"] * 4
    assert {booking.start.astimezone(info).hour for booking in bookings} == {10}
    assert len({booking.start.astimezone(info).utcoffset() for booking in bookings}) == 2, "the clock changed"
    assert house.findings() == []


def test_case_076_until_is_included_and_count_includes_the_first() -> None:
    house = salon()
    until = Rhythm(Unit.WEEK, until=date(2026, 11, 25))
    assert len(series.look(house.id, wish(house, "cut", FIRST, until), now=NOW)) == 4
    assert len(hold(house, "cut", FIRST, Rhythm(Unit.DAY, every=2, count=5)).bookings) == 5
    assert starts(house, hold(house, "cut", "2026-11-04 12:00", until).bookings)[-1] == "11-25 12:00"


def test_a_list_of_starts_is_a_series_in_their_order() -> None:
    house = salon()
    days = tuple(when(f"2026-11-{day:02} 10:00") for day in (9, 4, 6, 4))
    held = hold(house, "cut", FIRST, None, starts=days)
    assert starts(house, held.bookings) == ["11-04 10:00", "11-06 10:00", "11-09 10:00"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"starts": ()}, BadField),
        ({"starts": (when("2026-11-04 10:00").replace(second=30),)}, NotOffered),
        ({"rhythm": Rhythm(Unit.DAY, until=date(2026, 11, 3))}, BadField),
        ({"rhythm": Rhythm(Unit.DAY, count=101)}, SeriesTooLong),
        ({"rhythm": Rhythm(Unit.DAY, until=date(2027, 11, 3))}, SeriesTooLong),
        ({"rhythm": Rhythm(Unit.MONTH, every=99, count=9)}, SeriesTooLong),
        ({"rhythm": Rhythm(Unit.MONTH, every=99, until=date(2040, 1, 1))}, SeriesTooLong),
        ({"service_id": 999_999}, ServiceUnknown),
    ],
)
def test_it_refuses_what_is_no_series(more: dict[str, Any], error: type[Exception]) -> None:
    house = salon()
    request = replace(wish(house, "cut", FIRST), **more)
    for deed in (series.look, series.hold_series):
        with pytest.raises(error):
            deed(house.id, request, now=NOW)
    assert house.sheet_rows() == 0


def test_dates_outside_of_the_horizon_say_so() -> None:
    house = salon()
    far = Rhythm(Unit.MONTH, count=5)
    lines = series.look(house.id, wish(house, "cut", FIRST, far), now=NOW)
    assert [line.refusal for line in lines] == ["", "", "", "outside_horizon", "outside_horizon"]
    assert len(hold(house, "cut", FIRST, far, mode=Mode.SKIP).bookings) == 3


def test_nothing_free_at_all_holds_nothing() -> None:
    house = salon()
    house.hold("cut", "2026-11-04 10:00")
    once = Rhythm(Unit.DAY, count=1)
    for mode in (Mode.SKIP, Mode.ALL_OR_NOTHING):
        with pytest.raises(SeriesNotFree):
            hold(house, "cut", FIRST, once, mode=mode)
    with pytest.raises(SeriesNotFree) as refused:
        hold(house, "cut", "2026-11-04 03:00", once, mode=Mode.SKIP)
    [line] = refused.value.facts["report"]
    assert line.refusal == "not_offered"
    assert house.findings() == []
    assert house.sheet_rows() == 1


# -- the same deciding way


def test_the_dates_of_a_series_count_for_its_limits() -> None:
    weekly = {"of": "service", "period": "week", "most": 2}
    by_staff = {"of": "staff", "period": "month", "minutes": 300}
    house = found(
        {"aoi": {}, "ren": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "limits": [weekly, by_staff]}}
    )
    daily = Rhythm(Unit.DAY, count=10)
    request = wish(house, "cut", "2026-11-04 10:00", daily, mode=Mode.SKIP)
    seen = [line.refusal for line in series.look(house.id, request, now=NOW)]
    held = series.hold_series(house.id, request, now=NOW)
    assert [line.refusal for line in held.report] == seen
    assert starts(house, held.bookings) == ["11-04 10:00", "11-05 10:00", "11-09 10:00", "11-10 10:00"]
    assert set(seen) == {"", "limit_reached"}
    third = wish(house, "cut", "2026-11-16 10:00", daily, mode=Mode.SKIP)
    assert starts(house, series.hold_series(house.id, third, now=NOW).bookings) == ["11-16 10:00"], (
        "300 minutes"
    )
    assert house.findings() == []


def test_the_limits_of_a_customer_count_when_she_is_known() -> None:
    house = found(
        {"aoi": {}},
        {"cut": {"needs": {"staff": ["aoi"]}, "limits": [{"of": "customer", "period": "week", "most": 2}]}},
    )
    daily = Rhythm(Unit.DAY, count=3)
    who = person()
    request = wish(house, "cut", "2026-11-09 10:00", daily, person=who)
    assert [line.refusal for line in series.look(house.id, request, now=NOW)] == ["", "", "limit_reached"]
    held = hold(house, "cut", "2026-11-09 10:00", daily)
    with pytest.raises(LimitReached):
        confirm(house, held, person=who)
    assert {house.booking(each).status for each in held.bookings} == {"held"}, "none became a booking"
    assert jobs_of(house, "noren.messages.tasks.send") == []


def test_nearest_never_takes_two_of_a_series_at_one_time() -> None:
    """Two stylists and a busy day: each date finds another hour, whoever is free."""
    house = salon(staff=2)
    for staff in ("stylist0", "stylist1"):
        for hour in range(9, 18):
            house.hold("cut", f"2026-11-05 {hour:02}:00", staff)
    daily = Rhythm(Unit.DAY, count=3)
    days = (*[when(f"2026-11-05 {hour:02}:00") for hour in (9, 10, 11)], when("2026-11-04 17:00"))
    held = hold(house, "cut", FIRST, None, starts=days, mode=Mode.NEAREST)
    spans = sorted((house.booking(each).start, house.booking(each).end) for each in held.bookings)
    assert len(spans) == 4
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert house.findings() == []
    with pytest.raises(SeriesNotFree):
        hold(house, "cut", "2026-11-05 09:00", replace(daily, count=1))


def test_dates_that_overlap_each_other_are_not_free() -> None:
    house = salon(staff=2)
    both = (when("2026-11-04 10:00"), when("2026-11-04 10:30"))
    lines = series.look(house.id, wish(house, "cut", FIRST, None, starts=both), now=NOW)
    assert [line.refusal for line in lines] == ["", "slot_taken"]


def test_buffers_stand_between_the_dates_of_a_series() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "after": 15}})
    days = (when("2026-11-04 10:00"), when("2026-11-04 11:00"))
    request = wish(house, "cut", FIRST, None, starts=days, mode=Mode.SKIP)
    seen = series.look(house.id, request, now=NOW)
    assert told(seen) == [("11-04 10:00", "", ""), ("11-04 11:00", "slot_taken", "11-04 11:30")]
    held = series.hold_series(house.id, request, now=NOW)
    assert starts(house, held.bookings) == ["11-04 10:00"]
    series.release_series(house.id, held.id, now=NOW)
    near = series.hold_series(house.id, replace(request, mode=Mode.NEAREST), now=NOW)
    assert starts(house, near.bookings) == ["11-04 10:00", "11-04 11:30"]


def test_units_of_a_stock_stand_between_the_dates_of_a_series() -> None:
    """Three of five bicycles each: two dates never share them. Free ones come before the nearest."""
    bikes = {"needs": {"bike": {"pool": ["bike"], "units": 3}}, "after": 15}
    house = found({"bike": {"kind": "equipment", "stock": 5}}, {"tour": bikes})
    days = tuple(when(f"2026-11-04 {hour}:00") for hour in (10, 11, 12))
    request = wish(house, "tour", FIRST, None, starts=days, mode=Mode.NEAREST)
    held = series.hold_series(house.id, request, now=NOW)
    assert starts(house, held.bookings) == ["11-04 10:00", "11-04 13:30", "11-04 12:00"]
    assert house.findings() == []


def test_nearest_looks_three_days_either_way_and_no_further() -> None:
    house = salon()
    once = Rhythm(Unit.DAY, count=1)
    with shop(house.id), change():
        for day in range(5, 14):
            Override.objects.create(date=date(2026, 11, day), ranges=[])
    for first, wanted in [("2026-11-07 10:00", "11-04 17:00"), ("2026-11-11 10:00", "11-14 09:00")]:
        [line] = series.look(house.id, wish(house, "cut", first, once), now=NOW)
        assert told((line,))[0][2] == wanted
    [line] = series.look(house.id, wish(house, "cut", "2026-11-09 10:00", once), now=NOW)
    assert (line.refusal, line.nearest) == ("not_offered", None)


@pytest.mark.parametrize("policy", ["shared", "added"])
@pytest.mark.parametrize("service", ["colour", "cut", "court", "hall", "kit"])
def test_every_kind_of_resource_works_in_a_series(policy: str, service: str) -> None:
    house = parlour(policy, "Asia/Tokyo")
    held = hold(house, service, "2026-11-04 10:00", Rhythm(Unit.DAY, count=6))
    assert house.findings() == []
    near = hold(house, service, "2026-11-04 10:10", Rhythm(Unit.DAY, count=6), mode=Mode.NEAREST)
    assert len(near.bookings) == 6
    assert house.findings() == []
    confirm(house, held)
    assert len(series.cancel_rest(house.id, held.id, NOW, now=NOW, by="staff:1")) == 6
    series.release_series(house.id, near.id, now=NOW)
    nothing_is_left(house)


def test_a_series_of_stays() -> None:
    house = found(
        {"car": {"kind": "equipment"}},
        {
            "rent": {
                "needs": {"car": ["car"]},
                "grid": {"kind": "clock", "interval": 60},
                "stay": {"out": 11 * 60, "least": [1] * 7, "most": 7},
                "after": 120,
            }
        },
        hours=((0, 1440),),
    )
    hold(house, "rent", "2026-11-14 15:00", Rhythm(Unit.DAY, count=1), nights=2)
    held = hold(house, "rent", "2026-11-06 15:00", Rhythm(Unit.WEEK, count=3), nights=2, mode=Mode.NEAREST)
    assert told(held.report)[1] == ("11-13 15:00", "slot_taken", "11-12 23:00")
    assert [house.booking(each).agreed["nights"] for each in held.bookings] == [2, 2, 2]
    tight = series.look(
        house.id, wish(house, "rent", "2026-12-04 15:00", Rhythm(Unit.DAY, count=3), nights=2), now=NOW
    )
    assert [line.refusal for line in tight] == ["", "slot_taken", ""]
    assert house.findings() == []


def test_a_series_in_a_class_takes_seats_for_a_party() -> None:
    house = studio(capacity=4)
    house.book("yoga", "2026-11-11 10:00", party=2)
    request = wish(house, "yoga", "2026-11-04 10:00", replace(WEEKLY, count=3), party=3)
    assert told(series.look(house.id, request, now=NOW))[1] == (
        "11-11 10:00",
        "party_too_large",
        "11-11 11:00",
    )
    held = series.hold_series(house.id, replace(request, mode=Mode.NEAREST), now=NOW)
    assert starts(house, held.bookings) == ["11-04 10:00", "11-11 11:00", "11-18 10:00"]
    assert (seats(house, "2026-11-11 11:00"), seats(house, "2026-11-11 10:00")) == (3, 2)
    series.release_series(house.id, held.id, now=NOW)
    assert seats(house, "2026-11-11 11:00") == 0
    assert house.findings() == []


@pytest.mark.parametrize(("approval", "takes"), [("keeps", True), ("free", False)])
def test_a_series_waits_for_approval(approval: str, takes: bool) -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "approval": approval}})
    held = hold(house, "cut", FIRST, replace(WEEKLY, count=3))
    bookings = confirm(house, held)
    assert [(booking.status, booking.takes) for booking in bookings] == [("pending", takes)] * 3
    assert house.findings() == []
    [mail] = jobs_of(house, "noren.messages.tasks.send")
    assert (mail["kind"], mail["booking_id"], len(mail["others"])) == ("asked", held.id, 2)
    assert len(jobs_of(house, "noren.booking.tasks.lapse")) == 3
    reception.approve(house.id, bookings[1].id, now=NOW, by="staff:1")
    assert [house.booking(each.id).status for each in bookings] == ["pending", "confirmed", "pending"]
    assert house.findings() == []


def test_holds_that_have_expired_are_swept() -> None:
    house = salon()
    hold(house, "cut", FIRST)
    again = series.hold_series(house.id, wish(house, "cut", FIRST), now=later(minutes=11))
    assert len(again.bookings) == 10
    assert house.findings() == []


# -- once


def test_case_048_the_same_key_is_the_same_series() -> None:
    house = salon()
    busy(house)
    wanted = wish(house, "cut", FIRST, key="once", mode=Mode.NEAREST)
    held = series.hold_series(house.id, wanted, now=NOW)
    assert series.hold_series(house.id, wanted, now=later(minutes=1)) == held
    confirm(house, held)
    assert series.hold_series(house.id, wanted, now=later(minutes=1)).report == held.report
    for other in (
        replace(wanted, mode=Mode.SKIP),
        replace(wanted, rhythm=replace(WEEKLY, count=9)),
        replace(wanted, starts=(when("2026-11-04 11:00"),)),
    ):
        with pytest.raises(IdempotencyKeyReused):
            series.hold_series(house.id, other, now=NOW)


def test_a_key_is_for_a_series_or_for_a_booking() -> None:
    house = salon()
    once = replace(WEEKLY, count=1)
    hold(house, "cut", FIRST, once, key="series")
    with pytest.raises(IdempotencyKeyReused):
        house.hold("cut", FIRST, key="series")
    house.hold("cut", "2026-11-05 10:00", key="one")
    with pytest.raises(IdempotencyKeyReused):
        hold(house, "cut", "2026-11-05 10:00", once, key="one")


def test_a_key_whose_hold_has_expired_is_new() -> None:
    house = salon()
    held = hold(house, "cut", FIRST, key="once")
    again = series.hold_series(house.id, wish(house, "cut", FIRST, key="once"), now=later(minutes=10))
    assert again.id != held.id
    assert house.findings() == []


def test_confirming_twice_is_once_and_nobody_elses() -> None:
    house = salon()
    held = hold(house, "cut", FIRST)
    who = person()
    first, again = (confirm(house, held, person=who) for _ in range(2))
    assert [each.id for each in first] == [each.id for each in again]
    assert len(jobs_of(house, "noren.people.tasks.keep")) == 1
    with pytest.raises(HoldExpired):
        confirm(house, held)


def test_all_become_bookings_or_none() -> None:
    house = salon()
    held = hold(house, "cut", FIRST)
    actions.release(house.id, held.bookings[3], now=NOW)
    with pytest.raises(HoldExpired):
        confirm(house, held)
    late = hold(house, "cut", "2026-11-04 12:00")
    with pytest.raises(HoldExpired):
        confirm(house, late, now=later(minutes=10))
    with shop(house.id):
        assert not Booking.objects.filter(status=Status.CONFIRMED).exists()
    with pytest.raises(BookingUnknown):
        series.confirm_series(house.id, 0, person(), now=NOW, locale="ja", consent=1)


# -- what becomes of it


def test_moving_and_cancelling_one_leaves_the_others_alone() -> None:
    house = salon()
    bookings = confirm(house, hold(house, "cut", FIRST))
    actions.move(house.id, bookings[2].id, when("2026-11-19 15:00"), None, now=NOW, by="customer")
    actions.cancel(house.id, bookings[0].id, now=NOW, by="customer")
    seen = [house.booking(each.id) for each in bookings]
    assert [each.status for each in seen] == ["cancelled"] + ["confirmed"] * 9
    assert [each.start for each in seen][3:] == [each.start for each in bookings][3:]
    assert {each.series_id for each in seen} == {bookings[0].id}
    assert house.findings() == []


def test_cancelling_the_rest_frees_it_and_tells_it_once() -> None:
    house = salon()
    held = hold(house, "cut", FIRST)
    confirm(house, held)
    since = when("2026-11-25 10:00")
    gone = series.cancel_rest(house.id, held.id, since, now=NOW, by="customer")
    assert starts(house, [each.id for each in gone])[0] == "11-25 10:00"
    assert [house.booking(each).status for each in held.bookings] == ["confirmed"] * 3 + ["cancelled"] * 7
    [mail] = [job for job in jobs_of(house, "noren.messages.tasks.send") if job["kind"] == "cancelled"]
    assert [mail["booking_id"], *mail["others"]] == [each.id for each in gone]
    assert house.findings() == []
    assert house.sheet_rows() == 3
    with pytest.raises(AlreadyCancelled):
        series.cancel_rest(house.id, held.id, since, now=NOW, by="customer")
    series.cancel_rest(house.id, held.id, NOW, now=NOW, by="staff:1", reason="closed")
    nothing_is_left(house)
    assert [
        job for job in jobs_of(house, "noren.messages.tasks.send", "todo") if job["kind"] == "reminder"
    ] == []


def test_the_rest_is_cancelled_by_a_customer_only_in_time() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "cancel": {"minutes": 120}}})
    held = hold(house, "cut", "2026-11-02 11:30", Rhythm(Unit.DAY, count=3))
    confirm(house, held)
    with pytest.raises(TooLateToCancel):
        series.cancel_rest(house.id, held.id, NOW, now=later(minutes=31), by="customer")
    assert {house.booking(each).status for each in held.bookings} == {"confirmed"}
    assert len(series.cancel_rest(house.id, held.id, NOW, now=later(minutes=31), by="staff:1")) == 3
    nothing_is_left(house)


def test_releasing_lets_all_go_and_touches_no_booking() -> None:
    house = salon()
    held = hold(house, "cut", FIRST)
    series.release_series(house.id, held.id, now=NOW)
    nothing_is_left(house)
    booked = hold(house, "cut", FIRST)
    confirm(house, booked)
    series.release_series(house.id, booked.id, now=NOW)
    assert {house.booking(each).status for each in booked.bookings} == {"confirmed"}


def test_it_tells_all_in_one_mail_and_reminds_of_each() -> None:
    house = salon()
    held = hold(house, "cut", FIRST)
    bookings = confirm(house, held)
    mails = jobs_of(house, "noren.messages.tasks.send")
    [booked] = [mail for mail in mails if mail["kind"] == "booked"]
    assert [booked["booking_id"], *booked["others"]] == [each.id for each in bookings]
    assert sorted(mail["booking_id"] for mail in mails if mail["kind"] == "reminder") == held.bookings
    assert all(booking.reminder_job for booking in bookings)


# -- courses


def course(**more: Any) -> House:
    return studio(course=True, timetable=[{"weekday": 2, "start": 600}], **more)


def test_a_course_is_booked_over_all_dates_that_are_still_to_come() -> None:
    house = course(lead={"minutes": 60})
    cancel(house, "2026-11-18 10:00")
    soon = datetime(2026, 11, 4, 0, 1, tzinfo=UTC)
    request = SeriesRequest(house.services["yoga"], None, 2)
    held = series.hold_series(house.id, request, now=soon)
    with shop(house.id):
        wanted = ClassSession.objects.filter(start__gt=when("2026-11-05 00:00"), cancelled=False).order_by(
            "start"
        )
        assert [line.wanted for line in held.report] == [each.start for each in wanted]
    assert starts(house, held.bookings)[:3] == ["11-11 10:00", "11-25 10:00", "12-02 10:00"]
    assert (seats(house, "2026-11-11 10:00"), seats(house, "2026-11-04 10:00")) == (2, 0)
    assert house.findings() == []


def test_a_course_is_booked_whole_or_not_at_all() -> None:
    house = course(capacity=2)
    request = SeriesRequest(house.services["yoga"], None, 1, mode=Mode.SKIP)
    one = wish(house, "yoga", "2026-11-11 10:00", None, party=2)
    series.hold_series(house.id, one, now=NOW, by="staff:1")
    with pytest.raises(SeriesNotFree) as refused:
        series.hold_series(house.id, request, now=NOW)
    assert [line.refusal for line in refused.value.facts["report"]][:3] == ["", "slot_taken", ""]
    with shop(house.id):
        assert Booking.objects.count() == 1


def test_a_date_of_a_course_is_not_for_customers_alone() -> None:
    house = course()
    with pytest.raises(CourseOnly):
        house.hold("yoga", "2026-11-04 10:00")
    assert house.starts("yoga", "2026-11-04") == [], "what is not offered is not shown"
    alone = series.look(house.id, wish(house, "yoga", "2026-11-04 10:00", None), now=NOW)
    assert told(alone) == [("11-04 10:00", "course_only", "")]
    request = house.wish("yoga", "2026-11-04 10:00")
    held = actions.hold(house.id, request, now=NOW, by="staff:1")
    actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=1)
    with pytest.raises(CourseOnly):
        actions.move(house.id, held.id, when("2026-11-11 10:00"), None, now=NOW, by="customer")
    moved = actions.move(house.id, held.id, when("2026-11-11 10:00"), None, now=NOW, by="staff:1")
    assert moved.start == when("2026-11-11 10:00")


def test_a_date_of_a_course_is_approved_though_it_is_one() -> None:
    house = course(approval="free")
    held = series.hold_series(house.id, SeriesRequest(house.services["yoga"], None, 1), now=NOW)
    first = confirm(house, held)[0]
    assert seats(house, "2026-11-04 10:00") == 0, "nothing is kept until then"
    assert reception.approve(house.id, first.id, now=NOW, by="staff:1").status == "confirmed"
    assert seats(house, "2026-11-04 10:00") == 1
    assert house.findings() == []


def test_a_course_without_dates_is_not_free() -> None:
    house = studio(course=True, timetable=[])
    with pytest.raises(SeriesNotFree) as refused:
        series.hold_series(house.id, SeriesRequest(house.services["yoga"], None, 1), now=NOW)
    assert refused.value.facts["report"] == ()


def cancel(house: House, at: str) -> None:
    with shop(house.id):
        session = ClassSession.objects.get(start=when(at))
        referee.cancel_session(session.id, now=NOW, by="staff:1", why="", facts={})


def jobs_of(house: House, task: str, status: str = "") -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args::text FROM procrastinate_jobs WHERE task_name = %s AND args->>'shop_id' = %s"
            " AND (%s = '' OR status::text = %s) ORDER BY id",
            [task, str(house.id), status, status],
        )
        return [json.loads(args) for (args,) in cursor.fetchall()]


def test_a_customer_books_as_many_dates_at_once_as_the_shop_says() -> None:
    house = salon()
    few = Rhythm(Unit.WEEK, count=3)
    for most, fits in (({}, 1), ({"most": 2}, 2), ({"most": 3}, 3)):
        with shop(house.id), change():
            Service.objects.update(series=most)
        several = tuple(when(FIRST) + n * timedelta(days=7) for n in range(3))
        assert (
            len(series.look(house.id, wish(house, "cut", FIRST, None, starts=several[:fits]), now=NOW))
            == fits
        )
        for asked in (wish(house, "cut", FIRST, few), wish(house, "cut", FIRST, None, starts=several)):
            if fits < 3:
                with pytest.raises(SeriesTooLong):
                    series.hold_series(house.id, asked, now=NOW)
    with shop(house.id), change():
        Service.objects.update(series={})
    # It binds customers, not the shop itself.
    assert len(series.look(house.id, wish(house, "cut", FIRST, few), now=NOW, by="staff:1")) == 3
