"""A resource's sheets twice: as its claims make them, and as they are stored. The doctor holds them together.

They are computed here from the claims by the engine's code, not by the SQL that wrote them.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from noren.engine import sheet
from noren.engine.model import DAY, Claim, Window
from noren.shops.models import Resource

_CLAIMS = """
SELECT day - date '1970-01-01', units, core_from, core_to, padded_from, padded_to
FROM booking_claim WHERE shop_id = %s AND resource_id = %s ORDER BY day, id
"""
_SHEETS = """
SELECT day - date '1970-01-01', plane, core::text, padded::text
FROM booking_sheet WHERE shop_id = %s AND resource_id = %s
"""

Plane = tuple[int, int]
"""A day (counted from 1970) and the number of a plane of it."""
Planes = dict[Plane, tuple[int, int]]
"""Of one resource: core and padded. Days and planes without anything are left out."""


def of_claims(resource: Resource) -> Planes:
    """Return the truth."""
    days: dict[int, list[Claim]] = {}
    for day, units, *minutes in _rows(_CLAIMS, resource):
        edges = (day * DAY + minute for minute in minutes)
        days.setdefault(day, []).append(Claim(resource.id, units, *edges))
    planes: Planes = {}
    for day, claims in days.items():
        window = Window(day, 1, day * DAY, (day + 1) * DAY)
        for plane, taken in enumerate(sheet.planes(window, resource.stock, claims), start=1):
            if taken.padded:
                planes[day, plane] = (taken.core, taken.padded)
    return planes


def stored(resource: Resource) -> Planes:
    """Return the index."""
    rows = _rows(_SHEETS, resource)
    return {(day, plane): (int(core, 2), int(padded, 2)) for day, plane, core, padded in rows}


def differing(truth: Planes, index: Planes) -> list[Plane]:
    """Return where the two are not equal."""
    return [where for where in sorted(truth.keys() | index.keys()) if truth.get(where) != index.get(where)]


def _rows(query: str, resource: Resource) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [resource.shop_id, resource.id])
        yield from cursor.fetchall()
