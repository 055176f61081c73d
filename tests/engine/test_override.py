"""Case 98: what staff may insist on, and whom it then falls to."""

from typing import Any

import pytest

from noren.engine import override, windows
from noren.engine.model import (
    Assignment,
    Claim,
    Deadline,
    Grid,
    GridKind,
    Horizon,
    HorizonKind,
    Limit,
    LimitOf,
    Load,
    Period,
    Requirement,
    Resource,
    Segment,
    Stay,
)
from tests.engine.build import Desk, desk, hours, service, staff

DAY = "2026-12-01"
ANY = Requirement("staff", (1, 2))


def insisted(shop: Desk, text: str, **asked: Any) -> Assignment | None:
    start = shop.at(text)
    window = windows.of_start(shop.rules, 1, start, asked.get("nights", 0))
    return override.choose(shop.rules, 1, window, shop.taken(window), start, **asked)


def who(shop: Desk, text: str, **asked: Any) -> tuple[int, ...] | None:
    found = insisted(shop, text, **asked)
    return None if found is None else found.resources["staff"]


def test_case_098_staff_book_over_a_full_time_and_customers_may_not() -> None:
    shop = desk(service(60, before=10, after=15))
    shop.book(f"{DAY} 10:00")
    assert shop.choose(f"{DAY} 10:00") is None
    found = insisted(shop, f"{DAY} 10:00")
    assert found is not None
    assert (found.service_id, found.start, found.end) == (1, shop.at(f"{DAY} 10:00"), shop.at(f"{DAY} 11:00"))
    (claim,) = found.claims
    assert claim == shop.claims[0]


STRICT: dict[str, Any] = {
    "a grid": {"grid": GridKind.CLOCK, "interval": 120},
    "hours of the service": {"hours": hours("20:00-21:00")},
    "notice": {"lead": Deadline(minutes=1 << 30)},
    "a horizon": {"horizon": Horizon(HorizonKind.DAYS, 1)},
    "a limit": {"limits": (Limit(LimitOf.SERVICE, Period.DAY, most=0),)},
    "not being offered": {"bookable": False},
    "a smallest party": {"party_min": 2, "party_max": 3},
}


@pytest.mark.parametrize("rule", STRICT)
def test_it_lifts(rule: str) -> None:
    assert who(desk(service(60, **STRICT[rule])), f"{DAY} 10:07") == (1,)


def test_it_lifts_the_hours_of_shop_and_staff_at_every_minute_of_the_day() -> None:
    shop = desk(resources=[staff(1, "09:00-10:00")], text="09:00-10:00", zone="Asia/Tokyo")
    for clock in ("00:00", "09:30", "23:59"):
        assert who(shop, f"{DAY} {clock}") == (1,)


def test_it_lifts_sizes_up_to_what_can_be_counted() -> None:
    shop = desk(service(60), resources=[Resource(1, "room", seats=2)])
    assert who(shop, f"{DAY} 10:00", party=50) == (1,)
    assert who(shop, f"{DAY} 10:00", party=1 << 15) == (1,)
    assert who(shop, f"{DAY} 10:00", party=(1 << 15) + 1) is None


def test_it_lifts_all_rules_and_keeps_what_the_service_is() -> None:
    given = service(
        60,
        before=10,
        capacity=8,
        party_max=4,
        limits=(Limit(LimitOf.SERVICE, Period.DAY, most=1),),
        hours=hours("20:00-21:00"),
    )
    shop = desk(given, service(30, id=2, party_max=3), limits=(Limit(LimitOf.STAFF, Period.DAY, most=1),))
    free = override.lifted(shop.rules, 1)
    lifted = free.services[1]
    assert (lifted.capacity, lifted.limits, lifted.hours, free.limits) == (None, (), None, ())
    assert (lifted.party_min, lifted.grid, lifted.lead) == (1, Grid(GridKind.CLOCK, 1), Deadline())
    assert (lifted.horizon, lifted.bookable, free.buffers_outside) == (Horizon(HorizonKind.RANGE), True, True)
    assert (lifted.minutes, lifted.before, lifted.requirements) == (60, 10, given.requirements)
    assert free.services[2] == shop.rules.services[2]


def test_it_prefers_those_who_are_free() -> None:
    shop = desk(service(60, requirements=(ANY,)), resources=[staff(1), staff(2)], text="09:00-10:00")
    assert who(shop, f"{DAY} 12:00") == (1,)
    shop.busy(1, f"{DAY} 12:00", f"{DAY} 13:00")
    assert who(shop, f"{DAY} 12:00") == (2,)
    assert who(shop, f"{DAY} 13:00") == (1,)
    shop.busy(2, f"{DAY} 12:00", f"{DAY} 13:00")
    assert who(shop, f"{DAY} 12:00") == (1,)
    assert who(shop, f"{DAY} 12:00", loads={1: Load(5), 2: Load(1)}) == (2,)


