"""Whose a row is: a person's own, or the record's that hers was joined to. Asked by whoever writes one."""

from uuid import UUID

from django.db import connection
from django.db.models import F, Func, Value

from noren.booking.models import JOINED, Merge
from noren.shops.tenancy import current_shop, shop


def standing_for(person: UUID, *, booking: int | None = None) -> UUID:
    """Return whose a row is that this person makes now; keeps it so until the transaction ends.

    `booking` is noted where it is another's: undone, it goes back. Inside the shop, after the row's own lock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT booking_person(%s, %s)", [current_shop(), person])
        found: UUID = cursor.fetchone()[0]
    if found != person and booking is not None:
        added = Func(F("bookings"), Value(booking), function="array_append")
        standing = Merge.objects.filter(double=person, state__in=JOINED)
        standing.exclude(bookings__contains=[booking]).update(bookings=added)
    return found


def alone(*persons: UUID) -> None:
    """Have nobody write a row of these persons until the transaction ends."""
    with connection.cursor() as cursor:
        for person in sorted(persons):
            cursor.execute("SELECT booking_person_alone(%s, %s)", [current_shop(), person])


def kept_of(shop_id: int, person: UUID) -> UUID | None:
    """Return the record that a person's was joined to; None: she is her own."""
    with shop(shop_id):
        found = Merge.objects.filter(double=person, state__in=JOINED)
        return found.values_list("kept", flat=True).first()


def one(shop_id: int, mine: UUID | None, person: UUID) -> bool:
    """Say whether a row's person is this one, under either of her ids."""
    return mine is not None and (mine == person or kept_of(shop_id, person) == mine)
