"""A booking that was dropped on another time or column of the day: whether it fits there, and what is in its
way. Nothing is moved before that has been seen, and said whether she is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, HttpResponseRedirect

from noren.booking import asked
from noren.booking import why as booking_why
from noren.booking.availability import Start
from noren.booking.models import Booking
from noren.errors import NotOffered
from noren.shops.tenancy import shop as in_shop
from noren.web import calendar, reasons, shopfront, times, visits, why
from noren.web.shopfront import Face
from noren.web.visits import Visit


@dataclass(frozen=True, slots=True)
class Drop:
    """Where it was dropped. `lane`: who serves there, or who does now; `at` None: nowhere that there is."""

    at: datetime | None
    lane: int | None
    name: str

    @property
    def stamp(self) -> int:
        return int(self.at.timestamp()) if self.at is not None else 0


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether it can stand there; if not why, and what is free near it."""

    fits: bool
    same: bool
    verdict: str
    more: str
    lines: list[reasons.Line]
    nearest: tuple[Start, ...]


def read(given: Mapping[str, str], face: Face, visit: Visit) -> Drop | None:
    """Read a drop off an address or a form; None where the page was opened otherwise."""
    if "lane" not in given:
        return None
    with in_shop(face.id):
        pool = visits.pool(visit)
    lane = times.number(given.get("lane"))
    lane = lane if lane in pool else visit.staff_id if visit.staff_id in pool else None
    known = shopfront.serving(face.id).get(lane or 0)
    return Drop(_at(given, face), lane, known.name if known is not None else "")


def _at(given: Mapping[str, str], face: Face) -> datetime | None:
    if given.get("at"):
        try:
            return times.instant(given["at"])
        except NotOffered:
            return None
    return why.instant(given.get("date"), given.get("time"), face)


def fit(face: Face, visit: Visit, drop: Drop, now: datetime) -> Fit | None:
    """Ask the engine as the move will."""
    if drop.at is None:
        return None
    with in_shop(face.id):
        row = Booking.objects.get(id=visit.id)
    wanted = asked.again(row, drop.at, drop.lane)
    answer = booking_why.why_not(face.id, wanted, now=now)
    speaker = reasons.Speaker(face, wanted, answer, shopfront.serving(face.id))
    return Fit(
        fits=answer.reason is None,
        same=(drop.at, drop.lane) == (row.start, row.staff_id),
        verdict=speaker.verdict(),
        more=speaker.more(),
        lines=speaker.lines(),
        nearest=answer.nearest,
    )


def done(face: Face, before: Visit, row: Booking, *, told: bool) -> HttpResponse:
    """Show the day to which it was moved, and the way to take that back. Who waits for an answer is told
    with that.
    """
    said = {"moved": row.id, "change": row.changes, "asked": before.asked_staff_id}
    said["told"] = 1 if told else 0
    return HttpResponseRedirect(calendar.address("day", row.start.astimezone(face.zone).date(), **said))
