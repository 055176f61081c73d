"""What somebody waits for, and which free places would do: asked of the same engine as the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from noren.booking import availability
from noren.booking.availability import Start
from noren.booking.decide import refusal
from noren.booking.models import ClassSession, Waiting
from noren.engine import availability as engine
from noren.engine import classes, policy, reasons, stays, wall, windows
from noren.engine.model import Service, Session, ShopRules, Window
from noren.errors import (
    InThePast,
    NightsNotOffered,
    NorenError,
    NotOffered,
    NoWaitingList,
    OutsideHorizon,
    PartyTooLarge,
    ServiceUnknown,
    SlotFree,
    TooLate,
)
from noren.shops.rules import Known, known
from noren.shops.tenancy import current_shop
from noren.shops.terms import WaitingRule

_TOLD = 6
"""So many free starts are told to who need not wait."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A place on a day, or at this very start. Notice and horizon are as they were at `since`."""

    service_id: int
    day: date
    start: datetime | None
    staff: int | None
    party: int
    nights: int
    person: UUID | None
    since: datetime


def of(entry: Waiting) -> Wish:
    return Wish(
        entry.service_id,
        entry.day,
        entry.start,
        entry.asked_staff_id,
        entry.party,
        entry.nights,
        entry.person_id,
        entry.joined_at,
    )


def places(wish: Wish, *, now: datetime) -> tuple[Start, ...]:
    """Return the free starts that would do and can still be offered, ascending. Inside the shop."""
    waiting = rule(known(), wish.service_id)
    if waiting is None:
        return ()
    days = availability.month(
        current_shop(),
        wish.service_id,
        wish.day,
        wish.day,
        now=now,
        staff=wish.staff,
        party=wish.party,
        nights=wish.nights,
        person=wish.person,
        since=wish.since,
    ).days
    last = now.timestamp() + waiting.stop_minutes * 60
    wanted = None if wish.start is None else wish.start.timestamp()
    return tuple(
        start
        for start in days.get(wish.day, ())
        if start.stamp > last and (wanted is None or start.stamp == wanted)
    )


def rule(house: Known, service_id: int) -> WaitingRule | None:
    """Return how a service's waiting list is kept; None: there is none. A course is booked as a whole."""
    terms = house.terms.services[service_id]
    return None if terms.course else terms.waiting


def full(
    wish: Wish, days: Sequence[date], free: Mapping[date, Sequence[Start]], *, now: datetime
) -> tuple[Wish, ...]:
    """Return what of these days is full and can be waited for, as the wish for each. Inside the shop.

    `free`: what `places` would find, by day. Of a class each date is one, of all else each day.
    """
    house = known()
    waiting, service = rule(house, wish.service_id), house.rules.services[wish.service_id]
    if waiting is None:
        return ()
    if service.capacity is not None:
        wishes = _dates(wish, days, free)
    else:
        wishes = [replace(wish, day=day) for day in days if not free.get(day)]
    return tuple(
        each
        for each in wishes
        if ends_at(house.rules, waiting, each.day, each.start) > now
        and (service.capacity is not None or _never(house.rules, service, each) is None)
    )


