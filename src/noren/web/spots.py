"""The spots of a column of the day where nothing stands: a tap on an empty hour begins a booking there, on a
closed one it asks why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from noren.web import wording

HOUR = 60
DAY = 24 * HOUR


class Stretch(Protocol):
    """Minutes from the day's local midnight."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Spot:
    """One of them: where it begins, from the day's local midnight, and how long it is."""

    h: int
    href: str
    words: str
    m: int = 0
    lh: int = 1
    lm: int = 0

    @property
    def place(self) -> SafeString:
        """Where it is drawn, as css/day.css reads it."""
        written = 'data-h="{}" data-m="{}" data-lh="{}" data-lm="{}"'
        return format_html(written, self.h, self.m, self.lh, self.lm)


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


def closed(name: str, resource: int, shown: date, span: Stretch, *, leads: bool) -> Spot:
    """Return a stretch in which nobody is there. `leads`: whoever looks may ask why."""
    length = span.end - span.start
    size = {"m": span.start % HOUR, "lh": length // HOUR, "lm": length % HOUR}
    if not leads:
        return Spot(span.start // HOUR, "", "", **size)
    at = wording.clock_of_minute(span.start)
    words = _("Why not? %(name)s, %(time)s") % {"name": name, "time": at}
    return Spot(span.start // HOUR, why(resource, shown, span.start), words, **size)


def why(resource: int, shown: date, minute: int) -> str:
    """Return where it is asked why a column has nothing to offer at a minute of the day."""
    day, at = shown + timedelta(days=minute // DAY), minute % DAY
    asked = {"date": day.isoformat(), "time": f"{at // HOUR:02}:{at % HOUR:02}", "staff": resource}
    return f"{reverse('console_why')}?{urlencode(asked)}"
