"""Quiet hours: to the second, over midnight, across clock changes."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.engine.quiet import Quiet, after, awake, before

NIGHT = Quiet(22 * 60, 8 * 60)
ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def at(text: str, zone: str = "Asia/Tokyo", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


@pytest.mark.parametrize(
    ("begins", "hours", "ends"),
    [
        ("2026-11-02 23:00:00", 4, "2026-11-03 12:00:00"),  # case 84
        ("2026-11-02 03:00:00", 4, "2026-11-02 12:00:00"),
        ("2026-11-02 12:00:07", 4, "2026-11-02 16:00:07"),
        ("2026-11-02 20:30:01", 4, "2026-11-03 10:30:01"),
        ("2026-11-02 18:00:00", 4, "2026-11-02 22:00:00"),
        ("2026-11-02 22:00:00", 4, "2026-11-03 12:00:00"),
        ("2026-11-02 21:59:59", 4, "2026-11-03 11:59:59"),
        ("2026-11-02 08:00:00", 28, "2026-11-03 22:00:00"),
        ("2026-11-02 07:59:59", 14, "2026-11-02 22:00:00"),
    ],
)
def test_case_084_the_night_does_not_count(begins: str, hours: int, ends: str) -> None:
    assert after("Asia/Tokyo", NIGHT, at(begins), hours * 3600) == at(ends)


def test_quiet_hours_within_a_day() -> None:
    noon = Quiet(12 * 60, 13 * 60)
    assert after("Asia/Tokyo", noon, at("2026-11-02 11:30:30"), 3600) == at("2026-11-02 13:30:30")
    assert awake("Asia/Tokyo", noon, at("2026-11-02 12:59:59")) == at("2026-11-02 13:00:00")
    assert awake("Asia/Tokyo", noon, at("2026-11-02 13:00:00")) == at("2026-11-02 13:00:00")


@pytest.mark.parametrize("quiet", [None, Quiet(60, 60)])
def test_without_quiet_hours_the_clock_never_stands_still(quiet: Quiet | None) -> None:
    assert after("Asia/Tokyo", quiet, 1_000_001, 7_201) == 1_007_202
    assert awake("Asia/Tokyo", quiet, 1_000_001) == 1_000_001


def test_an_hour_that_is_left_out_takes_no_time() -> None:
    """Berlin, spring: 2:00 is 3:00. Quiet from one to four is two real hours."""
    early = Quiet(60, 4 * 60)
    begins = at("2027-03-28 00:30", "Europe/Berlin")
    ends = after("Europe/Berlin", early, begins, 3600)
    assert ends == at("2027-03-28 04:30", "Europe/Berlin")
    assert ends - begins == 3600 + 2 * 3600


def test_of_an_hour_that_comes_twice_both_are_quiet() -> None:
    """New York, autumn: 1:00 to 2:00 comes twice. Quiet until 1:30 comes back with the second 1:00."""
    zone, late = "America/New_York", Quiet(23 * 60, 90)
    first, second = (at("2026-11-01 01:30", zone, fold) for fold in (0, 1))
    assert second - first == 3600
    assert awake(zone, late, at("2026-11-01 00:30", zone)) == first
    assert after(zone, late, first, 1800) == first + 1800
    assert after(zone, late, first, 1801) == second + 1
    assert after(zone, late, first, 7200) == second + 5400


@given(
    zone=st.sampled_from(ZONES),
    moment=st.integers(at("2026-01-01") // 60, at("2027-12-31") // 60),
    begin=st.integers(0, 95),
    end=st.integers(0, 95),
    minutes=st.integers(1, 240),
)
def test_it_is_what_a_watch_would_count(zone: str, moment: int, begin: int, end: int, minutes: int) -> None:
    """Count minute by minute what the wall shows, in quarters of an hour, so that all edges are minutes."""
    quiet = Quiet(begin * 15, end * 15)
    info, left, now = ZoneInfo(zone), minutes, moment * 60
    while left:
        clock = datetime.fromtimestamp(now, info)
        left -= not quiet.holds(clock.hour * 60 + clock.minute)
        now += 60
    assert after(zone, quiet, moment * 60, minutes * 60) == now


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        ("2026-11-02 23:00:00", "2026-11-02 21:59:00"),
        ("2026-11-02 22:00:00", "2026-11-02 21:59:00"),
        ("2026-11-02 21:59:59", "2026-11-02 21:59:59"),
        ("2026-11-03 00:00:00", "2026-11-02 21:59:00"),
        ("2026-11-03 07:59:59", "2026-11-02 21:59:00"),
        ("2026-11-03 08:00:00", "2026-11-03 08:00:00"),
        ("2026-11-03 12:34:56", "2026-11-03 12:34:56"),
    ],
)
def test_the_last_moment_before_the_night(moment: str, last: str) -> None:
    assert before("Asia/Tokyo", NIGHT, at(moment)) == at(last)


@pytest.mark.parametrize("quiet", [None, Quiet(60, 60)])
def test_without_quiet_hours_every_moment_will_do(quiet: Quiet | None) -> None:
    assert before("Asia/Tokyo", quiet, 1_000_001) == 1_000_001


@given(
    zone=st.sampled_from(ZONES),
    moment=st.integers(at("2026-01-01") // 60, at("2027-12-31") // 60),
    begin=st.integers(0, 95),
    end=st.integers(0, 95),
)
def test_it_is_the_minute_that_one_finds_by_going_back(zone: str, moment: int, begin: int, end: int) -> None:
    """Minute by minute, in clock changes too; most of those are looked for."""
    quiet, info, now = Quiet(begin * 15, end * 15), ZoneInfo(zone), moment * 60
    clock = datetime.fromtimestamp(now, info)
    while quiet.holds(clock.hour * 60 + clock.minute):
        now -= 60
        clock = datetime.fromtimestamp(now, info)
    assert before(zone, quiet, moment * 60) == now


@pytest.mark.parametrize("day", ["2026-10-25", "2027-03-28"])
@pytest.mark.parametrize("quiet", [Quiet(60, 180), Quiet(150, 165), Quiet(22 * 60, 150)])
def test_it_goes_back_over_a_clock_change(day: str, quiet: Quiet) -> None:
    """Berlin's two nights: every quarter of an hour around the change."""
    info, midnight = ZoneInfo("Europe/Berlin"), at(f"{day} 00:00", "Europe/Berlin")
    for moment in range(midnight, midnight + 6 * 3600, 900):
        now = moment
        while quiet.holds((clock := datetime.fromtimestamp(now, info)).hour * 60 + clock.minute):
            now -= 60
        assert before("Europe/Berlin", quiet, moment) == now
