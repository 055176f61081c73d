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
from tests.engine.build import Desk, desk, hours, service, staff

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
