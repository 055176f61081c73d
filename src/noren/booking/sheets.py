"""Reading what is taken: one statement, its bits in binary, joined to the engine's integers.

Expired holds still stand in the sheets until somebody sweeps them. A reader must not see them, and may not
write: it computes the few resources they touch from their claims instead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor
from psycopg.pq import Format

from noren.engine import sheet
from noren.engine.model import DAY, Claim, ShopRules, Taken, TakenMap, Window
from noren.engine.plan import plan
from noren.errors import ServiceUnknown, ShopUnknown
from noren.shops.rules import Known, known, remembered
from noren.shops.tenancy import current_shop

# The revision of the rules, whether a hold has expired and not been swept, and the sheets: one row a plane,
# its days (counted from the window's first) beside their bits. bit_send() is the number of bits, four bytes,
# then the bits. Index order: a plane's days ascend.
_SURVEY = """
SELECT s.rules_revision, EXISTS (
        SELECT FROM booking_booking b
        WHERE b.shop_id = %(shop)s AND b.status = 'held' AND b.expires_at <= %(now)s),
    t.resource_id, t.plane, t.days, t.core, t.padded
FROM shops_shop s LEFT JOIN (
        SELECT resource_id, plane, array_agg(day - (date '1970-01-01' + %(first)s::integer)) AS days,
            string_agg(substring(bit_send(core) FROM 5), ''::bytea) AS core,
            string_agg(substring(bit_send(padded) FROM 5), ''::bytea) AS padded
        FROM booking_sheet
        WHERE shop_id = %(shop)s AND resource_id = ANY (%(resources)s) AND plane = ANY (%(planes)s)
            AND day >= date '1970-01-01' + %(first)s::integer AND day < date '1970-01-01' + %(last)s::integer
        GROUP BY resource_id, plane
    ) t ON true
WHERE s.shop_id = %(shop)s
"""
# The claims that count, of the resources which claims that do not count touch in the window.
_CLAIMS = """
WITH gone AS (
    SELECT b.id FROM booking_booking b
    WHERE b.shop_id = %(shop)s AND ((b.status = 'held' AND b.expires_at <= %(now)s) OR b.id = %(own)s)
), touched AS (
    SELECT DISTINCT c.resource_id FROM booking_claim c JOIN gone g ON c.booking_id = g.id
    WHERE c.shop_id = %(shop)s AND c.resource_id = ANY (%(resources)s)
        AND c.day >= date '1970-01-01' + %(first)s::integer AND c.day < date '1970-01-01' + %(last)s::integer
)
SELECT t.resource_id, c.units, c.day - date '1970-01-01', c.core_from, c.core_to, c.padded_from, c.padded_to
FROM touched t LEFT JOIN booking_claim c ON c.shop_id = %(shop)s AND c.resource_id = t.resource_id
    AND c.day >= date '1970-01-01' + %(first)s::integer AND c.day < date '1970-01-01' + %(last)s::integer
    AND (c.booking_id IS NULL OR c.booking_id NOT IN (SELECT g.id FROM gone g))
"""
_STOCKS = """
SELECT r.id FROM shops_resource r WHERE r.shop_id = %s AND (r.stock > 1 OR EXISTS (
    SELECT FROM booking_sheet s WHERE s.shop_id = r.shop_id AND s.resource_id = r.id AND s.plane > 1))
ORDER BY r.id
"""
Row = tuple[int, bool, int | None, int, list[int], bytes, bytes]


@dataclass(frozen=True, slots=True)
class Survey:
    """What a decision rests on, of one moment: the rules, and what is taken of all that could serve.

    `stale`: a hold has expired and has not been swept yet.
    """

    known: Known
    window: Window
    taken: TakenMap
    stale: bool


def survey(
    service_id: int,
    of: Callable[[ShopRules], Window],
    *,
    now: datetime,
    staff: int | None = None,
    own: int | None = None,
) -> Survey:
    """Read everything about a service in the window that `of` gives. Inside the shop.

    `own` is a booking whose claims are left out: the one to be moved, or the asker's own hold. It is asked
    with the rules as remembered; when these have moved on, once more. Raises ShopUnknown, ServiceUnknown.
    """
    house = remembered() or known()
    while True:
        rules = house.rules
        if service_id not in rules.services and house is not (house := known()):
            continue
        if service_id not in rules.services:
            raise ServiceUnknown
        window = of(rules)
        units = _leaves(rules, service_id, window, staff)
        rows = _rows(window, units, now)
        if not rows:
            raise ShopUnknown
        revision, stale = rows[0][:2]
        if revision == rules.revision:
            break
        house = known(revision)
    found = _taken(window, rows)
    if stale or own is not None:
        found.update(_recomputed(window, units, now, own))
    return Survey(house, window, found, stale)


def taken(
    rules: ShopRules, service_id: int, window: Window, *, now: datetime, staff: int | None = None
) -> TakenMap:
    """Return what is taken of all that could serve a service, by rules of the caller's own."""
    units = _leaves(rules, service_id, window, staff)
    rows = _rows(window, units, now)
    found = _taken(window, rows)
    if rows and rows[0][1]:
        found.update(_recomputed(window, units, now, None))
    return found


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


def _rows(window: Window, units: Mapping[int, int], now: datetime) -> list[Row]:
    """Read in binary: the text form of bits is many times as long. Django's own cursor gives text."""
    connection.ensure_connection()
    raw: Cursor[Row] = Cursor(connection.connection)
    raw.format = Format.BINARY
    values: dict[str, Any] = {
        "shop": current_shop(),
        "now": now,
        "resources": list(units),
        "planes": list(range(1, max(units.values(), default=1) + 1)),
        "first": window.day,
        "last": window.day + window.days,
    }
    with CursorWrapper(raw, connection) as cursor:
        cursor.execute(_SURVEY, values)
        return raw.fetchall()


def _taken(window: Window, rows: Sequence[Row]) -> dict[int, tuple[Taken, ...]]:
    planes: dict[int, dict[int, Taken]] = {}
    for _, _, resource_id, plane, days, core, padded in rows:
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
    window: Window, units: Mapping[int, int], now: datetime, own: int | None
) -> dict[int, tuple[Taken, ...]]:
    wanted: dict[str, Any] = {
        "shop": current_shop(),
        "now": now,
        "own": own,
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
