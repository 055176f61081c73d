"""Cases 27 and 76: the dates of a series, on the shop's wall."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.engine.series import FAR, Rhythm, Unit, dates


def instant(zone: str, text: str, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) // 60


def shown(zone: str, first: str, rhythm: Rhythm, fold: int = 0) -> list[str]:
    found = dates(zone, instant(zone, first, fold), rhythm)
    return [f"{datetime.fromtimestamp(each * 60, ZoneInfo(zone)):%m-%d %H:%M%z}" for each in found]


@pytest.mark.parametrize(
    ("zone", "first", "wanted"),
    [
        (
            "America/New_York",
            "2026-10-25 10:00",
            ["10-25 10:00-0400", "11-01 10:00-0500", "11-08 10:00-0500"],
        ),
        ("Europe/Paris", "2026-03-22 10:00", ["03-22 10:00+0100", "03-29 10:00+0200", "04-05 10:00+0200"]),
        ("Australia/Lord_Howe", "2026-09-27 10:00", ["09-27 10:00+1030", "10-04 10:00+1100"]),
        ("Asia/Tokyo", "2026-11-25 10:00", ["11-25 10:00+0900", "12-02 10:00+0900"]),
    ],
)
def test_case_027_ten_oclock_stays_ten_oclock(zone: str, first: str, wanted: list[str]) -> None:
    assert shown(zone, first, Rhythm(Unit.WEEK, count=len(wanted))) == wanted


def test_a_date_on_which_the_clock_never_shows_the_time_is_none_of_the_series() -> None:
    found = shown("America/New_York", "2026-03-07 02:30", Rhythm(Unit.DAY, count=3))
    assert found == ["03-07 02:30-0500", "03-09 02:30-0400", "03-10 02:30-0400"]


def test_a_doubled_time_is_its_first_appearance_but_for_the_start_that_was_said() -> None:
    daily = Rhythm(Unit.DAY, count=2)
    zone = "America/New_York"
    assert shown(zone, "2026-10-31 01:30", daily) == ["10-31 01:30-0400", "11-01 01:30-0400"]
    assert shown(zone, "2026-11-01 01:30", daily, fold=1) == ["11-01 01:30-0500", "11-02 01:30-0500"]


def test_a_day_that_never_was_is_skipped() -> None:
    found = shown("Pacific/Apia", "2011-12-29 10:00", Rhythm(Unit.DAY, count=2))
    assert found == ["12-29 10:00-1000", "12-31 10:00+1400"]


@pytest.mark.parametrize(
    ("until", "wanted"),
    [("2026-12-16", 4), ("2026-12-15", 3), ("2026-11-25", 1), ("2026-11-24", 0)],
)
def test_case_076_the_last_date_is_included(until: str, wanted: int) -> None:
    rhythm = Rhythm(Unit.WEEK, until=date.fromisoformat(until))
    assert len(shown("Asia/Tokyo", "2026-11-25 23:30", rhythm)) == wanted


def test_case_076_the_count_includes_the_first() -> None:
    assert shown("Asia/Tokyo", "2026-11-25 10:00", Rhythm(Unit.DAY, count=1)) == ["11-25 10:00+0900"]
    assert len(shown("Asia/Tokyo", "2026-11-25 10:00", Rhythm(Unit.DAY, every=3, count=10))) == 10


def test_the_end_is_a_date_of_the_shops() -> None:
    """23:30 in New York on the 30th is the 31st in UTC."""
    rhythm = Rhythm(Unit.DAY, until=date(2026, 12, 30))
    assert shown("America/New_York", "2026-12-29 23:30", rhythm)[-1] == "12-30 23:30-0500"


def test_a_month_without_the_day_is_skipped() -> None:
    found = shown("Asia/Tokyo", "2027-01-31 10:00", Rhythm(Unit.MONTH, count=4))
    assert [each[:5] for each in found] == ["01-31", "03-31", "05-31", "07-31"]


def test_a_month_without_a_fifth_weekday_is_skipped() -> None:
    found = shown("Asia/Tokyo", "2026-12-30 10:00", Rhythm(Unit.MONTH_WEEKDAY, count=3))
    assert [each[:5] for each in found] == ["12-30", "03-31", "06-30"]


def test_the_second_tuesday_is_the_second_tuesday() -> None:
    found = shown("Asia/Tokyo", "2026-11-10 10:00", Rhythm(Unit.MONTH_WEEKDAY, count=4))
    assert [each[:5] for each in found] == ["11-10", "12-08", "01-12", "02-09"]


def test_the_eighth_is_in_the_second_week_of_its_month() -> None:
    found = shown("Asia/Tokyo", "2026-12-08 10:00", Rhythm(Unit.MONTH_WEEKDAY, count=3))
    assert [each[:5] for each in found] == ["12-08", "01-12", "02-09"]


def test_the_29th_of_february_comes_again() -> None:
    found = shown("Asia/Tokyo", "2028-02-29 10:00", Rhythm(Unit.MONTH, every=12, count=3))
    assert [each[:5] for each in found] == ["02-29", "02-29", "02-29"]


def test_it_ends_after_ten_years() -> None:
    assert len(shown("Asia/Tokyo", "2026-11-10 10:00", Rhythm(Unit.DAY))) == FAR + 1
    assert len(shown("Asia/Tokyo", "2026-11-10 10:00", Rhythm(Unit.MONTH, every=12, count=60))) == 11


def test_it_refuses_a_series_that_does_not_go_on() -> None:
    with pytest.raises(RuntimeError, match=r"^a series goes on$"):
        list(dates("Asia/Tokyo", 0, Rhythm(Unit.DAY, every=0)))


ZONES = ("Asia/Tokyo", "America/New_York", "Europe/Paris", "Australia/Lord_Howe", "Asia/Kathmandu")


@given(
    st.sampled_from(ZONES),
    st.integers(29_000_000, 31_000_000),
    st.sampled_from(list(Unit)),
    st.integers(1, 14),
    st.integers(1, 30),
)
def test_a_series_ascends_on_one_wall_time_and_keeps_its_step(
    zone: str, first: int, unit: Unit, every: int, number: int
) -> None:
    info = ZoneInfo(zone)
    found = list(dates(zone, first, Rhythm(unit, every, number)))
    walls = [datetime.fromtimestamp(each * 60, info) for each in found]
    assert found[0] == first
    assert found == sorted(set(found))
    assert {(each.hour, each.minute) for each in walls} == {(walls[0].hour, walls[0].minute)}
    days = [each.date() for each in walls]
    if unit in (Unit.DAY, Unit.WEEK):
        step = every * (7 if unit is Unit.WEEK else 1)
        assert all((day - days[0]).days % step == 0 for day in days)
    elif unit is Unit.MONTH:
        assert {day.day for day in days} == {days[0].day}
    else:
        assert {(day.weekday(), (day.day - 1) // 7) for day in days} == {
            (days[0].weekday(), (days[0].day - 1) // 7)
        }
    if unit not in (Unit.DAY, Unit.WEEK):
        months = [day.year * 12 + day.month for day in days]
        assert all((month - months[0]) % every == 0 for month in months)
    # Nothing is left out: by `until` the same dates come, to the last and no further.
    again = list(dates(zone, first, Rhythm(unit, every, until=days[-1])))
    assert again == found
    before = days[-1] - timedelta(days=1)
    assert list(dates(zone, first, Rhythm(unit, every, until=before))) == found[:-1]
    assert datetime.fromtimestamp(first * 60, UTC) == walls[0]


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        ("2026-12-01 10:00", ["12-01", "01-05", "02-02"]),
        ("2026-12-07 10:00", ["12-07", "01-04", "02-01"]),
        ("2026-12-08 10:00", ["12-08", "01-12", "02-09"]),
        ("2026-12-28 10:00", ["12-28", "01-25", "02-22"]),
    ],
)
def test_the_nth_weekday_is_counted_from_the_first_of_the_month(first: str, wanted: list[str]) -> None:
    found = shown("Asia/Tokyo", first, Rhythm(Unit.MONTH_WEEKDAY, count=3))
    assert [each[:5] for each in found] == wanted
