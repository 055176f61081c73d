"""A visit of several services: it fits where its parts fit one after the other, with one person."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noren.engine import late, limits, override, policy, visits, windows
from noren.engine.limits import Tally, Used
from noren.engine.model import (
    BufferPolicy,
    Claim,
    Deadline,
    GridKind,
    Horizon,
    HorizonKind,
    Limit,
    LimitOf,
    Part,
    Period,
    Reason,
    Requirement,
    Segment,
    Service,
    Stay,
    Why,
)
from noren.engine.reasons import why_not
from noren.engine.standing import Judge, Standing
from tests.engine.build import ANY_DAY, LONG_BEFORE, Desk, desk, hours, service, staff

DAY = "2026-12-01"
CUT, COLOUR, NAILS, SHAMPOO, TOWELS = 1, 2, 3, 4, 5


def salon() -> Desk:
    """Aoi (1) and Mei (2) cut, Mei colours, Rin (3) does nails; chairs are 11 and 12."""
    chair = Requirement("chair", (11, 12))
    both = ("staff", "chair")
    colour = (Segment(30, both), Segment(30, ("chair",)), Segment(30, both))
    standard: dict[str, Any] = {"grid": GridKind.CLOCK, "interval": 30}
    return desk(
        service(segments=(Segment(60, both),), requirements=(Requirement("staff", (1, 2)), chair),
                additions=(SHAMPOO, TOWELS), **standard),
        service(id=COLOUR, segments=colour, requirements=(Requirement("staff", (2,)), chair), after=10,
                additions=(TOWELS,), **standard),
        service(id=NAILS, segments=(Segment(45, ("staff",)),), requirements=(Requirement("staff", (3,)),),
                **standard),
        service(id=SHAMPOO, segments=(Segment(10, ()),), requirements=(), alone=False, **standard),
        service(id=TOWELS, segments=(), requirements=(), alone=False, **standard),
        resources=[staff(1), staff(2), staff(3), *(staff(n, kind="chair") for n in (11, 12))],
        text="10:00-18:00",
    )  # fmt: skip


def visit(shop: Desk, first: int, *also: int) -> Desk:
    return replace(shop, rules=visits.composed(shop.rules, first, also))


def of(shop: Desk, first: int, *also: int) -> Service:
    return visit(shop, first, *also).rules.services[first]


def test_the_shop_s_order_counts_and_additions_follow_their_service() -> None:
    shop = salon()
    found = of(shop, COLOUR, TOWELS, NAILS, SHAMPOO, CUT)
    assert [part.service.id for part in found.parts] == [CUT, SHAMPOO, TOWELS, COLOUR, NAILS]
    assert [part.offset for part in found.parts] == [0, 60, 70, 70, 160]
    assert (found.id, found.minutes, found.bookable) == (COLOUR, 205, True)


def test_who_can_serve_all_of_it_does_and_others_serve_their_part() -> None:
    shop = visit(salon(), CUT, COLOUR, NAILS)
    chosen = shop.book(f"{DAY} 10:00")
    assert {role: who for role, who in chosen.resources.items() if role != "chair"} == {
        "staff": (2,),
        "staff 3": (3,),
    }
    begin = shop.at(f"{DAY} 10:00")
    mine = [(claim.start - begin, claim.end - begin) for claim in chosen.claims if claim.resource_id == 2]
    assert mine == [(0, 90), (120, 150)]  # free while the colour sets
    assert [claim.end - begin for claim in chosen.claims if claim.resource_id in (11, 12)] == [150]


def test_an_addition_prolongs_what_it_is_added_to_and_keeps_its_cleaning() -> None:
    taken = visit(salon(), COLOUR, TOWELS).book(f"{DAY} 10:00", service=COLOUR)
    (chair,) = (claim for claim in taken.claims if claim.resource_id in (11, 12))
    assert (chair.end - chair.start, chair.padded_end - chair.end) == (90, 10)
    longer = visit(salon(), CUT, SHAMPOO).book(f"{DAY} 10:00")
    assert {claim.end - claim.start for claim in longer.claims} == {70}


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ((CUT,), True),
        ((CUT, COLOUR), True),
        ((CUT, SHAMPOO, NAILS), True),
        ((SHAMPOO,), False),  # not alone
        ((COLOUR, SHAMPOO), False),  # no addition to it
        ((SHAMPOO, TOWELS), False),  # nobody to serve it
        ((CUT, CUT), False),
        (tuple(range(21, 29)), True),
        (tuple(range(21, 30)), False),  # too many
        ((30,), True),
        ((CUT, 30), False),  # a class
    ],
)
def test_what_goes_together(asked: tuple[int, ...], allowed: bool) -> None:
    shop = salon()
    more = {
        each: service(id=each, minutes=30, requirements=(Requirement("staff", (1,)),))
        for each in range(21, 30)
    }
    shop = shop.with_(services={**shop.rules.services, **more, 30: service(id=30, capacity=8)})
    assert visits.may(shop.rules, asked) is allowed
    if asked != (30,):
        assert bool(visit(shop, *asked).times(DAY, service=asked[0])) is allowed


@pytest.mark.parametrize(
    "changes", [{"together": False}, {"capacity": 8}, {"stay": Stay(660)}, {"bookable": False}]
)
def test_what_the_shop_keeps_apart_is_not_offered(changes: dict[str, Any]) -> None:
    shop = salon()
    changed = replace(shop.rules.services[NAILS], **changes)
    shop = shop.with_(services={**shop.rules.services, NAILS: changed})
    assert not visit(shop, CUT, NAILS).times(DAY)
    refused = why_not(
        visit(shop, CUT, NAILS).rules,
        CUT,
        windows.of_start(shop.rules, CUT, shop.at(f"{DAY} 10:00")),
        {},
        shop.at(f"{DAY} 10:00"),
        now=LONG_BEFORE,
    )
    assert refused == Reason(Why.NOT_OFFERED)
    assert NAILS not in [each for each, _ in visits.candidates(shop.rules, (CUT,))]


def test_the_party_is_one_that_all_parts_take() -> None:
    shop = salon()
    services = dict(shop.rules.services)
    services[CUT] = replace(services[CUT], party_min=1, party_max=4)
    services[NAILS] = replace(services[NAILS], party_min=2, party_max=3)
    shop = visit(shop.with_(services=services), CUT, NAILS)
    assert [party for party in range(1, 6) if shop.times(DAY, party=party)] == [2, 3]


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        ({}, ["staff"]),
        ({"role": "nails"}, ["staff", "nails"]),
        ({"count": 2}, ["staff", "staff 2"]),
        ({"units": 2}, ["staff", "staff 2"]),
        ({"pool": (2, 3)}, ["staff"]),
        ({"pool": (3,)}, ["staff", "staff 2"]),
    ],
)
def test_one_serves_both_parts_where_she_can_and_the_shop_calls_it_one(
    changes: dict[str, Any], roles: list[str]
) -> None:
    need = Requirement("staff", (1, 2))
    other = replace(need, **changes)
    shop = desk(
        service(requirements=(need,)),
        service(id=2, segments=(Segment(30, (other.role,)),), requirements=(other,)),
        resources=[staff(1, stock=2), staff(2, stock=2), staff(3)],
    )
    assert [each.role for each in of(shop, 1, 2).requirements] == roles
    gone = {**shop.rules.resources, 2: replace(shop.rules.resources[2], bookable=False)}
    apart = changes.get("pool") == (2, 3)
    found = [each.role for each in of(shop.with_(resources=gone), 1, 2).requirements]
    assert found == (["staff", "staff 2"] if apart or "count" in changes else roles)


def test_an_option_by_itself_is_no_visit() -> None:
    found = of(salon(), SHAMPOO)
    assert (found.parts, found.minutes, found.bookable) == ((), 10, False)


def test_additions_are_named_first() -> None:
    assert visits.candidates(salon().rules, (CUT,)) == [
        (SHAMPOO, True),
        (TOWELS, True),
        (COLOUR, False),
        (NAILS, False),
    ]


def test_notice_and_horizon_are_the_strictest_of_the_parts() -> None:
    shop = salon()
    services = dict(shop.rules.services)
    services[CUT] = replace(services[CUT], lead=Deadline(60), horizon=Horizon(days=30))
    services[NAILS] = replace(
        services[NAILS], lead=Deadline(days=1, at=1200), horizon=Horizon(HorizonKind.OPEN_DAYS, days=10)
    )
    shop = visit(shop.with_(services=services), CUT, NAILS)
    now = shop.clock(f"{DAY} 20:01")
    opens, closes = policy.bookable(shop.rules, shop.rules.services[CUT], now)
    assert (shop.wall(opens).date(), shop.wall(closes).date()) == (date(2026, 12, 3), date(2026, 12, 11))


def test_each_part_lies_within_its_own_hours_and_the_first_one_s_grid() -> None:
    shop = salon()
    late_nails = replace(shop.rules.services[NAILS], hours=hours("13:15-14:30"))
    shop = shop.with_(services={**shop.rules.services, NAILS: late_nails})
    assert visit(shop, CUT, NAILS).times(DAY) == ["12:30"]


def test_a_limit_counts_its_own_part_where_it_lies() -> None:
    shop = salon()
    limited = replace(shop.rules.services[NAILS], limits=(Limit(LimitOf.SERVICE, Period.DAY, 3, 90),))
    shop = visit(shop.with_(services={**shop.rules.services, NAILS: limited}), CUT, NAILS)
    tally = Tally(LimitOf.SERVICE, 0, NAILS, Period.DAY, date.fromisoformat(DAY))
    assert shop.times(DAY, used={tally: Used(2, 45)})
    assert not shop.times(DAY, used={tally: Used(3, 0)})
    assert not shop.times(DAY, used={tally: Used(0, 46)})
    other = Tally(LimitOf.SERVICE, 0, CUT, Period.DAY, date.fromisoformat(DAY))
    assert shop.times(DAY, used={other: Used(9, 900)})


def test_each_limit_says_whose_minutes_it_counts() -> None:
    shop, most = salon(), (Limit(LimitOf.STAFF, Period.DAY, 3),)
    services = {each: replace(one, limits=most) for each, one in shop.rules.services.items()}
    shop = visit(shop.with_(services=services, limits=most), CUT, SHAMPOO, NAILS)
    whole = shop.rules.services[CUT]
    found = [
        (each.service_id, each.service.requirements, each.offset, each.minutes)
        for each in limits.of_service(shop.rules, whole)
    ]
    assert found == [
        (CUT, services[CUT].requirements, 0, 60),
        (SHAMPOO, whole.requirements, 60, 10),  # who serves what it is added to
        (NAILS, services[NAILS].requirements, 70, 45),
        (0, whole.requirements, 0, 115),
    ]


def test_a_limit_closes_the_day_on_which_its_part_lies() -> None:
    shop = salon().with_(hours=hours())
    limited = replace(shop.rules.services[NAILS], limits=(Limit(LimitOf.SERVICE, Period.DAY, 3),))
    shop = visit(shop.with_(services={**shop.rules.services, NAILS: limited}), CUT, NAILS)
    tally = Tally(LimitOf.SERVICE, 0, NAILS, Period.DAY, date.fromisoformat(DAY))
    found = shop.times("2026-11-30", "2026-12-01", used={tally: Used(3, 0)})
    assert (found[0], found[-3:]) == ("11-30 00:00", ["11-30 22:30", "12-01 23:00", "12-01 23:30"])


@pytest.mark.parametrize(
    ("number", "text", "times"),
    [
        (CUT, "11:15-12:30", ["11:30"]),  # a quarter before it
        (CUT, "11:16-12:30", []),
        (COLOUR, "12:30-14:00", ["11:30"]),  # no buffers within the visit
        (NAILS, "14:00-15:15", ["11:30"]),  # half an hour after it
        (NAILS, "14:00-15:14", []),
    ],
)
def test_the_buffers_of_both_ends_lie_within_the_hours_of_their_parts(
    number: int, text: str, times: list[str]
) -> None:
    shop = salon()
    services = dict(shop.rules.services)
    for each, before, open_ in (
        (CUT, 15, "11:00-13:00"),
        (COLOUR, 30, "12:30-14:30"),
        (NAILS, 30, "14:00-15:40"),
    ):
        services[each] = replace(services[each], before=before, after=30, hours=hours(open_))
    services[number] = replace(services[number], hours=hours(text))
    assert visit(shop.with_(services=services), CUT, COLOUR, NAILS).times(DAY) == times


def test_what_stands_is_judged_with_all_its_parts() -> None:
    shop = salon()
    taken = visit(shop, CUT, NAILS).book(f"{DAY} 10:00")
    stands = Standing(
        CUT, taken.start, taken.end, (taken.start, taken.end), taken.claims, parts=((CUT, 60), (NAILS, 45))
    )
    assert not Judge(shop.rules).lacks(stands)

    def lacking(number: int, **changes: Any) -> frozenset[Why]:
        services = {**shop.rules.services, number: replace(shop.rules.services[number], **changes)}
        return Judge(shop.with_(services=services).rules).lacks(stands)

    assert lacking(NAILS, bookable=False) == {Why.NOT_OFFERED}
    assert lacking(NAILS, hours=hours("10:00-11:00")) == {Why.HOURS}
    assert not lacking(NAILS, hours=hours("11:00-11:45"))
    assert lacking(CUT, requirements=(Requirement("staff", (3,)),)) == {Why.STAFF}
    assert lacking(NAILS, requirements=(Requirement("staff", (1,)),)) == {Why.STAFF}, "she cut, Rin did nails"
    assert not lacking(NAILS, together=False)  # says what may be booked, not what may stand
    assert not lacking(NAILS, segments=(Segment(240, ("staff",)),))  # it keeps its length


def test_what_takes_no_time_is_open_at_any_time() -> None:
    shop = salon()
    taken = visit(shop, CUT, TOWELS).book(f"{DAY} 10:00")
    parts = ((CUT, 60), (TOWELS, 0))
    stands = Standing(CUT, taken.start, taken.end, (taken.start, taken.end), taken.claims, parts=parts)
    shut = replace(shop.rules.services[TOWELS], hours=hours("12:00-13:00"))
    shop = shop.with_(services={**shop.rules.services, TOWELS: shut})
    assert not Judge(shop.rules).lacks(stands)
    assert f"{shop.wall(taken.start):%H:%M}" in visit(shop, CUT, TOWELS).times(DAY)


@pytest.mark.parametrize("also", [(), (NAILS,)])
def test_who_is_late_for_it_has_the_hours_of_its_parts_and_no_horizon(also: tuple[int, ...]) -> None:
    shop, near = salon(), Horizon(days=1)
    services = {each: replace(one, horizon=near) for each, one in shop.rules.services.items()}
    services[NAILS] = replace(services[NAILS], hours=hours("11:00-12:00"))
    shop = visit(shop.with_(services=services), CUT, *also)
    start = shop.at(f"{DAY} 10:00")
    window = late.window(shop.rules, CUT, start, 30)
    assert late.slack(shop.rules, CUT, window, {}, start, most=30, staff=None, party=1) == (
        15 if also else 30
    )


def test_staff_may_insist_on_it_and_she_may_be_late_for_it() -> None:
    shop = visit(salon(), CUT, COLOUR)
    shop.busy(2, f"{DAY} 10:30", f"{DAY} 12:00")
    window = windows.of_start(shop.rules, CUT, shop.at(f"{DAY} 10:00"))
    chosen = override.choose(shop.rules, CUT, window, shop.taken(window), shop.at(f"{DAY} 10:00"))
    assert chosen is not None
    assert chosen.end - chosen.start == 150
    shop = visit(salon(), CUT, COLOUR)
    shop.busy(2, f"{DAY} 12:50", f"{DAY} 13:00")
    start = shop.at(f"{DAY} 10:00")
    window = late.window(shop.rules, CUT, start, 30)
    taken = shop.taken(window)
    assert late.slack(shop.rules, CUT, window, taken, start, most=30, staff=None, party=1) == 10


@st.composite
def a_salon(draw: st.DrawFn) -> Desk:
    """Two or three services of two staff and two chairs, with buffers at the ends of the visit alone."""
    minutes = st.sampled_from([5, 10, 30, 45])
    both = ("staff", "chair")
    needs = (Requirement("staff", (1, 2)), Requirement("chair", (11, 12)))

    def one(number: int) -> Service:
        roles = st.sampled_from([both, ("staff",), ("chair",)])
        segments = (
            Segment(draw(minutes), both),
            *draw(st.lists(st.builds(Segment, minutes, roles), max_size=2)),
        )
        own = draw(st.none() | st.just(hours("08:00-13:00 13:30-20:00")))
        return service(
            id=number, segments=segments, requirements=needs, grid=GridKind.CLOCK, interval=1, hours=own,
            horizon=ANY_DAY, limits=(),
        )  # fmt: skip

    services = [one(number) for number in range(1, draw(st.integers(2, 3)) + 1)]
    services[0] = replace(services[0], before=draw(st.sampled_from([0, 15])))
    services[-1] = replace(services[-1], after=draw(st.sampled_from([0, 20])))
    some = st.none() | st.sampled_from(["09:00-12:00 12:30-19:00"])
    people = [staff(1, draw(some)), staff(2), staff(11, kind="chair"), staff(12, draw(some), kind="chair")]
    policies = st.sampled_from(BufferPolicy)
    shop = desk(*services, resources=people, text="08:30-19:30", buffer_policy=draw(policies))
    for _ in range(draw(st.integers(0, 6))):
        start = shop.at(f"{DAY} 08:00") + draw(st.integers(0, 130)) * 5
        end, buffer = start + draw(minutes), draw(st.sampled_from([0, 10]))
        who = draw(st.sampled_from([1, 2, 11, 12]))
        shop.claims.append(Claim(who, 1, start, end, start - buffer, end + buffer))
    return shop


@settings(max_examples=60)
@given(a_salon())
def test_it_fits_where_its_parts_fit_one_after_the_other_with_one_person(shop: Desk) -> None:
    numbers = tuple(shop.rules.services)
    both = visit(shop, *numbers)
    parts = both.rules.services[numbers[0]].parts
    offered = {part.service.id: shop.offered(DAY, "2026-12-02", service=part.service.id) for part in parts}

    def able(start: int, role: str) -> set[int]:
        return set.intersection(
            *(set(offered[part.service.id].who(start + part.offset, role)) for part in parts)
        )

    day = shop.at(f"{DAY} 00:00")
    expected = [at for at in range(day, day + 1440) if able(at, "staff") and able(at, "chair")]
    found = both.offered(DAY)
    assert list(found) == expected
    for start in expected[:: max(1, len(expected) // 4)]:
        taken = both.choose(start)
        assert taken is not None
        assert (taken.end - start) == sum(shop.rules.services[each].minutes for each in numbers)
        _is_the_union(parts, start, taken.resources, taken.claims)


def _is_the_union(
    parts: Sequence[Part], start: int, resources: Mapping[str, Sequence[int]], claims: Sequence[Claim]
) -> None:
    """The minutes claimed of each are those that its parts would claim of the same person and chair."""
    wanted: dict[int, set[int]] = {}
    for part in parts:
        at = start + part.offset
        for segment in part.service.segments:
            for role in segment.roles:
                wanted.setdefault(resources[role][0], set()).update(range(at, at + segment.minutes))
            at += segment.minutes
    found: dict[int, set[int]] = {}
    for claim in claims:
        found.setdefault(claim.resource_id, set()).update(range(claim.start, claim.end))
    assert found == wanted
