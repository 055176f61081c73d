"""Dates of classes: from a timetable to sessions, each of which claims its teacher and its room once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Q

from noren.booking import jobs, referee, sheets
from noren.booking.models import ClassSession
from noren.booking.referee import Overtaken
from noren.engine import availability, policy, wall, windows
from noren.engine.hours import of_shop
from noren.engine.model import DAY, Assignment, Deadline, Grid, GridKind, Horizon, HorizonKind, TakenMap
from noren.errors import NotOffered, SlotTaken
from noren.shops.rules import Known, known
from noren.shops.tenancy import shop, write_in

AHEAD = 60
"""Days for which sessions are made where the horizon reaches further."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """How many sessions were made, and whether the shop has a timetable at all."""

    made: int
    any_timetable: bool


def schedule(shop_id: int, *, now: datetime) -> Scheduled:
    """Make the sessions that the timetables of a shop want and that are not there yet.

    A date whose teacher or room is taken, or on which the shop is closed, is left out.
    """
    with shop(shop_id):
        house = known()
        wanted = list(_wanted(house, now))
    made = sum(_open(shop_id, service_id, start, entry, now) for service_id, start, entry in wanted)
    return Scheduled(made, any(terms.timetable for terms in house.terms.services.values()))


def _wanted(house: Known, now: datetime) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Go through the dates of all timetables: (service, start, entry)."""
    rules = house.rules
    today = wall.local_day(rules.zone, int(now.timestamp()) // 60)
    timetables = {each: terms.timetable for each, terms in house.terms.services.items() if terms.timetable}
    for service_id, timetable in timetables.items():
        _, closes = policy.horizon(rules, rules.services[service_id].horizon, int(now.timestamp()))
        there = _there(service_id, now)
        for day in range(today, today + AHEAD):
            on = wall.as_date(day)
            if wall.midnight(rules.zone, day) >= closes or not of_shop(rules, on):
                continue
            for entry in timetable:
                if not runs(entry, on):
                    continue
                start = wall.around(rules.zone, day * DAY).instant(day, entry["start"])
                if start * 60 > now.timestamp() and start not in there:
                    yield service_id, start, entry


def runs(entry: Mapping[str, Any], on: date) -> bool:
    """Say whether a line of a timetable holds for a date: its weekday, from its first to its last day."""
    day = on.isoformat()
    return bool(entry["weekday"] == on.weekday() and entry.get("first", day) <= day <= entry.get("last", day))


def _there(service_id: int, now: datetime) -> set[int]:
    """Return the starts for which a date has been made, wherever it has been moved since."""
    rows = ClassSession.objects.filter(service_id=service_id, planned__gte=now)
    return {int(start.timestamp()) // 60 for start in rows.values_list("planned", flat=True)}


def _open(shop_id: int, service_id: int, start: int, entry: Mapping[str, Any], now: datetime) -> bool:
    """Make one session, where everything it needs is free."""
    for staff in entry.get("staff") or [None]:
        try:
            with write_in(shop_id):
                if _made(service_id, start, staff, entry, now):
                    return True
        except Overtaken:
            continue
    return False


def _made(service_id: int, start: int, staff: int | None, entry: Mapping[str, Any], now: datetime) -> bool:
    house = known()
    try:
        chosen = placed(house, service_id, start, staff, now=now)
    except (NotOffered, SlotTaken):
        return False
    decided = decided_at(house, service_id, start, now=now)
    values = {
        **plain(chosen, decided),
        "service_id": service_id,
        "capacity": entry.get("capacity") or house.rules.services[service_id].capacity,
    }
    session_id = referee.open_session(house.rules, values, chosen.claims, now=now)
    if session_id is not None and decided is not None:
        jobs.decide(session_id, decided)
    return session_id is not None


def placed(
    house: Known,
    service_id: int,
    start: int,
    staff: int | None,
    *,
    now: datetime,
    session: int | None = None,
) -> Assignment:
    """Choose who and what serves a date of a class. Inside the shop. `session`: the date that is to be moved.

    Raises NotOffered where it could not be even if nothing were taken, SlotTaken.
    """
    service = house.rules.services[service_id]
    # The timetable says when, so neither grid nor notice do; and who and what serves, the sheets say.
    free = replace(
        service,
        grid=Grid(GridKind.CLOCK, 1),
        lead=Deadline(),
        horizon=Horizon(HorizonKind.RANGE),
        capacity=None,
        bookable=service.bookable or session is not None,
    )
    rules = replace(house.rules, services={**house.rules.services, service_id: free})
    window = windows.of_start(rules, service_id, start)

    def choose(taken: TakenMap) -> Assignment | None:
        wanted: dict[str, Any] = {"now": int(now.timestamp()), "staff": staff, "party": service.party_min}
        return availability.choose(rules, service_id, window, taken, start, **wanted)

    chosen = choose(sheets.taken(rules, service_id, window, now=now, staff=staff, session=session))
    if chosen is None:
        raise NotOffered if choose({}) is None else SlotTaken
    return chosen


def plain(chosen: Assignment, decided: datetime | None) -> dict[str, Any]:
    """Return what is written of a date: times and who leads it."""
    return {
        "staff_id": next(iter(chosen.resources.values()))[0],
        "start": datetime.fromtimestamp(chosen.start * 60, UTC).isoformat(),
        "end": datetime.fromtimestamp(chosen.end * 60, UTC).isoformat(),
        "decided_at": None if decided is None else decided.isoformat(),
    }


def decided_at(house: Known, service_id: int, start: int, *, now: datetime) -> datetime | None:
    """Return when it is decided whether a date takes place; None where it does however few come.

    Where that moment has passed already nobody could have come: the shop decides.
    """
    minimum = house.terms.services[service_id].minimum
    if minimum is None:
        return None
    at = datetime.fromtimestamp(policy.last_moment(house.rules, minimum.deadline, start), UTC)
    return at if at > now else None


def follow_minimum(shop_id: int, *, now: datetime) -> None:
    """Decide about the dates to come as the rules say now: they may have changed since these were made."""
    with write_in(shop_id):
        house = known()
        some = [service for service, terms in house.terms.services.items() if terms.minimum is not None]
        rows = ClassSession.objects.filter(start__gt=now, cancelled=False).filter(
            Q(service_id__in=some) | Q(decided_at__isnull=False)
        )
        for row in rows.select_for_update(no_key=True).order_by("id"):
            at = decided_at(house, row.service_id, int(row.start.timestamp()) // 60, now=now)
            if at == row.decided_at or (row.decided_at is not None and row.decided_at <= now):
                continue
            ClassSession.objects.filter(id=row.id).update(decided_at=at)
            if at is not None:
                jobs.decide(row.id, at)
