"""Somebody stands at the desk: what could begin now, by whom, and one tap that books it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import desk
from noren.booking.actions import HoldRequest
from noren.booking.book import Customer
from noren.errors import BadField, NorenError, NotOffered
from noren.shops.tenancy import shop as in_shop
from noren.web import lanes, shopfront, times
from noren.web.desk import open_face_of
from noren.web.forms import OTHERWISE, REASONS
from noren.web.new_booking import locale
from noren.web.shopfront import Face, Offer, Serving


@dataclass(frozen=True, slots=True)
class Line:
    """A service, and who is here and free for the whole of it, in the shop's order."""

    offer: Offer
    staff: tuple[tuple[int, str], ...]


@permission_required(Permission.BOOKINGS_CHANGE)
@sensitive_post_parameters("name")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """GET shows what could begin now; POST books it, and she is here."""
    face = open_face_of(request)
    now = clock.now().astimezone(UTC).replace(second=0, microsecond=0)
    if not request.POST.get("pick"):  # Enter in the field of her name books nothing
        return _page(request, face, now)
    chosen, _dot, staff = request.POST.get("pick", "").partition(".")
    service = times.number(chosen)
    if service is None:
        return _page(request, face, now, refused=NotOffered().words(), status=NotOffered.status)
    key = request.POST.get("key", "")[:64] or secrets.token_urlsafe(16)
    wish = desk.Wish(
        HoldRequest(service, now, times.number(staff), 1, key, walk_in=True),
        locale(),
        told=False,
    )
    customer = Customer(request.POST.get("name", "").strip()[:200] or _("Walk-in customer"), "")
    try:
        booking = desk.walk_in(face.id, wish, customer, now=clock.now(), by=request.signed_in.by)
    except BadField as refusal:
        words = str(REASONS.get(refusal.facts["reason"], OTHERWISE))
        return _page(request, face, now, refused=words, status=refusal.status)
    except NorenError as refusal:
        return _page(request, face, now, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(f"{reverse('console_booking', args=[booking.id])}?booked=1")


def _page(
    request: StaffRequest, face: Face, now: datetime, *, refused: str = "", status: int = 200
) -> HttpResponse:
    serving = shopfront.serving(face.id)
    here = _on_duty(face, now, serving)
    context = {
        "shop": face,
        "way": "new",
        "now": now.astimezone(face.zone),
        "lines": _lines(face, here, serving, now),
        "on_duty": bool(here),
        "key": secrets.token_urlsafe(16),
        "name": request.POST.get("name", ""),
        "refused": refused,
    }
    return render(request, "web/console/walk_in.html", context, status=status)


def _on_duty(face: Face, now: datetime, serving: Mapping[int, Serving]) -> list[int]:
    """Return who of the staff is there at this hour."""
    wall = now.astimezone(face.zone)
    minute = wall.hour * 60 + wall.minute
    with in_shop(face.id):
        opens = lanes.opens_on(wall.date())
    return [
        each
        for each, who in serving.items()
        if who.is_staff and any(span.start <= minute < span.end for span in opens.get(each, ()))
    ]


def _lines(face: Face, here: list[int], serving: Mapping[int, Serving], now: datetime) -> list[Line]:
    found = []
    for offer in shopfront.offers(face.id):
        if offer.is_class or offer.stay or offer.course:
            continue
        able = [each for each in here if each in offer.staff]
        free = desk.free_now(face.id, offer.id, able, now=now) if able else []
        found.append(Line(offer, tuple((each, serving[each].name) for each in free)))
    return found
