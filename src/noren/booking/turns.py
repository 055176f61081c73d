"""Whose turn it is on a waiting list, and what has become of those who wait: read here, written in
`waiting`.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from noren.booking import wishes
from noren.booking.availability import Start
from noren.booking.models import Booking, ClassSession, Status, Waiting, WaitingState
from noren.booking.wishes import Wish
from noren.engine import quiet, wall
from noren.shops.rules import Known, known
from noren.shops.terms import WaitingRule

Place = tuple[int, int]
"""A service and the POSIX second at which its place begins."""


def following(
    first: date, last: date, *, now: datetime, refused: AbstractSet[tuple[int, int]]
) -> tuple[Waiting, Start] | None:
    """Return who is to be offered which place: by priority, then who joined first. Inside the shop.

    `refused` are entries and starts that have turned out not to go together. Where the first party is too
    large for what is free, that place waits for it, or the next is asked: as the service's rule says.
    """
    rows = Waiting.objects.filter(state=WaitingState.WAITING, day__lte=last, last_day__gte=first)
    kept: set[Place] = set()
    for entry in rows.order_by("-priority", "joined_at", "id"):
        wish = wishes.of(entry)
        found = wishes.places(wish, now=now)
        for start in found:
            if (entry.id, start.stamp) not in refused and (entry.service_id, start.stamp) not in kept:
                return entry, start
        if not found:
            kept |= _kept_for(wish, now)
    return None


def _kept_for(wish: Wish, now: datetime) -> set[Place]:
    """Return the places that wait for a party that is too large for them as they are now."""
    house = known()
    smallest = house.rules.services[wish.service_id].party_min
    rule = wishes.rule(house, wish.service_id)
    if rule is None or rule.pass_over or wish.party <= smallest:
        return set()
    return {(wish.service_id, each.stamp) for each in wishes.places(replace(wish, party=smallest), now=now)}


def offer_ends(house: Known, rule: WaitingRule, start: datetime, *, now: datetime) -> datetime:
    """Return until when a place is kept: so many hours that are not quiet, and never too near its start."""
    seconds = quiet.after(house.rules.zone, house.terms.quiet, int(now.timestamp()), rule.hours * 3600)
    return min(datetime.fromtimestamp(seconds, UTC), start - timedelta(minutes=rule.stop_minutes))


def told_at(house: Known, ends: datetime, *, now: datetime) -> datetime:
    """Return when an offer is told: when it is no longer quiet, but for one that the night would swallow."""
    seconds = quiet.awake(house.rules.zone, house.terms.quiet, int(now.timestamp()))
    awake = max(now, datetime.fromtimestamp(seconds, UTC))
    return awake if awake < ends else now


def become(
    entry: Waiting, hold: Booking | None, session: ClassSession | None, house: Known, *, now: datetime
) -> dict[str, Any]:
    """Return what has changed of an entry meanwhile, as new values of its row."""
    changed: dict[str, Any] = {}
    if entry.state == WaitingState.OFFERED:
        if hold is not None and hold.status == Status.HELD and now < _ends(entry):
            return {}
        if hold is None or hold.status == Status.EXPIRED or _ends(entry) <= now:
            return {"state": WaitingState.PASSED}
        # The shop took the place away, by moving its class: she is the first who is asked again.
        changed = {"state": WaitingState.WAITING, "hold_id": None, "offer_ends": None}
    end = entry.ends_at
    if session is not None and entry.start is not None and session.start != entry.start:
        day = wall.local_day(house.rules.zone, int(session.start.timestamp()) // 60)
        end += session.start - entry.start
        moved = {"start": session.start, "day": wall.as_date(day), "last_day": wall.as_date(day)}
        changed |= {**moved, "ends_at": end}
    gone = session is not None and session.cancelled
    if gone or end <= now or wishes.rule(house, entry.service_id) is None:
        changed |= {"state": WaitingState.EXPIRED, "hold_id": None, "offer_ends": None}
    return changed


def standing(entry: Waiting, *, now: datetime) -> WaitingState:
    """Return how it stands with who waits, also where the job that writes it down has not come yet."""
    if entry.state == WaitingState.OFFERED and _ends(entry) <= now:
        return WaitingState.PASSED
    if entry.state == WaitingState.WAITING and entry.ends_at <= now:
        return WaitingState.EXPIRED
    return WaitingState(entry.state)


def _ends(entry: Waiting) -> datetime:
    if entry.offer_ends is None:
        raise RuntimeError(f"Offer {entry.id} has no end.")
    return entry.offer_ends
