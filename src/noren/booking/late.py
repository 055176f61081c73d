"""A customer says that she is running late: minutes in the booking's history, and no word of her own.

The last of them is what holds, until the booking is moved. It changes no time: whether the whole of hers is
still there is told to her, and what becomes of it is the shop's to say.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from noren.booking import jobs, sheets
from noren.booking.models import Booking, Event, Status
from noren.booking.transact import Actor, locked, note
from noren.engine import late
from noren.errors import NotThatStatus
from noren.shops.tenancy import shop, write_in

MINUTES = (5, 10, 15, 20)
"""What can be said; and 0: on time after all."""
AHEAD = timedelta(hours=3)
"""From how long before the start on, until it."""
_COUNTS = ("late", "moved", "session_moved")


def tell(shop_id: int, booking_id: int, minutes: int, *, now: datetime, by: Actor) -> None:
    """Note how late she will be; the same again is noted once. Raises NotThatStatus when it is no
    time for it.
    """
    if minutes not in (0, *MINUTES):
        raise RuntimeError("She may be late by what the page offers.")
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status != Status.CONFIRMED or not may(booking.start, now):
            raise NotThatStatus(status=booking.status)
        if _told([booking_id]).get(booking_id, 0) != minutes:
            note(booking_id, "late", now=now, by=by, minutes=minutes)
            jobs.noted(booking, "missed")


def may(start: datetime, now: datetime) -> bool:
    """Say whether it is the time to tell it."""
    return start - AHEAD <= now < start


def told(shop_id: int, booking_ids: Iterable[int]) -> dict[int, int]:
    """Return by how many minutes those of them are late who said so. One query."""
    with shop(shop_id):
        return _told(booking_ids)


def _told(booking_ids: Iterable[int]) -> dict[int, int]:
    rows = Event.objects.filter(booking_id__in=list(booking_ids), what__in=_COUNTS).order_by("at", "id")
    last = {row.booking_id: row.facts.get("minutes", 0) if row.what == "late" else 0 for row in rows}
    return {each: minutes for each, minutes in last.items() if minutes}


def slack(shop_id: int, booking: Booking, *, now: datetime) -> int | None:
    """Return how many minutes later she may come and still have her whole time; None for a class, which
    begins on time, and a stay, which is not shortened by it.
    """
    if booking.session_id is not None or booking.agreed["nights"]:
        return None
    start, most = int(booking.start.timestamp()) // 60, max(MINUTES)
    seen = sheets.survey(
        shop_id,
        booking.service_id,
        lambda rules: late.window(rules, booking.service_id, start, most),
        now=now,
        staff=booking.staff_id,
        own=booking.id,
        also=booking.also,
        desk=True,
    )
    asked: dict[str, Any] = {"most": most, "staff": booking.staff_id, "party": booking.party}
    return late.slack(seen.known.rules, booking.service_id, seen.window, seen.taken, start, **asked)
