"""A place on a waiting list, by its link. GET changes nothing; nothing here is personal."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from noren import clock
from noren.accounts.rules import own_link
from noren.booking import links, turns
from noren.booking import waiting as way
from noren.booking.models import Booking, Waiting, WaitingState
from noren.errors import AlreadyBooked, HoldExpired, LimitReached, NorenError, NothingOffered
from noren.shops import directory
from noren.shops.models import Service, Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import fees, linked, shopfront, visits, wording
from noren.web.public import face_or_404


@dataclass(frozen=True, slots=True)
class Place:
    """What is waited for in words, and what is kept or booked."""

    face: shopfront.Face
    entry: Waiting
    state: WaitingState
    service: str
    staff: str
    start: datetime | None
    visit: visits.Visit | None
    own: str


@own_link
@require_safe
def entry(request: HttpRequest, token: str) -> HttpResponse:
    return _page(request, token)


@own_link
@require_POST
def accept(request: HttpRequest, token: str) -> HttpResponse:
    link = links.resolve_waiting(token)
    try:
        booked = way.accept(link.shop_id, link.waiting_id, now=clock.now())
    except (HoldExpired, NothingOffered, LimitReached) as refusal:
        return _page(request, token, refusal)
    return HttpResponseRedirect(reverse("own", args=[booked.token]) + "?new")


@own_link
@require_POST
def decline(_request: HttpRequest, token: str) -> HttpResponse:
    link = links.resolve_waiting(token)
    way.decline_offer(link.shop_id, link.waiting_id, now=clock.now())
    return HttpResponseRedirect(reverse("waiting", args=[token]))


@own_link
@require_POST
def leave(request: HttpRequest, token: str) -> HttpResponse:
    link = links.resolve_waiting(token)
    try:
        way.leave(link.shop_id, link.waiting_id, now=clock.now())
    except AlreadyBooked as refusal:
        return _page(request, token, refusal)
    return HttpResponseRedirect(reverse("waiting", args=[token]))


def _page(request: HttpRequest, token: str, refusal: NorenError | None = None) -> HttpResponse:
    now = clock.now()
    place = _of(token, now)
    context = {"shop": place.face, "token": token, "place": place, "refused": refusal and refusal.words()}
    if place.visit is not None and place.entry.offer_ends is not None:
        visit, face = place.visit, place.face
        until = fees.cancel_until(face, visit.id)
        context |= {
            "offer": visit,
            "until": place.entry.offer_ends.astimezone(face.zone),
            "cancelling": wording.cancelling(until, now),
            "policy": face.policy,
            "own": place.own,
        }
    status = 200 if refusal is None else refusal.status
    return linked.closed(render(request, "web/waiting/entry.html", context, status=status))


def _of(token: str, now: datetime) -> Place:
    """Return the link's place. Raises LinkUnknown, LinkRevoked."""
    link = links.resolve_waiting(token)
    face = face_or_404(directory.slug(link.shop_id))
    row = way.of_entry(link.shop_id, link.waiting_id)
    state = turns.standing(row, now=now)
    with in_shop(face.id):
        service = Service.objects.get(id=row.service_id)
        staff = Staff.objects.filter(id=row.asked_staff_id or 0).first()
        kept = state in (WaitingState.OFFERED, WaitingState.BOOKED)
        holds = list(Booking.objects.filter(id=row.hold_id or 0)) if kept else []
        seen = visits.of(holds, face)
    return Place(
        face=face,
        entry=row,
        state=state,
        service=wording.text(service.texts, "name"),
        staff="" if staff is None else wording.text(staff.texts, "name"),
        start=None if row.start is None else row.start.astimezone(face.zone),
        visit=seen[0] if seen else None,
        own=links.token(face.id, holds[0].id, holds[0].generation) if holds else "",
    )
