"""Why a time is not offered (and case 36: a time typed by hand is refused as in the list)."""

from datetime import date
from typing import Any

import pytest

from noren.engine import reasons, windows
from noren.engine.limits import Tally, Used
from noren.engine.model import (
    Claim,
    Deadline,
    HolidayRule,
    Horizon,
    HorizonKind,
    Hours,
    Limit,
    LimitOf,
    Period,
    Reason,
    Requirement,
    Resource,
    Segment,
    Why,
)
from noren.engine.reasons import Block, BlockKind
from tests.engine.build import Desk, desk, hours, ranges, service, staff, weekly

DAY = "2026-12-01"


def why(shop: Desk, text: str, number: int = 1, **asked: Any) -> Reason | None:
    start = shop.at(text)
    window = windows.of_start(shop.rules, number, start)
    now = asked.pop("now", shop.now)
    return reasons.why_not(shop.rules, number, window, shop.taken(window), start, now=now, **asked)


def test_it_says_nothing_of_what_is_offered() -> None:
    assert why(desk(), f"{DAY} 10:00") is None


def test_it_names_time_rules() -> None:
    shop = desk(
        service(60, lead=Deadline(minutes=60), horizon=Horizon(HorizonKind.DAYS, 3)), text="09:00-18:00"
    )
    now = shop.clock(f"{DAY} 12:00:01")
    assert why(shop, f"{DAY} 12:00", now=shop.clock(f"{DAY} 12:00")) == Reason(Why.NOTICE)
    asked = {f"{DAY} 12:00": Why.PAST, f"{DAY} 13:00": Why.NOTICE, "2026-12-04 10:00": Why.HORIZON}
    for text, expected in asked.items():
        assert why(shop, text, now=now) == Reason(expected)
    assert why(shop, "2026-12-02 18:00", now=now) == Reason(Why.HOURS)
    assert why(shop, "2026-12-02 10:10", now=now) == Reason(Why.GRID)
    assert why(shop, "2026-12-02 10:00", now=now, party=2) == Reason(Why.PARTY)
    assert why(shop, "2026-12-02 10:00", now=now, staff=9) == Reason(Why.NOT_OFFERED)


def test_it_names_a_holiday() -> None:
    shop = desk(holidays=frozenset({date(2026, 12, 1)}), holiday_rule=HolidayRule.CLOSED)
    assert why(shop, f"{DAY} 10:00") == Reason(Why.HOLIDAY)


def test_it_names_who_is_off_or_busy() -> None:
    pool = Requirement("staff", (1, 2))
    shop = desk(
        service(60, requirements=(pool,)), resources=[staff(1, "09:00-12:00"), staff(2, "09:00-15:00")]
    )
    assert why(shop, f"{DAY} 15:00") == Reason(Why.STAFF, "staff", (1, 2))
    shop.book(f"{DAY} 10:00", staff=2)
    assert why(shop, f"{DAY} 10:00", staff=2) == Reason(Why.STAFF, "staff", (2,))
    shop.book(f"{DAY} 10:00", staff=1)
    assert why(shop, f"{DAY} 10:00", staff=2) == Reason(Why.STAFF, "staff", (2,))
    assert why(shop, f"{DAY} 10:00") == Reason(Why.STAFF, "staff", (1, 2))


def test_it_names_room_and_stock() -> None:
    with_room = service(
        60,
        segments=(Segment(60, ("staff", "room", "lamp")),),
        requirements=(Requirement("staff", (1,)), Requirement("room", (2,)), Requirement("lamp", (3,))),
    )
    shop = desk(with_room, resources=[staff(1), Resource(2, "room"), Resource(3, "lamp", stock=2)])
    shop.busy(2, f"{DAY} 10:00", f"{DAY} 11:00")
    begin = shop.at(f"{DAY} 12:00")
    shop.claims.append(Claim(3, 2, begin, begin + 60, begin, begin + 60))
    assert why(shop, f"{DAY} 10:00") == Reason(Why.ROOM, "room", (2,))
    assert why(shop, f"{DAY} 12:00") == Reason(Why.STOCK, "lamp", (3,))


def test_it_names_a_buffer() -> None:
    shop = desk(service(60, after=30))
    shop.book(f"{DAY} 10:00")
    assert why(shop, f"{DAY} 11:00") == Reason(Why.BUFFER)
    assert why(shop, f"{DAY} 10:00") == Reason(Why.STAFF, "staff", (1,))


