"""What can be booked: a list for a page, for the API, and for who was not fast enough.

A month is one question to the database: the revision of the rules beside one range of sheets.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from noren.booking import sheets, usage
from noren.booking.asked import Asked, Beside
from noren.booking.kept import Kept
from noren.booking.sheets import Survey
from noren.engine import availability as engine
from noren.engine import classes, limits, sheet, wall, windows
from noren.engine.limits import UsedMap
from noren.engine.model import Service, Session, ShopRules, Why, Window
from noren.engine.plan import plan
from noren.shops.tenancy import shop
from noren.shops.trip import read_in

_NEAR = timedelta(days=7)
_FAR = timedelta(days=45)

# Seats of expired holds, and of the asker's own booking ($6), are not counted; $7: whether there are any.
_SESSIONS = """
SELECT s.id, s.service_id, (extract(epoch FROM s.start) / 60)::integer,
    (extract(epoch FROM s."end") / 60)::integer, s.capacity, s.booked - coalesce(n.seats, 0)::integer,
    s.staff_id
FROM booking_classsession s LEFT JOIN LATERAL (
    SELECT sum(b.party) AS seats FROM booking_booking b
    WHERE $7::integer = 1 AND b.shop_id = s.shop_id AND b.session_id = s.id
        AND ((b.status = 'held' AND b.expires_at <= $5::timestamptz) OR b.id = $6::bigint)) n ON true
WHERE s.shop_id = $1::bigint AND s.service_id = $2::bigint AND s.start >= $3::timestamptz
    AND s.start < $4::timestamptz AND NOT s.cancelled