def test_it_takes_the_one_who_is_asked_for_even_when_busy() -> None:
    shop = desk(service(60, requirements=(ANY,)), resources=[staff(1), staff(2), staff(3)])
    shop.busy(2, f"{DAY} 10:00", f"{DAY} 11:00")
    assert who(shop, f"{DAY} 10:00", staff=2) == (2,)
    assert who(shop, f"{DAY} 10:00", staff=1) == (1,)
    assert who(shop, f"{DAY} 10:00", staff=3) is None


def test_it_prefers_a_free_room_for_the_one_who_is_asked_for() -> None:
    with_room = service(
        60,
        segments=(Segment(60, ("staff", "room")),),
        requirements=(ANY, Requirement("room", (3, 4))),
    )
    shop = desk(with_room, resources=[staff(1), staff(2), Resource(3, "room"), Resource(4, "room")])
    shop.busy(3, f"{DAY} 10:00", f"{DAY} 11:00")
    shop.busy(2, f"{DAY} 10:00", f"{DAY} 11:00")
    found = insisted(shop, f"{DAY} 10:00", staff=2)
    assert found is not None
    assert found.resources == {"staff": (2,), "room": (4,)}


def test_it_keeps_the_whole_pool_where_too_few_are_free() -> None:
    two = Requirement("staff", (1, 2, 3), count=2)
    shop = desk(service(60, requirements=(two,)), resources=[staff(1), staff(2), staff(3)])
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    assert who(shop, f"{DAY} 10:00") == (2, 3)
    shop.busy(2, f"{DAY} 10:00", f"{DAY} 11:00")
    assert who(shop, f"{DAY} 10:00") == (1, 2)


def test_it_takes_the_one_who_is_asked_for_among_several_even_when_busy() -> None:
    two = Requirement("staff", (1, 2, 3), count=2)
    shop = desk(service(60, requirements=(two,)), resources=[staff(1), staff(2), staff(3)])
    shop.busy(3, f"{DAY} 10:00", f"{DAY} 11:00")
    assert who(shop, f"{DAY} 10:00") == (1, 2)
    assert who(shop, f"{DAY} 10:00", staff=3) == (3, 1)


def test_it_finds_free_company_for_one_who_is_not_shown() -> None:
    two = Requirement("staff", (1, 2, 3), count=2)
    team = [staff(1), staff(2), staff(3, visible=False)]
    shop = desk(service(60, requirements=(two,)), resources=team)
    shop.busy(1, f"{DAY} 10:00", f"{DAY} 11:00")
    assert who(shop, f"{DAY} 10:00", staff=3) == (3, 2)


def test_it_finds_nobody_where_nobody_could() -> None:
    two = Requirement("staff", (1, 2), count=2)
    assert who(desk(service(60, requirements=(two,))), f"{DAY} 10:00") is None
    asleep = desk(service(60), resources=[staff(1, bookable=False)])
    assert who(asleep, f"{DAY} 10:00") is None


def test_it_counts_what_each_guest_takes_for_who_is_free() -> None:
    bikes = Requirement("staff", (1, 2), per_guest=True)
    shop = desk(
        service(60, requirements=(bikes,)),
        resources=[Resource(1, "bike", stock=3), Resource(2, "bike", stock=4)],
    )
    assert who(shop, f"{DAY} 10:00", party=3) == (1,)
    assert who(shop, f"{DAY} 10:00", party=4) == (2,)
    begin = shop.at(f"{DAY} 10:00")
    shop.claims.append(Claim(1, 1, begin, begin + 60, begin, begin + 60))
    for party, chosen in ((1, 1), (2, 1), (3, 2)):
        assert who(shop, f"{DAY} 10:00", party=party) == (chosen,)
    found = insisted(shop, f"{DAY} 10:00")
    assert found is not None
    assert [claim.units for claim in found.claims] == [1]


def test_it_books_a_stay_of_so_many_nights() -> None:
    cottage = service(60, grid=GridKind.CLOCK, stay=Stay(out=660), requirements=(ANY,))
    shop = desk(cottage, resources=[staff(1), staff(2)], text="09:00-18:00")
    shop.busy(1, "2026-12-03 12:00", "2026-12-03 13:00")
    found = insisted(shop, f"{DAY} 15:00", nights=3)
    assert found is not None
    assert (found.end, found.resources) == (shop.at("2026-12-04 11:00"), {"staff": (2,)})
    assert insisted(shop, f"{DAY} 15:00") is None