def test_it_names_a_limit() -> None:
    shop = desk(service(60, limits=(Limit(LimitOf.SERVICE, Period.DAY, most=1),)))
    used = {Tally(LimitOf.SERVICE, 0, 1, Period.DAY, date(2026, 12, 1)): Used(1)}
    assert why(shop, f"{DAY} 10:00", used=used) == Reason(Why.LIMIT)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(BlockKind.HOLD, Why.HOLD), (BlockKind.EXTERNAL, Why.EXTERNAL), (BlockKind.BOOKING, Why.STAFF)],
)
def test_it_names_whose_claim_it_is(kind: BlockKind, expected: Why) -> None:
    shop = desk()
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    found = why(shop, f"{DAY} 10:00", blocks=[Block(kind, shop.claims[0])])
    assert found is not None
    assert found.why is expected


@pytest.mark.parametrize("text", [f"{DAY} 08:00", f"{DAY} 10:10", f"{DAY} 12:00"])
def test_case_036_a_typed_time_is_refused_as_in_the_list(text: str) -> None:
    shop = desk(hours=hours("09:00-18:00"))
    shop.book(f"{DAY} 12:00")
    assert shop.choose(text) is None
    assert why(shop, text) is not None


def test_it_names_hours_where_only_the_buffer_would_lie_outside() -> None:
    shop = desk(service(60, before=30, after=30, interval=30), text="09:00-18:00")
    assert why(shop, f"{DAY} 09:00") == Reason(Why.HOURS)
    assert why(shop, f"{DAY} 17:00") == Reason(Why.HOURS)
    assert why(shop, f"{DAY} 09:30") is None


def test_it_names_a_buffer_on_either_side_and_at_any_minute() -> None:
    before, after = desk(service(60, before=30)), desk(service(60, after=30))
    for shop in (before, after):
        shop.busy(1, f"{DAY} 11:00", f"{DAY} 12:00")
    assert why(before, f"{DAY} 12:00") == Reason(Why.BUFFER)
    assert why(before, f"{DAY} 12:07") == Reason(Why.BUFFER)
    assert why(before, f"{DAY} 10:00") is None
    assert why(after, f"{DAY} 10:00") == Reason(Why.BUFFER)
    assert why(after, f"{DAY} 09:53") == Reason(Why.BUFFER)
    assert why(after, f"{DAY} 12:00") is None


def test_it_names_the_grid_at_odd_minutes_too() -> None:
    assert [why(desk(), f"{DAY} {clock}") for clock in ("10:01", "10:02")] == [Reason(Why.GRID)] * 2


STAFF_AND_ROOM = service(
    60,
    segments=(Segment(60, ("staff", "room")),),
    requirements=(Requirement("staff", (1, 2)), Requirement("room", (3,))),
)


def test_it_names_what_lacks_even_where_no_start_would_lie() -> None:
    shop = desk(STAFF_AND_ROOM, resources=[staff(1), staff(2), Resource(3, "room")])
    shop.busy(3, f"{DAY} 10:00", f"{DAY} 12:00")
    assert why(shop, f"{DAY} 10:10") == Reason(Why.ROOM, "room", (3,))


def test_it_names_who_is_off_before_anything_they_are_busy_with_or_have_reached() -> None:
    shop = desk(
        STAFF_AND_ROOM,
        resources=[staff(1, "09:00-12:00"), staff(2), Resource(3, "room", seats=4)],
        limits=(Limit(LimitOf.STAFF, Period.DAY, most=1),),
    )
    shop.busy(3, f"{DAY} 13:00", f"{DAY} 14:00")
    used = {Tally(LimitOf.STAFF, 1, 0, Period.DAY, date(2026, 12, 1)): Used(1)}
    off = Reason(Why.STAFF, "staff", (1,))
    for clock in ("13:00", "13:10", "15:00"):
        assert why(shop, f"{DAY} {clock}", staff=1) == off
        assert why(shop, f"{DAY} {clock}", staff=1, used=used) == off
    assert why(shop, f"{DAY} 10:00", staff=1, used=used) == Reason(Why.LIMIT)


def test_it_names_a_limit_before_what_is_taken() -> None:
    shop = desk(service(60, limits=(Limit(LimitOf.SERVICE, Period.DAY, most=1),)))
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    used = {Tally(LimitOf.SERVICE, 0, 1, Period.DAY, date(2026, 12, 1)): Used(1)}
    assert why(shop, f"{DAY} 10:00", used=used) == Reason(Why.LIMIT)
    assert why(shop, f"{DAY} 10:10", used=used) == Reason(Why.LIMIT)


def test_it_names_a_holiday_only_on_one_that_is_closed() -> None:
    own = Hours(weekly(tue="09:00-12:00"), holiday=ranges("13:00-15:00"))
    shop = desk(hours=own, holidays=frozenset({date(2026, 12, 1)}), holiday_rule=HolidayRule.OWN)
    assert why(shop, f"{DAY} 09:00") == Reason(Why.HOURS)
    assert why(shop, f"{DAY} 13:00") is None
    assert why(shop, "2026-12-02 09:00") == Reason(Why.HOURS)


