"""Times that reception can offer with one tap: the same as last time, the same hour in some weeks, and what a
service has free on a day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from noren.booking import availability
from noren.booking.availability import Start
from noren.errors import NorenError, NotOffered
from noren.web import adding, times
from noren.web.shopfront import Face, Offer, Serving
from noren.web.visits import Visit

# How many of her services are proposed, and how many times of each.
MOST, EACH = 3, 5
WEEKS = (2, 4, 6, 8)
# What is further off than this is not "in four weeks" any more.
_NEAR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Pick:
    """What one tap books, as its button says it: service, others of the visit, whom she asks for, when."""

    service: int
    also: tuple[int, ...]
    staff: int | None
    at: datetime

    @property
    def value(self) -> str:
        """What the button sends."""
        parts = self.service, adding.written(self.also), self.staff or "", int(self.at.timestamp())
        return ".".join(str(each) for each in parts)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One kind of visit, and its times. `weeks`: how far ahead it lies, of a next visit."""

    title: str
    staff: str
    picks: tuple[Pick, ...]
    weeks: int = 0


def read(text: str) -> Pick:
    """Read what a button sent. Raises NotOffered."""
    parts = text.split(".")
    service = times.number(parts[0])
    if len(parts) != 4 or service is None:
        raise NotOffered
    return Pick(service, adding.numbers(parts[1]), times.number(parts[2]), times.instant(parts[3]))


def the_same(
    face: Face, history: Sequence[Visit], serving: dict[int, Serving], at: datetime, *, now: datetime
) -> list[Proposal]:
    """Propose what she had: each kind of visit once, the newest first, at the next free times from `at`."""
    found: list[Proposal] = []
    for visit in _kinds(history):
        staff = _who(visit, serving)
        starts = _nearest(face, visit, staff, at, now=now, limit=EACH)
        picks = tuple(_pick(visit, staff, start.at) for start in starts)
        if picks:
            found.append(Proposal(visit.service, _name(serving, staff), picks))
        if len(found) == MOST:
            break
    return found


def _kinds(history: Iterable[Visit]) -> list[Visit]:
    """Return one visit of each kind, first those that took place or are to. No stays: nights differ."""
    kinds: dict[tuple[int, tuple[int, ...], int | None], Visit] = {}
    for visit in history:
        if visit.stands and not visit.nights:
            kinds.setdefault((visit.service_id, visit.also, visit.staff_id), visit)
    return list(kinds.values())[: 2 * MOST]


def next_visits(face: Face, visit: Visit, serving: dict[int, Serving], *, now: datetime) -> list[Proposal]:
    """Propose the same again in some weeks, at the same weekday and hour, or what is nearest to it."""
    if visit.nights or visit.person is None:
        return []
    staff = _who(visit, serving)
    found = []
    for weeks in WEEKS:
        # On the shop's wall: the hour stays the same when the clocks change.
        at = visit.start + timedelta(weeks=weeks)
        near = _nearest(face, visit, staff, at, now=now, limit=3)
        best = min(near, key=lambda start: abs(start.at - at), default=None)
        if best is not None and abs(best.at - at) <= _NEAR:
            pick = _pick(visit, staff, best.at)
            found.append(Proposal(visit.service, _name(serving, staff), (pick,), weeks))
    return found


def _who(visit: Visit, serving: dict[int, Serving]) -> int | None:
    """Return whom she had asked for; or who served, where asking costs nothing."""
    if visit.asked_staff_id in serving:
        return visit.asked_staff_id
    served = serving.get(visit.staff_id or 0)
    return visit.staff_id if served is not None and served.is_staff and not served.fee else None


def _nearest(
    face: Face, visit: Visit, staff: int | None, at: datetime, *, now: datetime, limit: int
) -> tuple[Start, ...]:
    wanted: dict[str, Any] = {"now": now, "staff": staff, "person": visit.person, "also": visit.also}
    try:
        found = availability.nearest(face.id, visit.service_id, at, limit=limit, **wanted)
        if not found and staff is not None:
            wanted["staff"] = None
            found = availability.nearest(face.id, visit.service_id, at, limit=limit, **wanted)
    except NorenError:  # the shop offers it no more, or not in this form
        return ()
    return found


def _pick(visit: Visit, staff: int | None, at: datetime) -> Pick:
    return Pick(visit.service_id, visit.also, staff, at)


def _name(serving: dict[int, Serving], staff: int | None) -> str:
    return serving[staff].name if staff else ""


def of_day(
    face: Face, offer: Offer, day: date, staff: int | None, *, now: datetime, person: UUID | None
) -> tuple[Pick, ...]:
    """Return what a service has free on a day, for this customer where she is known."""
    found = availability.month(face.id, offer.id, day, day, now=now, staff=staff, person=person)
    return tuple(Pick(offer.id, (), staff, start.at) for start in found.days.get(day, ()))
