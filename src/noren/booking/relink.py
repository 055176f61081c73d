"""Making the links to a booking invalid: a new generation, of which the customer alone is told, by mail."""

from datetime import datetime
from uuid import UUID

from django.db.models import F

from noren.booking import jobs
from noren.booking.models import STANDING, Booking, Waiting
from noren.booking.series import locked_series
from noren.booking.transact import Actor, locked, note, of_id
from noren.errors import NotThatStatus
from noren.shops.tenancy import write_in


def relink(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> None:
    """Make every link to the booking invalid and mail her a new one.

    Whoever has the link may: the new one goes to her own address, not to who found the old one. That is good
    for one such mail. Each date of a series leads to the others: their links go too, and one mail brings the
    new ones. Raises NotThatStatus: what has ended is told to nobody anew.
    """
    with write_in(shop_id):
        series_id = of_id(booking_id).series_id
        # Of a series all are locked at once, in the one order.
        every = [locked(booking_id)] if series_id is None else locked_series(series_id)
        booking = next(each for each in every if each.id == booking_id)
        if booking.status not in STANDING:
            raise NotThatStatus(status=booking.status)
        Booking.objects.filter(id__in=[each.id for each in every]).update(generation=F("generation") + 1)
        for each in every:
            note(each.id, "relinked", now=now, by=by)
        others = [each for each in every if each.status in STANDING and each.id != booking_id]
        jobs.relinked(booking, others=others)


def revoke_all(shop_id: int, person: UUID) -> int:
    """Make every link of a person who was erased invalid, and tell nobody; gives their number."""
    with write_in(shop_id):
        bookings = Booking.objects.filter(person_id=person).update(generation=F("generation") + 1)
        return bookings + Waiting.objects.filter(person_id=person).update(generation=F("generation") + 1)
