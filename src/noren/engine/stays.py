"""Stays: rentals by nights. How long one is follows from the clock, so each start has an end of its own."""

from collections.abc import Mapping

from noren.engine import grid, sheet, wall
from noren.engine.model import Grid, Service, Stay, Taken, Window
from noren.engine.wall import Calendar


def may(stay: Stay, day: int, nights: int) -> bool:
    """Say whether a stay that begins on a local day may have so many nights."""
    return stay.least[wall.as_date(day).weekday()] <= nights <= stay.most


def end(stay: Stay, calendar: Calendar, start: int, nights: int) -> int:
    """Return when a stay ends that begins at `start`."""
    return calendar.instant(calendar.day(start) + nights, stay.out)


def ends(stay: Stay, rule: Grid, window: Window, calendar: Calendar, nights: int) -> dict[int, int]:
    """Return every start of a grid that may have so many nights, and its end."""
    found: dict[int, int] = {}
    for start in sheet.minutes_of(grid.clock(rule, window, calendar), window):
        if window.begin <= start < window.end and may(stay, calendar.day(start), nights):
            last = end(stay, calendar, start, nights)
            if start < last:
                found[start] = last
    return found


def at_both_ends(is_open: int, window: Window, those: Mapping[int, int]) -> int:
    """Return the starts at which it is open, and open (or just closing) when they end."""
    return sheet.marks(
        window,
        (
            start
            for start, last in those.items()
            if sheet.has(is_open, window, start) and sheet.has(is_open, window, last - 1)
        ),
    )


def free(  # noqa: PLR0917
    service: Service, window: Window, those: Mapping[int, int], bits: int, taken: Taken, added: bool
) -> int:
    """Return the starts among `bits` whose whole stay is free, as the buffer policy says."""

    def clear(start: int, last: int) -> bool:
        padded = sheet.span(window, start - service.before, last + service.after)
        if added:
            return not taken.padded & padded
        return not (taken.padded & sheet.span(window, start, last) or taken.core & padded)

    return sheet.marks(
        window,
        (start for start, last in those.items() if sheet.has(bits, window, start) and clear(start, last)),
    )
