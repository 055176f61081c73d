"""Grids: at which minutes a start may lie."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from noren.engine import sheet
from noren.engine.model import DAY, Grid, Window
from noren.engine.wall import Calendar


def clock(grid: Grid, window: Window, calendar: Calendar) -> int:
    """Every `interval` minutes of wall time from each local midnight. A doubled hour appears twice."""
    of_day = _of_day(grid)
    found = 0
    for begin, end, offset in calendar.stretches(window.first, window.last):
        for day in range((begin + offset) // DAY, (end + offset - 1) // DAY + 1):
            midnight = day * DAY - offset
            here = (of_day << (window.last - midnight)) >> DAY
            found |= here & sheet.span(window, begin, end)
    return found


@lru_cache(maxsize=64)
def _of_day(grid: Grid) -> int:
    """Return the marks of one day, laid at each midnight: a window has many days, a shop few grids."""
    return sheet.marks(Window(0, 1, 0, DAY), range(grid.offset, DAY, grid.interval))


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
