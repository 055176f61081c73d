"""When an answer is to be expected: counted in the desk's hours, over nights, weekends and holidays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.engine.office import Office
from noren.incidents import inquiry_pace
from noren.runtime.env import DESK, StartRefused, read
from noren.shops.holidays import public_holidays

TOKYO = ZoneInfo("Asia/Tokyo")
HERE = Office.of(DESK)
NONE: frozenset[date] = frozenset()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("now", "minutes", "until"),
    [
        ("2026-11-27T10:00", 60, "2026-11-27T11:00"),
        ("2026-11-27T08:00", 60, "2026-11-27T11:00"),
        # Friday evening to Monday.
        ("2026-11-27T17:30", 60, "2026-11-30T10:30"),
        ("2026-11-28T12:00", 480, "2026-11-30T18:00"),
        # Over the turn of the year: the first of January is kept, the second (a Saturday) too.
        ("2026-12-31T17:00", 120, "2027-01-04T11:00"),
        # Golden Week: 3, 4, 5 and the substitute day, the 6th of May.
        ("2026-05-01T17:59", 2, "2026-05-07T10:01"),
    ],
)
def test_it_is_counted_in_open_minutes(now: str, minutes: int, until: str) -> None:
    days = public_holidays("JP")
    assert HERE.after(at(now), minutes, days) == at(until)
    assert HERE.minutes(at(now), at(until), days) == minutes


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), st.integers(1, 5_000))  # noqa: DTZ001 - local
def test_there_and_back(local: datetime, minutes: int) -> None:
    """After so many open minutes so many have passed, also where clocks are put forward."""
    for office in (
        HERE,
        Office.of("mon-sun 00:00-23:00 Europe/Berlin"),
        Office.of("sat,sun 01:00-04:00 UTC"),
    ):
        begin = local.replace(second=0, microsecond=0, tzinfo=office.zone).astimezone(UTC)
        assert office.minutes(begin, office.after(begin, minutes, NONE), NONE) == minutes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mon 10:00",
        "mon-fri 18:00-10:00 Asia/Tokyo",
        "lun 10:00-18:00 Asia/Tokyo",
        "mon-fri 10:00-18:00 Asia/Nowhere",
        "mon-fri 10:00-25:00 Asia/Tokyo",
    ],
)
def test_hours_that_cannot_be_stop_the_start(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Office.of(text)
    if text:
        with pytest.raises(StartRefused, match="NOREN_DESK"):
            read({"NOREN_DESK": text})


def test_days_may_go_over_the_end_of_the_week() -> None:
    assert Office.of("sat-mon 10:00-18:00 UTC").days == {5, 6, 0}
    assert Office.of("mon,wed 10:00-18:00 UTC JP").country == "JP"


def test_a_new_desk_says_one_day_of_its_own() -> None:
    assert inquiry_pace.expected(at("2026-11-27T12:10"), 0, ()) == at("2026-11-30T12:30")


def _took(*minutes: int) -> list[tuple[datetime, datetime]]:
    """Answers of one day, each asked so many minutes before, ten minutes apart."""
    first = at("2026-11-25T15:00")
    return [
        (first + timedelta(minutes=10 * n - one), first + timedelta(minutes=10 * n))
        for n, one in enumerate(minutes)
    ]


def test_it_says_what_nine_of_ten_took_and_the_queue() -> None:
    took = _took(*[60] * 8, 120, 240)
    now = at("2026-11-27T10:00")
    assert inquiry_pace.expected(now, 0, took) == at("2026-11-27T12:00")
    # Sixty wait, one answer comes in ten minutes: ten hours and ten minutes of the desk's.
    assert inquiry_pace.expected(now, 60, took) == at("2026-11-30T12:30")
    # Never less than an hour, however quick the last were.
    assert inquiry_pace.expected(now, 0, _took(*[5] * 20)) == at("2026-11-27T11:00")


def test_whether_somebody_is_there() -> None:
    assert inquiry_pace.is_open(at("2026-11-27T10:00"))
    assert not inquiry_pace.is_open(at("2026-11-27T18:00"))
    assert not inquiry_pace.is_open(at("2026-11-28T12:00"))
    assert not inquiry_pace.is_open(at("2026-11-23T12:00"))
