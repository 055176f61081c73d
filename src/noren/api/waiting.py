"""The waiting list by program: the same deeds as the page's, told in the API's words."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from noren.api import bookings
from noren.api.schemas import BookingShown, NewWait, Offer, WaitingShown
from noren.booking import links, turns
from noren.booking import waiting as way
from noren.booking.models import Booking, Waiting, WaitingState
from noren.booking.waiting import JoinRequest
from noren.errors import BadField, SlotFree
from noren.messages import about
from noren.shops import directory
from noren.shops.rules import known
from noren.shops.tenancy import shop


def join(slug: str, shop_id: int, wanted: NewWait, *, now: datetime) -> WaitingShown:
    """Join, and show how it stands. Raises what noren.booking.waiting.join does, its facts in the API's
    words.
    """
    _check(wanted)
    request = JoinRequest(
        service_id=wanted.service,
        day=wanted.day,
        start=wanted.start,
        staff=None if wanted.staff == "any" else wanted.staff,
        party=wanted.party,
        nights=wanted.nights,
        locale=(get_language() or "ja")[:2],
    )
    try:
        joined = way.join(shop_id, request, bookings.customer(wanted.customer), now=now)
    except SlotFree as free:
        raise SlotFree(nearest=[bookings.told_start(start) for start in free.facts["nearest"]]) from None
    except BadField as bad:
        raise bookings.in_customer(bad) from None
    return _shown(slug, joined.entry, now)


def of_token(token: str, *, now: datetime) -> WaitingShown:
    """Show the link's place on the list. LinkUnknown, LinkRevoked."""
    link = links.resolve_waiting(token)
    entry = way.of_entry(link.shop_id, link.waiting_id)
    return _shown(directory.slug(link.shop_id), entry, now)


def leave(token: str, *, now: datetime) -> WaitingShown:
    """Leave and show it. LinkUnknown, LinkRevoked, AlreadyBooked."""
    link = links.resolve_waiting(token)
    way.leave(link.shop_id, link.waiting_id, now=now)
    return of_token(token, now=now)


def accept(token: str, *, now: datetime) -> BookingShown:
    """Book what is offered, and show the booking. LinkUnknown, LinkRevoked, NothingOffered, HoldExpired."""
    link = links.resolve_waiting(token)
    booked = way.accept(link.shop_id, link.waiting_id, now=now)
    return bookings.shown(directory.slug(link.shop_id), booked.booking, now=now)


def _check(wanted: NewWait) -> None:
    if wanted.day is not None and wanted.start is not None:
        raise BadField(field="day", reason="beside_start")
    day = wanted.day or wanted.start
    if day is None:
        raise BadField(field="start", reason="missing")
    bookings.check(day)


def _shown(slug: str, entry: Waiting, now: datetime) -> WaitingShown:
    state = turns.standing(entry, now=now)
    with shop(entry.shop_id):
        zone = ZoneInfo(known().rules.zone)
        kept = state == WaitingState.OFFERED
        hold = Booking.objects.filter(id=entry.hold_id or 0).first() if kept else None
        token = links.waiting_token(entry.shop_id, entry.id, entry.generation)
    return WaitingShown(
        shop=slug,
        service=entry.service_id,
        staff=entry.asked_staff_id,
        day=entry.day,
        start=None if entry.start is None else entry.start.astimezone(zone),
        party=entry.party,
        nights=entry.nights,
        state=state,
        offer=None if hold is None else _offer(entry, hold, zone),
        link=about.waiting_link(entry),
        token=token,
    )


def _offer(entry: Waiting, hold: Booking, zone: ZoneInfo) -> Offer | None:
    if entry.offer_ends is None:
        return None
    return Offer(
        start=hold.start.astimezone(zone),
        end=hold.end.astimezone(zone),
        staff=hold.staff_id,
        price=hold.agreed["price"],
        currency=hold.agreed["currency"],
        until=entry.offer_ends.astimezone(zone),
    )
