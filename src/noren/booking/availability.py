"""What can be booked: a list for a page, for the API, and for who was not fast enough.

A month is one question to the database: the revision of the rules beside one range of sheets.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from noren.booking import sheets, usage
from noren.booking.models import Booking, ClassSession, Status
from noren.booking.sheets import Survey
from noren.engine import availability as engine
from noren.engine import classes, wall, windows
from noren.engine.limits import UsedMap
from noren.engine.model import Service, Session, ShopRules
from noren.engine.plan import plan
from noren.shops.rules import known
from noren.shops.tenancy import shop

_NEAR = timedelta(days=7)
_FAR = timedelta(days=45)


class Start(NamedTuple):
    """A start that is offered. `minute` and `until` are minutes since the epoch; `left`: seats of a class."""

    minute: int
    until: int
    zone: ZoneInfo
    left: int | None
    served_by: engine.Starts | tuple[int, ...]

    @property
    def at(self) -> datetime:
        """The instant, aware, on the shop's wall."""
        return datetime.fromtimestamp(self.minute * 60, self.zone)

    @property
    def end(self) -> datetime:
        return datetime.fromtimestamp(self.until * 60, self.zone)

    @property
    def stamp(self) -> int:
        """POSIX seconds: the name of this start in a form."""
        return self.minute * 60

    @property
    def staff(self) -> tuple[int, ...]:
        """Those who can serve it, of the service's first requirement."""
        return self.served_by if isinstance(self.served_by, tuple) else self.served_by.who(self.minute)


