"""Quiet hours: the clock of an offer stands still while nobody is to be disturbed.

Instants are POSIX seconds. What is quiet is what the clock on the shop's wall shows: of an hour that a clock
change doubles both are, and one that it leaves out takes no time.
"""

from dataclasses import dataclass

from noren.engine import wall
from noren.engine.model import DAY

_AHEAD = 3 * DAY
"""As far as a stretch of one offset is looked for; longer ones are walked in several steps."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Minutes of the day between which nobody is disturbed; `begin` > `end` goes over midnight, equal is
    never.
    """

    begin: int
    end: int

    def holds(self, minute: int) -> bool:
        """Say whether a minute of the day is quiet."""
        return (minute - self.begin) % DAY < (self.end - self.begin) % DAY


def awake(zone: str, quiet: Quiet | None, at: int) -> int:
    """Return the first moment from `at` on that is not quiet."""
    return after(zone, quiet, at, 0)


def before(zone: str, quiet: Quiet | None, at: int) -> int:
    """Return the last moment up to `at` that is not quiet: of quiet hours, the minute before they begin."""
    if quiet is None or quiet.begin == quiet.end:
        return at
    minute = at // 60
    for begin, end, offset in reversed(wall.around(zone, minute).stretches(minute - _AHEAD, minute + 1)):
        last = (end - 1 + offset) % DAY
        if not quiet.holds(last):
            return at if end > minute else (end - 1) * 60
        first = end - 1 - (last - quiet.begin) % DAY
        if first > begin:
            return (first - 1) * 60
    return at


def after(zone: str, quiet: Quiet | None, at: int, seconds: int) -> int:
    """Return the moment at which so many seconds that are not quiet have passed since `at`."""
    if quiet is None or quiet.begin == quiet.end:
        return at + seconds
    left = seconds
    while True:
        is_quiet, until = _stretch(zone, quiet, at)
        if not is_quiet:
            if at + left <= until:
                return at + left
            left -= until - at
        at = until


def _stretch(zone: str, quiet: Quiet, at: int) -> tuple[bool, int]:
    """Return whether it is quiet at this moment, and until when that or the clock does not change."""
    minute = at // 60
    begin, end, offset = wall.around(zone, minute).stretches(minute, minute + _AHEAD)[0]
    of_day = (begin + offset) % DAY
    is_quiet = quiet.holds(of_day)
    edge = ((quiet.end if is_quiet else quiet.begin) - of_day) % DAY
    return is_quiet, min(minute + edge, end) * 60
