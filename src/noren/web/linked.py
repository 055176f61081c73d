"""A booking as its link opens it, and what its holder may do about its time."""

from datetime import datetime

from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers

from noren.booking import agreement, links
from noren.booking.transact import of_id
from noren.errors import LinkUnknown
from noren.shops import directory
from noren.shops.rules import known
from noren.shops.tenancy import shop as in_shop
from noren.web import shopfront, visits, week
from noren.web.public import face_or_404


def of(token: str) -> tuple[shopfront.Face, visits.Visit]:
    """Return the link's booking. Raises LinkUnknown, LinkRevoked."""
    link = links.resolve(token)
    face = face_or_404(directory.slug(link.shop_id))
    visit = visits.one(face, link.booking_id)
    if visit is None:
        raise LinkUnknown
    return face, visit


def closed(response: HttpResponse) -> HttpResponse:
    """Keep a link's page out of every cache, and its address to ourselves.

    Not "no-referrer": under it browsers send `Origin: null` with a form, which the protection against forged
    forms refuses. "same-origin" tells the link to no other site either.
    """
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "same-origin"
    return response


def change_until(face: shopfront.Face, visit: visits.Visit) -> datetime | None:
    """Return until when (included) she may choose another time herself; None where none can be chosen: it
    stands no longer, its service is not offered any more, or its dates are booked together.
    """
    if not visit.open:
        return None
    with in_shop(face.id):
        house = known().visit(visit.service_id, visit.also)
        service = house.rules.services[visit.service_id]
        if not service.bookable or house.terms.services[service.id].course:
            return None
        return agreement.deadline(of_id(visit.id), "change").astimezone(face.zone)


def again(face: shopfront.Face, offer: shopfront.Offer | None, visit: visits.Visit, now: datetime) -> str:
    """Return the address at which the same is booked once more; empty where it is not offered any more."""
    return "" if offer is None else week.like(face, offer, visit, now).address()
