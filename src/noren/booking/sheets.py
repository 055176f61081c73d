"""Reading what is taken: one statement, its bits in binary, joined to the engine's integers.

Expired holds still stand in the sheets until somebody sweeps them. A reader must not see them, and may not
write: it computes the few resources they touch from their claims instead.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from noren.booking.asked import Beside
from noren.booking.kept import Kept
from noren.engine import sheet
from noren.engine.model import DAY, Claim, ShopRules, Taken, TakenMap, Window
from noren.engine.plan import plan
from noren.errors import ShopUnknown
from noren.shops.rules import Known, known, remembered
from noren.shops.tenancy import current_shop, inside, shop
from noren.shops.trip import Row, Value, read_in

# $1 shop, $2 now, $3 resources, $4 planes, $5 first day and $6 the day after the last, counted from 1970.
_RANGE = """
    FROM booking_sheet WHERE shop_id = $1::bigint AND resource_id = ANY ($3::bigint[])
        AND plane = ANY ($4::smallint[])
        AND day >= date '1970-01-01' + $5::integer AND day < date '1970-01-01' + $6::integer
"""
# The revision of the rules, and whether a hold has expired and not been swept.
_STATE = """
SELECT s.rules_revision, EXISTS (
    SELECT FROM booking_booking b
    WHERE b.shop_id = $1::bigint AND b.status = 'held' AND b.expires_at <= $2::timestamptz)
"""
# One row a plane, its days (counted from the window's first) beside their bits. bit_send() is the number of
# bits, four bytes, then the bits. Index order: a plane's days ascend.
_PLANES = f"""
SELECT resource_id, plane, array_agg(day - (date '1970-01-01' + $5::integer)) AS days,
    string_agg(substring(bit_send(core) FROM 5), ''::bytea) AS core,
    string_agg(substring(bit_send(padded) FROM 5), ''::bytea) AS padded
{_RANGE}
"""  # noqa: S608 - of constants
_SURVEY = f"""
{_STATE}, ''::bytea, t.* FROM shops_shop s
LEFT JOIN ({_PLANES} GROUP BY resource_id, plane) t ON true
WHERE s.shop_id = $1::bigint
"""
# The same, and a mark of the sheets: which versions of which rows they are. With the mark that is known ($7)
# no sheets are read. A row is never written again without another xmin, and none that comes is of a
# transaction that another row was seen of before; so equal marks are equal rows. The start of the server is
# in it because one that was set back in time counts its transactions anew.
_LOOK = f"""
WITH seen AS MATERIALIZED (
    SELECT timestamptz_send(pg_postmaster_start_time())
        || coalesce(string_agg(xidsend(r.version), ''::bytea), ''::bytea) AS mark
    FROM (SELECT xmin AS version {_RANGE} ORDER BY resource_id, plane, day) r
)
{_STATE}, seen.mark, t.* FROM shops_shop s CROSS JOIN seen
LEFT JOIN (
    {_PLANES} AND (SELECT mark FROM seen) IS DISTINCT FROM $7::bytea GROUP BY resource_id, plane
) t ON true
WHERE s.shop_id = $1::bigint
"""  # noqa: S608 - of constants
# The claims that count, of the resources which claims that do not count touch in the window.
_CLAIMS = """
WITH gone AS (
    SELECT b.id FROM booking_booking b
    WHERE b.shop_id = %(shop)s AND ((b.status = 'held' AND b.expires_at <= %(now)s) OR b.id = %(own)s)
), touched AS (
    SELECT DISTINCT c.resource_id FROM booking_claim c JOIN gone g ON c.booking_id = g.id
    WHERE c.shop_id = %(shop)s AND c.resource_id = ANY (%(resources)s)
        AND c.day >= date '1970-01-01' + %(first)s::integer AND c.day < date '1970-01-01' + %(last)s::integer
    UNION SELECT c.resource_id FROM booking_claim c WHERE c.shop_id = %(shop)s AND c.session_id = %(session)s
        AND c.resource_id = ANY (%(resources)s)
)
SELECT t.resource_id, c.units, c.day - date '1970-01-01', c.core_from, c.core_to, c.padded_from, c.padded_to
FROM touched t LEFT JOIN booking_claim c ON c.shop_id = %(shop)s AND c.resource_id = t.resource_id
    AND c.day >= date '1970-01-01' + %(first)s::integer AND c.day < date '1970-01-01' + %(last)s::integer
    AND (c.booking_id IS NULL OR c.booking_id NOT IN (SELECT g.id FROM gone g))
    AND (c.session_id IS NULL OR c.session_id IS DISTINCT FROM %(session)s)
"""
# All claims of what some bookings have claimed something of, each with whose it is; none that has expired.
_BESIDE = """
SELECT c.resource_id, c.booking_id, c.units, c.day - date '1970-01-01',
    c.core_from, c.core_to, c.padded_from, c.padded_to
