"""One step after the other: as a reminder is due, the next mail of the same booking is planned.

So each booking has one such job, whose number its row knows: who moves or cancels it need find no other.
"""

from datetime import datetime
from typing import Final

from noren.booking import jobs, reminder
from noren.booking.models import Booking, Status
from noren.booking.transact import locked
from noren.errors import BookingUnknown
from noren.shops.rules import known
from noren.shops.tenancy import write_in

_HERE: Final = (Status.CONFIRMED, Status.CHECKED_IN)
_TO_COME: Final = (Status.PENDING, Status.CONFIRMED)
CHUNK: Final = 100
"""Bookings that are planned anew in one transaction."""


def step_on(shop_id: int, booking_id: int, *, job: int | None, before: int | None, now: datetime) -> None:
    """Plan what comes after the step whose job this is. Again does nothing: the row knows another job then.

    `before`: how many minutes before the start this step is; None: the first.
    """
    with write_in(shop_id):
        try:
            booking = locked(booking_id)
        except BookingUnknown:
            return
        if job is None or booking.reminder_job != job or booking.status not in _HERE:
            return
        after = reminder.first(booking) if before is None else before
        planned = jobs.follow(booking, now=now, after=after)
        if planned is not None:
            Booking.objects.filter(id=booking.id).update(reminder_job=planned)


def replan(shop_id: int, last: int, *, now: datetime) -> None:
    """Plan the next mails of bookings to come anew, by the shop's rules as they are: those after `last`, a
    chunk, and write the job for the others. What has gone has gone; what would be past is left out.
    """
    with write_in(shop_id):
        found = Booking.objects.select_for_update(no_key=True)
        rows = found.filter(id__gt=last, status__in=_TO_COME, start__gt=now).order_by("id")[:CHUNK]
        wanted = reminder.agreed(known().terms)
        for booking in rows:
            if booking.agreed.get("unreminded"):
                continue
            jobs.forget(booking)
            kept = {key: value for key, value in booking.agreed.items() if key not in reminder.AGREED}
            booking.agreed = {**kept, **wanted}
            # What waits for approval is planned with it.
            planned = jobs.follow(booking, now=now) if booking.status == Status.CONFIRMED else None
            Booking.objects.filter(id=booking.id).update(agreed=booking.agreed, reminder_job=planned)
        if len(rows) == CHUNK:
            jobs.replan(rows[CHUNK - 1].id)
