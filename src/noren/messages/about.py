"""What a mail or a calendar entry says about one booking, or one who waits, read from the shop's rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from noren.booking import links, overrun, sessions
from noren.booking.models import Booking, Event, Status, Waiting
from noren.messages import words
from noren.messages.notice import Kind, Notice
from noren.shops.models import Service, Shop, Staff
from noren.shops.tenancy import current_shop


def notice(booking: Booking, kind: Kind) -> Notice:
    """Return it in the customer's language. Inside the booking's shop."""
    shop = Shop.objects.get()
    spoken = words.language(booking.locale or shop.locale)
    zone = ZoneInfo(shop.zone)
    was = sessions.was(booking)
    return Notice(
        kind=kind,
        locale=spoken,
        start=booking.start.astimezone(zone),
        end=booking.end.astimezone(zone),
        uid=uid(current_shop(), booking.id),
        sequence=booking.changes + _approved(booking),
        link=link(current_shop(), booking.id, booking.generation),
        party=booking.party,
        price=int(booking.agreed["price"]),
        fee=int(booking.agreed.get("fee", 0)),
        currency=str(booking.agreed["currency"]),
        shop=_said(shop.texts, "name", spoken),
        service=_services(booking.services, spoken),
        staff=_staff(booking.staff_id, spoken),
        address=_said(shop.texts, "address", spoken),
        access=_said(shop.texts, "access", spoken),
        phone=str(shop.contact.get("phone", "")),
        policy=_said(shop.texts, "policy", spoken),
        sender=settings.ENV.mail_from,
        was=None if was is None else (was[0].astimezone(zone), was[1].astimezone(zone)),
        pending=booking.status == Status.PENDING,
        minutes=overrun.delay(booking) if kind is Kind.DELAYED else 0,
    )


def waiting(entry: Waiting, offer: Booking | None) -> Notice:
    """Return what is told to who waits: that she does, or which place is kept for her. Inside the shop."""
    address = waiting_link(entry)
    if offer is not None and entry.offer_ends is not None:
        offer.locale = entry.locale
        told = notice(offer, Kind.OFFERED)
        return replace(told, link=address, until=entry.offer_ends.astimezone(told.start.tzinfo))
    shop = Shop.objects.get()
    spoken, zone = words.language(entry.locale or shop.locale), ZoneInfo(shop.zone)
    day = datetime.combine(entry.day, time(), zone)
    start = day if entry.start is None else entry.start.astimezone(zone)
    return Notice(
        kind=Kind.JOINED,
        locale=spoken,
        start=start,
        end=start,
        uid="",
        sequence=0,
        link=address,
        party=entry.party,
        price=0,
        currency=shop.currency,
        shop=_said(shop.texts, "name", spoken),
        service=_said(Service.objects.get(id=entry.service_id).texts, "name", spoken),
        staff=_staff(entry.asked_staff_id, spoken),
        phone=str(shop.contact.get("phone", "")),
        whole_day=entry.start is None,
        sender=settings.ENV.mail_from,
    )


def uid(shop_id: int, booking_id: int) -> str:
    """Return the calendar's name for the booking: the same for its whole life (RFC 7986)."""
    return f"booking-{shop_id}-{booking_id}@{settings.NOREN_ORIGIN.split('://', 1)[1]}"


def link(shop_id: int, booking_id: int, generation: int) -> str:
    """Return the address of the customer's own page. A secret: derived when it is told, stored nowhere."""
    return f"{settings.NOREN_ORIGIN}/b/{links.token(shop_id, booking_id, generation)}"


def waiting_link(entry: Waiting) -> str:
    """Return the address of the page of who waits: as much a secret."""
    return f"{settings.NOREN_ORIGIN}/w/{links.waiting_token(entry.shop_id, entry.id, entry.generation)}"


def _approved(booking: Booking) -> int:
    """From tentative to confirmed is a change of its own (RFC 5546, 2.1.4), and no move."""
    return Event.objects.filter(booking_id=booking.id, what="approved").count()


def _services(ids: Sequence[int], spoken: str) -> str:
    """Return the services of a visit in one line."""
    found = Service.objects.in_bulk(ids)
    return words.TOGETHER[spoken].join([_said(found[each].texts, "name", spoken) for each in ids])


def _staff(staff_id: int | None, spoken: str) -> str:
    if staff_id is None:
        return ""
    member = Staff.objects.filter(id=staff_id).first()
    return "" if member is None else _said(member.texts, "name", spoken)


def _said(texts: Mapping[str, Any], what: str, spoken: str) -> str:
    """Return the shop's words in the language, or in the one they were written in."""
    said: Mapping[str, str] = texts.get(what) or {}
    return said.get(spoken) or said.get("ja") or next(iter(said.values()), "")
