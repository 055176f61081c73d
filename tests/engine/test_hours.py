"""Cases 11-21, 95 and 96: when something is open."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.engine import hours as opening
from noren.engine import wall
from noren.engine.model import Closing, HolidayRule, Hours, Later, Range, Resource, Week
from tests.engine.build import Desk, daily, desk, hours, ranges, service, staff, weekly

TUESDAY = "2026-12-01"


def test_case_011_an_override_replaces_the_weekly_hours() -> None:
    shop = desk(hours=hours("09:00-18:00", overrides={date(2026, 12, 1): ranges("20:00-22:00")}))
    assert shop.times(TUESDAY) == ["20:00", "21:00"]


def test_case_012_an_override_of_no_length_closes_the_day() -> None:
    shop = desk(hours=hours("09:00-18:00", overrides={date(2026, 12, 1): (Range(0, 0),)}))
    assert shop.times(TUESDAY) == []
    assert shop.times("2026-12-02")[0] == "09:00"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Tokyo"])
def test_case_013_an_override_is_for_the_local_date(zone: str) -> None:
    closed = hours("00:00-24:00", overrides={date(2026, 12, 1): ()})
    shop = desk(hours=closed, zone=zone)
    assert shop.times("2026-11-30", "2026-12-02")[23:25] == ["11-30 23:00", "12-02 00:00"]


@pytest.mark.parametrize("bad", ["12:00-10:00", "12:00-12:00", "10:00-99:00"])
def test_case_014_a_bad_range_is_ignored(bad: str) -> None:
    assert desk(text=f"{bad} 14:00-15:00").times(TUESDAY) == ["14:00"]


def test_case_015_no_common_hours_mean_no_starts() -> None:
    shop = desk(service(60, hours=hours("")), resources=[staff(1, "09:00-18:00")], text="09:00-18:00")
    assert shop.times(TUESDAY) == []


def test_it_intersects_shop_service_staff_and_resource() -> None:
    shop = desk(
        service(60, hours=hours("10:00-20:00")), resources=[staff(1, "08:00-13:00")], text="09:00-12:00"
    )
    assert shop.times(TUESDAY) == ["10:00", "11:00"]


def test_case_016_hours_written_in_another_zone_hold_there() -> None:
    tokyo_hours = Hours(daily("09:00-12:00"), zone="Asia/Tokyo")
    shop = desk(service(60, hours=tokyo_hours), zone="Europe/Paris")
    assert shop.times(TUESDAY) == ["01:00", "02:00", "03:00"]


def test_case_017_hours_that_touch_at_midnight_are_one_block() -> None:
    shop = desk(service(90), hours=Hours(weekly(tue="23:00-24:00", wed="00:00-00:30")))
    assert shop.times(TUESDAY) == ["23:00"]


def test_case_018_two_full_days_are_48_hours() -> None:
    shop = desk(service(48 * 60), hours=Hours(weekly(tue="00:00-24:00", wed="00:00-24:00")))
    assert shop.times(TUESDAY, "2026-12-03") == ["12-01 00:00"]


def test_case_019_friday_past_midnight_is_saturday_by_date_and_friday_by_business() -> None:
    shop = desk(hours=Hours(weekly(fri="22:00-26:00")))
    assert shop.times("2026-12-05") == ["00:00", "01:00"]
    saturday_one = shop.at("2026-12-05 01:00")
    assert opening.business_day(shop.rules, saturday_one) == wall.number(date(2026, 12, 4))
    assert opening.business_day(shop.rules, shop.at("2026-12-05 02:00")) == wall.number(date(2026, 12, 5))


def test_case_020_a_booking_that_ends_at_midnight_leaves_the_next_day_free() -> None:
    shop = desk()
    shop.book(f"{TUESDAY} 23:00")
    assert shop.times("2026-12-02")[0] == "00:00"
    assert "23:00" not in shop.times(TUESDAY)


def test_case_021_a_holiday_takes_its_own_hours_and_leaves_the_night_before() -> None:
    shop = desk(
        hours=Hours(weekly(fri="22:00-26:00", sat="22:00-26:00")),
        holidays=frozenset({date(2026, 12, 5)}),
        holiday_rule=HolidayRule.CLOSED,
    )
    assert shop.times("2026-12-05", "2026-12-06") == ["12-05 00:00", "12-05 01:00"]


GOLDEN_WEEK = frozenset({date(2026, 5, 3), date(2026, 5, 4), date(2026, 5, 5), date(2026, 5, 6)})


def holiday_shop(rule: HolidayRule, own: Hours) -> Desk:
    return desk(hours=own, holidays=GOLDEN_WEEK, holiday_rule=rule)


def open_dates(shop: Desk, first: str, last: str) -> list[str]:
    return sorted({each[:5] for each in shop.times(first, last)})


def test_case_095_closed_on_holidays_means_the_substitute_day_too_unless_one_is_opened() -> None:
    own = hours("10:00-12:00", overrides={date(2026, 5, 4): ranges("10:00-12:00")})
    shop = holiday_shop(HolidayRule.CLOSED, own)
    assert open_dates(shop, "2026-05-02", "2026-05-07") == ["05-02", "05-04", "05-07"]


def test_case_096_a_holiday_on_the_closing_day_is_open_and_the_next_plain_day_closed() -> None:
    closed_mondays = Hours(weekly(**dict.fromkeys(("tue", "wed", "thu", "fri", "sat", "sun"), "10:00-12:00")))
    shop = holiday_shop(HolidayRule.SHIFT, closed_mondays)
    assert open_dates(shop, "2026-05-03", "2026-05-12") == [
        *("05-03", "05-04", "05-05", "05-06"),
        *("05-08", "05-09", "05-10", "05-12"),
    ]


def test_it_keeps_the_eighth_day_for_holidays() -> None:
    shop = holiday_shop(HolidayRule.OWN, hours("10:00-12:00", holiday=ranges("13:00-14:00")))
    assert shop.times("2026-05-05") == ["13:00"]
    assert shop.times("2026-05-07") == ["10:00", "11:00"]


def test_it_takes_holidays_as_weekdays_when_the_shop_does() -> None:
    shop = holiday_shop(HolidayRule.OPEN, hours("10:00-12:00", holiday=ranges("13:00-14:00")))
    assert shop.times("2026-05-05") == ["10:00", "11:00"]


def test_it_closes_on_the_second_tuesday_and_skips_a_month_without_a_fifth() -> None:
    shop = desk(hours=hours("10:00-11:00", closings=(Closing(1, nth=(2, 5)),)))
    open_days = open_dates(shop, "2026-12-01", "2026-12-31")
    closed = {f"12-{day:02}" for day in range(1, 32)} - set(open_days)
    assert closed == {"12-08", "12-29"}
    assert len(open_dates(shop, "2026-02-01", "2026-02-28")) == 27


def test_it_alternates_weeks_and_closes_every_other_week() -> None:
    own = Hours(
        daily("10:00-11:00"),
        alternate=(daily("20:00-21:00"),),
        since=date(2026, 12, 2),
        closings=(Closing(6, every=2, since=date(2026, 12, 1)),),
    )
    shop = desk(hours=own)
    assert shop.times("2026-12-05", "2026-12-08") == ["12-05 10:00", "12-07 20:00", "12-08 20:00"]
    assert shop.times("2026-12-13", "2026-12-14") == ["12-13 20:00", "12-14 10:00"]


def test_it_rotates_through_three_weeks_in_order() -> None:
    weeks = [daily("10:00-11:00"), daily("11:00-12:00"), daily("12:00-13:00")]
    shop = desk(hours=Hours(weeks[0], alternate=(weeks[1], weeks[2]), since=date(2026, 12, 1)))
    tuesdays = ["2026-12-01", "2026-12-08", "2026-12-15", "2026-12-22"]
    assert [shop.times(day) for day in tuesdays] == [["10:00"], ["11:00"], ["12:00"], ["10:00"]]


CLOSED_MON_TUE = Hours(
    weekly(
        **dict.fromkeys(("wed", "fri", "sun"), "10:00-12:00"), **dict.fromkeys(("thu", "sat"), "15:00-16:00")
    )
)
MONDAY_HOLIDAY = date(2026, 12, 7)


def shifting(own: Hours, *holidays: date) -> Desk:
    return desk(hours=own, holidays=frozenset(holidays or (MONDAY_HOLIDAY,)), holiday_rule=HolidayRule.SHIFT)


def test_a_shifting_shop_keeps_its_own_hours_on_a_holiday_that_is_open_anyway_and_the_day_after() -> None:
    own = Hours(weekly(mon="10:00-12:00", tue="13:00-14:00", wed="15:00-16:00"))
    assert shifting(own).times("2026-12-07", "2026-12-09") == [
        *("12-07 10:00", "12-07 11:00", "12-08 13:00", "12-09 15:00"),
    ]


def test_a_shifting_shop_has_the_eighth_days_hours_on_each_holiday_when_there_are_any() -> None:
    eighth = ranges("20:00-21:00")
    for weekdays in ({"tue": "13:00-14:00"}, {"mon": "10:00-12:00", "tue": "13:00-14:00"}):
        assert shifting(Hours(weekly(**weekdays), holiday=eighth)).times("2026-12-07") == ["20:00"]


def test_a_holiday_on_a_closing_day_borrows_the_next_open_days_hours() -> None:
    assert shifting(CLOSED_MON_TUE).times("2026-12-07") == ["10:00", "11:00"]
    tuesday = shifting(CLOSED_MON_TUE, date(2026, 12, 8)).times("2026-12-08")
    assert tuesday == ["10:00", "11:00"]
    saturdays = Hours(weekly(mon="09:00-10:00", sat="15:00-16:00"))
    assert shifting(saturdays, date(2026, 12, 8)).times("2026-12-08") == ["15:00"]
    next_day = Hours(weekly(tue="13:00-14:00", wed="15:00-16:00"))
    assert shifting(next_day).times("2026-12-07") == ["13:00"]


@pytest.mark.parametrize(("days", "times"), [(14, ["10:00"]), (15, [])])
def test_it_borrows_hours_from_the_next_two_weeks_at_most(days: int, times: list[str]) -> None:
    closed = daily("")
    opens = date.fromordinal(MONDAY_HOLIDAY.toordinal() + days)
    week = tuple(ranges("10:00-11:00") if day == opens.weekday() else () for day in range(7))
    since = date(2026, 12, 7)
    own = Hours(closed, alternate=(closed, week), since=since)
    assert shifting(own).times("2026-12-07") == times


def test_a_shop_that_never_opens_borrows_nothing_on_a_holiday() -> None:
    assert shifting(hours("")).times("2026-12-07") == []


def test_holidays_in_a_row_close_the_next_plain_day_once_if_one_fell_on_a_closing_day() -> None:
    open_all = hours("10:00-11:00")
    sunday, monday = date(2026, 12, 6), MONDAY_HOLIDAY
    assert open_dates(shifting(open_all, sunday, monday), "2026-12-05", "2026-12-09") == [
        *("12-05", "12-06", "12-07", "12-08", "12-09"),
    ]
    days = ("mon", "tue", "wed", "thu", "fri", "sat")
    closed_sundays = Hours(weekly(**dict.fromkeys(days, "10:00-11:00")))
    assert open_dates(shifting(closed_sundays, sunday, monday), "2026-12-05", "2026-12-09") == [
        *("12-05", "12-06", "12-07", "12-09"),
    ]


def test_the_second_tuesday_may_be_the_fourteenth_and_the_first_the_seventh() -> None:
    for nth, day in ((1, "07-07"), (2, "07-14"), (3, "07-21"), (4, "07-28")):
        shop = desk(hours=hours("10:00-11:00", closings=(Closing(1, nth=(nth,)),)))
        assert set(open_dates(shop, "2026-06-30", "2026-07-31")) ^ {day} == set(
            open_dates(desk(text="10:00-11:00"), "2026-06-30", "2026-07-31")
        )


def test_it_closes_every_third_week_counted_from_the_week_of_its_beginning() -> None:
    closing = Closing(4, every=3, since=date(2026, 12, 1))
    shop = desk(hours=hours("10:00-11:00", closings=(closing,)))
    fridays = [
        "2026-11-13",
        "2026-11-20",
        "2026-11-27",
        "2026-12-04",
        "2026-12-11",
        "2026-12-18",
        "2026-12-25",
    ]
    assert [bool(shop.times(friday)) for friday in fridays] == [False, True, True, False, True, True, False]


@pytest.mark.parametrize("idle", [Closing(1), Closing(1, since=date(2026, 12, 1)), Closing(1, every=1)])
def test_a_closing_without_a_rhythm_closes_nothing(idle: Closing) -> None:
    assert desk(hours=hours("10:00-11:00", closings=(idle,))).times(TUESDAY) == ["10:00"]


def test_hours_that_begin_at_midnight_may_belong_to_the_day_before() -> None:
    shop = desk(hours=Hours(weekly(fri="24:00-26:00")))
    friday = wall.number(date(2026, 12, 4))
    asked = ("2026-12-04 23:59", "2026-12-05 00:00", "2026-12-05 01:59", "2026-12-05 02:00")
    days = [opening.business_day(shop.rules, shop.at(each)) - friday for each in asked]
    assert days == [0, 0, 0, 1]


def test_the_first_of_two_nights_before_claims_an_instant() -> None:
    shop = desk(hours=Hours(weekly(thu="47:00-48:00", fri="20:00-48:00")))
    thursday = wall.number(date(2026, 12, 3))
    asked = (
        "2026-12-04 22:59",
        "2026-12-04 23:00",
        "2026-12-05 00:00",
        "2026-12-05 23:59",
        "2026-12-06 00:00",
    )
    days = [opening.business_day(shop.rules, shop.at(each)) - thursday for each in asked]
    assert days == [1, 0, 1, 1, 3]


def test_staff_keep_their_own_eighth_day_whatever_the_shop_does() -> None:
    own = Hours(daily("10:00-12:00"), holiday=ranges("13:00-14:00"))
    for rule in (HolidayRule.OPEN, HolidayRule.OWN):
        shop = desk(
            resources=[Resource(1, "staff", own)],
            hours=hours("09:00-18:00"),
            holidays=frozenset({date(2026, 12, 1)}),
            holiday_rule=rule,
        )
        assert shop.times(TUESDAY) == ["13:00"]
        assert shop.times("2026-12-02") == ["10:00", "11:00"]
    plain = shop.with_(resources={1: Resource(1, "staff", hours("10:00-12:00"))})
    assert plain.times(TUESDAY) == ["10:00", "11:00"]
    away = Hours(daily("10:00-12:00"), holiday=ranges("13:00-14:00"), overrides={date(2026, 12, 1): ()})
    assert shop.with_(resources={1: Resource(1, "staff", away)}).times(TUESDAY) == []


def test_one_business_day_is_right_before_and_over_the_night_on_which_the_clock_changes() -> None:
    shop = desk(text="20:00-28:00", zone="Europe/Paris")
    for day, hours_open in (("2026-03-27", 8), ("2026-03-28", 7), ("2026-10-24", 9), ("2026-10-25", 8)):
        number = wall.number(date.fromisoformat(day))
        start = shop.at(f"{day} 20:00")
        assert opening.stretches(shop.rules, None, number, number + 1) == [(start, start + hours_open * 60)]


def test_other_weeks_hold_from_their_date_until_the_next_ones_begin() -> None:
    own = Hours(
        daily("09:00-10:00"),
        later=(
            Later(date(2026, 12, 2), daily("10:00-11:00"), (daily("11:00-12:00"),)),
            Later(date(2026, 12, 16), daily("12:00-13:00")),
        ),
    )
    shop = desk(hours=own)
    days = ["2026-12-01", "2026-12-02", "2026-12-07", "2026-12-15", "2026-12-16", "2027-02-01"]
    assert [shop.times(day) for day in days] == [
        *(["09:00"], ["10:00"], ["11:00"], ["10:00"], ["12:00"], ["12:00"])
    ]


def test_later_weeks_have_their_own_public_holidays() -> None:
    own = Hours(
        daily("09:00-10:00"),
        holiday=ranges("20:00-21:00"),
        later=(
            Later(date(2026, 12, 2), daily("10:00-11:00")),
            Later(date(2026, 12, 3), daily("11:00-12:00"), holiday=ranges("21:00-22:00")),
        ),
    )
    feast = frozenset(date(2026, 12, day) for day in (1, 2, 3))
    shop = desk(resources=(Resource(1, "staff", own),), holidays=feast)
    assert shop.times("2026-12-01", "2026-12-03") == ["12-01 20:00", "12-02 10:00", "12-03 21:00"]


def test_who_has_not_begun_or_has_left_serves_nobody_whatever_an_override_says() -> None:
    extra = {date(2026, 11, 30): ranges("10:00-11:00"), date(2026, 12, 4): ranges("10:00-11:00")}
    own = hours("09:00-10:00", overrides=extra, first=date(2026, 12, 1), last=date(2026, 12, 3))
    shop = desk(resources=(Resource(1, "staff", own),))
    assert shop.times("2026-11-29", "2026-12-05") == ["12-01 09:00", "12-02 09:00", "12-03 09:00"]


weeks_of_hours = st.lists(
    st.sampled_from(["", "09:00-12:00", "10:00-13:00 14:00-19:00", "22:00-26:00"]), min_size=7, max_size=7
).map(lambda days: tuple(ranges(each) for each in days))


@given(
    weeks_of_hours,
    weeks_of_hours,
    st.lists(weeks_of_hours, max_size=2),
    st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    st.dates(date(2026, 1, 1), date(2028, 12, 31)),
)
def test_until_their_date_later_weeks_change_nothing_and_from_then_on_they_are_all(
    now: Week, then: Week, turns: list[Week], first: date, day: date
) -> None:
    both = Hours(now, later=(Later(first, then, tuple(turns)),))
    alone = Hours(then, alternate=tuple(turns), since=first) if day >= first else Hours(now)
    assert opening.regular(both, day) == opening.regular(alone, day)
