"""The dates of a series: the same time on the shop's wall, every so many days, weeks or months."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import count, islice, takewhile

from noren.engine import wall
from noren.engine.model import DAY

FAR = 3653
"""Days after the first for which dates are looked for: ten years."""


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    """On the same day of the month; a month without it is skipped."""
    MONTH_WEEKDAY = "month_weekday"
    """On the same weekday of the month (第2火曜); a month without a fifth is skipped."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often, and how long: `count` includes the first, `until` is a date of the shop's, included."""

    unit: Unit
    every: int = 1
    count: int | None = None
    until: date | None = None


def dates(zone: str, first: int, rhythm: Rhythm) -> Iterator[int]:
    """Go through the starts of a series that begins at an instant, ascending.

    A date on which the clock never shows this time is skipped, as a month without the day is; of a doubled
    time in autumn the first appearance is meant, but for the first start, which is what was said.
    """
    if rhythm.every < 1:
        raise RuntimeError("a series goes on")
    day, minute = divmod(wall.around(zone, first).wall(first), DAY)
    last = day + FAR if rhythm.until is None else min(day + FAR, wall.number(rhythm.until))
    days = takewhile(lambda each: each <= last, _days(day, rhythm))
    further = (_shown(zone, each, minute) for each in days)
    starts = (first if index == 0 else at for index, at in enumerate(further))
    return islice((at for at in starts if at is not None), rhythm.count)


def _shown(zone: str, day: int, minute: int) -> int | None:
    """Return the instant at which the clock first shows a minute of a day, where it does."""
    calendar = wall.around(zone, day * DAY)
    at = calendar.instant(day, minute)
    return at if calendar.wall(at) == day * DAY + minute else None


def _days(first: int, rhythm: Rhythm) -> Iterator[int]:
    """Go through the days of a series without an end, the first included."""
    match rhythm.unit:
        case Unit.DAY:
            return count(first, rhythm.every)
        case Unit.WEEK:
            return count(first, 7 * rhythm.every)
        case Unit.MONTH | Unit.MONTH_WEEKDAY:
            return _in_months(wall.as_date(first), rhythm)


def _in_months(first: date, rhythm: Rhythm) -> Iterator[int]:
    month = first.year * 12 + first.month - 1
    for number in range(month, month + FAR // 30, rhythm.every):
        begin = date(number // 12, number % 12 + 1, 1)
        day = first.day
        if rhythm.unit is Unit.MONTH_WEEKDAY:
            nth = (first.day - 1) // 7
            day = 1 + (first.weekday() - begin.weekday()) % 7 + 7 * nth
        following = wall.number(begin) + day - 1
        if wall.as_date(following).month == begin.month:
            yield following
