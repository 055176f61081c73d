"""Cases 53, 59-61 and 64-68: staff, rooms, stock, wholes and parts, found together."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from noren.engine import assign
from noren.engine.model import BufferPolicy, Load, Requirement, Resource, Segment
from tests.engine.build import Desk, desk, service, staff

DAY = "2026-12-01"
MORNING = "09:00-12:00"


def any_of(*pool: int, **more: Any) -> Requirement:
    return Requirement("staff", pool, **more)


def test_case_053_a_booking_of_one_service_blocks_another_of_the_same_staff() -> None:
    shop = desk(service(60), service(30, id=2), text=MORNING)
    shop.book(f"{DAY} 10:00")
    assert shop.times(DAY, service=2) == ["09:00", "09:30", "11:00", "11:30"]


def test_case_059_equal_load_goes_to_the_longest_unassigned_bookable_and_visible() -> None:
    pool = [staff(1), staff(2), staff(3, bookable=False), staff(4, visible=False), staff(5)]
    shop = desk(service(60, requirements=(any_of(1, 2, 3, 4, 5),)), resources=pool)
    loads = {1: Load(3, 500), 2: Load(3, 200), 5: Load(3, 300)}
    start = f"{DAY} 10:00"
    for _ in range(3):
        chosen = shop.choose(start, loads)
        assert chosen is not None
        assert chosen.resources["staff"] == (2,)
    assert shop.offered(DAY).who(shop.at(start)) == (1, 2, 5)
    asked = shop.choose(start, staff=4)
    assert asked is not None
    assert asked.resources["staff"] == (4,)
    assert shop.choose(start, staff=3) is None


def test_case_060_priority_first_then_weights_two_to_one() -> None:
    pool = [staff(1, weight=200), staff(2, weight=100), staff(3, priority=-1)]
    shop = desk(service(60, requirements=(any_of(1, 2, 3),)), resources=pool)
    given: Counter[int] = Counter()
    for _ in range(300):
        chosen = shop.choose(f"{DAY} 10:00", {each: Load(given[each], given.total()) for each in (1, 2, 3)})
        assert chosen is not None
        given.update(chosen.resources["staff"])
    assert given == {1: 200, 2: 100}


def test_case_061_a_newcomer_is_not_flooded() -> None:
    resources = {each: staff(each) for each in (1, 2, 3)}
    loads = {1: Load(40), 2: Load(60)}
    given = assign.credit(resources[3], loads, resources)
    assert given == 50
    ranked = assign.ranked(
        desk(resources=list(resources.values())).rules, resources, {**loads, 3: Load(0, credit=given)}
    )
    assert ranked == [1, 3, 2]
    assert assign.credit(resources[3], {}, resources) == 0


ROOM = Resource(9, "room")
WITH_ROOM = service(
    60,
    segments=(Segment(60, ("staff", "room")),),
    requirements=(Requirement("staff", (1, 2)), Requirement("room", (9,))),
)


def test_case_064_no_room_no_start() -> None:
    shop = desk(WITH_ROOM, resources=[staff(1), staff(2), ROOM], text=MORNING)
    shop.busy(9, f"{DAY} 10:00", f"{DAY} 11:00")
    assert shop.times(DAY) == ["09:00", "11:00"]


def test_case_047_claims_come_in_one_order() -> None:
    shop = desk(WITH_ROOM, resources=[staff(1), staff(2), ROOM], text=MORNING)
    reverse = shop.with_(services={1: replace(WITH_ROOM, requirements=WITH_ROOM.requirements[::-1])})
    for each in (shop, reverse):
        assert [claim.resource_id for claim in each.book(f"{DAY} 09:00").claims] == [1, 9]


def test_case_065_stock_of_three_holds_two_and_one() -> None:
    bikes = Resource(7, "bike", stock=3)
    rent = service(60, requirements=(any_of(7, per_guest=True),), party_max=4)
    shop = desk(rent, resources=[bikes], text=MORNING)
    shop.book(f"{DAY} 10:00", party=2)
    shop.book(f"{DAY} 10:00", party=1)
    assert shop.times(DAY) == ["09:00", "11:00"]
    assert shop.times(DAY, party=3) == ["09:00", "11:00"]
    assert shop.times(DAY, party=4) == []


def test_case_066_the_peak_counts_and_not_the_total() -> None:
    shop = desk(
        service(60), service(120, id=2), resources=[Resource(1, "booth", stock=2)], text="09:00-11:00"
    )
    shop.book(f"{DAY} 09:00")
    shop.book(f"{DAY} 10:00")
    assert shop.times(DAY, service=2) == ["09:00"]
    shop.book(f"{DAY} 09:00", service=2)
    assert shop.times(DAY) == []


def hall() -> Desk:
    courts = [Resource(1, "court"), Resource(2, "court"), Resource(3, "hall", parts=(1, 2))]
    return desk(
        service(60, requirements=(any_of(1),)),
        service(60, id=2, requirements=(any_of(2),)),
        service(60, id=3, requirements=(any_of(3),)),
        resources=courts,
        text=MORNING,
    )


def test_case_067_a_whole_blocks_its_parts_and_a_part_the_whole() -> None:
    shop = hall()
    claims = shop.book(f"{DAY} 09:00", service=3).claims
    assert [claim.resource_id for claim in claims] == [1, 2]
    shop.book(f"{DAY} 10:00", service=2)
    assert shop.times(DAY, service=1) == ["10:00", "11:00"]
    assert shop.times(DAY, service=2) == ["11:00"]
    assert shop.times(DAY, service=3) == ["11:00"]


COLOUR = service(
    90,
    segments=(Segment(30, ("staff", "chair")), Segment(30, ("chair",)), Segment(30, ("staff", "chair"))),
    requirements=(Requirement("staff", (1,)), Requirement("chair", (5, 6))),
    interval=30,
)


@pytest.mark.parametrize("kept", list(BufferPolicy))
def test_case_068_staff_are_free_while_the_colour_sets_and_the_chair_is_not(kept: BufferPolicy) -> None:
    cut = service(30, id=2)
    sit = service(30, id=3, requirements=(any_of(5),))
    shop = desk(
        COLOUR, cut, sit, resources=[staff(1), staff(5, kind="chair"), staff(6, kind="chair")], text=MORNING
    ).with_(buffer_policy=kept)
    shop.book(f"{DAY} 09:00")
    assert shop.times(DAY, service=2) == ["09:30", "10:30", "11:00", "11:30"]
    assert shop.times(DAY, service=3) == ["10:30", "11:00", "11:30"]
    assert shop.times(DAY) == ["09:30", "10:30"]
    assert shop.book(f"{DAY} 09:30").resources == {"staff": (1,), "chair": (6,)}
    other = Desk(shop.rules)
    other.busy(1, f"{DAY} 10:30", f"{DAY} 11:00")
    assert other.times(DAY) == ["09:00", "10:00"]


def test_it_puts_buffers_only_at_the_ends_of_the_service() -> None:
    shop = desk(replace(COLOUR, before=10, after=20), resources=[staff(1), staff(5), staff(6)], text=MORNING)
    claims = shop.book(f"{DAY} 09:30").claims
    begin = shop.at(f"{DAY} 09:30")
    assert [(c.resource_id, c.start - begin, c.end - begin) for c in claims] == [
        (1, 0, 30),
        (1, 60, 90),
        (5, 0, 90),
    ]
    assert [(c.start - c.padded_start, c.padded_end - c.end) for c in claims] == [(10, 0), (0, 20), (10, 20)]


@pytest.mark.parametrize(
    ("count", "times"), [(1, ["09:00", "10:00", "11:00"]), (2, ["09:00", "11:00"]), (3, ["09:00"])]
)
def test_it_finds_n_of_a_pool(count: int, times: list[str]) -> None:
    shop = desk(
        service(60, requirements=(any_of(1, 2, 3, count=count),)),
        resources=[staff(1), staff(2), staff(3)],
        text=MORNING,
    )
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 12:00")
    shop.busy(2, f"{DAY} 10:00", f"{DAY} 11:00")
    assert shop.times(DAY) == times


def two_roles(*, apart: bool) -> Desk:
    both = (Segment(60, ("lead", "helper")),)
    turns = (Segment(30, ("lead",)), Segment(30, ("helper",)))
    return desk(
        service(
            60,
            segments=turns if apart else both,
            requirements=(Requirement("lead", (1, 2)), Requirement("helper", (2,))),
        ),
        resources=[staff(1), staff(2)],
        text="09:00-11:00",
    )


def test_it_does_not_use_one_person_twice_at_a_time() -> None:
    shop = two_roles(apart=False)
    assert shop.book(f"{DAY} 09:00").resources == {"lead": (1,), "helper": (2,)}
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    assert shop.times(DAY) == []


def test_it_may_use_one_person_for_two_roles_in_turn() -> None:
    shop = two_roles(apart=True)
    shop.busy(1, f"{DAY} 09:00", f"{DAY} 11:00")
    assert shop.times(DAY) == ["09:00", "10:00"]
    assert shop.book(f"{DAY} 09:00").resources == {"lead": (2,), "helper": (2,)}


def test_it_takes_a_room_large_enough_for_the_party() -> None:
    small, large = Resource(1, "room", seats=2), Resource(2, "room", seats=6)
    shop = desk(
        service(60, requirements=(any_of(1, 2),), party_max=8), resources=[small, large], text=MORNING
    )
    noon = shop.at(f"{DAY} 09:00")
    assert shop.offered(DAY, party=2).who(noon) == (1, 2)
    assert shop.offered(DAY, party=3).who(noon) == (2,)
    assert shop.times(DAY, party=7) == []
    assert shop.times(DAY, party=9) == []


def test_it_offers_nothing_for_one_who_does_not_do_this() -> None:
    shop = desk(service(60), resources=[staff(1), staff(2)])
    assert shop.times(DAY, staff=2) == []
    assert shop.times(DAY, staff=77) == []
    assert desk(service(60, bookable=False)).times(DAY) == []


def test_whom_one_asks_for_is_one_of_two_teachers() -> None:
    teachers = [staff(1), staff(2), staff(3, "10:00-12:00")]
    lesson = service(60, requirements=(Requirement("staff", (1, 2, 3), count=2),))
    shop = desk(lesson, resources=teachers, text="09:00-12:00")
    assert shop.times("2026-12-01") == ["09:00", "10:00", "11:00"]
    assert shop.times("2026-12-01", staff=3) == ["10:00", "11:00"]
    chosen = shop.book("2026-12-01 10:00", staff=3)
    assert chosen.resources == {"staff": (3, 1)}
    assert shop.times("2026-12-01", staff=2) == ["09:00", "11:00"]
    assert shop.times("2026-12-01", staff=9) == []
