"""Deciding a write: the same engine as the list, on what is read in the write's own transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from noren.booking import agreement, availability, sheets, usage
from noren.booking.asked import Asked
from noren.booking.sheets import Survey
from noren.engine import assign, classes, override, paces, reasons, windows
from noren.engine import availability as engine
from noren.engine.limits import UsedMap
from noren.engine.model import (
    DAY,
    Assignment,
    Claim,
    Load,
    Reason,
    Service,
    Session,
    ShopRules,
    Why,
    Window,
)
from noren.errors import (
    CourseOnly,
    InThePast,
    LimitReached,
    NightsNotOffered,
    NorenError,
    NotOffered,
    NotTogether,
    OnlineStopped,
    OutsideHorizon,
    PartyTooLarge,
    SlotTaken,
    TooLate,
)
from noren.shops.rules import Known
from noren.shops.tenancy import current_shop

# "Fewest in the period": bookings that begin within this many days of the start.
_PERIOD = 7
_LOADS = """
SELECT u.id, n.count, EXTRACT(epoch FROM l.start)::bigint / 60
FROM unnest(%(staff)s::bigint[]) AS u (id)
    CROSS JOIN LATERAL (
        SELECT count(*) FROM booking_booking b WHERE b.shop_id = %(shop)s AND b.staff_id = u.id
            AND b.start >= %(at)s - %(period)s * interval '1 day'
            AND b.start < %(at)s + %(period)s * interval '1 day'
            AND b.takes) n
    LEFT JOIN LATERAL (
        SELECT b.start FROM booking_booking b WHERE b.shop_id = %(shop)s AND b.staff_id = u.id
            AND b.start < %(at)s ORDER BY b.start DESC LIMIT 1) l ON true
"""
# What had been given of that before a newcomer joined.
_GIVEN = """
SELECT b.staff_id, count(*) FROM booking_booking b
WHERE b.shop_id = %(shop)s AND b.staff_id = ANY (%(staff)s) AND b.created_at < %(joined)s AND b.takes
    AND b.start >= %(at)s - %(period)s * interval '1 day' AND b.start < %(at)s + %(period)s * interval '1 day'
GROUP BY b.staff_id
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write: the row's values and the claims (none where seats of a session are taken), and the
    limits to be counted anew.
    """

    known: Known
    values: dict[str, Any]
    claims: tuple[Claim, ...]
    limits: tuple[usage.Plain, ...] = ()


def decide(asked: Asked, *, now: datetime) -> Decision:
    """Decide on rules at one revision. Inside the shop, and never cached.

    Raises ServiceUnknown, NotTogether, CourseOnly, InThePast, TooLate, OutsideHorizon, PartyTooLarge,
    NightsNotOffered, LimitReached, NotOffered, SlotTaken.
    """
    seconds = asked.start.timestamp()
    if seconds % 60:
        raise NotOffered
    start = int(seconds) // 60
    seen = sheets.survey(
        current_shop(),
        asked.service_id,
        lambda rules: windows.of_start(rules, asked.service_id, start, asked.nights),
        now=now,
        staff=asked.staff,
        own=asked.own,
        also=asked.also,
        desk=asked.desk,
    )
    seen = sheets.beside(seen, asked.beside)
    if asked.since is not None and asked.start <= now and not asked.over:
        raise InThePast
    service = seen.known.rules.services[asked.service_id]
    if asked.also and not (service.bookable or asked.over or asked.own):
        raise NotTogether
    if seen.known.terms.services[asked.service_id].course and not (asked.course or asked.over):
        raise CourseOnly
    if asked.nights and service.stay is None:
        raise NightsNotOffered
    if service.capacity is not None:
        return _seats(seen, asked, start, now=now)
    chosen = _insisted(seen, asked, start) if asked.over else _chosen(seen, asked, start, now=now)
    staff_id = chosen.resources[service.requirements[0].role][0]
    if asked.walk_in:
        asked = replace(asked, staff=None)  # nothing is due for asking
    # As long as those take who were chosen.
    rules = paces.served(seen.known.rules, asked.service_id, chosen.resources)
    house = replace(seen.known, rules=rules)
    values = _values(house, asked, chosen.end, staff_id, None)
    resources = [each for those in chosen.resources.values() for each in those]
    limited = _limits(house, rules.services[asked.service_id], asked, chosen.end, resources)
    return Decision(house, values, chosen.claims, limited)


def _limits(
    house: Known, service: Service, asked: Asked, end: int, resources: Sequence[int]
) -> tuple[usage.Plain, ...]:
    if asked.over:
        return ()
    start = int(asked.start.timestamp()) // 60
    return tuple(usage.checks(house.rules, service, start, end, resources=resources, person=asked.person))


def _wanted(asked: Asked, now: datetime) -> dict[str, Any]:
    return {
        "now": int((asked.since or now).timestamp()),
        "staff": asked.staff,
        "party": asked.party,
        "nights": asked.nights,
    }


def _chosen(seen: Survey, asked: Asked, start: int, *, now: datetime) -> Assignment:
    rules, window = seen.known.rules, seen.window
    used = _used(rules, asked, window, now=now)
    wanted: dict[str, Any] = {**_wanted(asked, now), "used": used}
    loads = _loads(rules, asked) if asked.staff is None else {}
    chosen = engine.choose(rules, asked.service_id, window, seen.taken, start, **wanted, loads=loads)
    if chosen is not None:
        return chosen
    why = reasons.why_not(rules, asked.service_id, window, seen.taken, start, **wanted)
    if why is None or why.why in _BUSY:
        # Closed even when nothing is taken: never offered. Else somebody was faster.
        empty = reasons.why_not(rules, asked.service_id, window, {}, start, **wanted)
        if empty is not None and empty.why in _BUSY:
            raise NotOffered
        raise SlotTaken
    raise refusal(why)


def _used(rules: ShopRules, asked: Asked, window: Window, *, now: datetime) -> UsedMap:
    who: dict[str, Any] = {"own": asked.own, "person": asked.person, "beside": asked.beside}
    return usage.used(rules, rules.services[asked.service_id], window, now=now, **who)


def _insisted(seen: Survey, asked: Asked, start: int) -> Assignment:
    """Choose over whatever is there: those who are free first. For a walk-in only of those."""
    rules = seen.known.rules
    loads = _loads(rules, asked) if asked.staff is None else {}
    if asked.walk_in:
        here = override.now_free(
            rules,
            asked.service_id,
            seen.window,
            seen.taken,
            start,
            staff=asked.staff,
            party=asked.party,
            loads=loads,
        )
        if here is None:
            raise SlotTaken
        return here
    chosen = override.choose(
        rules,
        asked.service_id,
        seen.window,
        seen.taken,
        start,
        staff=asked.staff,
        party=asked.party,
        nights=asked.nights,
        loads=loads,
    )
    if chosen is None:
        raise NotOffered
    return chosen


_BUSY = {Why.STAFF, Why.ROOM, Why.STOCK, Why.BUFFER, Why.HOLD, Why.EXTERNAL}


def refusal(reason: Reason) -> NorenError:
    """Return what the engine's reason is called outside."""
    match reason.why:
        case Why.PAST:
            return InThePast()
        case Why.STOPPED:
            return OnlineStopped()
        case Why.NOTICE:
            return TooLate()
        case Why.HORIZON:
            return OutsideHorizon()
        case Why.PARTY | Why.SEATS:
            return PartyTooLarge()
        case Why.LIMIT:
            return LimitReached()
        case Why.NIGHTS:
            return NightsNotOffered()
        case _:
            return NotOffered()