FROM booking_claim c LEFT JOIN booking_booking b ON b.shop_id = c.shop_id AND b.id = c.booking_id
WHERE c.shop_id = %(shop)s
    AND c.resource_id IN (SELECT o.resource_id FROM booking_claim o
        WHERE o.shop_id = %(shop)s AND o.booking_id = ANY (%(owns)s))
    AND c.day >= date '1970-01-01' + %(first)s::integer AND c.day < date '1970-01-01' + %(last)s::integer
    AND (b.status IS DISTINCT FROM 'held' OR b.expires_at > %(now)s)
"""
_STOCKS = """
SELECT r.id FROM shops_resource r WHERE r.shop_id = %s AND (r.stock > 1 OR EXISTS (
    SELECT FROM booking_sheet s WHERE s.shop_id = r.shop_id AND s.resource_id = r.id AND s.plane > 1))
ORDER BY r.id
"""
Units = Mapping[int, int]
"""Resources with sheets, and the stock of each."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a decision rests on, of one moment: the rules, and what is taken of all that could serve.

    `stale`: a hold has expired and has not been swept yet. `mark`: equal marks mean the same rules and the
    same sheets; None where more than these was looked at.
    """

    known: Known
    window: Window
    taken: TakenMap
    stale: bool
    mark: Hashable | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """What one statement gave. `mark` is None inside a transaction, which may see what nobody else does."""

    revision: int
    stale: bool
    taken: TakenMap
    mark: Hashable | None


# The sheets this process read last, by what was asked for, each with the mark of its rows. A write never
# uses them: it reads inside its own transaction.
_sheets: Kept[tuple[bytes, TakenMap]] = Kept(16 * 1024 * 1024)


def survey(
    shop_id: int,
    service_id: int,
    of: Callable[[ShopRules], Window],
    *,
    now: datetime,
    staff: int | None = None,
    own: int | None = None,
    also: tuple[int, ...] = (),
    desk: bool = False,
) -> Survey:
    """Read everything about a service in the window that `of` gives: one statement, of one moment.

    `own` is a booking whose claims are left out: the one to be moved, or the asker's own hold. With `also` it
    is about the visit, which stands in the service's place in what is known. `desk`: the shop itself asks;
    no stop of online bookings is for it. It is asked with the rules as remembered; when these have moved on,
    once more. Raises ShopUnknown, ServiceUnknown.
    """
    wanted = {service_id, *also}
    house = remembered(shop_id) or _known(shop_id)
    while True:
        if not house.rules.services.keys() >= wanted and house is not (house := _known(shop_id)):
            continue
        visit = house.visit(service_id, also)
        if desk and visit.rules.stopped_until:
            visit = replace(visit, rules=replace(visit.rules, stopped_until=0))
        rules = visit.rules
        window = of(rules)
        units = _leaves(rules, service_id, window, staff)
        read = _read(shop_id, window, units, now)
        if read.revision == rules.revision:
            break
        house = _known(shop_id, read.revision)
    if read.stale or own is not None:
        with shop(shop_id):
            counted = _recomputed(window, units, now, own)
        return Survey(visit, window, {**read.taken, **counted}, read.stale)
    mark = None if read.mark is None else (rules.revision, read.mark)
    return Survey(visit, window, read.taken, read.stale, mark)


def beside(seen: Survey, those: Sequence[Beside]) -> Survey:
    """Return what is taken when these are written too."""
    claims: dict[int, list[Claim]] = {}
    for claim in (claim for each in those for claim in each.claims):
        claims.setdefault(claim.resource_id, []).append(claim)
    if not claims:
        return seen
    resources = seen.known.rules.resources
    put = {
        each: sheet.planes(seen.window, resources[each].stock, some, seen.taken.get(each, ()))
        for each, some in claims.items()
    }
    return replace(seen, taken={**seen.taken, **put}, mark=None)


def without_each(seen: Survey, owns: Sequence[int], *, now: datetime) -> dict[int, Survey]:
    """Return for each of these bookings what is taken without it: one statement. Inside the shop."""
    window = seen.window
    wanted: dict[str, Any] = {"shop": current_shop(), "now": now, "owns": list(owns)}
    wanted |= {"first": window.day, "last": window.day + window.days}
    claims: dict[int, list[tuple[int | None, Claim]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE, wanted)
        for resource_id, whose, count, day, *minutes in cursor.fetchall():
            claim = Claim(resource_id, count, *(day * DAY + minute for minute in minutes))
            claims.setdefault(resource_id, []).append((whose, claim))
    stocks_of = seen.known.rules.resources
    found = {}
    for own in owns:
        counted = {
            each: sheet.planes(window, stocks_of[each].stock, [one for whose, one in some if whose != own])
            for each, some in claims.items()
            if each in stocks_of and any(whose == own for whose, _ in some)
        }
        found[own] = replace(seen, taken={**seen.taken, **counted}, mark=None)
    return found


def taken(
    rules: ShopRules,
    service_id: int,
    window: Window,
    *,
    now: datetime,
    staff: int | None = None,
    session: int | None = None,
) -> TakenMap:
    """Return what is taken of all that could serve a service, by rules of the caller's own. Inside the shop.

    `session` is a date of a class whose claims are left out: the one to be moved. Raises ShopUnknown.
    """
    units = _leaves(rules, service_id, window, staff)
    read = _read(current_shop(), window, units, now)
    if read.stale or session is not None:
        return {**read.taken, **_recomputed(window, units, now, None, session)}
    return read.taken


def _known(shop_id: int, revision: int | None = None) -> Known:
    with shop(shop_id):
        return known(revision)


def stocks() -> list[int]:
    """Return the resources that have more than one plane, or should."""
    with connection.cursor() as cursor:
        cursor.execute(_STOCKS, [current_shop()])
        return [resource_id for (resource_id,) in cursor.fetchall()]


def _leaves(rules: ShopRules, service_id: int, window: Window, staff: int | None) -> dict[int, int]:
    """Return the resources with sheets that could serve a service, and their stock.

    Of a pool in which `staff` is asked for only that one is read. A class was claimed by its session.
    """
    found: dict[int, int] = {}
    if rules.services[service_id].capacity is not None:
        return found
    for need in plan(rules, service_id, window).needs:
        alone = need.requirement.count == 1
        asked = alone and staff is not None and staff in need.requirement.pool
        for option in need.options:
            if not asked or option.resource.id == staff:
                found.update((leaf.id, leaf.stock) for leaf in option.leaves)
    return found


def _read(shop_id: int, window: Window, units: Units, now: datetime) -> _Read:
    """Read the state of the shop and its sheets; these only where they are not as they were."""
    planes = range(1, max(units.values(), default=1) + 1)
    where = (shop_id, tuple(units), len(planes), window.day, window.days)
    values: list[Value] = [shop_id, now, list(units), planes, window.day, window.day + window.days]
    if inside() is not None:
        rows = read_in(shop_id, _SURVEY, values)
        revision, stale, _ = _state(rows)
        return _Read(revision, stale, _taken(window, rows), None)
    name = connection.settings_dict["NAME"]
    kept = _sheets.get((name, where))
    rows = read_in(shop_id, _LOOK, [*values, kept[0] if kept else None])
    revision, stale, mark = _state(rows)
    if kept is None or kept[0] != mark:
        kept = mark, _taken(window, rows)
        _sheets.keep((name, where), kept, len(mark) + 2 * len(rows) * window.size // 8)
    return _Read(revision, stale, kept[1], (name, where, mark))


def _state(rows: Sequence[Row]) -> tuple[int, bool, bytes]:
    if not rows:
        raise ShopUnknown
    revision, stale, mark = rows[0][:3]
    return revision, stale, mark


def _taken(window: Window, rows: Sequence[Row]) -> dict[int, tuple[Taken, ...]]:
    planes: dict[int, dict[int, Taken]] = {}
    for _, _, _, resource_id, plane, days, core, padded in rows:
        if resource_id is not None:
            bits = _joined(window, days, core)
            same = bits if core == padded else _joined(window, days, padded)
            planes.setdefault(resource_id, {})[plane] = Taken(bits, same)

    return {
        each: tuple(found.get(plane, Taken()) for plane in range(1, max(found) + 1))
        for each, found in planes.items()
    }


def _joined(window: Window, days: Sequence[int], bits: bytes) -> int:
    """Join the days to one sheet, each in its place; those that are not there are free."""
    first, last = days[0], days[-1]
    if days == list(range(first, last + 1)):
        return int.from_bytes(bits, "big") << ((window.days - 1 - last) * DAY)
    size = sheet.DAY_BYTES
    joined = bytearray(window.days * size)
    for number, day in enumerate(days):
        joined[day * size : (day + 1) * size] = bits[number * size : (number + 1) * size]
    return int.from_bytes(joined, "big")


def _recomputed(
    window: Window, units: Units, now: datetime, own: int | None, session: int | None = None
) -> dict[int, tuple[Taken, ...]]:
    wanted: dict[str, Any] = {
        "shop": current_shop(),
        "now": now,
        "own": own,
        "session": session,
        "resources": list(units),
        "first": window.day,
        "last": window.day + window.days,
    }
    claims: dict[int, list[Claim]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMS, wanted)
        for resource_id, count, day, *minutes in cursor.fetchall():
            kept = claims.setdefault(resource_id, [])
            if count is not None:
                kept.append(Claim(resource_id, count, *(day * DAY + minute for minute in minutes)))
    return {each: sheet.planes(window, units[each], kept) for each, kept in claims.items()}
