"""Somebody takes longer for a service than the others: each start is offered by whoever has time enough."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from noren.engine import override, paces, visits, windows
from noren.engine.model import Load, Pace, Requirement, Segment, Service, Why
from noren.engine.reasons import why_not
from tests.engine.build import LONG_BEFORE, Desk, desk, service, staff
from tests.engine.oracle import Oracle
from tests.engine.test_properties import a_desk

DAY = "2026-12-01"
AOI, REN = 1, 2
HALF: dict[str, Any] = {"interval": 30, "requirements": (Requirement("staff", (AOI, REN)),)}


def salon(**more: Any) -> Desk:
    """Aoi takes ninety minutes for a cut, Ren an hour; open for two and a half hours."""
    slow = (Pace("staff", AOI, ((0, 90),)),)
    return desk(
        service(60, paces=slow, **HALF, **more), resources=[staff(AOI), staff(REN)], text="10:00-12:30"
    )


def test_each_is_offered_as_long_as_she_takes() -> None:
    shop = salon()
    assert shop.times(DAY, staff=AOI) == ["10:00", "10:30", "11:00"]
    assert shop.times(DAY, staff=REN) == ["10:00", "10:30", "11:00", "11:30"]
    any_of = shop.offered(DAY)
    assert shop.times(DAY) == shop.times(DAY, staff=REN)
    assert [any_of.longest(minute) for minute in any_of] == [90, 90, 90, 60]
    assert any_of.who(shop.at(f"{DAY} 11:30")) == (REN,)
    assert set(any_of.who(shop.at(f"{DAY} 10:00"))) == {AOI, REN}


@pytest.mark.parametrize(("who", "minutes"), [(AOI, 90), (REN, 60), (None, 90)])
def test_a_write_takes_what_the_list_said(who: int | None, minutes: int) -> None:
    """Aoi is first where both are free, as if both took equally long."""
    taken = salon().book(f"{DAY} 10:00", staff=who)
    assert taken.end - taken.start == minutes
    assert [claim.end - claim.start for claim in taken.claims] == [minutes]


def test_who_is_chosen_does_not_follow_from_the_length() -> None:
    chosen = salon().choose(f"{DAY} 10:00", loads={AOI: Load(3), REN: Load(1)})
    assert chosen is not None
    assert chosen.resources["staff"] == (REN,)


def test_the_room_is_taken_as_long() -> None:
    both, needs = ("staff", "room"), (*HALF["requirements"], Requirement("room", (3,)))
    shop = salon()
    cut = replace(shop.rules.services[1], segments=(Segment(60, both),), requirements=needs)
    shop = replace(
        shop,
        rules=replace(
            shop.rules,
            services={1: cut},
            resources={**shop.rules.resources, 3: staff(3, kind="room")},
        ),
    )
    shop.book(f"{DAY} 10:00", staff=AOI)
    assert shop.times(DAY) == ["11:30"]


def test_nobody_who_is_never_any_becomes_the_choice_of_her_length() -> None:
    """Hidden, she serves who asks for her: that she alone takes so long makes her no other."""
    shop = salon()
    hidden = replace(shop.rules.resources[AOI], visible=False)
    shop = shop.with_(resources={**shop.rules.resources, AOI: hidden})
    assert set(shop.offered(DAY).who(shop.at(f"{DAY} 10:00"))) == {REN}
    assert shop.times(DAY, staff=AOI) == ["10:00", "10:30", "11:00"]


def test_why_not_knows_her_length() -> None:
    shop = salon()
    start = shop.at(f"{DAY} 11:30")
    window = windows.of_start(shop.rules, 1, start)
    reason = why_not(shop.rules, 1, window, {}, start, now=LONG_BEFORE, staff=AOI)
    assert reason is not None
    assert reason.why is Why.HOURS
    assert why_not(shop.rules, 1, window, {}, start, now=LONG_BEFORE) is None


def test_reception_insists_on_who_is_free_for_all_of_it() -> None:
    shop = salon()
    shop.busy(AOI, f"{DAY} 11:15", f"{DAY} 12:00")
    start = shop.at(f"{DAY} 10:00")
    window = windows.of_start(shop.rules, 1, start)
    taken = shop.taken(window)
    chosen = override.choose(shop.rules, 1, window, taken, start)
    assert chosen is not None
    assert chosen.resources["staff"] == (REN,)
    assert override.now_free(shop.rules, 1, window, taken, start, staff=AOI) is None
    insisted = override.choose(shop.rules, 1, window, taken, start, staff=AOI)
    assert insisted is not None
    assert insisted.end - insisted.start == 90


def test_a_visit_lasts_as_long_as_its_parts_take_her() -> None:
    slow = (Pace("staff", AOI, ((0, 90),)),)
    shop = desk(
        service(60, paces=slow, **HALF),
        service(30, id=2, paces=(Pace("staff", AOI, ((0, 45),)),), **HALF),
        resources=[staff(AOI), staff(REN)],
        text="10:00-13:00",
    )
    composed = visits.composed(shop.rules, 1, (2,))
    assert composed.services[1].longest == 135
    there = Desk(composed)
    assert there.times(DAY, staff=AOI) == ["10:00", "10:30"]
    assert there.times(DAY, staff=REN) == ["10:00", "10:30", "11:00", "11:30"]
    chosen = there.book(f"{DAY} 10:00", staff=AOI)
    parts = paces.served(composed, 1, chosen.resources).services[1].parts
    assert [(part.offset, part.service.minutes) for part in parts] == [(0, 90), (90, 45)]
    assert chosen.end - chosen.start == 135


def test_where_nobody_has_her_own_the_rules_are_the_same_object() -> None:
    shop = desk()
    assert paces.variants(shop.rules, 1)[0] is shop.rules
    assert paces.served(shop.rules, 1, {"staff": (1,)}) is shop.rules


@st.composite
def with_paces(draw: st.DrawFn) -> tuple[Desk, date]:
    """A random shop in which each of two takes what time she takes for each segment."""
    shop, day = draw(a_desk())
    own = shop.rules.services[1]
    needs = tuple(replace(need, count=1) for need in own.requirements)
    minutes = st.integers(1, 30).map(lambda n: n * 5)
    those = tuple(
        Pace("staff", who, tuple((at, draw(minutes)) for at in range(len(own.segments))))
        for who in draw(st.sets(st.sampled_from([1, 2]), min_size=1))
    )
    return shop.with_(services={1: replace(own, requirements=needs, paces=those)}), day


def alone(of: Service, who: int) -> Service:
    """The service as one of them serves it, written out by hand."""
    own = next((dict(pace.minutes) for pace in of.paces if pace.staff == who), {})
    segments = tuple(replace(each, minutes=own.get(at, each.minutes)) for at, each in enumerate(of.segments))
    needs = tuple(replace(each, pool=(who,)) if each.role == "staff" else each for each in of.requirements)
    return replace(of, segments=segments, requirements=needs, paces=())


@settings(max_examples=40)
@given(with_paces())
def test_any_of_them_is_each_of_them_by_the_oracle(case: tuple[Desk, date]) -> None:
    shop, day = case
    own = shop.rules.services[1]
    expected: dict[int, set[int]] = {}
    for who in own.requirements[0].pool:
        starts = Oracle(shop.rules, alone(own, who), shop.claims, day, day).starts()
        for minute in starts:
            expected.setdefault(minute, set()).add(who)
        asked = shop.offered(day.isoformat(), staff=who)
        assert set(asked) == set(starts)
    offered = shop.offered(day.isoformat())
    assert {minute: set(offered.who(minute)) for minute in offered} == expected


@settings(max_examples=40)
@given(with_paces(), st.integers(0, 10**6))
def test_what_is_offered_can_be_taken_for_her_time_and_is_gone(case: tuple[Desk, date], pick: int) -> None:
    shop, day = case
    minutes = shop.offered(day.isoformat()).minutes()
    assume(minutes)
    taken = shop.book(minutes[pick % len(minutes)])
    who = taken.resources["staff"][0]
    assert taken.end - taken.start == alone(shop.rules.services[1], who).minutes
    assert taken.start not in set(shop.offered(day.isoformat(), staff=who))