def _dates(wish: Wish, days: Sequence[date], free: Mapping[date, Sequence[Start]]) -> list[Wish]:
    """Return a wish for each date of a class that would be offered if nobody had booked it, and is not."""
    rules = known().rules
    seen = {start.stamp for starts in free.values() for start in starts}
    found = []
    for row in _sessions(rules, wish.service_id, days[0], len(days)):
        stamp = int(row.start.timestamp())
        why = classes.why_not(rules, _empty(row), now=int(wish.since.timestamp()), party=wish.party)
        if why is None and stamp not in seen and wish.staff in (None, row.staff_id):
            day = wall.as_date(wall.local_day(rules.zone, stamp // 60))
            found.append(replace(wish, day=day, start=row.start))
    return found


def ends_at(rules: ShopRules, waiting: WaitingRule, day: date, start: datetime | None) -> datetime:
    """Return from when on nothing can be offered any more."""
    last = start or datetime.fromtimestamp(wall.midnight(rules.zone, wall.number(day) + 1) * 60, UTC)
    return last - timedelta(minutes=waiting.stop_minutes)


def check(wish: Wish, *, now: datetime) -> datetime:
    """Refuse what nobody can wait for; return until when it can be waited for. Inside the shop.

    Raises ServiceUnknown, NoWaitingList, InThePast, TooLate, OutsideHorizon, PartyTooLarge, NightsNotOffered,
    NotOffered; SlotFree where something that would do is free now.
    """
    house = known()
    service = house.rules.services.get(wish.service_id)
    if service is None:
        raise ServiceUnknown
    waiting = rule(house, wish.service_id)
    if waiting is None:
        raise NoWaitingList
    end = ends_at(house.rules, waiting, wish.day, wish.start)
    if end <= now:
        raise InThePast if end + timedelta(minutes=waiting.stop_minutes) <= now else TooLate
    why = _never(house.rules, service, wish)
    if why is not None:
        raise why
    if free := places(wish, now=now):
        raise SlotFree(nearest=free[:_TOLD])
    return end


def _never(rules: ShopRules, service: Service, wish: Wish) -> NorenError | None:
    """Return why a wish would not be offered even if nothing were taken."""
    if not service.party_min <= wish.party <= service.party_max:
        return PartyTooLarge()
    if service.capacity is not None:
        return _no_date(rules, wish)
    wanted: dict[str, Any] = {
        "now": int(wish.since.timestamp()),
        "staff": wish.staff,
        "party": wish.party,
        "nights": wish.nights,
    }
    window = windows.of_dates(rules, service.id, wish.day, wish.day, wish.nights)
    if wish.start is not None:
        if wish.start.timestamp() % 60:
            return NotOffered()
        start = int(wish.start.timestamp()) // 60
        why = reasons.why_not(rules, service.id, window, {}, start, **wanted)
        return None if why is None else refusal(why)
    if engine.starts(rules, service.id, window, {}, **wanted).mask:
        return None
    return _not_that_day(rules, service, wish, window)


def _not_that_day(rules: ShopRules, service: Service, wish: Wish, window: Window) -> NorenError:
    opens, closes = policy.bookable(rules, service, int(wish.since.timestamp()))
    if closes <= window.begin:
        return OutsideHorizon()
    if window.end <= opens:
        return TooLate()
    if service.stay is not None and not stays.may(service.stay, wall.number(wish.day), wish.nights):
        return NightsNotOffered()
    return NotOffered()


def _no_date(rules: ShopRules, wish: Wish) -> NorenError | None:
    """Return why no date of a class would do, if there is none."""
    refused: NorenError = NotOffered()
    for row in _sessions(rules, wish.service_id, wish.day, 1):
        if wish.start not in (None, row.start) or wish.staff not in (None, row.staff_id):
            continue
        empty = _empty(row)
        why = classes.why_not(rules, empty, now=int(wish.since.timestamp()), party=wish.party)
        if why is None:
            return None
        refused = refusal(why)
    return refused


def _sessions(rules: ShopRules, service_id: int, first: date, days: int) -> list[ClassSession]:
    """Return the dates of a class on so many days of the shop, ascending."""
    number = wall.number(first)
    begin, end = (datetime.fromtimestamp(wall.midnight(rules.zone, number + n) * 60, UTC) for n in (0, days))
    rows = ClassSession.objects.filter(
        service_id=service_id, start__gte=begin, start__lt=end, cancelled=False
    )
    return list(rows.order_by("start"))


def _empty(row: ClassSession) -> Session:
    """Return a date of a class as if nobody had booked it."""
    start, end = (int(each.timestamp()) // 60 for each in (row.start, row.end))
    return Session(row.id, row.service_id, start, end, row.capacity)
