"""What is compiled of a service before anything is known to be taken."""

from datetime import date

import pytest

from noren.engine import windows
from noren.engine.model import GridKind, Hours, Requirement, Resource, Segment, Stay, Window
from noren.engine.plan import Leaf, Need, Plan, Use, plan, uses
from tests.engine.build import Desk, desk, service, staff, weekly

DAY = "2026-12-01"


def window(shop: Desk, first: str = DAY) -> Window:
    day = date.fromisoformat(first)
    return windows.of_dates(shop.rules, 1, day, day)


def compiled(shop: Desk) -> Plan:
    return plan(shop.rules, 1, window(shop))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_it_knows_each_start_of_a_fixed_grid_and_its_bit(zone: str) -> None:
    for kind in (GridKind.CLOCK, GridKind.OPENING):
        shop = desk(service(60, grid=kind, interval=30), text="09:00-10:45", zone=zone)
        found, first = compiled(shop), window(shop).first
        starts = [shop.at(f"{DAY} {clock}") for clock in ("09:00", "09:30")]
        assert found.points == tuple(
            (minute, (minute - first) // 8, 1 << 7 - (minute - first) % 8) for minute in starts
        )


def test_it_knows_no_starts_of_a_packed_grid_and_of_a_service_that_needs_nobody() -> None:
    assert compiled(desk(service(60, grid=GridKind.PACKED))).points is None
    assert compiled(desk(service(60, requirements=()))).points is None


def test_a_role_is_used_in_stretches_with_the_buffers_at_the_two_ends() -> None:
    given = service(
        100,
        segments=(
            Segment(10, ("a", "b")),
            Segment(20, ("a",)),
            Segment(30, ("b", "c")),
            Segment(40, ("a",)),
        ),
        before=5,
        after=7,
    )
    assert uses(given, "a") == (Use(0, 30, 5, 0), Use(60, 40, 0, 7))
    assert uses(given, "b") == (Use(0, 10, 5, 0), Use(30, 30, 0, 0))
    assert uses(given, "c") == (Use(30, 30, 0, 0),)
    assert uses(given, "d") == ()
    assert uses(service(60, before=5, after=7), "staff") == (Use(0, 60, 5, 7),)


def leaves(resources: list[Resource], *pool: int, units: int = 1) -> list[tuple[Leaf, ...]]:
    shop = desk(service(60, requirements=(Requirement("staff", pool, units=units),)), resources=resources)
    (need,) = compiled(shop).needs
    return [option.leaves for option in need.options]


def test_a_whole_is_all_the_stock_of_its_parts_and_theirs_in_order() -> None:
    parts = [Resource(4, "court"), Resource(2, "court", stock=3), Resource(5, "half", parts=(4, 2))]
    hall = Resource(1, "hall", parts=(5, 3))
    assert leaves([*parts, Resource(3, "court"), hall], 1, 2, units=2) == [
        (Leaf(2, 3, None), Leaf(3, 1, None), Leaf(4, 1, None)),
        (Leaf(2, 3, 2),),
    ]


def test_a_pool_may_name_one_who_has_gone() -> None:
    assert leaves([staff(2)], 1, 2) == [(Leaf(2, 1, 1),)]


@pytest.mark.parametrize(
    ("needs", "shares"),
    [
        ((Requirement("staff", (1, 2), count=2),), False),
        ((Requirement("staff", (1,)), Requirement("staff", (2,))), False),
        ((Requirement("staff", (1, 2)), Requirement("staff", (2,))), True),
        ((Requirement("staff", (1, 9)),), False),
        ((Requirement("staff", (1, 9), count=2),), True),
        ((Requirement("staff", (1, 2, 9), count=2),), True),
        ((Requirement("staff", (3,)), Requirement("staff", (9,))), True),
        ((Requirement("staff", (1, 2)), Requirement("staff", (4,)), Requirement("staff", (2,))), True),
    ],
)
def test_it_knows_whether_two_choices_may_want_the_same(
    needs: tuple[Requirement, ...], *, shares: bool
) -> None:
    resources = [staff(1), staff(2), staff(3), staff(4), Resource(9, "whole", parts=(1, 3))]
    assert compiled(desk(service(60, requirements=needs), resources=resources)).shares is shares


def test_it_counts_units_for_each_guest_where_they_are_wanted_for_each() -> None:
    leaf, part = Leaf(1, 5, 2), Leaf(1, 5, None)
    each = Need(Requirement("staff", (1,), per_guest=True), (), ())
    once = Need(Requirement("staff", (1,)), (), ())
    assert [each.units(leaf, 3), once.units(leaf, 3), each.units(part, 3), once.units(part, 3)] == [
        6,
        2,
        5,
        5,
    ]


def test_a_whole_is_open_when_it_and_all_its_parts_are() -> None:
    courts = [staff(1, "09:00-12:00"), staff(2, "10:00-13:00"), Resource(3, "hall", parts=(1, 2))]
    shop = desk(service(60, requirements=(Requirement("staff", (3,)),)), resources=courts)
    assert shop.times(DAY) == ["10:00", "11:00"]


def test_each_role_is_held_to_the_hours_of_its_own_stretch() -> None:
    given = service(
        90,
        interval=30,
        segments=(Segment(60, ("staff",)), Segment(30, ("staff", "room"))),
        requirements=(Requirement("staff", (1,)), Requirement("room", (2,))),
        before=15,
        after=15,
    )
    shop = desk(given, resources=[staff(1), staff(2, "11:00-12:00")], buffers_outside=True)
    assert shop.times(DAY) == ["10:00", "10:30"]
    inside = shop.with_(buffers_outside=False)
    assert inside.times(DAY) == ["10:00"]


def test_a_service_open_in_hours_of_its_own_begins_its_grid_with_them() -> None:
    own = desk(service(45, hours=desk(text="09:20-12:00").rules.hours), text="09:00-11:30")
    assert own.times(DAY) == ["09:20", "10:05"]


def test_a_plan_says_when_a_booking_ends() -> None:
    shop = desk(service(60))
    start = shop.at(f"{DAY} 10:00")
    assert compiled(shop).end(start) == start + 60
    (need,) = compiled(shop).needs
    assert need.uses_at(compiled(shop), start) == (Use(0, 60, 0, 0),)
    stay = desk(service(60, grid=GridKind.CLOCK, stay=Stay(660), before=5, after=7))
    nights = plan(stay.rules, 1, windows.of_start(stay.rules, 1, start, 2), 2)
    assert nights.end(start) == start + 2 * 1440 + 60
    assert nights.needs[0].uses_at(nights, start) == (Use(0, 2 * 1440 + 60, 5, 7),)


def test_a_grid_is_anchored_where_a_range_of_days_before_began() -> None:
    week = desk(service(60, interval=50), text="20:00-48:00")
    assert week.times("2026-12-02")[:3] == ["00:10", "01:00", "01:50"]


def test_only_the_first_requirement_anchors_the_grid() -> None:
    given = service(
        60,
        segments=(Segment(60, ("staff", "room")),),
        requirements=(Requirement("staff", (1,)), Requirement("room", (2,))),
    )
    shop = desk(given, resources=[staff(1), staff(2, "10:15-13:00", kind="room")], text="09:00-18:00")
    assert shop.times(DAY) == ["11:00", "12:00"]


def test_hours_of_two_days_before_are_open_for_a_buffer_before_midnight() -> None:
    own = Hours(weekly(sun="00:00-48:00", tue="00:00-02:00"))
    shop = desk(service(60, before=60), hours=own, zone="America/New_York")
    assert shop.times(DAY) == ["00:00", "01:00"]
    alone = Hours(weekly(tue="00:00-02:00"))
    assert desk(service(60, before=60), hours=alone, zone="America/New_York").times(DAY) == ["01:00"]


def test_rules_of_another_revision_are_kept_apart_at_once() -> None:
    first, second = desk().rules, desk().with_(revision=2).rules
    assert hash(first) == hash(desk().rules)
    assert hash(first) != hash(second)
