"""Grids: at which minutes a start may lie."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from noren.engine import sheet
from noren.engine.model import DAY, Grid, Window
from noren.engine.wall import Calendar


def clock(grid: Grid, window: Window, calendar: Calendar) -> int:
    """Every `interval` minutes of wall time from each local midnight. A doubled hour appears twice."""

    def minutes() -> Iterable[int]:
        for begin, end, offset in calendar.stretches(window.first, window.last):
            for day in range((begin + offset) // DAY, (end + offset - 1) // DAY + 1):
                for of_day in range(grid.offset, DAY, grid.interval):
                    minute = day * DAY + of_day - offset
                    if begin <= minute < end:
                        yield minute

    return sheet.marks(window, minutes())


def opening(grid: Grid, window: Window, seams: Sequence[int]) -> int:
    """Every `interval` minutes from the start of each open range, whether or not it is still open.

    `seams` are the starts of the ranges of each business day, ascending: where a day's hours continue the
    day's before, the grid begins anew, so that it does not depend on how far back one looks.
    """
    found: list[int] = []
    for anchor, stop in pairwise([*seams, window.last]):
        found.extend(range(anchor + grid.offset, stop, grid.interval))
    return sheet.marks(window, found)


def packed(
    grid: Grid, window: Window, possible: int, seams: Sequence[int], *, align: int, calendar: Calendar
) -> int:
    """As `opening` over the minutes where the service fits (`possible`); a stretch that begins after
    something busy is anchored there, rounded up to `align` minutes of wall time.
    """
    openings = set(seams)
    found: list[int] = []
    for begin, end in sheet.runs(possible, window):
        for low, high in pairwise([begin, *_inside(seams, begin, end), end]):
            anchor = low + grid.offset if low in openings else low + -calendar.wall(low) % align
            found.extend(range(anchor, high, grid.interval))
    return sheet.marks(window, found)


def _inside(seams: Sequence[int], begin: int, end: int) -> Sequence[int]:
    """Return the seams after `begin` and before `end`; they are sorted."""
    return seams[bisect_right(seams, begin) : bisect_left(seams, end)]
