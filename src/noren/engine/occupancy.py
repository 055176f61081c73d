"""How much of what was offered was taken, by the hours of the week: minutes, on the clock on the shop's wall.

Hours past midnight belong to the day that the clock shows then. An hour that a change of the clock leaves out
has no minutes, one that it shows twice has both.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from noren.engine import hours, wall
from noren.engine.model import Resource, ShopRules

HOUR = 60
Stretch = tuple[int, int]
Cell = tuple[int, int]
"""A weekday, Monday = 0, and an hour of it."""


@dataclass(frozen=True, slots=True)
class Share:
    """Minutes. More is taken than was offered where somebody insisted, or where hours were changed since."""

    offered: int = 0
    taken: int = 0

    @property
    def percent(self) -> int | None:
        """Of the offered; nothing where nothing was."""
        return None if not self.offered else round(100 * self.taken / self.offered)


class Clock:
    """The hours of the dates [first, last) on a zone's wall, as instants."""

    __slots__ = ("_begins", "_cells", "begin", "end")

    def __init__(self, zone: str, first: int, last: int) -> None:
        calendar = wall.calendar(zone, first - 2, last + 2)
        marks: dict[int, Cell] = {}
        for day in range(first, last):
            weekday = wall.as_date(day).weekday()
            for hour in range(24):
                # Of two that begin in the same instant, the clock shows the later one.
                marks[calendar.instant(day, hour * HOUR)] = (weekday, hour)
        self.begin, self.end = calendar.instant(first), calendar.instant(last)
        self._begins = sorted(marks)
        self._cells = [marks[each] for each in self._begins]

    def cut(self, start: int, end: int) -> Iterable[tuple[Cell, int]]:
        """Give the hours that a stretch touches, each with its minutes of them; outside the dates nothing."""
        at, end = max(start, self.begin), min(end, self.end)
        number = bisect_right(self._begins, at) - 1
        while at < end:
            following = self._begins[number + 1] if number + 1 < len(self._begins) else self.end
            upto = min(following, end)
            yield self._cells[number], upto - at
            at, number = upto, number + 1

    def minutes(self, stretches: Iterable[Stretch]) -> dict[Cell, int]:
        """Sum them up by hour of the week."""
        found: dict[Cell, int] = defaultdict(int)
        for start, end in stretches:
            for cell, length in self.cut(start, end):
                found[cell] += length
        return dict(found)


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return them in order, those that touch or overlap made one."""
    found: list[Stretch] = []
    for start, end in sorted(each for each in stretches if each[0] < each[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def common(these: Sequence[Stretch], those: Sequence[Stretch]) -> list[Stretch]:
    """Return what lies in both; each is joined."""
    found, number = [], 0
    for start, end in these:
        while number < len(those) and those[number][1] <= start:
            number += 1
        at = number
        while at < len(those) and those[at][0] < end:
            found.append((max(start, those[at][0]), min(end, those[at][1])))
            at += 1
    return found


def without(these: Sequence[Stretch], those: Sequence[Stretch]) -> list[Stretch]:
    """Return what of the first lies in none of the others; each is joined."""
    found, number = [], 0
    for start, end in these:
        while number < len(those) and those[number][1] <= start:
            number += 1
        at, edge = number, start
        while at < len(those) and those[at][0] < end:
            if edge < those[at][0]:
                found.append((edge, those[at][0]))
            edge = max(edge, those[at][1])
            at += 1
        if edge < end:
            found.append((edge, end))
    return found


def opened(rules: ShopRules, resource: Resource, first: int, last: int) -> list[Stretch]:
    """Return when somebody could be booked on the dates [first, last) by the rules of now: her hours within
    the shop's, from when she joined on.
    """
    since = first - hours.REACH
    whole = joined(hours.stretches(rules, None, since, last))
    if resource.hours is not None:
        whole = common(whole, joined(hours.stretches(rules, resource.hours, since, last)))
    return whole if resource.joined is None else without(whole, [(0, max(resource.joined, 1))])


def shares(
    clock: Clock,
    opened_of: Mapping[int, Sequence[Stretch]],
    blocked: Mapping[int, Sequence[Stretch]],
    taken: Mapping[int, Sequence[Stretch]],
) -> dict[Cell, Share]:
    """Sum up over all who serve: what was open and not blocked, and what of the time was taken."""
    offered: dict[Cell, int] = defaultdict(int)
    used: dict[Cell, int] = defaultdict(int)
    for resource, stretches in opened_of.items():
        free = without(joined(stretches), joined(blocked.get(resource, ())))
        for cell, minutes in clock.minutes(free).items():
            offered[cell] += minutes
        for cell, minutes in clock.minutes(joined(taken.get(resource, ()))).items():
            used[cell] += minutes
    return {cell: Share(offered[cell], used[cell]) for cell in {*offered, *used}}


def weeks(first: date, last: date, week_start: int) -> list[tuple[date, date]]:
    """Cut the dates [first, last] where a week begins: first and last of each."""
    return _cut(first, last, lambda day: day.weekday() == week_start)


def months(first: date, last: date) -> list[tuple[date, date]]:
    """Cut the dates [first, last] where a month begins: first and last of each."""
    return _cut(first, last, lambda day: day.day == 1)


def _cut(first: date, last: date, begins: Callable[[date], bool]) -> list[tuple[date, date]]:
    found: list[tuple[date, date]] = []
    for number in range(wall.number(first), wall.number(last) + 1):
        day = wall.as_date(number)
        if not found or begins(day):
            found.append((day, day))
        else:
            found[-1] = (found[-1][0], day)
    return found
