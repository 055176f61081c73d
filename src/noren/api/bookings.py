"""Booking, seeing and cancelling by program: the same deeds as the pages', told in the API's words."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from noren.api import schemas
from noren.api.schemas import BookingShown, NewBooking
from noren.booking import actions, links
from noren.booking import book as way
from noren.booking.availability import Start
from noren.booking.models import Booking
from noren.booking.transact import CUSTOMER
from noren.errors import BadField, InThePast, LinkUnknown, OutsideHorizon, SlotTaken
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
        customer=customer(wanted.customer),
        locale=(get_language() or "ja")[:2],
        idempotency_key=key,
    )
    try:
        booked = way.book(shop_id, request, now=now)
    except SlotTaken as taken:
        raise SlotTaken(nearest=[_start(start) for start in taken.facts["nearest"]]) from None
    except BadField as bad:
        raise in_customer(bad) from None
    return shown(slug, booked.booking)


def of_token(token: str) -> BookingShown:
    """Show the link's booking. LinkUnknown, LinkRevoked."""
    link = links.resolve(token)
    with shop(link.shop_id):
        booking = Booking.objects.filter(id=link.booking_id).first()
    if booking is None:
        raise LinkUnknown
    return shown(directory.slug(link.shop_id), booking)


def cancel(token: str, *, now: datetime) -> BookingShown:
    """Cancel the link's booking and show it. LinkUnknown, LinkRevoked, AlreadyCancelled, TooLateToCancel."""
    link = links.resolve(token)
    actions.cancel(link.shop_id, link.booking_id, now=now, by=CUSTOMER)
    return of_token(token)


def check(start: datetime) -> None:
    """Raise InThePast, OutsideHorizon."""
    if start.year < FIRST_YEAR:
        raise InThePast
    if start.year > LAST_YEAR:
        raise OutsideHorizon


def customer(given: schemas.Customer) -> way.Customer:
    return way.Customer(name=given.name, mail=given.mail, phone=given.phone, kana=given.kana, note=given.note)


def in_customer(bad: BadField) -> BadField:
    """Say the vault's field as the caller wrote it."""
    fields: dict[str, str] = bad.facts.get("fields") or {bad.facts["field"]: bad.facts["reason"]}
    return BadField(fields={f"customer.{field}": reason for field, reason in fields.items()})


def shown(slug: str, booking: Booking) -> BookingShown:
    zone = ZoneInfo(booking.zone)
    return BookingShown(
        shop=slug,
        service=booking.service_id,
        staff=booking.staff_id,
        start=booking.start.astimezone(zone),
        end=booking.end.astimezone(zone),
        party=booking.party,
        status=booking.status,
        price=booking.agreed["price"],
        currency=booking.agreed["currency"],
        link=about.link(booking.shop_id, booking.id, booking.generation),
        token=links.token(booking.shop_id, booking.id, booking.generation),
    )


def _start(start: Start) -> dict[str, Any]:
    told: dict[str, Any] = {"at": start.at.isoformat()}
    return told if start.left is None else told | {"left": start.left}
