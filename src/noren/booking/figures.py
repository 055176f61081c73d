"""What a shop's past says in numbers: what was taken of what was offered, who came for the first time, who
did not come. Ids and times alone; each number leads to its bookings.

Who serves is who can be booked now, what was offered is by the hours of now: former hours are kept nowhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection

from noren.booking.models import STANDING, Booking, Status
from noren.engine import occupancy, wall
from noren.engine.occupancy import Cell, Share, Stretch
from noren.shops.rules import known
from noren.shops.tenancy import current_shop, shop

CAME = (Status.CONFIRMED, Status.CHECKED_IN)
"""Whose booking stands and was not marked as not come: not every shop checks in."""
_CLAIMS = """
SELECT c.resource_id, c.day, c.core_from, c.core_to, c.block_id IS NOT NULL, c.booking_id, c.session_id
FROM booking_claim c
LEFT JOIN booking_booking b ON b.shop_id = c.shop_id AND b.id = c.booking_id
LEFT JOIN booking_classsession s ON s.shop_id = c.shop_id AND s.id = c.session_id
WHERE c.shop_id = %(shop)s AND c.resource_id = ANY (%(staff)s) AND c.day >= %(first)s AND c.day <= %(last)s
  AND c.core_from < c.core_to
  AND (c.block_id IS NOT NULL OR b.status = ANY (%(standing)s) OR (s.booked > 0 AND NOT s.cancelled))
  AND (c.block_id IS NOT NULL OR %(service)s::bigint IS NULL
    OR coalesce(b.service_id, s.service_id) = %(service)s)
"""
_FIRSTS = """
SELECT person_id, min(start) FROM booking_booking
WHERE shop_id = %(shop)s AND status = ANY (%(came)s) AND person_id IN (
    SELECT r.person_id FROM booking_booking r WHERE r.shop_id = %(shop)s AND r.status = ANY (%(came)s)
      AND r.start >= %(begin)s AND r.start < %(end)s AND r.person_id IS NOT NULL)
GROUP BY person_id
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Dates of the shop's, both included; of all who serve and all services, or of one."""

    first: date
    last: date
    staff: int | None = None
    service: int | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A booking whose time has come, by ids. `on`: its date on the shop's wall."""

    id: int
    start: datetime
    on: date
    service: int
    status: str
    person: UUID | None


@dataclass(frozen=True, slots=True)
class Comers:
    """How many customers came in a period for the first time, and how many had come before."""

    first: date
    last: date
    new: int
    returning: int


@dataclass(frozen=True, slots=True)
class Missed:
    """How many did not come, of how many whose time has come."""

    missed: int = 0
    of: int = 0

    @property
    def percent(self) -> int | None:
        return None if not self.of else round(100 * self.missed / self.of)

    def plus(self, visit: Visit) -> "Missed":
        return replace(self, missed=self.missed + (visit.status == Status.NO_SHOW), of=self.of + 1)


@dataclass(frozen=True, slots=True)
class _Taking:
    resource: int
    stretch: Stretch
    blocks: bool
    booking: int | None
    session: int | None


