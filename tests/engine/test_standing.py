"""What may stand: the same hours and the same people as the list of free times, for what is there already."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.engine import availability, windows
from noren.engine.model import (
    Claim,
    Grid,
    GridKind,
    HolidayRule,
    Hours,
    Range,
    Requirement,
    Resource,
    Segment,
    Service,
    ShopRules,
    Stay,
    Why,
)
from noren.engine.standing import Judge, Standing, beyond, beyond_stock
from tests.engine import build

DAY = date(2026, 12, 2)


def rules(**more: object) -> ShopRules:
    values: dict[str, object] = {
        "hours": build.hours("10:00-19:00"),
        "resources": {1: build.staff(1), 2: build.staff(2), 3: build.staff(3, kind="room")},
        "services": {1: build.service(requirements=(Requirement("staff", (1, 2)),))},
        **more,
    }
    return ShopRules(1, 1, "Asia/Tokyo", **values)  # type: ignore[arg-type]


def minute(text: str) -> int:
    return build.Desk(rules()).at(f"{DAY} {text}")


def standing(start: str, end: str, resource: int = 1, **more: object) -> Standing:
    first, last = minute(start), minute(end)
    values: dict[str, object] = {"claims": (Claim(resource, 1, first, last, first, last),), **more}
    return Standing(1, first, last, (first, last), **values)  # type: ignore[arg-type]


def lacks(house: ShopRules, what: Standing) -> set[Why]:
    return set(Judge(house).lacks(what))


def test_it_lacks_nothing_within_the_hours() -> None:
    assert lacks(rules(), standing("10:00", "19:00")) == set()


@pytest.mark.parametrize(("start", "end"), [("09:59", "11:00"), ("18:00", "19:01")])
def test_it_is_outside_the_hours_by_a_minute(start: str, end: str) -> None:
    assert lacks(rules(), standing(start, end)) == {Why.HOURS}


def test_ranges_that_touch_are_one() -> None:
    house = rules(hours=build.hours("10:00-13:00 13:00-19:00"))
    assert lacks(house, standing("12:30", "13:30")) == set()
    parted = rules(hours=build.hours("10:00-13:00 13:01-19:00"))
    assert lacks(parted, standing("12:30", "13:30")) == {Why.HOURS}


def test_a_holiday_has_its_own_name() -> None:
    closed = rules(holidays=frozenset({DAY}), holiday_rule=HolidayRule.CLOSED)
    assert lacks(closed, standing("10:00", "11:00")) == {Why.HOLIDAY}
    assert lacks(replace(closed, holiday_rule=HolidayRule.OPEN), standing("10:00", "11:00")) == set()


def test_hours_past_midnight_belong_to_the_day_before() -> None:
    late = Hours(((),) * 7, overrides={DAY: (Range(20 * 60, 26 * 60),)})
    first = minute("23:30")
    what = Standing(
        1, first, first + 120, (first, first + 120), (Claim(1, 1, first, first + 120, first, first + 120),)
    )
    assert lacks(rules(hours=late), what) == set()
    assert lacks(rules(hours=late), replace(what, end=first + 151, padded=(first, first + 151))) == {
        Why.HOURS
    }


def test_somebody_who_is_not_bookable_serves_nobody() -> None:
    house = rules(resources={1: build.staff(1, bookable=False), 2: build.staff(2)})
    assert lacks(house, standing("10:00", "11:00")) == {Why.STAFF}
    assert lacks(house, standing("10:00", "11:00", resource=2)) == set()


def test_somebody_who_was_taken_out_of_the_pool() -> None:
    house = rules(services={1: build.service(requirements=(Requirement("staff", (2,)),))})
    assert lacks(house, standing("10:00", "11:00")) == {Why.STAFF}


def test_her_own_hours_count_where_she_is_claimed() -> None:
    house = rules(resources={1: build.staff(1, "12:00-19:00"), 2: build.staff(2)})
    assert lacks(house, standing("11:30", "12:30")) == {Why.STAFF}
    idle = standing(
        "11:30",
        "12:30",
        claims=(Claim(1, 1, minute("12:00"), minute("12:30"), minute("12:00"), minute("12:30")),),
    )
    assert lacks(house, idle) == set()


def test_a_room_that_is_needed_since() -> None:
    needs = (Requirement("staff", (1, 2)), Requirement("room", (3,)))
    house = rules(services={1: build.service(requirements=needs)})
    assert lacks(house, standing("10:00", "11:00")) == {Why.ROOM}


def test_a_service_that_cannot_be_booked_any_more() -> None:
    assert lacks(rules(services={1: build.service(bookable=False)}), standing("10:00", "11:00")) == {
        Why.NOT_OFFERED
    }
    assert lacks(rules(services={}), standing("10:00", "11:00")) == {Why.NOT_OFFERED}
    assert lacks(rules(services={1: build.service(capacity=5)}), standing("10:00", "11:00")) == {
        Why.NOT_OFFERED
    }


def test_a_party_that_is_too_large() -> None:
    assert lacks(rules(), standing("10:00", "11:00", party=2)) == {Why.PARTY}
    small = rules(
        resources={1: build.staff(1, seats=1), 2: build.staff(2)},
        services={1: build.service(requirements=(Requirement("staff", (1, 2)),), party_max=4)},
    )
    assert lacks(small, standing("10:00", "11:00", party=2)) == {Why.STAFF}
    assert lacks(small, standing("10:00", "11:00", resource=2, party=2)) == set()


def test_a_whole_is_claimed_by_its_parts() -> None:
    parts = {1: build.staff(1, kind="court"), 2: build.staff(2, kind="court")}
    hall = Resource(9, "court", parts=(1, 2))
    service = build.service(requirements=(Requirement("court", (9,)),), segments=(Segment(60, ("court",)),))
    first, last = minute("10:00"), minute("11:00")
    both = tuple(Claim(each, 1, first, last, first, last) for each in (1, 2))
    house = rules(resources={**parts, 9: hall}, services={1: service})
    assert lacks(house, standing("10:00", "11:00", claims=both)) == set()
    assert lacks(house, standing("10:00", "11:00", claims=both[:1])) == {Why.ROOM}
    shut = rules(
        resources={**parts, 2: build.staff(2, "12:00-13:00", kind="court"), 9: hall}, services={1: service}
    )
    assert lacks(shut, standing("10:00", "11:00", claims=both)) == {Why.ROOM}


def test_buffers_count_unless_they_may_reach_outside() -> None:
    first, last = minute("10:00"), minute("11:00")
    claim = Claim(1, 1, first, last, first - 15, last)
    what = Standing(1, first, last, (first - 15, last), (claim,))
    assert lacks(rules(), what) == {Why.HOURS}
    assert lacks(rules(buffers_outside=True), what) == set()


def test_a_stay_is_open_at_both_its_ends() -> None:
    service = build.service(stay=Stay(660), requirements=(Requirement("staff", (3,)),))
    first, last = minute("15:00"), minute("11:00") + 1440
    claim = Claim(3, 1, first, last, first, last)
    what = Standing(1, first, last, (first, last), (claim,), nights=1)
    assert lacks(rules(services={1: service}), what) == set()
    late = rules(services={1: service}, hours=build.hours("12:00-19:00"))
    assert lacks(late, what) == {Why.HOURS}


def test_who_waits_for_an_answer_needs_somebody_who_can() -> None:
    waiting = standing("10:00", "11:00", claims=(), staff=1)
    assert lacks(rules(), waiting) == set()
    gone = rules(resources={1: build.staff(1, bookable=False), 2: build.staff(2)})
    assert lacks(gone, waiting) == {Why.STAFF}
    assert lacks(gone, replace(waiting, staff=None)) == set()


def test_the_last_have_no_seat() -> None:
    assert beyond(4, [(1, 2), (2, 3), (3, 2)]) == {2}
    assert beyond(0, [(1, 1)]) == {1}


def test_the_last_have_no_unit_at_the_peak_alone() -> None:
    def claim(start: int, end: int, units: int = 1) -> Claim:
        return Claim(1, units, start, end, start, end)

    claims = [(1, claim(0, 60, 2)), (2, claim(30, 90)), (3, claim(60, 90)), (4, claim(90, 120, 3))]
    assert beyond_stock(2, claims) == {2, 4}


def test_one_judge_keeps_shop_service_and_people_apart() -> None:
    services = {
        1: build.service(hours=build.hours("10:00-16:00"), requirements=(Requirement("staff", (1, 2)),)),
        2: build.service(
            id=2, hours=build.hours("12:00-19:00"), requirements=(Requirement("staff", (1, 2)),)
        ),
    }
    people = {1: build.staff(1, "10:00-14:00"), 2: build.staff(2, "13:00-18:00")}
    judge = Judge(rules(services=services, resources=people))
    asked = [
        ("10:00", 1, 1, set()),
        ("15:00", 1, 1, {Why.STAFF}),
        ("15:00", 2, 1, set()),
        ("16:00", 2, 1, {Why.HOURS}),
        ("16:00", 2, 2, set()),
        ("10:00", 1, 2, {Why.HOURS}),
        ("18:00", 2, 2, {Why.STAFF}),
        ("19:00", 1, 1, {Why.HOURS, Why.STAFF}),
    ]
    for start, person, service, why in asked * 2:
        last = f"{int(start[:2]) + 1}:00"
        assert judge.lacks(replace(standing(start, last, person), service_id=service)) == why


def test_only_a_holiday_that_is_closed_has_its_name() -> None:
    shut = rules(hours=build.hours("10:00-19:00", overrides={DAY: ()}))
    assert lacks(shut, standing("10:00", "11:00")) == {Why.HOURS}
    early = rules(holidays=frozenset({DAY}), holiday_rule=HolidayRule.OPEN)
    assert lacks(early, standing("09:00", "10:00")) == {Why.HOURS}


def test_who_is_asked_for_is_asked_for_of_her_own_pool_and_until_somebody_serves() -> None:
    needs = (Requirement("staff", (1, 2)), Requirement("room", (3,)))
    house = rules(services={1: build.service(requirements=needs)})
    assert lacks(house, standing("10:00", "11:00", claims=(), staff=1)) == set()
    assert lacks(rules(), standing("10:00", "11:00", staff=2)) == set()


def test_a_party_may_fill_the_room() -> None:
    house = rules(
        resources={1: build.staff(1, seats=3)},
        services={1: build.service(requirements=(Requirement("staff", (1,)),), party_max=4)},
    )
    assert lacks(house, standing("10:00", "11:00", party=3)) == set()
    assert lacks(house, standing("10:00", "11:00", party=4)) == {Why.STAFF}
    seated = replace(standing("10:00", "11:00", party=4), seated=True)
    course = replace(house.services[1], capacity=8)
    assert lacks(replace(house, services={1: course}), seated) == set()


def test_her_buffers_lie_within_her_hours_unless_they_may_reach_outside() -> None:
    house = rules(resources={1: build.staff(1, "10:00-11:00")})
    first, last = minute("10:00"), minute("11:00")
    what = Standing(1, first, last, (first, last + 15), (Claim(1, 1, first, last, first, last + 15),))
    assert lacks(house, what) == {Why.STAFF}
    assert lacks(replace(house, buffers_outside=True), what) == set()
    cut = (Claim(1, 1, first, last, first, last), Claim(1, 1, last, last, last, last + 15))
    assert lacks(replace(house, buffers_outside=True), replace(what, claims=cut)) == set()
    assert lacks(house, replace(what, claims=cut)) == {Why.STAFF}


def test_a_stay_needs_a_minute_at_each_end() -> None:
    service = build.service(stay=Stay(660), requirements=(Requirement("staff", (3,)),))
    first, last = minute("15:00"), minute("11:00") + 1440
    what = Standing(1, first, last, (first, last), (Claim(3, 1, first, last, first, last),), nights=1)
    for text, why in (
        ("10:59-15:01", set()),
        ("11:00-15:01", {Why.HOURS}),
        ("10:59-15:00", {Why.HOURS}),
        ("10:00-12:00", {Why.HOURS}),
    ):
        assert lacks(rules(services={1: service}, hours=build.hours(text)), what) == why


def test_a_whole_of_wholes_is_open_when_each_part_is() -> None:
    parts = {1: build.staff(1, kind="court"), 2: build.staff(2, "12:00-13:00", kind="court")}
    half, hall = Resource(8, "court", parts=(2, 77)), Resource(9, "court", parts=(1, 8))
    service = build.service(requirements=(Requirement("court", (9,)),), segments=(Segment(60, ("court",)),))
    house = rules(resources={**parts, 8: half, 9: hall}, services={1: service})
    for start, end, why in (("10:00", "11:00", {Why.ROOM}), ("12:00", "13:00", set())):
        first, last = minute(start), minute(end)
        both = tuple(Claim(each, 1, first, last, first, last) for each in (1, 2))
        assert lacks(house, standing(start, end, claims=both)) == why


def test_seats_and_units_are_taken_one_after_another() -> None:
    assert beyond(5, [(1, 2), (2, 2), (3, 2), (4, 1)]) == {3}
    same = [(each, Claim(1, 1, 0, 60, 0, 60)) for each in (1, 2, 3)]
    assert beyond_stock(2, same) == {3}
    assert beyond_stock(3, same) == set()


spans = st.tuples(st.integers(0, 23 * 4), st.integers(1, 40)).map(
    lambda s: Range(s[0] * 15, (s[0] + s[1]) * 15)
)
weeks = st.tuples(*[st.lists(spans, max_size=2).map(tuple)] * 7).map(Hours)


@given(
    shop=weeks,
    own=st.none() | weeks,
    minutes=st.sampled_from([30, 75]),
    after=st.sampled_from([0, 20]),
    outside=st.booleans(),
)
def test_what_is_offered_may_stand_and_nothing_else(
    shop: Hours, own: Hours | None, minutes: int, after: int, outside: bool
) -> None:
    """Nothing being taken, at any minute of a grid: the list offers a start when it may stand."""
    service = Service(
        1,
        (Segment(minutes, ("staff",)),),
        (Requirement("staff", (1,)),),
        after=after,
        grid=Grid(GridKind.CLOCK, 45),
        horizon=build.ANY_DAY,
    )
    house = ShopRules(
        1, 1, "Europe/Berlin", shop, {1: Resource(1, "staff", own)}, {1: service}, buffers_outside=outside
    )
    window = windows.of_dates(house, 1, DAY, DAY)
    offered = availability.starts(house, 1, window, {}, now=build.LONG_BEFORE)
    judge = Judge(house)
    for start in range(window.begin, window.end, 45):
        end = start + minutes
        what = Standing(1, start, end, (start, end + after), (Claim(1, 1, start, end, start, end + after),))
        assert (start in offered) == (not judge.lacks(what))
