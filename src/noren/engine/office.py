"""An office's hours: on which days it is open, from when to when, by which clock; its holidays are given."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TEXT: Final = re.compile(
    r"([a-z,-]+) ([0-2][0-9]:[0-5][0-9])-([0-2][0-9]:[0-5][0-9]) ([A-Za-z0-9_+/-]+)"
    r"(?: ([A-Z]{2}(?:-[A-Z0-9]{1,3})?))?"
)
# An office that is shut for longer is shut.
_MOST_DAYS: Final = 400


@dataclass(frozen=True, slots=True)
class Office:
    """Open on these weekdays (0: Monday) between two times of one zone, but for holidays of a country."""

    days: frozenset[int]
    opens: time
    closes: time
    zone: ZoneInfo
    country: str = ""

    @classmethod
    def of(cls, text: str) -> "Office":
        """Read "mon-fri 10:00-18:00 Asia/Tokyo JP". Raises ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError("days, hours, a zone and a country")
        opens, closes = time.fromisoformat(match[2]), time.fromisoformat(match[3])
        if opens >= closes:
            raise ValueError("it opens before it closes")
        try:
            zone = ZoneInfo(match[4])
        except (ZoneInfoNotFoundError, OSError) as fault:
            raise ValueError("no such zone") from fault
        return cls(_days(match[1]), opens, closes, zone, match[5] or "")

    def is_open(self, at: datetime, holidays: AbstractSet[date]) -> bool:
        """Whether it is open at an instant."""
        there = at.astimezone(self.zone)
        return self._works(there.date(), holidays) and self.opens <= there.time() < self.closes

    def after(self, at: datetime, minutes: int, holidays: AbstractSet[date]) -> datetime:
        """The instant until which it was open for so many minutes since `at`. ValueError: never open."""
        day, left = at.astimezone(self.zone).date(), timedelta(minutes=minutes)
        for _ in range(_MOST_DAYS):
            begin, end = self._span(day)
            begin = max(begin, at)
            if self._works(day, holidays) and begin < end:
                if begin + left <= end:
                    return begin + left
                left -= end - begin
            day += timedelta(days=1)
        raise ValueError("it is never open for so long")

    def minutes(self, since: datetime, until: datetime, holidays: AbstractSet[date]) -> int:
        """For how many minutes it was open between two instants."""
        day, last = since.astimezone(self.zone).date(), until.astimezone(self.zone).date()
        day = max(day, last - timedelta(days=_MOST_DAYS))
        whole = timedelta()
        while day <= last:
            begin, end = self._span(day)
            if self._works(day, holidays):
                whole += max(timedelta(), min(end, until) - max(begin, since))
            day += timedelta(days=1)
        return int(whole.total_seconds()) // 60

    def _works(self, day: date, holidays: AbstractSet[date]) -> bool:
        return day.weekday() in self.days and day not in holidays

    def _span(self, day: date) -> tuple[datetime, datetime]:
        """A day's hours as instants: in UTC a clock that is put forward or back takes or gives an hour."""
        return (
            datetime.combine(day, self.opens, self.zone).astimezone(UTC),
            datetime.combine(day, self.closes, self.zone).astimezone(UTC),
        )


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError("a day is one of " + ", ".join(DAYS))
        begin, end = DAYS.index(first), DAYS.index(last if dash else first)
        found |= {day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))}
    return frozenset(found)
