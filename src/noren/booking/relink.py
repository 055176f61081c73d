"""Making the links to a booking invalid: a new generation, of which the customer alone is told, by mail."""

from datetime import datetime
from uuid import UUID

from django.db.models import F

from noren.booking import jobs
from noren.booking.models import STANDING, Booking, Waiting
from noren.booking.transact import Actor, locked, note
from noren.errors import NotThatStatus
from noren.shops.tenancy import write_in


def relink(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> None:
    """Make every link to the booking invalid and mail her a new one.

    Whoever has the link may: the new one goes to her own address, not to who found the old one. That is good
    for one such mail. Raises NotThatStatus: what has ended is told to nobody anew.
    """
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status not in STANDING:
            raise NotThatStatus(status=booking.status)
        Booking.objects.filter(id=booking_id).update(generation=F("generation") + 1)
        note(booking_id, "relinked", now=now, by=by)
        jobs.relinked(booking)


def revoke_all(shop_id: int, person: UUID) -> int:
    """Make every link of a person who was erased invalid, and tell nobody; gives their number."""
    with write_in(shop_id):
        bookings = Booking.objects.filter(person_id=person).update(generation=F("generation") + 1)
        return bookings + Waiting.objects.filter(person_id=person).update(generation=F("generation") + 1)
