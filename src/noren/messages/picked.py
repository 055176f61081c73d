"""Which bookings a message to many is about: those to come that touch its stretch. Inside the shop."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from noren.booking.models import Booking, Status
from noren.messages.models import ToMany

# Who is there already, or did not come, is told nothing that way.
_TO_COME = (Status.PENDING, Status.CONFIRMED)


def of(row: ToMany, *, now: datetime) -> QuerySet[Booking]:
    """Return the bookings as they are now, the next one first."""
    found = Booking.objects.filter(
        status__in=_TO_COME,
        start__gt=now,
        start__lt=row.until,
        end__gt=row.since,
        person_id__isnull=False,
    )
    if row.service_id is not None:
        of_visit = Q(agreed__parts__contains=[{"service": row.service_id}])
        found = found.filter(Q(service_id=row.service_id) | of_visit)
    if row.staff_id is not None:
        found = found.filter(staff_id=row.staff_id)
    return found.order_by("start", "id")


def still(row: ToMany, booking_ids: Sequence[int], *, now: datetime) -> list[Booking]:
    """Return those of some bookings of which it is true still: not moved away, not over, not cancelled."""
    return list(of(row, now=now).filter(id__in=booking_ids))
