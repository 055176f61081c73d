"""What a series wants, and what of it is free: a report per date, decided by the one deciding function.

Each date is decided as if those before it were written: they count for limits and stand in each other's way.
Reads only; who writes has locked what `Reach` names, and finds the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Self
from uuid import UUID

from noren.booking import availability, usage
from noren.booking.asked import Asked, Beside
from noren.booking.decide import Decision, decide
from noren.booking.models import ClassSession
from noren.engine import classes, policy, wall, windows
from noren.engine.model import DAY, Service, ShopRules
from noren.engine.plan import plan
from noren.engine.series import FAR, Rhythm, dates
from noren.errors import (
    BadField,
    CourseOnly,
    NorenError,
    NotOffered,
    SeriesTooLong,
    ServiceUnknown,
    ShopUnknown,
    SlotTaken,
)
from noren.shops.rules import known
from noren.shops.tenancy import current_shop

MOST = 100
"""Dates of one series: they are told in one mail, and locked in one transaction."""
NEAR = 3
"""Days before and after a date that is not free, among which the nearest free start is looked for."""


class Mode(StrEnum):
    """What becomes of a series in which some dates are not free."""

    SKIP = "skip"
    NEAREST = "nearest"
    ALL_OR_NOTHING = "all_or_nothing"


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """`starts`: the first, from which a rhythm counts; or every one; or none: a course, all that is to come.

    `key`, `nights` and `person` as in actions.HoldRequest. `own`: a hold of the same customer, which she
    lets go before she holds the series; `look` takes it for free.
    """

    service_id: int
    staff: int | None
    party: int
    starts: tuple[datetime, ...] = ()
    rhythm: Rhythm | None = None
    mode: Mode = Mode.ALL_OR_NOTHING
    key: str = ""
    nights: int = 0
    person: UUID | None = None
    own: int | None = None

    def plain(self) -> dict[str, Any]:
        """Return what the same key must ask for again. No person's data."""
        rhythm = self.rhythm
        until = None if rhythm is None or rhythm.until is None else rhythm.until.isoformat()
        return {
            "service": self.service_id,
            "staff": self.staff,
            "party": self.party,
            "starts": [each.timestamp() for each in self.starts],
            "rhythm": None if rhythm is None else [str(rhythm.unit), rhythm.every, rhythm.count, until],
            "mode": str(self.mode),
            "nights": self.nights,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """One date: as it was decided, or why it is not free and what is nearest to it. `wanted` in minutes."""

    wanted: int
    decision: Decision | None = None
    refusal: NorenError | None = None
    nearest: Decision | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A date as it is reported. `refusal`: an error's code, empty: it is free. `booking`: what is held."""

    wanted: datetime
    refusal: str = ""
    nearest: datetime | None = None
    booking: int | None = None

    @classmethod
    def of(cls, place: Place, booking: int | None = None) -> Self:
        refusal = "" if place.refusal is None else place.refusal.code
        near = None if place.nearest is None else datetime.fromisoformat(place.nearest.values["start"])
        return cls(_instant(place.wanted), refusal, near, booking)

    def plain(self) -> dict[str, Any]:
        """Return it as it is kept in the history of the series' first booking."""
        near = None if self.nearest is None else self.nearest.isoformat()
        return {
            "wanted": self.wanted.isoformat(),
            "refusal": self.refusal,
            "nearest": near,
            "booking": self.booking,
        }

    @classmethod
    def read(cls, plain: dict[str, Any]) -> Self:
        near = None if plain["nearest"] is None else datetime.fromisoformat(plain["nearest"])
        return cls(datetime.fromisoformat(plain["wanted"]), plain["refusal"], near, plain["booking"])


def starts(request: SeriesRequest, *, staff: bool, now: datetime) -> tuple[int, ...]:
    """Return the starts that are wanted, ascending, in minutes. Inside the shop.

    `staff` ask: what the shop offers to customers does not bind them. Raises ServiceUnknown,
    SeriesTooLong, NotOffered (seconds), BadField (no start, and no course; no date).
    """
    house = known()
    service = house.rules.services.get(request.service_id)
    if service is None:
        raise ServiceUnknown
    terms = house.terms.services[service.id]
    if not request.starts:
        if not terms.course:
            raise BadField(field="starts", reason="missing")
        return _checked(_to_come(house.rules, service, now), MOST)
    if any(each.timestamp() % 60 for each in request.starts):
        raise NotOffered
    # Dates of a course are refused one by one (CourseOnly).
    most = MOST if staff or terms.course else terms.series
    those = sorted({int(each.timestamp()) // 60 for each in request.starts})
    if request.rhythm is None:
        return _checked(iter(those), most)
    return _in_rhythm(house.rules.zone, those[0], request.rhythm, most)


def _in_rhythm(zone: str, first: int, rhythm: Rhythm, most: int) -> tuple[int, ...]:
    last = wall.as_date(wall.local_day(zone, first) + FAR)
    found = _checked(dates(zone, first, rhythm), most)
    if not found:
        raise BadField(field="repeat", reason="no_date")
    if len(found) < (rhythm.count or 0) or (rhythm.until is not None and rhythm.until > last):
        raise SeriesTooLong(most=most)
    return found


def _checked(those: Iterator[int], most: int) -> tuple[int, ...]:
    found = tuple(islice(those, most + 1))
    if len(found) > most:
        raise SeriesTooLong(most=most)
    return found


def _to_come(rules: ShopRules, service: Service, now: datetime) -> Iterator[int]:
    """Return the dates of a course that can still be joined."""
    soonest = _instant(policy.earliest(rules, service.lead, int(now.timestamp())))
    rows = ClassSession.objects.filter(service_id=service.id, start__gte=soonest, cancelled=False)
    for start in rows.order_by("start").values_list("start", flat=True):
        yield int(start.timestamp()) // 60


def places(
    request: SeriesRequest, wanted: tuple[int, ...], *, staff: bool, near: bool, now: datetime
) -> list[Place]:
    """Decide every date; then, for those that are not free, look for the nearest start. Inside the shop.

    `staff` ask: dates of a course may be taken singly. No two dates of a series are at one time.
    """
    asked = Asked(
        request.service_id,
        now,
        request.staff,
        request.party,
        nights=request.nights,
        person=request.person,
        own=request.own,
        course=staff or not request.starts,
    )
    beside: list[Beside] = []
    found = [_place(asked, each, beside, now) for each in wanted]
    return [_nearest(asked, each, beside, now) for each in found] if near else found


def _place(asked: Asked, start: int, beside: list[Beside], now: datetime) -> Place:
    try:
        decision = decide(replace(asked, start=_instant(start), beside=tuple(beside)), now=now)
    except (ServiceUnknown, ShopUnknown):
        raise
    except NorenError as refusal:
        return Place(start, refusal=refusal)
    this = _beside(decision)
    if _meet(this.start, this.end, beside):
        return Place(start, refusal=SlotTaken())
    beside.append(this)
    return Place(start, decision)


def _nearest(asked: Asked, place: Place, beside: list[Beside], now: datetime) -> Place:
    """Add the nearest start at which none of the series is."""
    if place.refusal is None or isinstance(place.refusal, CourseOnly):
        return place
    free = [each for each in _free(asked, place.wanted, beside, now) if not _meet(*each, beside)]
    for start, _ in sorted(free, key=lambda each: (abs(each[0] - place.wanted), each)):
        near = _place(asked, start, beside, now)
        if near.decision is not None:
            return replace(place, nearest=near.decision)
    return place


def _free(asked: Asked, start: int, beside: list[Beside], now: datetime) -> list[tuple[int, int]]:
    """Return what is offered around a date: start and end, in minutes."""
    day = wall.local_day(known().rules.zone, start)
    found = availability.find(
        current_shop(),
        asked.service_id,
        wall.as_date(day - NEAR),
        wall.as_date(day + NEAR),
        now=now,
        staff=asked.staff,
        party=asked.party,
        nights=asked.nights,
        person=asked.person,
        own=asked.own,
    ).and_beside(beside)
    if not found.is_class:
        until = plan(found.rules, asked.service_id, found.survey.window, asked.nights).end
        starts = found.starts()
        return [(minute, minute + (starts.longest(minute) or 0) or until(minute)) for minute in starts]
    mine = [each for each, leader in found.sessions() if asked.staff in (None, leader)]
    wanted: dict[str, Any] = {"now": int(now.timestamp()), "party": asked.party, "used": found.used()}
    offered = classes.offered(found.rules, asked.service_id, mine, **wanted)
    return [(each.start, each.end) for each in offered]


def _meet(start: int, end: int, those: list[Beside]) -> bool:
    return any(start < each.end and each.start < end for each in those)


def _beside(decision: Decision) -> Beside:
    begin, end = (datetime.fromisoformat(decision.values[edge]) for edge in ("start", "end"))
    return Beside(int(begin.timestamp()) // 60, int(end.timestamp()) // 60, decision.claims)


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


@dataclass(frozen=True, slots=True)
class Reach:
    """All that the dates of a series may touch: what is locked before they are decided."""

    limits: list[usage.Plain]
    sessions: list[int]
    resources: list[int]
    days: list[date]

    @classmethod
    def of(cls, request: SeriesRequest, wanted: tuple[int, ...], *, near: bool) -> Self:
        """Look around every date, by three days either way where others may be taken. Inside the shop."""
        rules = known().rules
        service = rules.services[request.service_id]
        length = service.longest if service.stay is None else (request.nights + 2) * DAY
        spans = list(_spans(rules, wanted, length, near=near))
        pool, leaves = _who(rules, service, request.staff, spans)
        days = {
            day
            for begin, end in spans
            for day in range((begin - service.before) // DAY, -(-(end + service.after) // DAY))
        }
        limits = [
            each
            for begin, end in spans
            for each in usage.checks(rules, service, begin, end, resources=pool, person=request.person)
        ]
        locked = [wall.as_date(day) for day in sorted(days)] if leaves else []
        return cls(limits, _sessions(service, spans), leaves, locked)


def _spans(
    rules: ShopRules, wanted: tuple[int, ...], length: int, *, near: bool
) -> Iterator[tuple[int, int]]:
    for start in wanted:
        day = wall.local_day(rules.zone, start)
        first = wall.midnight(rules.zone, day - NEAR) if near else start
        last = wall.midnight(rules.zone, day + NEAR + 1) if near else start
        yield first, last + length


def _who(
    rules: ShopRules, service: Service, staff: int | None, spans: list[tuple[int, int]]
) -> tuple[list[int], list[int]]:
    """Return the resources that could serve, and those of them (or their parts) that have sheets."""
    if service.capacity is not None or not spans:
        return [], []
    pool: set[int] = set()
    leaves: set[int] = set()
    for need in plan(rules, service.id, windows.of_start(rules, service.id, spans[0][0])).needs:
        alone = need.requirement.count == 1 and staff in need.requirement.pool
        for option in need.options:
            if not alone or option.resource.id == staff:
                pool.add(option.resource.id)
                leaves.update(leaf.id for leaf in option.leaves)
    return sorted(pool), sorted(leaves)


def _sessions(service: Service, spans: list[tuple[int, int]]) -> list[int]:
    if service.capacity is None or not spans:
        return []
    begin, end = _instant(min(first for first, _ in spans)), _instant(max(last for _, last in spans))
    rows = ClassSession.objects.filter(
        service_id=service.id, start__gte=begin, start__lte=end, cancelled=False
    )
    return [
        key
        for key, start in rows.order_by("id").values_list("id", "start")
        if any(first <= start.timestamp() // 60 <= last for first, last in spans)
    ]
