"""Why a time is not offered: the engine's own answer, and what stands there. Nothing personal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from django.db import connection

from noren.booking import availability, sheets, usage
from noren.booking.asked import Asked
from noren.booking.sheets import Survey
from noren.engine import classes, hours, limits, paces, policy, reasons, sheet, wall, windows
from noren.engine.availability import Request, asked_need, options, serves
from noren.engine.limits import Tally, Used, UsedMap
from noren.engine.model import (
    DAY,
    BufferPolicy,
    Claim,
    Grid,
    GridKind,
    Limit,
    LimitOf,
    Reason,
    Service,
    Session,
    ShopRules,
    Why,
)
from noren.engine.plan import Need, Option, plan
from noren.engine.reasons import Block, BlockKind
from noren.shops.tenancy import current_shop, shop

# What counts of some resources on some days, and whose it is. Of a cut claim each day is a row.
_STANDING = """
SELECT c.resource_id, c.units, c.day - date '1970-01-01', c.core_from, c.core_to, c.padded_from, c.padded_to,
    CASE WHEN b.status = 'held' THEN 'hold' WHEN b.id IS NOT NULL THEN 'booking' WHEN s.id IS NOT NULL
        THEN 'session' ELSE k.kind END,
    coalesce(b.id, s.id, k.id), coalesce(b.start, s.start, k.start), coalesce(b."end", s."end", k."end")
FROM booking_claim c
    LEFT JOIN booking_booking b ON b.shop_id = c.shop_id AND b.id = c.booking_id
    LEFT JOIN booking_classsession s ON s.shop_id = c.shop_id AND s.id = c.session_id
    LEFT JOIN booking_block k ON k.shop_id = c.shop_id AND k.id = c.block_id
WHERE c.shop_id = %(shop)s AND c.resource_id = ANY (%(resources)s)
    AND c.day >= date '1970-01-01' + %(first)s::integer AND c.day < date '1970-01-01' + %(last)s::integer
    AND (b.id IS NULL OR b.status <> 'held' OR b.expires_at > %(now)s)
ORDER BY 10, 1, 9
"""


class Kind(StrEnum):
    """What stands in the way."""

    BOOKING = "booking"
    HOLD = "hold"
    SESSION = "session"
    BLOCK = "block"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One of them, by its id: it takes `resource_id` (a part, where a whole was wanted)."""

    kind: Kind
    id: int
    resource_id: int
    start: datetime
    end: datetime


