"""Cases 2, 3 and 37-42: notice, horizon, deadlines, limits."""

from datetime import date

import pytest

from noren.engine import limits, policy, wall
from noren.engine.limits import Tally, Used
from noren.engine.model import (
    Deadline,
    FeePolicy,
    FeeTier,
    Horizon,
    HorizonKind,
    Hours,
    Limit,
    LimitOf,
    Period,
    Reason,
    Requirement,
    Why,
)
from tests.engine.build import Desk, desk, hours, ranges, service, staff, weekly

TUESDAY = "2026-12-01"


def dates(times: list[str]) -> list[str]:
    return sorted({each[:5] for each in times})


def test_case_037_today_counts_after_closing() -> None:
    shop = desk(service(60, horizon=Horizon(HorizonKind.DAYS, 2)), text="09:00-11:00")
    now = shop.clock(f"{TUESDAY} 20:00")
    assert dates(shop.times(TUESDAY, "2026-12-05", now=now)) == ["12-02"]


def test_case_038_two_open_days_from_friday_are_friday_and_monday() -> None:
    working = weekly(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-10:00"))
    shop = desk(service(60, horizon=Horizon(HorizonKind.OPEN_DAYS, 2)), hours=Hours(working))
    now = shop.clock("2026-12-04 08:00")
    assert dates(shop.times("2026-12-04", "2026-12-11", now=now)) == ["12-04", "12-07"]
    assert dates(shop.times("2026-12-05", "2026-12-11", now=shop.clock("2026-12-05 08:00"))) == [
        "12-07",
        "12-08",
    ]


def test_case_039_notice_is_met_at_equality_and_missed_a_second_later() -> None:
    shop = desk(service(60, lead=Deadline(minutes=120)))
    assert "12:00" in shop.times(TUESDAY, now=shop.clock(f"{TUESDAY} 10:00:00"))
    assert "12:00" not in shop.times(TUESDAY, now=shop.clock(f"{TUESDAY} 10:00:01"))


def test_case_040_a_deadline_for_change_counts_from_the_old_start() -> None:
    shop = desk()
    start = shop.at(f"{TUESDAY} 12:00")
    relative, absolute = Deadline(minutes=60), Deadline(days=1, at=20 * 60)
    assert policy.last_moment(shop.rules, relative, start) == shop.clock(f"{TUESDAY} 11:00")
    assert policy.last_moment(shop.rules, absolute, start) == shop.clock("2026-11-30 20:00")
    assert policy.last_moment(shop.rules, Deadline(at=23 * 60), start) == start * 60


def test_it_takes_bookings_until_eight_in_the_evening_before() -> None:
    shop = desk(service(60, lead=Deadline(days=1, at=20 * 60)), zone="Asia/Tokyo", text="09:00-10:00")
    for clock, first in (("2026-11-30 20:00:00", "12-01"), ("2026-11-30 20:00:01", "12-02")):
        assert dates(shop.times("2026-11-30", "2026-12-03", now=shop.clock(clock)))[0] == first


def test_it_books_within_a_fixed_range_both_ends_included() -> None:
    fixed = Horizon(HorizonKind.RANGE, first=date(2026, 12, 2), last=date(2026, 12, 3))
    shop = desk(service(60, horizon=fixed), text="09:00-10:00")
    assert dates(shop.times(TUESDAY, "2026-12-05")) == ["12-02", "12-03"]


@pytest.mark.parametrize(
    ("clock", "last"), [("2026-12-01 09:59:59", "12-30"), ("2026-12-01 10:00:00", "12-31")]
)
def test_it_releases_each_day_thirty_days_before_at_ten(clock: str, last: str) -> None:
    release = Horizon(HorizonKind.RELEASE, days=30, at=600)
    shop = desk(service(60, horizon=release), zone="Asia/Tokyo", text="09:00-10:00")
    assert dates(shop.times(TUESDAY, "2027-01-05", now=shop.clock(clock)))[-1] == last


def test_it_ends_a_horizon_at_the_shops_midnight() -> None:
    shop = desk(service(60, horizon=Horizon(HorizonKind.DAYS, 1)), zone="Asia/Tokyo")
    assert dates(shop.times(TUESDAY, "2026-12-03", now=shop.clock(f"{TUESDAY} 00:00"))) == ["12-01"]


def test_it_does_not_hang_on_a_shop_that_never_opens() -> None:
    shop = desk(service(60, horizon=Horizon(HorizonKind.OPEN_DAYS, 2)), hours=hours(""))
    assert shop.times(TUESDAY, now=shop.clock(f"{TUESDAY} 00:00")) == []


def test_a_shop_that_opens_on_one_date_only_offers_it_as_the_first_of_two_open_days() -> None:
    own = hours("", overrides={date(2026, 12, 5): ranges("09:00-10:00")})
    shop = desk(service(60, horizon=Horizon(HorizonKind.OPEN_DAYS, 2)), hours=own)
    now = shop.clock(f"{TUESDAY} 00:00")
    assert dates(shop.times(TUESDAY, "2026-12-20", now=now)) == ["12-05"]


def refused(shop: Desk, text: str, now: int) -> Reason | None:
    return policy.why_not(shop.rules, shop.rules.services[1], shop.at(text), now)


def test_it_says_what_refuses_a_start_to_the_minute() -> None:
    fixed = Horizon(HorizonKind.RANGE, first=date(2026, 12, 2), last=date(2026, 12, 3))
    shop = desk(service(60, horizon=fixed, lead=Deadline(minutes=30)), zone="Asia/Tokyo")
    now = shop.clock("2026-12-01 23:30")
    assert refused(shop, "2026-12-01 23:29", now) == Reason(Why.PAST)
    assert refused(shop, "2026-12-01 23:30", now) == Reason(Why.NOTICE)
    assert refused(shop, "2026-12-01 23:59", now) == Reason(Why.NOTICE)
    assert refused(shop, "2026-12-02 00:00", now) is None
    assert refused(shop, "2026-12-02 00:00", shop.clock("2026-12-01 23:00:01")) is None
    assert refused(shop, "2026-12-01 23:59", shop.clock("2026-12-01 23:00")) == Reason(Why.HORIZON)
    assert refused(shop, "2026-12-03 23:59", now) is None
    assert refused(shop, "2026-12-04 00:00", now) == Reason(Why.HORIZON)


def test_it_says_that_the_evening_before_has_passed() -> None:
    shop = desk(service(60, lead=Deadline(days=1, at=20 * 60)), zone="Asia/Tokyo")
    for clock, reason in (("2026-11-30 20:00:00", None), ("2026-11-30 20:00:01", Reason(Why.NOTICE))):
        assert refused(shop, f"{TUESDAY} 09:00", shop.clock(clock)) == reason
    assert refused(shop, f"{TUESDAY} 09:00", shop.clock(f"{TUESDAY} 09:00:01")) == Reason(Why.PAST)


def test_case_041_a_day_limit_above_a_month_limit_contradicts() -> None:
    day = Limit(LimitOf.CUSTOMER, Period.DAY, most=5)
    month = Limit(LimitOf.CUSTOMER, Period.MONTH, most=3)
    assert limits.contradictions([day, month]) == [(day, month)]
    assert limits.contradictions([month, Limit(LimitOf.CUSTOMER, Period.WEEK, minutes=3)]) == []


def test_case_042_hours_a_week_are_split_where_the_week_begins() -> None:
    quota = Limit(LimitOf.SERVICE, Period.WEEK, minutes=180)
    shop = desk(service(120, interval=60, limits=(quota,)), week_start=6)
    start = shop.at("2026-12-05 23:00")
    parts = list(limits.shares(shop.rules, Period.WEEK, start, start + 120))
    assert parts == [(date(2026, 11, 29), Used(1, 60)), (date(2026, 12, 6), Used(0, 60))]
    used = {Tally(LimitOf.SERVICE, 0, 1, Period.WEEK, date(2026, 11, 29)): Used(1, 120)}
    times = shop.times("2026-12-05", "2026-12-06", used=used)
    assert times[:2] == ["12-05 23:00", "12-06 00:00"]


def test_it_closes_a_day_whose_count_is_reached() -> None:
    most = Limit(LimitOf.SERVICE, Period.DAY, most=2)
    shop = desk(service(60, limits=(most,)), text="22:00-26:00")
    used = {Tally(LimitOf.SERVICE, 0, 1, Period.DAY, date(2026, 12, 1)): Used(2, 120)}
    times = shop.times(TUESDAY, "2026-12-02", used=used)
    assert times[:4] == ["12-01 00:00", "12-01 01:00", "12-02 22:00", "12-02 23:00"]


def test_it_closes_the_one_whose_limit_is_reached_and_leaves_the_others() -> None:
    shop = desk(resources=[staff(1), staff(2)], limits=(Limit(LimitOf.STAFF, Period.DAY, most=1),))
    both = shop.with_(services={1: service(60, requirements=(_any_of(1, 2),))})
    used = {Tally(LimitOf.STAFF, 1, 0, Period.DAY, date(2026, 12, 1)): Used(1, 60)}
    offered = both.offered(TUESDAY, used=used)
    assert offered.who(both.at(f"{TUESDAY} 10:00")) == (2,)


def test_case_030_a_month_is_cut_at_the_shops_midnight() -> None:
    shop = desk(zone="Asia/Tokyo")
    first = limits.period_start(shop.rules, Period.MONTH, wall.number(date(2026, 12, 31)))
    assert limits.bound(shop.rules, first) == shop.at("2026-12-01 00:00")
    assert limits.bound(shop.rules, limits.period_end(Period.MONTH, first)) == shop.at("2027-01-01 00:00")


def _any_of(*pool: int) -> Requirement:
    return Requirement("staff", pool)


def test_case_079_the_fee_follows_the_tiers_to_the_second_and_the_cheapest_rule_wins() -> None:
    shop = desk()
    start = shop.at(f"{TUESDAY} 12:00")
    fees = FeePolicy(
        (
            FeeTier(Deadline(minutes=60), 100),
            FeeTier(Deadline(minutes=3 * 1440), 50),
            FeeTier(Deadline(days=1, at=20 * 60), 80),
        ),
        free_minutes=60,
    )
    long_ago = shop.clock("2026-11-01 12:00")

    def percent(clock: str, booked: int = long_ago) -> int:
        return policy.fee_percent(shop.rules, fees, start, booked=booked, now=shop.clock(clock))

    assert percent("2026-11-28 12:00:00") == 0
    assert percent("2026-11-28 12:00:01") == 50
    assert percent("2026-11-30 20:00:00") == 50
    assert percent("2026-11-30 20:00:01") == 80
    assert percent(f"{TUESDAY} 11:00:00") == 80
    assert percent(f"{TUESDAY} 11:00:01") == 100
    booked = shop.clock(f"{TUESDAY} 10:30")
    assert percent(f"{TUESDAY} 11:30:00", booked) == 0
    assert percent(f"{TUESDAY} 11:30:01", booked) == 100


def test_tiers_that_begin_together_are_the_cheaper_one_and_no_tiers_are_free() -> None:
    shop = desk()
    start = shop.at(f"{TUESDAY} 12:00")
    twice = FeePolicy((FeeTier(Deadline(minutes=60), 80), FeeTier(Deadline(minutes=60), 30)))
    for fees, percent in ((twice, 30), (FeePolicy(), 0)):
        assert policy.fee_percent(shop.rules, fees, start, booked=start * 60, now=start * 60) == percent
