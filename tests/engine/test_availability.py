"""What a list shows and a write takes: starts, who serves them, and one booking that takes a thing twice."""

from datetime import date
from typing import Any

import pytest

from noren.engine.limits import Tally, Used
from noren.engine.model import (
    BufferPolicy,
    Claim,
    GridKind,
    Hours,
    Limit,
    LimitOf,
    Period,
    Requirement,
    Resource,
    Segment,
)
from tests.engine.build import Desk, desk, service, staff, weekly

DAY = "2026-12-01"
MORNING = "09:00-12:00"
STAFF_AND_ROOM = service(
    60,
    segments=(Segment(60, ("staff", "room")),),
    requirements=(Requirement("staff", (1, 2)), Requirement("room", (3, 4))),
)
BOTH = [staff(1), staff(2), Resource(3, "room"), Resource(4, "room")]


@pytest.mark.parametrize("kind", list(GridKind))
def test_starts_are_minutes_in_order_and_say_what_is_among_them(kind: GridKind) -> None:
    shop = desk(service(60, grid=kind), text=MORNING, zone="Asia/Tokyo")
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    offered = shop.offered(DAY)
    expected = tuple(shop.at(f"{DAY} {clock}") for clock in ("09:00", "11:00"))
    assert offered.minutes() == tuple(offered) == expected
    assert [minute in offered for minute in (expected[0] - 1, *expected, expected[0] + 60)] == [
        *(False, True, True, False),
    ]
    shop.busy(1, f"{DAY} 09:00", f"{DAY} 12:00")
    assert shop.offered(DAY).minutes() == ()
    assert shop.offered(DAY).by_date() == {}


def test_starts_are_grouped_by_the_shops_dates_and_empty_dates_left_out() -> None:
    shop = desk(
        hours=Hours(weekly(sat="23:00-25:00", sun="03:00-04:00", tue="10:00-12:00")), zone="Europe/Paris"
    )
    found = shop.offered("2026-03-27", "2026-03-31").by_date()
    assert {day: [f"{shop.wall(minute):%d %H:%M}" for minute in starts] for day, starts in found.items()} == {
        date(2026, 3, 28): ["28 23:00"],
        date(2026, 3, 29): ["29 00:00", "29 03:00"],
        date(2026, 3, 31): ["31 10:00", "31 11:00"],
    }


def test_who_can_serve_is_told_by_role() -> None:
    shop = desk(STAFF_AND_ROOM, resources=BOTH, text=MORNING)
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    shop.busy(4, f"{DAY} 11:00", f"{DAY} 12:00")
    offered = shop.offered(DAY)
    who = [
        (offered.who(minute), offered.who(minute, "staff"), offered.who(minute, "room")) for minute in offered
    ]
    assert who == [
        ((1, 2), (1, 2), (3, 4)),
        ((2,), (2,), (3, 4)),
        ((1, 2), (1, 2), (3,)),
    ]
    assert offered.who(shop.at(f"{DAY} 12:00")) == ()


def test_a_service_that_needs_nobody_is_not_offered_and_nobody_serves_it() -> None:
    offered = desk(service(60, requirements=())).offered(DAY)
    assert offered.minutes() == ()
    assert offered.who(offered.window.begin) == ()


def test_it_chooses_one_large_enough_and_within_limits() -> None:
    rooms = [Resource(1, "room", seats=2), Resource(2, "room", seats=6)]
    limit = Limit(LimitOf.SERVICE, Period.DAY, most=1)
    shop = desk(
        service(60, requirements=(Requirement("staff", (1, 2)),), party_max=6, limits=(limit,)),
        resources=rooms,
    )
    assert shop.book(f"{DAY} 10:00", party=3).resources == {"staff": (2,)}
    assert shop.book(f"{DAY} 10:00").resources == {"staff": (1,)}
    used = {Tally(LimitOf.SERVICE, 0, 1, Period.DAY, date(2026, 12, 1)): Used(1)}
    assert shop.choose(f"{DAY} 12:00", used=used) is None
    assert shop.choose(f"{DAY} 12:00", party=7) is None
    assert shop.choose(f"{DAY} 12:00", now=shop.clock(f"{DAY} 12:00:01")) is None
    assert shop.choose(f"{DAY} 12:00", now=shop.clock(f"{DAY} 12:00")) is not None