ORDER BY s.start
"""


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

    `own`, `person`, `since` and `also` are the question's, as `month` has them; `service` is the visit where
    there are more. `beside`: see `and_beside`.
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
    beside: tuple[Beside, ...] = ()
    since: datetime | None = None
    also: tuple[int, ...] = ()

    def and_beside(self, those: Sequence[Beside]) -> Self:
        """Return what would be found if these were written."""
        return replace(self, survey=sheets.beside(self.survey, those), beside=tuple(those))

    @property
    def as_of(self) -> int:
        """The moment whose notice and horizon count (POSIX seconds)."""
        return int((self.since or self.now).timestamp())

    @property
    def rules(self) -> ShopRules:
        return self.survey.known.rules

    @property
    def is_class(self) -> bool:
        """Whether its starts are `sessions`."""
        return self.service.capacity is not None

    @property
    def is_limited(self) -> bool:
        """Whether it rests on a count of bookings, too."""
        return next(limits.of_service(self.rules, self.service), None) is not None

    @property
    def same(self) -> Hashable | None:
        """All that the answer rests on: equal ones have equal answers, and one that was kept can be told
        again. None where it rests on more: on sessions, or on what a limit counts.
        """
        mark = self.survey.mark
        if mark is None or self.is_class or self.is_limited:
            return None
        window = self.survey.window
        between = engine.between(self.rules, self.service.id, window, now=self.as_of)
        asked = self.service.id, self.also, self.staff, self.party, self.nights
        return mark, window, between, asked

    def starts(self) -> engine.Starts:
        """Ask the engine; where there are limits, after one more question to the database. No class."""
        return engine.starts(
            self.rules,
            self.service.id,
            self.survey.window,
            self.survey.taken,
            now=self.as_of,
            staff=self.staff,
            party=self.party,
            nights=self.nights,
            used=self.used(),
        )

    def sessions(self) -> list[tuple[Session, int | None]]:
        """Return the dates of a class, each with who leads it."""
        return sessions(self.shop_id, self.survey, self.service.id, now=self.now, own=self.own)

    def used(self) -> UsedMap:
        """Return what is used of the limits that concern it."""
        if not self.is_limited:
            return {}
        with shop(self.shop_id):
            return usage.used(
                self.rules,
                self.service,
                self.survey.window,
                now=self.now,
                own=self.own,
                person=self.person,
                beside=self.beside,
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
    since: datetime | None = None,
    also: tuple[int, ...] = (),
    desk: bool = False,
) -> Availability:
    """Return the starts from `first` to `last`, both included. `staff` None: any. `own`: see sheets.survey.

    `nights` of a stay; `person` where she is known, for what is limited for each customer; `since`: notice
    and horizon are as they were then; `also`: the other services of the same visit; `desk`: see survey.
    Raises ShopUnknown, ServiceUnknown.
    """
    wanted: dict[str, Any] = {"now": now, "staff": staff, "party": party, "own": own, "person": person}
    found = find(shop_id, service_id, first, last, nights=nights, also=also, desk=desk, **wanted)
    return _days(replace(found, since=since))


def _days(found: Found) -> Availability:
    if found.is_class:
        return _classes(found)
    rules, served_by = found.rules, found.starts()
    zone = ZoneInfo(rules.zone)
    ends = plan(rules, found.service.id, served_by.window, found.nights).end

    def until(minute: int) -> int:
        long = served_by.longest(minute) if served_by.lengths else None
        return ends(minute) if long is None else minute + long

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
    also: tuple[int, ...] = (),
    desk: bool = False,
) -> Found:
    """Read what is taken now: one question to the database. Raises ShopUnknown, ServiceUnknown."""

    def of(rules: ShopRules) -> Window:
        return windows.of_dates(rules, service_id, first, last, nights)

    wanted: dict[str, Any] = {"staff": staff, "party": party, "own": own, "nights": nights, "person": person}
    return _look(shop_id, service_id, of, now=now, also=also, desk=desk, **wanted)


def _look(
    shop_id: int,
    service_id: int,
    of: Callable[[ShopRules], Window],
    *,
    now: datetime,
    staff: int | None,
    party: int,
    nights: int,
    own: int | None = None,
    person: UUID | None = None,
    also: tuple[int, ...] = (),
    desk: bool = False,
) -> Found:
    seen = sheets.survey(shop_id, service_id, of, now=now, staff=staff, own=own, also=also, desk=desk)
    service = seen.known.rules.services[service_id]
    return Found(shop_id, service, seen, now, staff, party, nights, own, person, also=also)


def is_taken(shop_id: int, asked: Asked, *, now: datetime) -> bool:
    """Say whether the start would be offered if nothing were taken, and is not: outside of any transaction.

    A rush is lost by nearly all who come, and all ask the same. Where it cannot be said with one look it is
    false: `decide` knows.
    """
    start, rest = divmod(asked.start.timestamp(), 60)

    def of(rules: ShopRules) -> Window:
        return windows.of_start(rules, asked.service_id, int(start), asked.nights)

    if rest or not asked.is_plain:
        return False
    wanted: dict[str, Any] = {"staff": asked.staff, "party": asked.party, "nights": asked.nights}
    found = _look(shop_id, asked.service_id, of, now=now, also=asked.also, **wanted)
    if found.is_class:
        return _is_full(found, int(start))
    same = found.same
    if same is None:
        return False
    kept = _offered.get(same)
    if kept is None:
        kept = found.starts().mask, replace(found, survey=replace(found.survey, taken={})).starts().mask
        _offered.keep(same, kept, found.survey.window.size // 4)
    now_offered, ever_offered = (sheet.has(mask, found.survey.window, int(start)) for mask in kept)
    return ever_offered and not now_offered


def _is_full(found: Found, start: int) -> bool:
    if found.is_limited:
        return False
    session, leader = next((each for each in found.sessions() if each[0].start == start), (None, None))
    if session is None or session.left or (found.staff is not None and found.staff != leader):
        return False
    why = classes.why_not(found.rules, session, now=int(found.now.timestamp()), party=found.party)
    return why is not None and why.why is Why.SEATS


def soonest(
    shop_id: int, service_id: int, first: date, last: date, *, now: datetime, staff: int | None, party: int
) -> datetime | None:
    """Return the first start of these dates, on the shop's wall; None where there is none, and of a course,
    whose dates are not offered one by one. Raises ShopUnknown, ServiceUnknown.
    """
    found = find(shop_id, service_id, first, last, now=now, staff=staff, party=party)
    if found.is_class:
        starts = [each.minute for those in _classes(found).days.values() for each in those]
    else:
        starts = [*islice(found.starts(), 1)]
    zone = ZoneInfo(found.rules.zone)
    return datetime.fromtimestamp(min(starts) * 60, zone) if starts else None


def nearest(
    shop_id: int,
    service_id: int,
    at: datetime,
    *,
    now: datetime,
    staff: int | None,
    party: int = 1,
    nights: int = 0,
    person: UUID | None = None,
    limit: int = 5,
    own: int | None = None,
    also: tuple[int, ...] = (),
    desk: bool = False,
) -> tuple[Start, ...]:
    """Return the starts nearest to an instant, ascending; weeks are searched before they are widened.

    `own`, `also`, `desk`: see sheets.survey.
    """
    wanted: dict[str, Any] = {"now": now, "staff": staff, "party": party, "nights": nights, "own": own}
    wanted |= {"person": person, "also": also, "desk": desk}
    those: tuple[Start, ...] = ()
    for reach in (_NEAR, _FAR):

        def of(rules: ShopRules, reach: timedelta = reach) -> Window:
            day = at.astimezone(ZoneInfo(rules.zone)).date()
            return windows.of_dates(rules, service_id, day - _NEAR, day + reach, nights)

        found = _look(shop_id, service_id, of, **wanted)
        those = near(found, at.timestamp(), limit)
        if len(those) >= limit:
            break
    return those


def near(found: Found, at: float, limit: int) -> tuple[Start, ...]:
    """Return the starts of what was found that are nearest to an instant (POSIX seconds), ascending."""
    same = found.same
    kept = _near.get((same, at, limit)) if same else None
    if kept is not None:
        return kept
    every = [start for those in _days(found).days.values() for start in those]
    every.sort(key=lambda start: abs(start.stamp - at))
    chosen = tuple(sorted(every[:limit], key=lambda start: start.minute))
    if same:
        _near.keep((same, at, limit), chosen, found.survey.window.size // 8 * (len(found.survey.taken) + 1))
    return chosen


# What was found last, by all that it rests on: which starts of a day are offered and which would be if
# nothing were taken, and the starts nearest to one that was taken.
_offered: Kept[tuple[int, int]] = Kept(1024 * 1024)
_near: Kept[tuple[Start, ...]] = Kept(2 * 1024 * 1024)


def sessions(
    shop_id: int, seen: Survey, service_id: int, *, now: datetime, own: int | None = None
) -> list[tuple[Session, int | None]]:
    """Return the dates of a class that begin in a window, each with who leads it: one statement."""
    begin, end = (datetime.fromtimestamp(edge * 60, UTC) for edge in (seen.window.begin, seen.window.end))
    counts = int(seen.stale or own is not None)
    rows = read_in(shop_id, _SESSIONS, [shop_id, service_id, begin, end, now, own, counts])
    return [(Session(*values), leader) for *values, leader in rows]


def _classes(found: Found) -> Availability:
    rules, staff = found.rules, found.staff
    zone = ZoneInfo(rules.zone)
    if found.nights or found.survey.known.terms.services[found.service.id].course:
        # A class has no nights; dates of a course are not offered one by one: series.look tells them.
        return Availability(zone, {})
    leads = dict(found.sessions())
    wanted: dict[str, Any] = {"now": found.as_of, "party": found.party, "used": found.used()}
    offered = classes.offered(rules, found.service.id, leads, **wanted)
    days: dict[date, list[Start]] = {}
    for each in offered:
        leader = leads[each]
        if staff is None or staff == leader:
            day = wall.as_date(wall.local_day(rules.zone, each.start))
            served_by = () if leader is None else (leader,)
            days.setdefault(day, []).append(Start(each.start, each.end, zone, each.left, served_by))
    return Availability(zone, {day: tuple(those) for day, those in days.items()})