class Figures:
    """The figures of what was asked, read once: as many questions to the database for a year as for a day."""

    def __init__(self, shop_id: int, asked: Asked, staff: Sequence[int], *, now: datetime) -> None:
        """`staff` are all who can be booked."""
        self.shop_id, self.asked = shop_id, asked
        self._staff = [each for each in staff if asked.staff in (None, each)]
        self._now = now
        with shop(shop_id):
            self._rules = known().rules
        first, last = (wall.number(each) for each in (asked.first, asked.last))
        self._days = first, last + 1
        self._clock = occupancy.Clock(self._rules.zone, first, last + 1)

    @property
    def week_start(self) -> int:
        return self._rules.week_start

    # -- what was taken

    @cached_property
    def occupancy(self) -> dict[Cell, Share]:
        """Minutes by weekday and hour."""
        lists: dict[bool, dict[int, list[Stretch]]] = {True: defaultdict(list), False: defaultdict(list)}
        for each in self._takings:
            lists[each.blocks][each.resource].append(each.stretch)
        resources = self._rules.resources
        opened = {
            each: occupancy.opened(self._rules, resources[each], *self._days)
            for each in self._staff
            if each in resources
        }
        return occupancy.shares(self._clock, opened, lists[True], lists[False])

    def taken_in(self, weekday: int | None, hour: int | None) -> list[int]:
        """Return the bookings that took something of these hours, all where none is given."""
        bookings, sessions = set(), set()
        for each in self._takings:
            touched = (cell for cell, _ in self._clock.cut(*each.stretch))
            if each.blocks or not any(weekday in (None, w) and hour in (None, h) for w, h in touched):
                continue
            if each.booking is not None:
                bookings.add(each.booking)
            elif each.session is not None:
                sessions.add(each.session)
        with shop(self.shop_id):
            seats = Booking.objects.filter(session_id__in=sessions, status__in=STANDING)
            return sorted(bookings | set(seats.values_list("id", flat=True)))

    @cached_property
    def _takings(self) -> list[_Taking]:
        wanted: dict[str, Any] = {
            "shop": self.shop_id,
            "staff": self._staff,
            # Claims lie on UTC days.
            "first": wall.as_date(self._days[0] - 1),
            "last": wall.as_date(self._days[1]),
            "standing": [str(each) for each in STANDING],
            "service": self.asked.service,
        }
        with shop(self.shop_id), connection.cursor() as cursor:
            cursor.execute(_CLAIMS, wanted)
            rows = cursor.fetchall()
        found = []
        for resource, day, begin, end, blocks, booking, session in rows:
            midnight = wall.number(day) * 24 * 60
            found.append(_Taking(resource, (midnight + begin, midnight + end), blocks, booking, session))
        return found

    # -- who came

    @cached_property
    def visits(self) -> list[Visit]:
        """Return the bookings of the dates whose time has come and which stood then, in order."""
        calendar = wall.calendar(self._rules.zone, self._days[0] - 2, self._days[1] + 2)
        with shop(self.shop_id):
            rows = Booking.objects.filter(
                start__gte=_instant(self._clock.begin),
                start__lt=min(_instant(self._clock.end), self._now),
                status__in=(*CAME, Status.NO_SHOW),
            )
            if self.asked.staff is not None:
                rows = rows.filter(staff_id=self.asked.staff)
            if self.asked.service is not None:
                rows = rows.filter(service_id=self.asked.service)
            values = rows.order_by("start", "id").values_list(
                "id", "start", "service_id", "status", "person_id"
            )
            return [
                Visit(each, start, wall.as_date(calendar.day(_minute(start))), service, status, person)
                for each, start, service, status, person in values
            ]

    @cached_property
    def _firsts(self) -> dict[UUID, datetime]:
        """When each who came on the dates had come for the first time, to anybody and for anything."""
        with shop(self.shop_id), connection.cursor() as cursor:
            cursor.execute(
                _FIRSTS,
                {
                    "shop": current_shop(),
                    "came": [str(each) for each in CAME],
                    "begin": _instant(self._clock.begin),
                    "end": _instant(self._clock.end),
                },
            )
            return dict(cursor.fetchall())

    def comers(self, periods: Iterable[tuple[date, date]]) -> list[Comers]:
        """Count each customer once a period: new where her first visit lies in it."""
        found = []
        for first, last in periods:
            new, returning = self._persons(first, last)
            found.append(Comers(first, last, len(new), len(returning)))
        return found

    def came_in(self, first: date, last: date, *, new: bool) -> list[int]:
        """Return the bookings of a period's new customers, or of those who had come before."""
        wanted = self._persons(first, last)[0 if new else 1]
        return [each.id for each in self._in(first, last) if each.person in wanted]

    def _persons(self, first: date, last: date) -> tuple[set[UUID], set[UUID]]:
        begin = _instant(wall.midnight(self._rules.zone, wall.number(first)))
        came = {each.person for each in self._in(first, last) if each.person is not None}
        new = {each for each in came if self._firsts.get(each, begin) >= begin}
        return new, came - new

    def _in(self, first: date, last: date) -> list[Visit]:
        return [each for each in self.visits if first <= each.on <= last and each.status in CAME]

    # -- who did not

    def missed(self) -> tuple[Missed, dict[int, Missed], dict[int, Missed]]:
        """Count who did not come: all, by weekday, by service."""
        whole = Missed()
        days: dict[int, Missed] = defaultdict(Missed)
        services: dict[int, Missed] = defaultdict(Missed)
        for each in self.visits:
            whole = whole.plus(each)
            days[each.on.weekday()] = days[each.on.weekday()].plus(each)
            services[each.service] = services[each.service].plus(each)
        return whole, dict(days), dict(services)

    def visits_of(self, weekday: int | None, service: int | None, *, missed: bool) -> list[int]:
        """Return the bookings of a weekday and a service: all whose time has come, or who did not come."""
        return [
            each.id
            for each in self.visits
            if weekday in (None, each.on.weekday())
            and service in (None, each.service)
            and (not missed or each.status == Status.NO_SHOW)
        ]


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60
