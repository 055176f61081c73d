"""Reading what is taken: one range of sheets in binary, joined to the engine's integers.

Expired holds still stand in the sheets until somebody sweeps them. A reader must not see them, and may not
write: it computes the few resources they touch from their claims instead.
"""

from collections.abc import Iterable, Mapping
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
from noren.errors import ShopUnknown
from noren.shops.tenancy import current_shop

_STATE = """
SELECT s.rules_revision, EXISTS (
    SELECT FROM booking_booking b WHERE b.shop_id = s.shop_id AND b.status = 'held' AND b.expires_at <= %s)
FROM shops_shop s WHERE s.shop_id = %s
"""
# In the order of the primary key. The day as a number of days from the window's first: no dates are built.
_RANGE = """
SELECT resource_id, plane, day - (date '1970-01-01' + %s::integer), core, padded
FROM booking_sheet
WHERE shop_id = %s AND resource_id = ANY (%s) AND plane = ANY (%s)
    AND day >= date '1970-01-01' + %s::integer AND day < date '1970-01-01' + %s::integer
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
_HEADER = 4
"""Bytes before the bits in the binary form of bit(1440): their number."""


@dataclass(frozen=True, slots=True)
class State:
    """The revision of the rules, and whether any hold has expired and not been swept yet."""

    revision: int
    stale: bool


def state(now: datetime) -> State:
    """Return the state of the shop we are in. Raises ShopUnknown."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [now, current_shop()])
        row = cursor.fetchone()
    if row is None:
        raise ShopUnknown
    return State(*row)


def stocks() -> list[int]:
    """Return the resources that have more than one plane, or should."""
    with connection.cursor() as cursor:
        cursor.execute(_STOCKS, [current_shop()])
        return [resource_id for (resource_id,) in cursor.fetchall()]


def read(
    rules: ShopRules,
    service_id: int,
    window: Window,
    *,
    now: datetime,
    stale: bool,
    staff: int | None = None,
    own: int | None = None,
) -> TakenMap:
    """Return what is taken of everything that could serve a service in a window.

    `own` is a booking whose claims are left out: the one to be moved, or the asker's own hold.
    """
    units = leaves(rules, service_id, window, staff)
    taken = _read(window, units)
    if stale or own is not None:
        taken.update(_recomputed(window, units, now, own))
    return taken


def leaves(rules: ShopRules, service_id: int, window: Window, staff: int | None = None) -> dict[int, int]:
    """Return the resources with sheets that could serve a service, and their stock.

    Of a pool in which `staff` is asked for only that one is read.
    """
    found: dict[int, int] = {}
    for need in plan(rules, service_id, window).needs:
        asked = staff is not None and staff in need.requirement.pool
        for option in need.options:
            if not asked or option.resource.id == staff:
                found.update((leaf.id, leaf.stock) for leaf in option.leaves)
    return found


def _read(window: Window, units: Mapping[int, int]) -> dict[int, tuple[Taken, ...]]:
    size = window.days * sheet.DAY_BYTES
    sheets: dict[tuple[int, int], tuple[bytearray, bytearray]] = {}
    for resource_id, plane, day, core, padded in _rows(window, units):
        pair = sheets.get((resource_id, plane))
        if pair is None:
            pair = sheets[resource_id, plane] = (bytearray(size), bytearray(size))
        at = day * sheet.DAY_BYTES
        pair[0][at : at + sheet.DAY_BYTES] = core[_HEADER:]
        pair[1][at : at + sheet.DAY_BYTES] = padded[_HEADER:]
    planes: dict[int, list[Taken]] = {}
    for (resource_id, plane), (cores, paddeds) in sorted(sheets.items()):
        kept = planes.setdefault(resource_id, [])
        kept += [Taken()] * (plane - 1 - len(kept))
        kept.append(Taken(int.from_bytes(cores, "big"), int.from_bytes(paddeds, "big")))
    return {resource_id: tuple(kept) for resource_id, kept in planes.items()}


def _rows(window: Window, units: Mapping[int, int]) -> Iterable[tuple[int, int, int, bytes, bytes]]:
    """Read in binary: the text form of the bits is eight times as long. Django's own cursor gives text."""
    connection.ensure_connection()
    raw: Cursor[tuple[int, int, int, bytes, bytes]] = Cursor(connection.connection)
    raw.format = Format.BINARY
    top = max(units.values(), default=1)
    with CursorWrapper(raw, connection) as cursor:
        cursor.execute(
            _RANGE,
            [
                window.day,
                current_shop(),
                list(units),
                list(range(1, top + 1)),
                window.day,
                window.day + window.days,
            ],
        )
        return raw.fetchall()


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