def _seats(seen: Survey, asked: Asked, start: int, *, now: datetime) -> Decision:
    house = seen.known
    found = availability.sessions(current_shop(), seen, asked.service_id, now=now, own=asked.own)
    session, leader = next(((each, who) for each, who in found if each.start == start), (None, None))
    if session is None or (asked.staff is not None and asked.staff != leader):
        raise NotOffered
    service = house.rules.services[asked.service_id]
    if not asked.over:
        _seats_free(house, asked, session, now=now)
    values = _values(house, asked, session.end, leader, session.id)
    return Decision(house, values, (), _limits(house, service, asked, session.end, ()))


def _seats_free(house: Known, asked: Asked, session: Session, *, now: datetime) -> None:
    window = windows.of_start(house.rules, asked.service_id, session.start)
    used = _used(house.rules, asked, window, now=now)
    as_of = int((asked.since or now).timestamp())
    why = classes.why_not(house.rules, session, now=as_of, party=asked.party, used=used)
    if why is None:
        return
    if why.why is Why.SEATS and not session.left:
        raise SlotTaken
    raise refusal(why)


def _loads(rules: ShopRules, asked: Asked) -> Mapping[int, Load]:
    """Count what each of a pool has been given, where there is a choice."""
    need = next(iter(rules.services[asked.service_id].requirements), None)
    if need is None or len(need.pool) <= need.count:
        return {}
    wanted: dict[str, Any] = {
        "shop": current_shop(),
        "staff": list(need.pool),
        "at": asked.start,
        "period": _PERIOD,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOADS, wanted)
        loads = {each: Load(count, last) for each, count, last in cursor.fetchall()}
        since = int(asked.start.timestamp()) // 60 - _PERIOD * DAY
        for each in (rules.resources[staff] for staff in need.pool):
            if each.joined is not None and each.joined > since:
                cursor.execute(_GIVEN, {**wanted, "joined": datetime.fromtimestamp(each.joined * 60, UTC)})
                given = dict.fromkeys(need.pool, 0) | dict(cursor.fetchall())
                before = {other: Load(count) for other, count in given.items()}
                loads[each.id] = replace(loads[each.id], credit=assign.credit(each, before, rules.resources))
    return loads


def _values(
    house: Known, asked: Asked, end: int, staff_id: int | None, session_id: int | None
) -> dict[str, Any]:
    wall = asked.start.astimezone(ZoneInfo(house.rules.zone))
    return {
        "service_id": asked.service_id,
        "session_id": session_id,
        "staff_id": staff_id,
        "asked_staff_id": asked.staff,
        "start": asked.start.astimezone(UTC).isoformat(),
        "end": datetime.fromtimestamp(end * 60, UTC).isoformat(),
        "wall": wall.strftime("%Y-%m-%dT%H:%M"),
        "zone": house.rules.zone,
        "party": asked.party,
        "agreed": agreement.of(house, asked),
    }
