"""Wall time and instants: the one place that knows zones and clock changes.

A *wall minute* is what the clock on the shop's wall shows, counted like an instant: minutes since
1970-01-01 00:00 on that
clock. A *day* is a number, days since 1970-01-01.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from noren.engine.model import DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def number(day: date) -> int:
    """Return the day's number."""
    return day.toordinal() - _EPOCH_ORDINAL


def as_date(day: int) -> date:
    return date.fromordinal(day + _EPOCH_ORDINAL)


class Calendar:
    """A zone's offsets over a stretch of time, found once. Outside the stretch the nearest offset holds."""

    __slots__ = ("_begins", "_offsets")

    def __init__(self, zone: str, first: int, last: int) -> None:
        """Cover the UTC days [first, last)."""
        info = ZoneInfo(zone)
        begin, end = first * DAY, last * DAY
        begins, offsets = [begin], [_offset(info, begin)]
        for low in range(begin, end, DAY):
            # No zone has changed twice within three days since 1970.
            if _offset(info, low + DAY) != offsets[-1]:
                begins.append(_change(info, low, low + DAY))
                offsets.append(_offset(info, begins[-1]))
        self._begins = tuple(begins)
        self._offsets = tuple(offsets)

    def offset(self, minute: int) -> int:
        """Minutes to add to this instant to get its wall minute."""
        return self._offsets[max(0, bisect_right(self._begins, minute) - 1)]

    def wall(self, minute: int) -> int:
        return minute + self.offset(minute)

    def day(self, minute: int) -> int:
        """Return the local day on which this instant lies."""
        return self.wall(minute) // DAY

    def instant(self, day: int, minute: int = 0) -> int:
        """Return the first instant at which the clock shows `minute` of `day`, or later.

        So a time in a spring gap is the moment of the change, and a doubled time in autumn is its first
        appearance.
        """
        wall = day * DAY + minute
        for index, offset in enumerate(self._offsets[:-1]):
            change = self._begins[index + 1]
            if wall < change + offset:
                return wall - offset if index == 0 else max(self._begins[index], wall - offset)
        if len(self._offsets) == 1:
            return wall - self._offsets[0]
        return max(self._begins[-1], wall - self._offsets[-1])

    def stretches(self, begin: int, end: int) -> list[tuple[int, int, int]]:
        """Cut [begin, end) where the offset changes: (begin, end, offset) each."""
        cuts = [begin, *(change for change in self._begins if begin < change < end), end]
        return [(low, high, self.offset(low)) for low, high in pairwise(cuts)]


@lru_cache(maxsize=512)
def calendar(zone: str, first: int, last: int) -> Calendar:
    return Calendar(zone, first, last)


def around(zone: str, minute: int) -> Calendar:
    """Return a calendar good for a few days on both sides of an instant."""
    day = minute // DAY // 32 * 32
    return calendar(zone, day - 8, day + 40)


def midnight(zone: str, day: int) -> int:
    """Return the instant at which a local day begins."""
    return around(zone, day * DAY).instant(day)


def local_day(zone: str, minute: int) -> int:
    return around(zone, minute).day(minute)


def _offset(info: ZoneInfo, minute: int) -> int:
    instant = _EPOCH + timedelta(minutes=minute)
    return (instant.astimezone(info).replace(tzinfo=UTC) - instant) // timedelta(minutes=1)


def _change(info: ZoneInfo, low: int, high: int) -> int:
    """Return the first minute in (low, high] whose offset is not low's."""
    before = _offset(info, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(info, middle) == before:
            low = middle
        else:
            high = middle
    return high
