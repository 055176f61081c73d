"""Booking, seeing and cancelling by program: the same deeds as the pages', told in the API's words."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from noren.api import asking, schemas
from noren.api.schemas import BookingShown, Moved, NewBooking, PartShown
from noren.booking import actions, agreement, links
from noren.booking import book as way
from noren.booking.availability import Start
from noren.booking.models import Booking
from noren.booking.transact import CUSTOMER
from noren.errors import BadField, InThePast, LimitReached, LinkUnknown, NorenError, OutsideHorizon, SlotTaken
from noren.messages import about
from noren.shops import directory
from noren.shops.tenancy import shop

# Instants outside are refused before any calendar is asked.
FIRST_YEAR, LAST_YEAR = 2000, 2200


def book(slug: str, shop_id: int, wanted: NewBooking, key: str | None, *, now: datetime) -> BookingShown:
    """Book, and show the booking. Raises what noren.booking.book does, its facts in the API's words."""
    check(wanted.start)
    request = way.BookRequest(
        service_id=wanted.service,
        start=wanted.start,
        staff=None if wanted.staff == "any" else wanted.staff,
        party=wanted.party,
        nights=wanted.nights,
        customer=customer(wanted.customer),
        said=asking.told(wanted),
        locale=(get_language() or "ja")[:2],
        idempotency_key=key,
        also=tuple(wanted.also),
    )
    try:
        booked = way.book(shop_id, request, now=now)
    except (SlotTaken, LimitReached) as lost:
        raise _told(lost) from None
    except BadField as bad:
        raise in_customer(bad) from None
    return shown(slug, booked.booking, now=now)


def of_token(token: str, *, now: datetime) -> BookingShown:
    """Show the link's booking. LinkUnknown, LinkRevoked."""
    link = links.resolve(token)
    with shop(link.shop_id):
        booking = Booking.objects.filter(id=link.booking_id).first()
    if booking is None:
        raise LinkUnknown
    return shown(directory.slug(link.shop_id), booking, now=now)


def cancel(token: str, *, now: datetime) -> BookingShown:
    """Cancel the link's booking and show it. LinkUnknown, LinkRevoked, AlreadyCancelled, TooLateToCancel."""
    link = links.resolve(token)
    actions.cancel(link.shop_id, link.booking_id, now=now, by=CUSTOMER)
    return of_token(token, now=now)


def move(token: str, wanted: Moved, *, now: datetime) -> BookingShown:
    """Move the link's booking and show it. LinkUnknown, LinkRevoked, and what actions.move raises."""
    link = links.resolve(token)
    check(wanted.start)
    with shop(link.shop_id):
        staff = Booking.objects.get(id=link.booking_id).asked_staff_id
    if wanted.staff is not None:
        staff = None if wanted.staff == "any" else wanted.staff
    try:
        actions.move(link.shop_id, link.booking_id, wanted.start, staff, now=now, by=CUSTOMER)
    except (SlotTaken, LimitReached) as lost:
        raise _told(lost) from None
    return of_token(token, now=now)


def _told(lost: SlotTaken | LimitReached) -> NorenError:
    """Say what is free instead in the API's words."""
    return type(lost)(nearest=[told_start(start) for start in lost.facts.get("nearest", ())])


def check(day: date) -> None:
    """Refuse what is asked for outside of all calendars."""
    if day.year < FIRST_YEAR:
        raise InThePast
    if day.year > LAST_YEAR:
        raise OutsideHorizon


def customer(given: schemas.Customer) -> way.Customer:
    """Return who comes, on her way to the vault."""
    return way.Customer(name=given.name, mail=given.mail, phone=given.phone, kana=given.kana, note=given.note)


def in_customer(bad: BadField) -> BadField:
    """Say the vault's field as the caller wrote it."""
    hers = schemas.Customer.model_fields
    return BadField(
        fields={f"customer.{name}" if name in hers else name: reason for name, reason in bad.reasons.items()}
    )


def shown(slug: str, booking: Booking, *, now: datetime) -> BookingShown:
    """Return a booking as every answer tells it."""
    zone = ZoneInfo(booking.zone)
    with shop(booking.shop_id):
        until, cost = agreement.deadline(booking, "cancel"), agreement.owed(booking, now=now).fee
    return BookingShown(
        shop=slug,
        service=booking.service_id,
        parts=[PartShown(**{name: part[name] for name in PartShown.model_fields}) for part in booking.parts],
        staff=booking.staff_id,
        start=booking.start.astimezone(zone),
        end=booking.end.astimezone(zone),
        party=booking.party,
        nights=booking.agreed["nights"],
        status=schemas.STATUS.validate_python(booking.status),
        price=booking.agreed["price"],
        currency=booking.agreed["currency"],
        cancel_until=until.astimezone(zone),
        cancel_fee=cost,
        link=about.link(booking.shop_id, booking.id, booking.generation),
        token=links.token(booking.shop_id, booking.id, booking.generation),
    )


def told_start(start: Start) -> dict[str, Any]:
    """Return a free start as a refusal tells it."""
    told: dict[str, Any] = {"at": start.at.isoformat()}
    return told if start.left is None else told | {"left": start.left}