@dataclass(frozen=True, slots=True)
class Availability:
    """The starts by the shop's calendar dates; dates without any are left out."""

    zone: ZoneInfo
    days: Mapping[date, tuple[Start, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was read for a question about a service, and the engine's answer once it is asked for.

    `own` and `person` are the question's, as `month` has them.
    """

    shop_id: int
    service: Service
    survey: Survey
    now: datetime
    staff: int | None
    party: int
    nights: int
    own: int | None
    person: UUID | None

    @property
    def rules(self) -> ShopRules:
        return self.survey.known.rules

    @property
    def is_class(self) -> bool:
        """Whether its starts are `sessions`."""
        return self.service.capacity is not None

    @property
    def same(self) -> Hashable | None:
        """All that the answer rests on: equal ones have equal answers, and one that was kept can be told
        again. None where it rests on more: on sessions, or on what a limit counts.
        """
        mark = self.survey.mark
        if mark is None or self.is_class or self.rules.limits or self.service.limits:
            return None
        window = self.survey.window
        between = engine.between(self.rules, self.service.id, window, now=int(self.now.timestamp()))
        return mark, window, between, self.service.id, self.staff, self.party, self.nights

    def starts(self) -> engine.Starts:
        """Ask the engine; where there are limits, after one more question to the database. No class."""
        return engine.starts(
            self.rules,
            self.service.id,
            self.survey.window,
            self.survey.taken,
            now=int(self.now.timestamp()),
            staff=self.staff,
            party=self.party,
            nights=self.nights,
            used=self.used(),
        )

    def used(self) -> UsedMap:
        """Return what is used of the limits that concern it."""
        if not (self.rules.limits or self.service.limits):
            return {}
        with shop(self.shop_id):
            return usage.used(
                self.rules,
                self.service,
                self.survey.window,
                now=self.now,
                own=self.own,
                person=self.person,
            )


def month(
    shop_id: int,
    service_id: int,
    first: date,
    last: date,
    *,
    now: datetime,
    staff: int | None,
    party: int = 1,
    own: int | None = None,
    nights: int = 0,
    person: UUID | None = None,
) -> Availability:
    """Return the starts from `first` to `last`, both included. `staff` None: any. `own`: see sheets.survey.

    `nights` of a stay; `person` where she is known, for what is limited for each customer. Raises
    ShopUnknown, ServiceUnknown.
    """
    wanted: dict[str, Any] = {"now": now, "staff": staff, "party": party, "own": own, "person": person}
    found = find(shop_id, service_id, first, last, nights=nights, **wanted)
    if found.is_class:
        return _classes(found)
    rules, served_by = found.rules, found.starts()
    zone = ZoneInfo(rules.zone)
    until = plan(rules, service_id, served_by.window, nights).end
    days = {
        day: tuple([Start(minute, until(minute), zone, None, served_by) for minute in those])
        for day, those in served_by.by_date().items()
    }
    return Availability(zone, days)


def find(
    shop_id: int,
    service_id: int,
    first: date,
    last: date,
    *,
    now: datetime,
    staff: int | None,
    party: int = 1,
    own: int | None = None,
    nights: int = 0,
    person: UUID | None = None,
) -> Found:
    """Read what is taken now: one question to the database. Raises ShopUnknown, ServiceUnknown."""
    seen = sheets.survey(
        shop_id,
        service_id,
        lambda rules: windows.of_dates(rules, service_id, first, last, nights),
        now=now,
        staff=staff,
        own=own,
    )
    service = seen.known.rules.services[service_id]
    return Found(shop_id, service, seen, now, staff, party, nights, own, person)


def nearest(
    shop_id: int,
    service_id: int,
    at: datetime,
    *,
    now: datetime,
    staff: int | None,
    party: int = 1,
    nights: int = 0,
    limit: int = 5,
) -> tuple[Start, ...]:
    """Return the starts nearest to an instant, ascending; weeks are searched before they are widened."""
    with shop(shop_id):
        zone = ZoneInfo(known().rules.zone)
        day = at.astimezone(zone).date()
        for reach in (_NEAR, _FAR):
            wanted: dict[str, Any] = {"now": now, "staff": staff, "party": party, "nights": nights}
            found = month(shop_id, service_id, day - _NEAR, day + reach, **wanted).days.values()
            every = [start for those in found for start in those]
            if len(every) >= limit:
                break
    moment = at.timestamp()
    every.sort(key=lambda start: abs(start.stamp - moment))
    return tuple(sorted(every[:limit], key=lambda start: start.minute))


def sessions(
    seen: Survey, service_id: int, *, now: datetime, own: int | None = None
) -> list[tuple[Session, int | None]]:
    """Return the dates of a class that begin in a window, each with who leads it. Inside the shop."""
    begin, end = (datetime.fromtimestamp(edge * 60, UTC) for edge in (seen.window.begin, seen.window.end))
    rows = ClassSession.objects.filter(
        service_id=service_id, start__gte=begin, start__lt=end, cancelled=False
    ).order_by("start")
    gone = _seats_not_counted([row.id for row in rows], now, own) if seen.stale or own is not None else {}
    return [(session(row, gone.get(row.id, 0)), row.staff_id) for row in rows]


def session(row: ClassSession, not_counted: int = 0) -> Session:
    """Return a row as the engine's value."""
    start, end = (int(each.timestamp()) // 60 for each in (row.start, row.end))
    return Session(row.id, row.service_id, start, end, row.capacity, row.booked - not_counted)


def _seats_not_counted(session_ids: list[int], now: datetime, own: int | None) -> dict[int, int]:
    """Count the seats of expired holds and of the asker's own booking."""
    rows = Booking.objects.filter(session_id__in=session_ids)
    expired = rows.filter(status=Status.HELD, expires_at__lte=now)
    counted: dict[int, int] = {}
    for booking in {*expired, *rows.filter(id=own)} if own is not None else expired:
        if booking.session_id is not None:
            counted[booking.session_id] = counted.get(booking.session_id, 0) + booking.party
    return counted


def _classes(found: Found) -> Availability:
    rules, now, staff = found.rules, found.now, found.staff
    zone = ZoneInfo(rules.zone)
    with shop(found.shop_id):
        leads = dict(sessions(found.survey, found.service.id, now=now, own=found.own))
        used = found.used()
    seconds = int(now.timestamp())
    offered = classes.offered(rules, found.service.id, leads, now=seconds, party=found.party, used=used)
    days: dict[date, list[Start]] = {}
    for each in offered:
        leader = leads[each]
        if staff is None or staff == leader:
            day = wall.as_date(wall.local_day(rules.zone, each.start))
            served_by = () if leader is None else (leader,)
            days.setdefault(day, []).append(Start(each.start, each.end, zone, each.left, served_by))
    return Availability(zone, {day: tuple(those) for day, those in days.items()})