class Lacking(StrEnum):
    CLOSED = "closed"
    """Its own hours do not hold the time."""
    LIMIT = "limit"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Lack:
    """A resource that cannot serve the time, and what stands there."""

    resource_id: int
    why: Lacking
    there: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that leaves no room, and what is used of it in the period of the start."""

    limit: Limit
    resource_id: int
    used: Used


@dataclass(frozen=True, slots=True)
class Answer:
    """`reason` None: it is offered. `opens` and `closes`: between which minutes starts may be booked now.

    `course`: its dates are booked together, and not one by one.
    """

    rules: ShopRules
    reason: Reason | None
    lacks: tuple[Lack, ...]
    reached: tuple[Reached, ...]
    session: Session | None
    opens: int
    closes: int
    nearest: tuple[availability.Start, ...]
    course: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    block: Block
    obstacle: Obstacle


def why_not(shop_id: int, asked: Asked, *, now: datetime) -> Answer:
    """Ask the engine as a booking would be, whatever is kept in memory left aside.

    What is limited for each customer is counted where `asked.person` says who. Raises ShopUnknown,
    ServiceUnknown.
    """
    start = int(asked.start.timestamp()) // 60
    with shop(shop_id):
        seen = sheets.survey(
            shop_id,
            asked.service_id,
            lambda rules: windows.of_start(rules, asked.service_id, start, asked.nights),
            now=now,
            staff=asked.staff,
            own=asked.own,
            also=asked.also,
            desk=asked.desk,
        )
        service = seen.known.rules.services[asked.service_id]
        used = usage.used(seen.known.rules, service, seen.window, now=now, own=asked.own, person=asked.person)
        if service.capacity is not None:
            answer = _of_class(seen, asked, start, used, now=now)
        else:
            answer = _of_time(seen, asked, start, used, now=now)
    return replace(answer, nearest=_nearest(shop_id, asked, answer, now=now))


def _nearest(shop_id: int, asked: Asked, answer: Answer, *, now: datetime) -> tuple[availability.Start, ...]:
    """Look around the time, or around the nearest that may be booked at all."""
    minute = min(max(int(asked.start.timestamp()) // 60, answer.opens), max(answer.opens, answer.closes - 1))
    near = datetime.fromtimestamp(minute * 60, UTC)
    wanted: dict[str, Any] = {"staff": asked.staff, "party": asked.party, "nights": asked.nights}
    wanted |= {"own": asked.own, "person": asked.person, "also": asked.also, "desk": asked.desk}
    return availability.nearest(shop_id, asked.service_id, near, now=now, **wanted)


def _answer(seen: Survey, asked: Asked, now: datetime, reason: Reason | None, **more: Any) -> Answer:
    rules = seen.known.rules
    opens, closes = policy.bookable(rules, rules.services[asked.service_id], int(now.timestamp()))
    values: dict[str, Any] = {"lacks": (), "reached": (), "session": None, "nearest": (), **more}
    return Answer(rules, reason, opens=opens, closes=closes, **values)


def _of_class(seen: Survey, asked: Asked, start: int, used: UsedMap, *, now: datetime) -> Answer:
    """A class has dates: without one at this time, or led by somebody else, no start lies here."""
    rules = seen.known.rules
    found = availability.sessions(current_shop(), seen, asked.service_id, now=now, own=asked.own)
    session, leader = next(((each, who) for each, who in found if each.start == start), (None, None))
    if seen.known.terms.services[asked.service_id].course:
        return _answer(seen, asked, now, Reason(Why.NOT_OFFERED), course=True)
    if asked.nights:
        return _answer(seen, asked, now, Reason(Why.NIGHTS))
    if session is None or asked.staff not in (None, leader):
        return _answer(seen, asked, now, Reason(Why.GRID))
    reason = classes.why_not(rules, session, now=int(now.timestamp()), party=asked.party, used=used)
    reached = _reached(seen, asked, start, used) if reason and reason.why is Why.LIMIT else ()
    return _answer(seen, asked, now, reason, session=session, reached=reached)


def _of_time(seen: Survey, asked: Asked, start: int, used: UsedMap, *, now: datetime) -> Answer:
    rules, window = seen.known.rules, seen.window
    service = rules.services[asked.service_id]
    free = replace(rules, services={**rules.services, service.id: _at_any_minute(service)})
    requests = [
        Request(
            each, plan(each, service.id, window, asked.nights), seen.taken, asked.staff, asked.party, used
        )
        for each in paces.variants(free, service.id, asked.staff)
    ]
    rows = _standing(requests, asked, now)
    wanted: dict[str, Any] = {"staff": asked.staff, "party": asked.party, "nights": asked.nights}
    wanted |= {"now": int(now.timestamp()), "used": used, "blocks": [row.block for row in rows]}
    reason = reasons.why_not(rules, service.id, window, seen.taken, start, **wanted)
    if reason is None:
        return _answer(seen, asked, now, None)
    reached = _reached(seen, asked, start, used) if reason.why in _SHORT or reason.why is Why.LIMIT else ()
    lacks: dict[int, Lack] = {}
    for request in requests if reason.why in _SHORT else ():
        lacks = {each.resource_id: each for each in _lacks(request, reason, start, rows)} | lacks
    return _answer(seen, asked, now, reason, lacks=tuple(lacks.values()), reached=reached)


_SHORT = {Why.STAFF, Why.ROOM, Why.STOCK, Why.BUFFER, Why.HOLD, Why.EXTERNAL}
"""Reasons that are a matter of who and what could serve."""


def _at_any_minute(service: Service) -> Service:
    """What lacks is asked as the engine asks it: the grid is a reason of its own."""
    return replace(service, grid=Grid(GridKind.CLOCK, 1))


def _standing(requests: Sequence[Request], asked: Asked, now: datetime) -> list[_Row]:
    needs = [need for request in requests for need in request.plan.needs]
    leaves = {leaf.id for need in needs for each in need.options for leaf in each.leaves}
    window = requests[0].plan.window
    wanted: dict[str, Any] = {
        "shop": current_shop(),
        "resources": sorted(leaves),
        "first": window.day,
        "last": window.day + window.days,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, wanted)
        rows = [_row(*row) for row in cursor.fetchall()]
    own = (asked.own, (Kind.BOOKING, Kind.HOLD))
    return [row for row in rows if not (row.obstacle.id == own[0] and row.obstacle.kind in own[1])]


def _row(resource_id: int, units: int, day: int, *more: Any) -> _Row:
    claim = Claim(resource_id, units, *(day * DAY + minute for minute in more[:4]))
    kind = Kind(more[4])
    named = BlockKind.BOOKING if kind is Kind.SESSION else BlockKind(kind.value)
    return _Row(Block(named, claim), Obstacle(kind, more[5], resource_id, more[6], more[7]))


def _lacks(request: Request, reason: Reason, start: int, rows: Sequence[_Row]) -> Iterator[Lack]:
    """Say of each that cannot serve the time why, and what stands there; of buffers, where they meet."""
    compiled = request.plan
    asked = asked_need(compiled, request.staff)
    for need in compiled.needs:
        if reason.role not in ("", need.requirement.role):
            continue
        for option in options(need, request.staff if need is asked else None, request.party):
            lacking = _lacking(request, need, option, start)
            if lacking is not None:
                there = _there(request, need, option, start, rows) if lacking is Lacking.TAKEN else ()
                yield Lack(option.resource.id, lacking, there)


def _lacking(request: Request, need: Need, option: Option, start: int) -> Lacking | None:
    """Ask whether one resource could serve: when nothing is taken, when nothing is limited, as it is."""

    def can(**lifted: Any) -> bool:
        return sheet.has(serves(replace(request, **lifted), need, option), request.plan.window, start)

    if not can(taken={}, used={}):
        return Lacking.CLOSED
    if not can(taken={}):
        return Lacking.LIMIT
    return None if can() else Lacking.TAKEN


def _there(
    request: Request, need: Need, option: Option, start: int, rows: Sequence[_Row]
) -> tuple[Obstacle, ...]:
    leaves = {leaf.id for leaf in option.leaves}
    added = request.rules.buffer_policy is BufferPolicy.ADDED
    wanted = [
        (start + use.offset, start + use.offset + use.minutes, use.before, use.after)
        for use in need.uses_at(request.plan, start)
    ]
    found = (
        row.obstacle
        for row in rows
        if row.obstacle.resource_id in leaves
        and any(_meet(row.block.claim, *each, added=added) for each in wanted)
    )
    return tuple(dict.fromkeys(found))


def _meet(claim: Claim, start: int, end: int, before: int, after: int, *, added: bool) -> bool:
    """Say whether a claim is in the way of `[start, end)` with its buffers, as the buffer policy has it."""
    padded = claim.padded_start < end and start < claim.padded_end
    if added:
        return claim.padded_start < end + after and start - before < claim.padded_end
    core = claim.start < claim.end and claim.start < end + after and start - before < claim.end
    return padded or core


def _reached(seen: Survey, asked: Asked, start: int, used: UsedMap) -> tuple[Reached, ...]:
    """Return the limits that leave no room at a start: of the service, and of its staff."""
    rules, window = seen.known.rules, seen.window
    service = rules.services[asked.service_id]
    pools = {each for need in service.requirements for each in need.pool}
    whom = sorted(pools if asked.staff is None else pools & {asked.staff})
    found = []
    for concern in limits.of_service(rules, service):
        limit = concern.limit
        for subject in whom if limit.of is LimitOf.STAFF else (0,):
            if sheet.has(limits.closes(rules, concern, window, used, subject=subject), window, start):
                first = _period(rules, limit, start + concern.offset)
                tally = Tally(limit.of, subject, concern.service_id, limit.period, first)
                found.append(Reached(limit, subject, used.get(tally, Used())))
    return tuple(found)


def _period(rules: ShopRules, limit: Limit, start: int) -> date:
    return wall.as_date(limits.period_start(rules, limit.period, hours.business_day(rules, start)))
