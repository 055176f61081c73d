"""A customer's own booking, by its link. GET changes nothing; nothing here is personal, no vault is asked."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST, require_safe

from noren import clock
from noren.booking import actions, links
from noren.booking.models import Booking
from noren.errors import AlreadyCancelled, LinkUnknown, TooLateToCancel
from noren.messages import about, ics
from noren.messages.notice import Kind
from noren.shops import directory
from noren.shops.tenancy import shop as in_shop
from noren.web import shopfront, visits, wording
from noren.web.public import face_or_404


@require_safe
def booking(request: HttpRequest, token: str) -> HttpResponse:
    face, visit = _of(token)
    return _page(request, token, face, visit)


@require_POST
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    face, visit = _of(token)
    try:
        actions.cancel(face.id, visit.id, now=clock.now(), by="customer")
    except AlreadyCancelled:
        return HttpResponseRedirect(reverse("own", args=[token]))
    except TooLateToCancel as refusal:
        return _page(request, token, face, visit, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("own", args=[token]))


@require_safe
def calendar(_request: HttpRequest, token: str) -> HttpResponse:
    """The booking as an ICS file."""
    face, visit = _of(token)
    with in_shop(face.id):
        kind = Kind.BOOKED if visit.stands else Kind.CANCELLED
        notice = about.notice(Booking.objects.get(id=visit.id), kind)
    response = HttpResponse(
        ics.calendar(notice, now=clock.now()), content_type="text/calendar; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="booking.ics"'
    add_never_cache_headers(response)
    return response


def _of(token: str) -> tuple[shopfront.Face, visits.Visit]:
    """Return the link's booking. Raises LinkUnknown, LinkRevoked."""
    link = links.resolve(token)
    face = face_or_404(directory.slug(link.shop_id))
    visit = visits.one(face, link.booking_id)
    if visit is None:
        raise LinkUnknown
    return face, visit


def _page(
    request: HttpRequest,
    token: str,
    face: shopfront.Face,
    visit: visits.Visit,
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    now = clock.now()
    until = shopfront.cancel_until(face, visit.service_id, visit.start, visit.cancel_deadline)
    context = {
        "shop": face,
        "token": token,
        "booking": visit,
        "new": "new" in request.GET and visit.stands,
        "gone": not visit.stands,
        "refused": refused,
        "cancellable": now <= until,
        "cancelling": wording.cancelling(until, now),
        "policy": face.policy,
    }
    response = render(request, "web/own/booking.html", context, status=status)
    add_never_cache_headers(response)
    # Not "no-referrer": under it browsers send `Origin: null` with the form that cancels, which the
    # protection against forged forms refuses. "same-origin" tells the link to no other site either.
    response["Referrer-Policy"] = "same-origin"
    return response
