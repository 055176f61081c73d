"""Cases 22-27 and 29: nights on which the clock changes."""

from datetime import date

import pytest

from noren.engine import wall
from noren.engine.model import GridKind
from tests.clocks import FROZEN
from tests.engine.build import Desk, desk, service


def offsets(shop: Desk, day: str) -> list[str]:
    return [f"{shop.wall(minute):%H:%M%z}" for minute in shop.offered(day)]


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
