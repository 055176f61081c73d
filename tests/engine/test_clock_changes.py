"""Cases 22-27 and 29: nights on which the clock changes."""

from datetime import date

import pytest

from noren.engine import hours, wall
from noren.engine.model import GridKind
from tests.clocks import FROZEN
from tests.engine.build import LONG_BEFORE, Desk, desk, service


def offsets(shop: Desk, day: str, now: int = LONG_BEFORE) -> list[str]:
    return [f"{shop.wall(minute):%H:%M%z}" for minute in shop.offered(day, now=now)]


@pytest.mark.parametrize("kind", list(GridKind))
def test_case_022_a_spring_gap_leaves_two_real_hours(kind: GridKind) -> None:
    shop = desk(service(60, grid=kind), text="01:00-04:00", zone="America/New_York")
    assert offsets(shop, "2026-03-08") == ["01:00-0500", "03:00-0400"]


@pytest.mark.parametrize("kind", list(GridKind))
def test_case_023_an_autumn_overlap_gives_four_real_hours(kind: GridKind) -> None:
    shop = desk(service(60, grid=kind), text="00:00-03:00", zone="America/New_York")
    assert offsets(shop, "2026-11-01") == ["00:00-0400", "01:00-0400", "01:00-0500", "02:00-0500"]
    shop.book(shop.at("2026-11-01 01:00", fold=1))
    assert offsets(shop, "2026-11-01") == ["00:00-0400", "01:00-0400", "02:00-0500"]
    shop.book(shop.at("2026-11-01 01:00", fold=0))
    assert offsets(shop, "2026-11-01") == ["00:00-0400", "02:00-0500"]


def test_case_024_a_summer_asker_gets_winter_offsets() -> None:
    shop = desk(text="10:00-11:00", zone="Europe/Paris")
    offered = shop.offered("2026-12-01", now=shop.clock("2026-07-01 12:00"))
    assert [f"{shop.wall(minute):%H:%M%z}" for minute in offered] == ["10:00+0100"]


def test_case_025_dates_are_the_shops() -> None:
    shop = desk(text="08:00-10:00", zone="Asia/Tokyo")
    assert shop.offered("2026-12-01").by_date() == {
        date(2026, 12, 1): (shop.at("2026-12-01 08:00"), shop.at("2026-12-01 09:00"))
    }


def test_case_026_odd_offsets_are_not_rounded() -> None:
    kathmandu = desk(text="09:00-11:00", zone="Asia/Kathmandu")
    assert kathmandu.times("2026-12-01") == ["09:00", "10:00"]
    lord_howe = desk(service(30), text="01:00-03:00", zone="Australia/Lord_Howe")
    assert offsets(lord_howe, "2026-04-05") == [
        *("01:00+1100", "01:30+1100", "01:30+1030", "02:00+1030", "02:30+1030"),
    ]
    assert offsets(lord_howe, "2026-10-04") == ["01:00+1030", "01:30+1030", "02:30+1100"]


def test_case_027_ten_oclock_stays_ten_oclock_each_week() -> None:
    shop = desk(text="10:00-11:00", zone="Europe/Paris")
    weeks = ["2026-03-15", "2026-03-22", "2026-03-29", "2026-04-05"]
    assert [shop.times(week) for week in weeks] == [["10:00"]] * 4


def test_it_keeps_to_full_hours_after_a_change_of_half_an_hour() -> None:
    shop = desk(service(60, grid=GridKind.CLOCK), text="00:00-05:00", zone="Australia/Lord_Howe")
    assert shop.times("2026-10-04") == ["00:00", "01:00", "03:00", "04:00"]
    assert shop.times("2026-04-05") == ["00:00", "01:00", "02:00", "03:00", "04:00"]


def test_it_opens_at_the_change_when_the_opening_falls_into_the_gap() -> None:
    shop = desk(service(30), text="02:30-04:00", zone="America/New_York")
    assert offsets(shop, "2026-03-08") == ["03:00-0400", "03:30-0400"]


def test_it_knows_a_day_that_begins_after_midnight_and_one_that_never_was() -> None:
    cairo = desk(text="00:00-02:00", zone="Africa/Cairo")
    assert offsets(cairo, "2026-04-24") == ["01:00+0300"]
    samoa = wall.calendar("Pacific/Apia", wall.number(date(2011, 12, 25)), wall.number(date(2012, 1, 5)))
    assert samoa.instant(wall.number(date(2011, 12, 30))) == samoa.instant(wall.number(date(2011, 12, 31)))


def test_it_knows_a_year_of_changes() -> None:
    first, last = date(2026, 1, 1), date(2027, 1, 1)
    year = wall.calendar("Europe/Paris", wall.number(first), wall.number(last))
    winter, summer, again = (wall.number(date(2026, month, 1)) for month in (2, 7, 12))
    assert [year.instant(day) - day * 1440 for day in (winter, summer, again)] == [-60, -120, -60]
    assert [year.offset(day * 1440) for day in (winter, summer, again)] == [60, 120, 60]


@pytest.mark.parametrize(("zone", "day"), FROZEN)
@pytest.mark.parametrize("moment", ["00:00", "01:30", "02:00", "02:59:59", "12:00", "23:59:59"])
def test_case_029_at_any_moment_what_is_left_of_today_is_offered(zone: str, day: str, moment: str) -> None:
    shop = desk(service(30, grid=GridKind.CLOCK), zone=zone)
    now = shop.clock(f"{day} {moment}")
    whole = shop.offered(day).minutes()
    assert shop.offered(day, now=now).minutes() == tuple(each for each in whole if each * 60 >= now)


