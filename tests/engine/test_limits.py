"""Limits: what of a period is used, and which starts that closes."""

from datetime import date

import pytest

from noren.engine import limits, sheet, wall, windows
from noren.engine.limits import Tally, Used
from noren.engine.model import Hours, Limit, LimitOf, Period, Requirement
from tests.engine.build import Desk, desk, service, staff, weekly

TUESDAY = date(2026, 12, 1)
WEEK = date(2026, 11, 30)
MONTH = date(2026, 12, 1)


def limited(limit: Limit, minutes: int = 60) -> Desk:
    return desk(service(minutes, interval=60, limits=(limit,)))


def of_service(period: Period, first: date, used: Used) -> limits.UsedMap:
    return {Tally(LimitOf.SERVICE, 0, 1, period, first): used}


def closed(shop: Desk, used: limits.UsedMap, first: date = TUESDAY, last: date = TUESDAY) -> list[int]:
    """The minutes of the window that a limit closes."""
    window = windows.of_dates(shop.rules, 1, first, last)
    bits = limits.closed(shop.rules, shop.rules.services[1], window, used)
    return list(sheet.minutes_of(bits, window))


def test_nothing_is_closed_while_nothing_is_used() -> None:
    for limit in (Limit(LimitOf.SERVICE, Period.DAY, most=1), Limit(LimitOf.SERVICE, Period.DAY, minutes=60)):
        assert closed(limited(limit), {}) == []


def test_what_another_period_service_or_subject_has_used_closes_nothing() -> None:
    shop = limited(Limit(LimitOf.SERVICE, Period.DAY, most=1))
    for tally in (
        Tally(LimitOf.SERVICE, 0, 1, Period.DAY, date(2026, 11, 29)),
        Tally(LimitOf.SERVICE, 0, 1, Period.WEEK, WEEK),
        Tally(LimitOf.SERVICE, 0, 0, Period.DAY, TUESDAY),
        Tally(LimitOf.SERVICE, 1, 1, Period.DAY, TUESDAY),
        Tally(LimitOf.CUSTOMER, 0, 1, Period.DAY, TUESDAY),
    ):
        assert closed(shop, {tally: Used(9, 900)}) == []


@pytest.mark.parametrize(("count", "starts"), [(1, 24), (2, 0), (3, 0)])
def test_a_count_closes_its_period_when_it_is_reached(count: int, starts: int) -> None:
    shop = limited(Limit(LimitOf.SERVICE, Period.DAY, most=2))
    assert len(shop.times("2026-12-01", used=of_service(Period.DAY, TUESDAY, Used(count, 0)))) == starts
    assert len(shop.times("2026-12-02", used=of_service(Period.DAY, TUESDAY, Used(count, 0)))) == 24


def too_much(shop: Desk, limit: Limit, first: date, used: int, minute: int) -> bool:
    """Whether a booking at this minute would pass the limit, by what it takes of each period."""
    length = shop.rules.services[1].minutes
    split = limits.shares(shop.rules, limit.period, minute, minute + length)
    held = {first: used}
    return any(each.minutes and held.get(day, 0) + each.minutes > (limit.minutes or 0) for day, each in split)


@pytest.mark.parametrize(
    ("period", "first"), [(Period.DAY, TUESDAY), (Period.WEEK, WEEK), (Period.MONTH, MONTH)]
)
@pytest.mark.parametrize("minutes", [1, 60, 1440, 3000])
def test_minutes_close_the_starts_that_would_take_more_than_is_left(
    period: Period, first: date, minutes: int
) -> None:
    limit = Limit(LimitOf.SERVICE, period, minutes=1440)
    shop = limited(limit, minutes)
    window = windows.of_dates(shop.rules, 1, date(2026, 11, 29), date(2026, 12, 2))
    for used in (0, 1, 31, 1380, 1439, 1440, 2000):
        found = limits.closed(
            shop.rules, shop.rules.services[1], window, of_service(period, first, Used(1, used))
        )
        edges = (wall.number(first) * 1440, limits.period_end(period, wall.number(first)) * 1440)
        ways = (0, minutes, max(0, 1440 - used), minutes - max(0, 1440 - used))
        near = {edge - way + off for edge in edges for way in ways for off in (-2, -1, 0, 1, 2)}
        for minute in near:
            if window.begin <= minute < window.end:
                expected = too_much(shop, limit, first, used, minute)
                assert sheet.has(found, window, minute) == expected, (used, minute - window.begin)


def test_a_booking_longer_than_a_day_takes_a_whole_day_of_the_limit_and_no_more() -> None:
    limit = Limit(LimitOf.SERVICE, Period.DAY, minutes=1440)
    shop = limited(limit, 3 * 1440)
    assert len(shop.times("2026-12-01", used=of_service(Period.DAY, TUESDAY, Used()))) == 24
    on_the_third = of_service(Period.DAY, date(2026, 12, 3), Used(1, 1))
    assert shop.times("2026-12-01", used=on_the_third) == []
    on_the_fourth = of_service(Period.DAY, date(2026, 12, 4), Used(1, 1440))
    assert shop.times("2026-12-01", used=on_the_fourth) == ["00:00"]


