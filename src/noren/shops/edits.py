"""Small changes of a shop's rules by its own people, inside `booking.changes.change`.

Each says whether anything differs.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from noren.shops.models import Override, Resource, Shop
from noren.shops.reading import Ranges


class DayReason(StrEnum):
    """What the public page says of a day with other hours than usual. A code: no free text."""

    NONE = ""
    HOLIDAY = "holiday"
    TRAINING = "training"
    WORKS = "works"
    WEATHER = "weather"
    EVENT = "event"


def set_day(on: date, ranges: Ranges, why: DayReason) -> bool:
    """Give one date of the shop its own hours; none: closed."""
    row = Override.objects.filter(resource_id=None, service_id=None, date=on)
    values = {"ranges": ranges, "why": str(why)}
    if not row.exists():
        Override.objects.create(date=on, **values)
        return True
    return row.exclude(**values).update(**values) > 0


def unset_day(on: date) -> bool:
    """Give a date the hours it would have without its own."""
    gone, _ = Override.objects.filter(resource_id=None, service_id=None, date=on).delete()
    return gone > 0


def set_bookable(resource_id: int, *, there: bool, now: datetime) -> bool:
    """Let somebody, or something, be booked, or not any more. Who comes back joins now: no flood."""
    row = Resource.objects.filter(id=resource_id).exclude(bookable=there)
    return row.update(bookable=there, **({"joined_at": now} if there else {})) > 0


def set_embed_origins(origins: Sequence[str]) -> bool:
    """Let the booking pages be shown in these sites' pages, and in no others."""
    return Shop.objects.exclude(embed_origins=list(origins)).update(embed_origins=list(origins)) > 0