def test_one_who_is_asked_for_is_offered_or_nobody() -> None:
    shop = desk(STAFF_AND_ROOM, resources=BOTH, text=MORNING)
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    assert shop.times(DAY, staff=1) == ["09:00", "11:00"]
    assert shop.book(f"{DAY} 09:00", staff=2).resources == {"staff": (2,), "room": (3,)}
    assert shop.times(DAY, staff=2) == ["10:00", "11:00"]
    assert shop.book(f"{DAY} 10:00", staff=4).resources == {"staff": (2,), "room": (4,)}


def test_where_nothing_is_offered_no_role_has_anybody() -> None:
    shop = desk(STAFF_AND_ROOM, resources=BOTH, text=MORNING)
    for staff_asked, now in ((None, shop.clock(f"{DAY} 12:00")), (77, shop.now)):
        offered = shop.offered(DAY, staff=staff_asked, now=now)
        assert offered.minutes() == ()
        assert offered.who(shop.at(f"{DAY} 09:00"), "room") == ()


def test_a_limit_that_is_not_reached_lifts_no_other_rule() -> None:
    shop = desk(
        resources=[staff(1, "09:00-11:00")],
        limits=tuple(Limit(of, Period.DAY, most=9) for of in (LimitOf.SERVICE, LimitOf.STAFF)),
        text=MORNING,
    )
    shop.busy(1, f"{DAY} 09:00", f"{DAY} 09:30")
    used = {Tally(LimitOf.STAFF, 1, 0, Period.DAY, date(2026, 12, 1)): Used(1)}
    offered = shop.offered(DAY, used=used)
    begin = shop.at(f"{DAY} 00:00")
    assert [minute - begin for minute in range(begin, begin + 1440) if minute in offered] == [600]
    assert shop.choose(f"{DAY} 10:00", used=used) is not None
    late = shop.offered(DAY, used=used, now=shop.clock(f"{DAY} 10:00:01"))
    assert not any(minute in late for minute in range(begin, begin + 1440))


def two_of(*pool: int) -> Requirement:
    return Requirement("lead", pool, count=2)


def test_who_is_not_shown_is_chosen_only_when_asked_for() -> None:
    team = [staff(1), staff(2), staff(3, visible=False), staff(4, visible=False)]
    lesson = service(60, requirements=(two_of(1, 2, 3, 4),), segments=(Segment(60, ("lead",)),))
    shop = desk(lesson, resources=team, text=MORNING)
    shop.busy(2, f"{DAY} 10:00", f"{DAY} 11:00")
    assert shop.times(DAY) == shop.times(DAY, staff=1) == ["09:00", "11:00"]
    assert shop.book(f"{DAY} 09:00", staff=4).resources == {"lead": (4, 1)}
    assert shop.times(DAY, staff=3) == ["09:00", "10:00", "11:00"]
    both = desk(service(60, requirements=(two_of(3, 4),), segments=lesson.segments), resources=team)
    assert both.book(f"{DAY} 10:00").resources == {"lead": (3, 4)}


def test_one_who_is_asked_for_has_the_first_role_that_is_theirs() -> None:
    team = [staff(1), staff(2), staff(3)]
    both = (Segment(60, ("lead", "helper")),)
    needs = (Requirement("lead", (1, 2, 3)), Requirement("helper", (1, 2, 3)))
    shop = desk(service(60, segments=both, requirements=needs), resources=team)
    assert shop.book(f"{DAY} 10:00", staff=2).resources == {"lead": (2,), "helper": (1,)}
    pair = (two_of(1, 2, 3), Requirement("helper", (1, 2, 3)))
    trio = shop.with_(services={1: service(60, segments=both, requirements=pair)})
    assert trio.book(f"{DAY} 12:00", staff=3).resources == {"lead": (3, 1), "helper": (2,)}
    helped = (two_of(1, 2, 3), Requirement("helper", (3,)))
    needed = shop.with_(services={1: service(60, segments=both, requirements=helped)})
    assert needed.times(DAY, staff=3) == []
    assert needed.book(f"{DAY} 12:00").resources == {"lead": (1, 2), "helper": (3,)}
    second = (Requirement("helper", (1, 3)), two_of(2, 3))
    paired = shop.with_(services={1: service(60, segments=both, requirements=second)})
    assert paired.book(f"{DAY} 12:00", staff=2).resources == {"helper": (1,), "lead": (2, 3)}


