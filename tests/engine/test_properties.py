"""For random small shops in all zones: engine and oracle agree, and what is offered holds."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from noren.engine import availability, sheet, windows
from noren.engine.model import (
    BufferPolicy,
    Claim,
    Grid,
    GridKind,
    Hours,
    Range,
    Requirement,
    Resource,
    Segment,
    Service,
    ShopRules,
    Taken,
    Window,
)
from tests.engine.build import ANY_DAY, LONG_BEFORE, Desk
from tests.engine.oracle import Oracle

ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc"))
CHANGING = ["America/New_York", "Europe/Paris", "Australia/Sydney", "Australia/Lord_Howe", "Africa/Cairo"]
NIGHTS = [
    *("2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04"),
    *("2026-04-24", "2026-10-30", "2026-09-06", "2028-02-29", "2026-12-31"),
]

zones = st.sampled_from(CHANGING) | st.sampled_from(ZONES)
days = st.sampled_from([date.fromisoformat(night) for night in NIGHTS]) | st.dates(
    date(2020, 1, 1), date(2035, 1, 1)
)


def snapped(low: int, high: int, step: int = 5) -> st.SearchStrategy[int]:
    return st.integers(low // step, high // step).map(lambda n: n * step)


@st.composite
def an_hours(draw: st.DrawFn) -> Hours:
    whole = st.just((Range(0, 1440),))
    some = st.lists(st.builds(Range, snapped(0, 1200), snapped(600, 2000)), max_size=3).map(tuple)
    day = whole | some
    return Hours(tuple(draw(day) for _ in range(7)))


@st.composite
def a_service(draw: st.DrawFn, kind: GridKind | None) -> Service:
    roles = st.sampled_from([("staff", "room"), ("staff",), ("room",)])
    inner = draw(st.lists(st.builds(Segment, snapped(5, 60), roles), max_size=2))
    segments = (Segment(draw(snapped(5, 90)), ("staff", "room")), *inner)
    pool = draw(st.sampled_from([(1,), (1, 2)]))
    needs = [Requirement("staff", pool, count=draw(st.integers(1, len(pool))))]
    if draw(st.booleans()):
        needs.append(Requirement("room", (3,), units=draw(st.integers(1, 2))))
    return Service(
        id=1,
        segments=segments,
        requirements=tuple(needs),
        before=draw(st.sampled_from([0, 10, 45])),
        after=draw(st.sampled_from([0, 15, 60])),
        grid=Grid(
            kind or draw(st.sampled_from(GridKind)),
            draw(snapped(10, 90)),
            draw(st.sampled_from([0, 0, 5, 20])),
        ),
        hours=draw(st.none() | an_hours()),
        horizon=ANY_DAY,
    )


@st.composite
def a_desk(
    draw: st.DrawFn, kind: GridKind | None = None, policy: BufferPolicy | None = None
) -> tuple[Desk, date]:
    """A shop with claims near a date."""
    day, zone = draw(days), draw(zones)
    own = st.none() | an_hours()
    rules = ShopRules(
        shop_id=1,
        revision=1,
        zone=zone,
        hours=draw(an_hours()),
        resources={
            1: Resource(1, "staff", draw(own)),
            2: Resource(2, "staff", draw(own)),
            3: Resource(3, "room", draw(own), stock=2),
        },
        services={1: draw(a_service(kind))},
        buffer_policy=policy or draw(st.sampled_from(BufferPolicy)),
        buffers_outside=draw(st.booleans()),
        align=draw(st.sampled_from([1, 5, 15, 60])),
    )
    shop = Desk(rules)
    midnight = shop.at(f"{day} 00:00")
    for _ in range(draw(st.integers(0, 6))):
        start = midnight + draw(snapped(-600, 2000))
        end = start + draw(snapped(5, 200))
        claim = Claim(
            draw(st.integers(1, 3)), 1, start, end, start - draw(snapped(0, 30)), end + draw(snapped(0, 30))
        )
        shop.claims.append(claim)
    return shop, day


@pytest.mark.parametrize("policy", BufferPolicy)
@pytest.mark.parametrize("kind", GridKind)
@settings(max_examples=8)
@given(data=st.data())
def test_it_agrees_with_the_oracle(data: st.DataObject, kind: GridKind, policy: BufferPolicy) -> None:
    shop, day = data.draw(a_desk(kind, policy))
    service = shop.rules.services[1]
    expected = Oracle(shop.rules, service, shop.claims, day, day).starts()
    offered = shop.offered(day.isoformat())
    assert {minute: offered.who(minute) for minute in offered} == expected


@settings(max_examples=60)
@given(a_desk(), st.integers(0, 10**6))
def test_an_offered_slot_can_be_taken_and_a_taken_slot_is_not_offered(
    case: tuple[Desk, date], pick: int
) -> None:
    shop, day = case
    minutes = shop.offered(day.isoformat()).minutes()
    assume(minutes)
    start = minutes[pick % len(minutes)]
    before = shop.offered(day.isoformat())
    assignment = shop.book(start)
    after = shop.offered(day.isoformat())
    chosen = assignment.resources["staff"]
    assert set(chosen) <= set(before.who(start))
    assert not set(chosen) & set(after.who(start))
    assert set(after) <= set(minutes) or shop.rules.services[1].grid.kind is GridKind.PACKED
    shop.claims = shop.claims[: -len(assignment.claims)]
    assert shop.offered(day.isoformat()).minutes() == minutes


@settings(max_examples=60)
@given(a_desk(), st.integers(1, 9))
def test_a_month_says_what_its_days_say(case: tuple[Desk, date], length: int) -> None:
    shop, day = case
    whole = shop.offered(day.isoformat(), (day + timedelta(days=length)).isoformat())
    dates = [day + timedelta(days=n) for n in range(length + 1)]
    assert list(whole) == [minute for each in dates for minute in shop.offered(each.isoformat())]
    for each, minutes in whole.by_date().items():
        assert list(minutes) == list(shop.offered(each.isoformat()))


@settings(max_examples=60)
@given(a_desk(), st.integers(0, 86400 * 2))
def test_a_start_lies_in_hours_and_never_in_the_past(case: tuple[Desk, date], later: int) -> None:
    shop, day = case
    now = shop.at(f"{day} 00:00") * 60 + later
    left = shop.offered(day.isoformat(), now=now).minutes()
    assert left == tuple(minute for minute in shop.offered(day.isoformat()) if minute * 60 >= now)


@given(st.permutations(range(6)), st.integers(1, 3))
def test_the_order_of_claims_does_not_matter(order: list[int], stock: int) -> None:
    window = Window(20000, 2, 20000 * 1440, 20001 * 1440)
    claims = [Claim(1, 1, window.first + n * 30, window.first + n * 30 + 100, 0, 0) for n in range(6)]
    planes = sheet.planes(window, stock, claims)
    assert sheet.planes(window, stock, [claims[n] for n in order]) == planes
    assert all(lower.core & upper.core == upper.core for lower, upper in pairwise(planes))


@given(st.binary(min_size=360, max_size=360), st.integers(1, 300))
def test_a_sheet_reads_as_the_database_writes_it(raw: bytes, length: int) -> None:
    window = Window(20000, 2, 0, 0)
    bits = int.from_bytes(raw, "big")
    text = "".join(f"{byte:08b}" for byte in raw)
    assert [minute - window.first for minute in sheet.minutes_of(bits, window)] == [
        n for n, bit in enumerate(text) if bit == "1"
    ]
    starts = [n for n in range(2881 - length) if "0" not in text[n : n + length]]
    assert [minute - window.first for minute in sheet.minutes_of(sheet.fit(bits, length), window)] == starts
    assert sheet.marks(window, sheet.minutes_of(bits, window)) == bits
    spans = [sheet.span(window, start, end) for start, end in sheet.runs(bits, window)]
    assert sum(spans) == bits


def test_equal_rules_share_what_is_compiled_and_other_rules_do_not() -> None:
    shop = Desk(ShopRules(1, 1, "UTC", Hours(((Range(600, 660),),) * 7), {1: Resource(1, "staff")}, {}))
    service = Service(1, (Segment(60, ("staff",)),), (Requirement("staff", (1,)),), horizon=ANY_DAY)
    first = replace(shop.rules, services={1: service})
    second = replace(first, hours=Hours(((Range(660, 720),),) * 7))
    window = windows.of_dates(first, 1, date(2026, 12, 1), date(2026, 12, 1))
    no_claims: dict[int, tuple[Taken, ...]] = {}
    starts = [
        availability.starts(rules, 1, window, no_claims, now=LONG_BEFORE).minutes()
        for rules in (first, second)
    ]
    assert starts[0] != starts[1]
