"""Lists of a day on paper, by number, for when nothing answers. What stands on them is kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from noren.booking.models import DaySheet
from noren.engine import hours, wall
from noren.shops.rules import known
from noren.shops.tenancy import current_shop, shop

_ISSUE = """
INSERT INTO booking_daysheet
    (shop_id, number, day, issued_at, until, by, bookings, persons, fields, entries)
VALUES (%(shop)s, %(number)s, %(day)s, %(now)s, %(until)s, %(by)s, %(bookings)s, %(persons)s, %(fields)s,
    %(entries)s)
ON CONFLICT (shop_id, number) DO NOTHING RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What is to stand on one: of how many, which of the vault's fields, by which entries of the ledger."""

    bookings: int
    persons: int = 0
    fields: Sequence[str] = ()
    entries: Sequence[int] = field(default_factory=tuple)


def issue(shop_id: int, day: date, told: Told, *, now: datetime, by: str) -> DaySheet:
    """Give the next number of the shop to a sheet whose names are on record already."""
    with shop(shop_id):
        while True:
            # Another's number, committed meanwhile, is seen by the next look: numbers have no gaps.
            last = DaySheet.objects.order_by("-number").values_list("number", flat=True).first() or 0
            made: dict[str, Any] = {
                "shop": current_shop(),
                "number": last + 1,
                "day": day,
                "now": now,
                "until": until(day),
                "by": by,
                "bookings": told.bookings,
                "persons": told.persons,
                "fields": list(told.fields),
                "entries": list(told.entries),
            }
            with connection.cursor() as cursor:
                cursor.execute(_ISSUE, made)
                row = cursor.fetchone()
            if row is not None:
                return DaySheet.objects.get(id=row[0])


def until(day: date) -> datetime:
    """Return when a sheet of the day is over: at midnight, or when the shop closes later. Inside the shop."""
    rules, number = known().rules, wall.number(day)
    closes = [end for _, end in hours.stretches(rules, None, number, number + 1)]
    return datetime.fromtimestamp(max([wall.midnight(rules.zone, number + 1), *closes]) * 60, UTC)


def latest(shop_id: int, day: date, *, now: datetime) -> DaySheet | None:
    """Return the newest sheet of a day that is not over."""
    with shop(shop_id):
        return DaySheet.objects.filter(day=day, until__gt=now).order_by("-number").first()


def newest(shop_id: int, most: int, *, day: date | None = None) -> list[DaySheet]:
    """Return the sheets that were made last, of one day or of all, the newest first."""
    with shop(shop_id):
        rows = DaySheet.objects.all() if day is None else DaySheet.objects.filter(day=day)
        return list(rows.order_by("-number")[:most])