def lamps(*, per_guest: bool = False, **more: Any) -> Desk:
    """A service that takes of the same three lamps for two roles at once."""
    needs = (Requirement("left", (1,), per_guest=per_guest), Requirement("right", (1,), per_guest=per_guest))
    given: dict[str, Any] = {"segments": (Segment(60, ("left", "right")),), "requirements": needs, **more}
    return desk(service(60, **given), resources=[Resource(1, "lamp", stock=3)], text=MORNING)


def lend(shop: Desk, units: int, first: str, last: str) -> None:
    begin, end = shop.at(f"{DAY} {first}"), shop.at(f"{DAY} {last}")
    shop.claims.append(Claim(1, units, begin, end, begin, end))


def test_two_roles_of_one_stock_take_both_at_once() -> None:
    for units, times in ((1, ["09:00", "10:00", "11:00"]), (2, ["09:00", "11:00"])):
        shop = lamps()
        lend(shop, units, "10:00", "11:00")
        assert shop.times(DAY) == times
    shop = lamps()
    assert [claim.units for claim in shop.book(f"{DAY} 10:00").claims] == [1, 1]
    assert shop.times(DAY) == ["09:00", "11:00"]


def test_two_roles_of_one_stock_take_for_each_guest() -> None:
    shop = lamps(per_guest=True, party_max=3)
    assert shop.times(DAY, party=1) == ["09:00", "10:00", "11:00"]
    assert shop.times(DAY, party=2) == []
    larger = shop.with_(resources={1: Resource(1, "lamp", stock=4)})
    lend(larger, 1, "09:00", "10:00")
    assert larger.times(DAY, party=2) == ["10:00", "11:00"]
    assert [claim.units for claim in larger.book(f"{DAY} 10:00", party=2).claims] == [2, 2]


@pytest.mark.parametrize("kept", list(BufferPolicy))
def test_two_roles_of_one_stock_keep_their_buffers_together(kept: BufferPolicy) -> None:
    before = lamps(before=30, interval=30).with_(buffer_policy=kept)
    lend(before, 1, "09:45", "10:00")
    assert before.times(DAY) == ["09:30", "10:00", "10:30", "11:00"]
    lend(before, 1, "09:45", "10:00")
    assert before.times(DAY) == ["10:30", "11:00"]
    after = lamps(after=30, interval=30).with_(buffer_policy=kept)
    lend(after, 1, "11:00", "11:15")
    assert after.times(DAY) == ["09:00", "09:30", "10:00", "10:30"]
    lend(after, 1, "11:00", "11:15")
    assert after.times(DAY) == ["09:00", "09:30"]


def test_two_roles_of_one_stock_meet_only_while_they_are_wanted() -> None:
    shop = desk(
        service(
            60,
            segments=(Segment(30, ("staff",)), Segment(30, ("left", "right"))),
            requirements=(Requirement("staff", (2,)), Requirement("left", (1,)), Requirement("right", (1,))),
            interval=30,
        ),
        resources=[Resource(1, "lamp", stock=3), staff(2)],
        text=MORNING,
    )
    lend(shop, 2, "10:00", "10:30")
    assert shop.times(DAY) == ["09:00", "10:00", "10:30", "11:00"]
    lend(shop, 1, "10:30", "11:00")
    assert shop.times(DAY) == ["09:00", "10:00", "10:30", "11:00"]
    lend(shop, 1, "10:30", "11:00")
    assert shop.times(DAY) == ["09:00", "10:30", "11:00"]


def test_two_roles_of_one_stock_in_turn_take_it_once() -> None:
    turns = (Segment(30, ("left",)), Segment(30, ("right",)))
    shop = lamps(segments=turns)
    lend(shop, 2, "09:00", "12:00")
    assert shop.times(DAY) == ["09:00", "10:00", "11:00"]
    shop.book(f"{DAY} 10:00")
    assert shop.times(DAY) == ["09:00", "11:00"]
