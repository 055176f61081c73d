"""Whose a row is: a person's own, or the record's that hers was joined to. Asked by whoever writes one."""

from uuid import UUID

from django.db import connection
from django.db.models import F, Func, Value

from noren.booking.models import JOINED, Merge
from noren.shops.tenancy import current_shop, shop


def standing_for(person: UUID, *, booking: int | None = None) -> UUID:
    """Return whose a row is that this person makes now; keeps it so until the transaction ends.

    `booking` is noted where it is another's. Inside the shop, after the row's own lock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT booking_person(%s, %s)", [current_shop(), person])
        found: UUID = cursor.fetchone()[0]
    if found != person and booking is not None:
        noted(person, "bookings", booking)
    return found


def noted(person: UUID, what: str, row: int) -> None:
    """Note one of the `bookings` or `places` that this person made and that is another's: undone, it goes
    back. After `standing_for`, in the same transaction.
    """
    standing = Merge.objects.filter(double=person, state__in=JOINED)
    added = Func(F(what), Value(row), function="array_append")
    standing.exclude(**{f"{what}__contains": [row]}).update(**{what: added})


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