def test_a_booking_is_split_where_each_day_ends_and_counted_where_it_begins() -> None:
    shop = desk(hours=Hours(weekly(tue="20:00-26:00", wed="00:00-24:00", thu="00:00-24:00")))
    start = shop.at("2026-12-01 23:00")
    parts = list(limits.shares(shop.rules, Period.DAY, start, start + 30 * 60))
    assert parts == [
        (date(2026, 12, 1), Used(1, 180)),
        (date(2026, 12, 2), Used(0, 22 * 60)),
        (date(2026, 12, 3), Used(0, 5 * 60)),
    ]
    late = shop.at("2026-12-02 01:00")
    assert list(limits.shares(shop.rules, Period.DAY, late, late + 60)) == [(date(2026, 12, 1), Used(1, 60))]


def test_a_day_begins_when_the_evening_before_has_ended() -> None:
    shop = desk(hours=Hours(weekly(fri="20:00-26:00 10:00-12:00", sat="20:00-23:00")))
    saturday = wall.number(date(2026, 12, 5))
    assert limits.bound(shop.rules, saturday) == shop.at("2026-12-05 02:00")
    assert limits.bound(shop.rules, saturday + 1) == shop.at("2026-12-06 00:00")


@pytest.mark.parametrize(
    ("week_start", "day", "first"),
    [
        (0, "2026-12-06", "2026-11-30"),
        (0, "2026-12-07", "2026-12-07"),
        (6, "2026-12-05", "2026-11-29"),
        (6, "2026-12-06", "2026-12-06"),
        (3, "2026-12-02", "2026-11-26"),
    ],
)
def test_a_week_begins_on_the_shops_day(week_start: int, day: str, first: str) -> None:
    shop = desk(week_start=week_start)
    begin = limits.period_start(shop.rules, Period.WEEK, wall.number(date.fromisoformat(day)))
    assert wall.as_date(begin) == date.fromisoformat(first)
    assert limits.period_end(Period.WEEK, begin) == begin + 7


def test_a_month_ends_with_its_last_day_however_long_it_is() -> None:
    for month in range(1, 13):
        first = wall.number(date(2027, month, 1))
        following = wall.number(date(2027 + month // 12, month % 12 + 1, 1))
        assert limits.period_end(Period.MONTH, first) == following


def test_a_limit_of_the_shop_counts_all_services_and_one_of_a_service_its_own() -> None:
    shop = desk(
        service(60),
        service(60, id=2, limits=(Limit(LimitOf.SERVICE, Period.DAY, most=1),)),
        limits=(Limit(LimitOf.CUSTOMER, Period.WEEK, most=3),),
    )
    used = {Tally(LimitOf.CUSTOMER, 0, 0, Period.WEEK, WEEK): Used(3)}
    assert shop.times("2026-12-01", used=used) == shop.times("2026-12-06", service=2, used=used) == []
    assert shop.times("2026-12-07", used=used) != []
    own = {Tally(LimitOf.SERVICE, 0, 2, Period.DAY, TUESDAY): Used(1)}
    assert shop.times("2026-12-01", used=own) != []
    assert shop.times("2026-12-01", service=2, used=own) == []


def test_a_limit_of_staff_closes_by_minutes_for_them_alone() -> None:
    shop = desk(
        resources=[staff(1), staff(2)],
        limits=(Limit(LimitOf.STAFF, Period.DAY, minutes=120),),
        text="09:00-12:00",
    ).with_(services={1: service(60, requirements=(Requirement("staff", (1, 2)),))})
    used = {Tally(LimitOf.STAFF, 2, 0, Period.DAY, TUESDAY): Used(1, 61)}
    offered = shop.offered("2026-12-01", used=used)
    assert {offered.who(minute) for minute in offered} == {(1,)}
    assert shop.times("2026-12-01", staff=2, used=used) == []
    assert shop.times("2026-12-02", staff=2, used=used) == ["09:00", "10:00", "11:00"]


DAY_5, DAY_300 = Limit(LimitOf.STAFF, Period.DAY, most=5), Limit(LimitOf.STAFF, Period.DAY, minutes=300)
WEEK_3, WEEK_200 = Limit(LimitOf.STAFF, Period.WEEK, most=3), Limit(LimitOf.STAFF, Period.WEEK, minutes=200)
MONTH_5, MONTH_300 = (
    Limit(LimitOf.STAFF, Period.MONTH, most=5),
    Limit(LimitOf.STAFF, Period.MONTH, minutes=300),
)


def test_a_shorter_period_may_not_allow_more_than_a_longer_one_in_bookings_or_in_minutes() -> None:
    assert limits.contradictions([WEEK_3, DAY_5]) == [(DAY_5, WEEK_3)]
    assert limits.contradictions([WEEK_200, DAY_300]) == [(DAY_300, WEEK_200)]
    assert limits.contradictions(iter([MONTH_300, DAY_5, WEEK_3, WEEK_200, DAY_300])) == [
        (DAY_5, WEEK_3),
        (DAY_300, WEEK_200),
    ]


def test_as_much_in_both_periods_is_no_contradiction_nor_is_what_cannot_be_compared() -> None:
    for pair in ([DAY_5, MONTH_5], [DAY_300, MONTH_300], [DAY_5, WEEK_200], [DAY_300, WEEK_3]):
        assert limits.contradictions(pair) == []
    assert limits.contradictions([DAY_5, Limit(LimitOf.CUSTOMER, Period.WEEK, most=3)]) == []
    assert limits.contradictions([DAY_5, Limit(LimitOf.STAFF, Period.DAY, most=3)]) == []
