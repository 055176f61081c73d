"""A day of a shop, and a customer's history: ids and times. Names are the vault's to tell."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from uuid import UUID

from noren.booking.impact import OPEN
from noren.booking.models import STANDING, Booking, Claim, Event, Status
from noren.booking.transact import of_id
from noren.engine import wall
from noren.shops.rules import known
from noren.shops.tenancy import shop
from noren.shops.trip import read_in

# A stranger's form that is being filled, or was not finished.
_NONE_YET = (Status.HELD, Status.EXPIRED)
# Not the last event alone: of two transactions the one with the smaller number may end last.
_MARK = """
SELECT (SELECT sum(e.id)::text FROM (
        SELECT id FROM booking_event WHERE shop_id = $1::bigint ORDER BY id DESC LIMIT 64) e),
    (SELECT count(*)::text || '.' || max(id)::text FROM booking_block WHERE shop_id = $1::bigint),
    s.rules_revision
FROM shops_shop s WHERE s.shop_id = $1::bigint
"""


def mark(shop_id: int) -> str:
    """Return a mark that is another one whenever a booking, a block or a rule of the shop's has changed."""
    rows = read_in(shop_id, _MARK, [shop_id])
    return "-".join(str(each or 0) for each in rows[0]) if rows else ""


def day(shop_id: int, on: date) -> list[Booking]:
    """Return what begins on a date of the shop's, in order; a stranger's half-filled form is not of it."""
    with shop(shop_id):
        zone = known().rules.zone
        begin, end = (
            datetime.fromtimestamp(wall.midnight(zone, wall.number(on) + n) * 60, UTC) for n in (0, 1)
        )
        rows = Booking.objects.filter(start__gte=begin, start__lt=end, status__in=STANDING)
        return list(rows.order_by("start", "id"))


def of_resource(shop_id: int, on: date, resource_id: int) -> list[Booking]:
    """Return those of a day that somebody serves, or for which something is used; those of classes too."""
    with shop(shop_id):
        rows = day(shop_id, on)
        ids = [row.id for row in rows]
        sessions = [row.session_id for row in rows if row.session_id is not None]
        hers = Claim.objects.filter(resource_id=resource_id)
        mine = set(hers.filter(booking_id__in=ids).values_list("booking_id", flat=True))
        led = set(hers.filter(session_id__in=sessions).values_list("session_id", flat=True))
    return [row for row in rows if row.id in mine or row.session_id in led]


def between(shop_id: int, first: date, last: date) -> list[Booking]:
    """Return the bookings of all statuses that begin on these dates of the shop's, in order."""
    with shop(shop_id):
        zone = known().rules.zone
        begin, end = (
            datetime.fromtimestamp(wall.midnight(zone, number) * 60, UTC)
            for number in (wall.number(first), wall.number(last) + 1)
        )
        rows = Booking.objects.filter(start__gte=begin, start__lt=end).exclude(status__in=_NONE_YET)
        return list(rows.order_by("start", "id"))


def one(shop_id: int, booking_id: int) -> Booking:
    """Return a booking of any status. Raises BookingUnknown."""
    with shop(shop_id):
        return of_id(booking_id)


def history(shop_id: int, person_id: UUID) -> list[Booking]:
    """Return a customer's bookings of all statuses, the newest first."""
    with shop(shop_id):
        rows = Booking.objects.filter(person_id=person_id).exclude(status__in=_NONE_YET)
        return list(rows.order_by("-start", "-id"))


def nearest(shop_id: int, persons: Collection[UUID], *, now: datetime) -> dict[UUID, Booking]:
    """Return of each customer the visit that began last, or the next of who has not been here yet."""
    with shop(shop_id):
        rows = Booking.objects.filter(person_id__in=persons, status__in=STANDING)
        soon = rows.filter(start__gt=now).order_by("person_id", "start", "id").distinct("person_id")
        last = rows.filter(start__lte=now).order_by("person_id", "-start", "-id").distinct("person_id")
        return {row.person_id: row for each in (soon, last) for row in each if row.person_id}


def waiting(shop_id: int, *, now: datetime) -> list[Booking]:
    """Return the bookings that somebody must still look at, in order."""
    with shop(shop_id):
        rows = Booking.objects.filter(status__in=OPEN, end__gt=now).exclude(attention="")
        return list(rows.order_by("start", "id"))


def unanswered(shop_id: int, *, now: datetime) -> list[datetime]:
    """Return when those begin that wait for the shop's yes, in order."""
    with shop(shop_id):
        rows = Booking.objects.filter(status=Status.PENDING, start__gt=now)
        return list(rows.order_by("start").values_list("start", flat=True))


def last_reasons(shop_id: int, booking_ids: list[int]) -> dict[int, str]:
    """Return why each of them was last touched or moved by somebody else than its customer, as a code."""
    with shop(shop_id):
        rows = Event.objects.filter(
            booking_id__in=booking_ids, what__in=["touched", "moved", "session_moved"]
        )
        return dict(rows.order_by("at", "id").values_list("booking_id", "why"))
