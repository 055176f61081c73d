"""Dates of classes: from a timetable to sessions, each of which claims its teacher and its room once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from noren.booking import referee, sheets
from noren.booking.models import ClassSession
from noren.booking.referee import Overtaken
from noren.engine import availability, policy, wall, windows
from noren.engine.hours import of_shop
from noren.engine.model import DAY, Deadline, Grid, GridKind, Horizon
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
                start = wall.around(rules.zone, day * DAY).instant(day, entry["start"])
                if entry["weekday"] == on.weekday() and start * 60 > now.timestamp() and start not in there:
                    yield service_id, start, entry


def _there(service_id: int, now: datetime) -> set[int]:
    rows = ClassSession.objects.filter(service_id=service_id, start__gte=now)
    return {int(start.timestamp()) // 60 for start in rows.values_list("start", flat=True)}


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
    service = house.rules.services[service_id]
    # The timetable says when, so neither grid nor notice do; and who and what serves, the sheets say.
    free = replace(
        service,
        grid=Grid(GridKind.CLOCK, 1),
        lead=Deadline(),
        horizon=Horizon(days=AHEAD + 1),
        capacity=None,
    )
    rules = replace(house.rules, services={**house.rules.services, service_id: free})
    window = windows.of_start(rules, service_id, start)
    taken = sheets.taken(rules, service_id, window, now=now, staff=staff)
    wanted: dict[str, Any] = {"now": int(now.timestamp()), "staff": staff, "party": service.party_min}
    chosen = availability.choose(rules, service_id, window, taken, start, **wanted)
    if chosen is None:
        return False
    values = {
        "service_id": service_id,
        "staff_id": next(iter(chosen.resources.values()))[0],
        "start": datetime.fromtimestamp(start * 60, UTC).isoformat(),
        "end": datetime.fromtimestamp(chosen.end * 60, UTC).isoformat(),
        "capacity": entry.get("capacity") or service.capacity,
    }
    return referee.open_session(rules, values, chosen.claims, now=now) is not None
