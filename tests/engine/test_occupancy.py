"""The hours of the week: as a clock on the wall counts them, minute by minute, in every zone."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.engine import occupancy, wall
from noren.engine.model import Hours
from noren.engine.occupancy import Clock, Share
from tests.engine import build

ZONES = (
    "Asia/Tokyo",
    "America/New_York",
    "Europe/Paris",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Santiago",
    "Africa/Cairo",
    "Atlantic/Azores",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def naive(zone: str, minutes: set[int], first: int, last: int) -> dict[tuple[int, int], int]:
    """Count each minute by what the clock shows then."""
    info, found = ZoneInfo(zone), Counter[tuple[int, int]]()
    for minute in minutes:
        shows = (EPOCH + timedelta(minutes=minute)).astimezone(info)
        if wall.as_date(first) <= shows.date() < wall.as_date(last):
            found[shows.weekday(), shows.hour] += 1
    return dict(found)


def minutes_of(stretches: list[tuple[int, int]]) -> set[int]:
    return {minute for start, end in stretches for minute in range(start, end)}


stretches = st.lists(
    st.tuples(st.integers(0, 5 * 1440), st.integers(-60, 900)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=8,
)
# Around the changes of the clock: in March, April, September, October and November.
days = st.sampled_from([date(2026, 3, 6), date(2026, 3, 27), date(2026, 4, 3), date(2026, 4, 23)]) | st.dates(
    date(2026, 1, 1), date(2026, 12, 20)
)


@given(st.sampled_from(ZONES), days, stretches)
def test_it_counts_as_the_clock_on_the_wall_does(
    zone: str, day: date, given_stretches: list[tuple[int, int]]
) -> None:
    first = wall.number(day)
    moved = [(first * 1440 + start, first * 1440 + end) for start, end in given_stretches]
    clock = Clock(zone, first, first + 4)
    told = clock.minutes(occupancy.joined(moved))
    assert {cell: n for cell, n in told.items() if n} == naive(zone, minutes_of(moved), first, first + 4)


@given(stretches, stretches)
def test_joined_common_and_without_are_those_of_sets(
    these: list[tuple[int, int]], those: list[tuple[int, int]]
) -> None:
    one, other = occupancy.joined(these), occupancy.joined(those)
    assert minutes_of(one) == minutes_of(these)
    assert all(before[1] < after[0] for before, after in pairwise(one))
    assert minutes_of(occupancy.common(one, other)) == minutes_of(these) & minutes_of(those)
    assert minutes_of(occupancy.without(one, other)) == minutes_of(these) - minutes_of(those)


def test_two_in_one_time_are_one_time_taken() -> None:
    clock = Clock("Asia/Tokyo", *(wall.number(date(2026, 11, n)) for n in (24, 25)))
    ten = clock.begin + 600
    told = occupancy.shares(
        clock,
        {1: [(ten, ten + 120)]},
        {1: [(ten + 90, ten + 120)]},
        {1: [(ten, ten + 60), (ten + 30, ten + 75)]},
    )
    assert told == {(1, 10): Share(60, 60), (1, 11): Share(30, 15)}
    assert told[1, 11].percent == 50
    assert Share(0, 10).percent is None


def test_hours_after_midnight_belong_to_the_day_that_the_clock_shows() -> None:
    rules = build.desk(text="22:00-26:00", zone="Asia/Tokyo").rules
    first = wall.number(date(2026, 11, 24))
    resource = next(iter(rules.resources.values()))
    clock = Clock(rules.zone, first, first + 1)
    told = occupancy.shares(clock, {1: occupancy.opened(rules, resource, first, first + 1)}, {}, {})
    assert {cell: share.offered for cell, share in told.items()} == {
        (1, 0): 60,
        (1, 1): 60,
        (1, 22): 60,
        (1, 23): 60,
    }


def test_who_joined_was_not_offered_before() -> None:
    rules = build.desk(text="10:00-12:00", zone="Asia/Tokyo").rules
    first = wall.number(date(2026, 11, 24))
    clock = Clock(rules.zone, first, first + 2)
    own = Hours(build.daily("11:00-18:00"))
    joined = clock.begin + 1440
    resource = replace(next(iter(rules.resources.values())), hours=own, joined=joined)
    told = occupancy.opened(rules, resource, first, first + 2)
    assert [(start - joined, end - joined) for start, end in told] == [(660, 720)]


@pytest.mark.parametrize("start", range(7))
def test_weeks_and_months_cover_all_dates_once(start: int) -> None:
    first, last = date(2026, 1, 14), date(2026, 5, 3)
    for periods in (occupancy.weeks(first, last, start), occupancy.months(first, last)):
        assert (periods[0][0], periods[-1][1]) == (first, last)
        for before, after in pairwise(periods):
            assert after[0] == before[1] + timedelta(days=1)
    assert all(each.weekday() == start for each, _ in occupancy.weeks(first, last, start)[1:])
    assert [each for each, _ in occupancy.months(first, last)][1:] == [date(2026, n, 1) for n in (2, 3, 4, 5)]