@pytest.mark.parametrize("kind", list(GridKind))
def test_an_hour_before_midnight_that_comes_twice_is_offered_twice(kind: GridKind) -> None:
    shop = desk(service(60, grid=kind), text="21:00-24:00", zone="America/Nuuk")
    assert offsets(shop, "2026-10-24") == ["21:00-0100", "22:00-0100", "23:00-0100", "23:00-0200"]
    assert offsets(shop, "2026-10-25") == ["21:00-0200", "22:00-0200", "23:00-0200"]


def test_midnight_is_kept_where_the_clock_changes_a_minute_after() -> None:
    shop = desk(service(60, grid=GridKind.CLOCK), zone="America/St_Johns")
    assert offsets(shop, "2010-03-14", now=0)[:2] == ["00:00-0330", "02:00-0230"]


PARIS = wall.Calendar("Europe/Paris", wall.number(date(2026, 3, 28)), wall.number(date(2026, 3, 31)))
BEGIN, CHANGE = wall.number(date(2026, 3, 28)) * 1440, wall.number(date(2026, 3, 29)) * 1440 + 60


def test_a_calendar_is_cut_where_the_clock_changes_and_only_there() -> None:
    assert PARIS.stretches(CHANGE - 10, CHANGE + 10) == [
        (CHANGE - 10, CHANGE, 60),
        (CHANGE, CHANGE + 10, 120),
    ]
    assert PARIS.stretches(CHANGE, CHANGE + 10) == [(CHANGE, CHANGE + 10, 120)]
    assert PARIS.stretches(CHANGE - 10, CHANGE) == [(CHANGE - 10, CHANGE, 60)]
    assert PARIS.stretches(BEGIN, CHANGE) == [(BEGIN, CHANGE, 60)]


def test_a_clock_shows_the_old_time_until_the_change_and_the_new_from_it_on() -> None:
    assert [PARIS.offset(CHANGE + off) for off in (-1, 0, 1)] == [60, 120, 120]
    assert [PARIS.wall(CHANGE + off) % 1440 for off in (-1, 0)] == [119, 180]
    assert PARIS.offset(BEGIN - 100 * 1440) == 60
    assert PARIS.offset(BEGIN + 100 * 1440) == 120


def test_a_time_in_the_gap_is_the_moment_of_the_change() -> None:
    day = wall.number(date(2026, 3, 29))
    for clock, instant in ((119, CHANGE - 1), (120, CHANGE), (150, CHANGE), (180, CHANGE), (181, CHANGE + 1)):
        assert PARIS.instant(day, clock) == instant
    assert PARIS.instant(day) == CHANGE - 120
    assert PARIS.instant(day + 1) == CHANGE + 21 * 60


def test_a_doubled_time_is_its_first_appearance() -> None:
    autumn = wall.Calendar("Europe/Paris", wall.number(date(2026, 10, 24)), wall.number(date(2026, 10, 27)))
    day = wall.number(date(2026, 10, 25))
    change = day * 1440 + 60
    for clock, instant in ((119, change - 61), (120, change - 60), (179, change - 1), (180, change + 60)):
        assert autumn.instant(day, clock) == instant
    assert [autumn.day(day * 1440 - off) - day for off in (121, 120)] == [-1, 0]


def test_a_calendar_finds_each_change_of_a_spring_with_two() -> None:
    morocco = wall.Calendar("Africa/Casablanca", wall.number(date(2026, 2, 1)), wall.number(date(2026, 4, 1)))
    first, last = wall.number(date(2026, 2, 15)) * 1440 + 120, wall.number(date(2026, 3, 22)) * 1440 + 120
    assert morocco.stretches(first - 5, last + 5) == [
        (first - 5, first, 60),
        (first, last, 0),
        (last, last + 5, 60),
    ]


def test_a_time_in_a_gap_is_the_change_whether_others_follow_or_went_before() -> None:
    year = wall.Calendar("Europe/Paris", wall.number(date(2026, 1, 1)), wall.number(date(2027, 1, 1)))
    south = wall.Calendar("Australia/Sydney", wall.number(date(2026, 1, 1)), wall.number(date(2027, 1, 1)))
    assert [year.instant(wall.number(date(2026, 3, 29)), clock) for clock in (120, 150, 180)] == [CHANGE] * 3
    change = wall.number(date(2026, 10, 3)) * 1440 + 16 * 60
    assert [south.instant(wall.number(date(2026, 10, 4)), clock) for clock in (120, 150, 180)] == [change] * 3
    assert [south.instant(wall.number(date(2026, 4, 5)), clock) for clock in (119, 120)] == [
        wall.number(date(2026, 4, 4)) * 1440 + clock for clock in (14 * 60 + 59, 15 * 60)
    ]


def test_outside_of_a_calendar_the_nearest_offset_holds() -> None:
    long_before, long_after = BEGIN // 1440 - 50, BEGIN // 1440 + 50
    assert PARIS.instant(long_before, 600) == long_before * 1440 + 540
    assert PARIS.instant(long_after, 600) == long_after * 1440 + 480


def test_a_range_that_falls_into_the_gap_is_none() -> None:
    shop = desk(text="02:10-02:40", zone="Europe/Paris")
    day = wall.number(date(2026, 3, 29))
    assert hours.stretches(shop.rules, None, day, day + 1) == []
    whole = desk(service(40), text="01:00-02:30 02:40-02:50", zone="Europe/Paris")
    assert offsets(whole, "2026-03-29") == ["01:00+0100"]
