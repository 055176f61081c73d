"""The empty hours of a column of the day: a tap on one begins a booking there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from noren.web import wording

HOUR = 60


class Stretch(Protocol):
    """Minutes from the day's local midnight."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Spot:
    """One empty hour; `h` from the day's local midnight."""

    h: int
    href: str
    words: str


def of_lane(
    name: str,
    staff: int | None,
    shown: date,
    *,
    opens: Sequence[Stretch],
    taken: Iterable[Stretch],
    since: int,
) -> tuple[Spot, ...]:
    """Return the hours in which somebody is there and nothing stands. `since`: none that are over by then."""
    there = list(taken)
    hours = {
        hour
        for span in opens
        for hour in range(-(-span.start // HOUR), span.end // HOUR)
        if (hour + 1) * HOUR > since and hour < 24
    }
    free = [
        hour
        for hour in sorted(hours)
        if not any(each.start < (hour + 1) * HOUR and each.end > hour * HOUR for each in there)
    ]
    return tuple(_spot(name, staff, shown, hour) for hour in free)


def _spot(name: str, staff: int | None, shown: date, hour: int) -> Spot:
    at = wording.clock_of_minute(hour * HOUR)
    asked = {"date": shown.isoformat(), "time": f"{hour:02}:00"} | ({"staff": staff} if staff else {})
    words = _("New booking: %(name)s, %(time)s") % {"name": name, "time": at}
    return Spot(hour, f"{reverse('console_new')}?{urlencode(asked)}", words)
