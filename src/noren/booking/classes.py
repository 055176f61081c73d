"""Dates of classes: from a timetable to sessions, each of which claims its teacher and its room once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from noren.booking import referee, sheets
from noren.booking.models import ClassSession
from noren.booking.referee import Overtaken
from noren.booking.sheets import State
from noren.engine import availability, policy, wall, windows
from noren.engine.hours import of_shop
from noren.engine.model import DAY, Assignment, Deadline, Grid, GridKind, Horizon, ShopRules
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
    return Scheduled(made, bool(house.terms.timetables))


def _wanted(house: Known, now: datetime) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Go through the dates of all timetables: (service, start, entry)."""
    rules = house.rules
    today = wall.local_day(rules.zone, int(now.timestamp()) // 60)
    for service_id, timetable in house.terms.timetables.items():
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
    state = sheets.state(now)
    house = known(state.revision)
    chosen = _chosen(house.rules, state, service_id, start, staff=staff, now=now)
    if chosen is None:
        return False
    values = {
        "service_id": service_id,
        "staff_id": next(iter(chosen.resources.values()))[0],
        "start": datetime.fromtimestamp(start * 60, UTC).isoformat(),
        "end": datetime.fromtimestamp(chosen.end * 60, UTC).isoformat(),
        "capacity": entry.get("capacity") or house.rules.services[service_id].capacity,
    }
    return referee.open_session(house.rules, values, chosen.claims, now=now) is not None


def _chosen(
    rules: ShopRules, state: State, service_id: int, start: int, *, staff: int | None, now: datetime
) -> Assignment | None:
    """Ask the engine who and what serves a session. The timetable says when: no grid, no notice."""
    service = rules.services[service_id]
    free = replace(service, grid=Grid(GridKind.CLOCK, 1), lead=Deadline(), horizon=Horizon(days=AHEAD + 1))
    rules = replace(rules, services={**rules.services, service_id: free})
    window = windows.of_start(rules, service_id, start)
    taken = sheets.read(rules, service_id, window, now=now, stale=state.stale, staff=staff)
    seconds, party = int(now.timestamp()), service.party_min
    return availability.choose(rules, service_id, window, taken, start, now=seconds, staff=staff, party=party)