def test_it_names_the_rooms_that_are_large_enough_and_busy() -> None:
    rooms = [Resource(1, "room", seats=2), Resource(2, "room", seats=6), Resource(3, "room", seats=6)]
    shop = desk(service(60, requirements=(Requirement("staff", (1, 2, 3)),), party_max=6), resources=rooms)
    for room in (2, 3):
        shop.busy(room, f"{DAY} 10:00", f"{DAY} 11:00")
    assert why(shop, f"{DAY} 10:00") is None
    assert why(shop, f"{DAY} 10:00", party=3) == Reason(Why.ROOM, "staff", (2, 3))


def test_it_names_the_one_who_is_asked_for_where_the_room_comes_first() -> None:
    room_first = service(
        60,
        segments=(Segment(60, ("staff", "room")),),
        requirements=(Requirement("room", (3,)), Requirement("staff", (1, 2))),
    )
    shop = desk(room_first, resources=[staff(1), staff(2), Resource(3, "room")])
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    assert why(shop, f"{DAY} 10:00", staff=1) == Reason(Why.STAFF, "staff", (1,))
    assert why(shop, f"{DAY} 10:00", staff=2) is None


def test_it_names_the_one_who_is_asked_for_among_several() -> None:
    team = [staff(1), staff(2), staff(3, "12:00-13:00")]
    lesson = service(60, requirements=(Requirement("staff", (1, 2, 3), count=2),))
    shop = desk(lesson, resources=team)
    assert why(shop, f"{DAY} 10:00") is None
    assert why(shop, f"{DAY} 10:00", staff=3) == Reason(Why.STAFF, "staff", (3,))
    assert why(shop, f"{DAY} 12:00", staff=3) is None
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    assert why(shop, f"{DAY} 10:00") == Reason(Why.STAFF, "staff", (1, 3))


def test_it_names_staff_where_one_person_would_be_needed_twice() -> None:
    both = service(
        60,
        segments=(Segment(60, ("lead", "helper")),),
        requirements=(Requirement("lead", (1, 2)), Requirement("helper", (2,))),
    )
    shop = desk(both, resources=[staff(1), staff(2)])
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    assert why(shop, f"{DAY} 10:00") == Reason(Why.STAFF)


def block(kind: BlockKind, shop: Desk, resource: int, first: str, last: str) -> Block:
    begin, end = shop.at(f"{DAY} {first}"), shop.at(f"{DAY} {last}")
    return Block(kind, Claim(resource, 1, begin, end, begin, end))


def test_it_looks_only_at_claims_of_this_pool_and_time_for_whose_they_are() -> None:
    shop = desk(resources=[staff(1), staff(2)])
    elsewhere = [
        block(BlockKind.BOOKING, shop, 2, "10:00", "11:00"),
        block(BlockKind.BOOKING, shop, 1, "09:00", "10:00"),
        block(BlockKind.BOOKING, shop, 1, "11:00", "12:00"),
        block(BlockKind.BOOKING, shop, 1, "08:00", "09:00"),
    ]
    for kind, expected in ((BlockKind.HOLD, Why.HOLD), (BlockKind.EXTERNAL, Why.EXTERNAL)):
        held = block(kind, shop, 1, "10:30", "10:31")
        shop.claims = [held.claim]
        found = why(shop, f"{DAY} 10:00", blocks=[*elsewhere, held])
        assert found == Reason(expected, "staff", (1,))


def test_it_names_neither_hold_nor_calendar_where_several_stand_in_the_way() -> None:
    shop = desk()
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    both = [
        block(BlockKind.HOLD, shop, 1, "10:00", "10:30"),
        block(BlockKind.EXTERNAL, shop, 1, "10:30", "11:00"),
    ]
    assert why(shop, f"{DAY} 10:00", blocks=both) == Reason(Why.STAFF, "staff", (1,))


@pytest.mark.parametrize(
    ("start", "padded_start", "padded_end", "expected"),
    [
        ("11:15", "11:00", "12:00", Why.HOLD),
        ("11:15", "10:59", "12:00", Why.STAFF),
        ("09:15", "09:00", "10:00", Why.HOLD),
        ("09:15", "09:00", "10:01", Why.STAFF),
    ],
)
def test_a_claim_stands_in_the_way_with_its_buffers(
    start: str, padded_start: str, padded_end: str, expected: Why
) -> None:
    shop = desk()
    held = block(BlockKind.HOLD, shop, 1, "10:00", "11:00")
    begin, *padded = (shop.at(f"{DAY} {clock}") for clock in (start, padded_start, padded_end))
    near = Claim(1, 1, begin, begin + 30, *padded)
    shop.claims = [held.claim, near]
    found = why(shop, f"{DAY} 10:00", blocks=[held, Block(BlockKind.BOOKING, near)])
    assert found == Reason(expected, "staff", (1,))
