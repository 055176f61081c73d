"""Choosing a time: the days as columns, the first free one open; taking a time begins a hold."""

import secrets
from datetime import UTC, date, datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.rules import public
from noren.booking import actions, availability, series
from noren.errors import (
    HoldExpired,
    InThePast,
    LimitReached,
    NightsNotOffered,
    NorenError,
    NotOffered,
    NotTogether,
    OnlineStopped,
    OutsideHorizon,
    PartyTooLarge,
    ServiceUnknown,
    SlotTaken,
    TooLate,
)
from noren.web import adding, full, shopfront, ways, week
from noren.web import held as helds
from noren.web.held import Held
from noren.web.public import face_or_404
from noren.web.week import Asked

# What no shop's calendar has is not asked of any: the ends of Python's own are out of range in some zone.
FIRST, LAST = date(2000, 1, 1), date(2200, 1, 1)

# Why a time cannot be held; each is answered with the nearest times that can.
REFUSALS = (
    SlotTaken,
    InThePast,
    LimitReached,
    NightsNotOffered,
    OutsideHorizon,
    TooLate,
    NotOffered,
    NotTogether,
    OnlineStopped,
    PartyTooLarge,
)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, slug: str, service_id: str) -> HttpResponse:
    """GET shows the free times; POST holds one and leads on to the form."""
    asked = question(request, face_or_404(slug), int(service_id))
    if asked.offer.course:
        # Its dates are booked together: they are all on one page.
        return HttpResponseRedirect(asked.way.at("book_series", [slug, asked.offer.id], asked.said()))
    if request.method != "POST":
        return _page(request, asked)
    at = instant(request.POST.get("at", ""))
    try:
        held = hold(asked, at)
    except REFUSALS as refusal:
        return _page(request, asked, refusal, nearest(asked, at))
    there = [asked.face.slug, asked.offer.id]
    return HttpResponseRedirect(asked.way.at("book_who", there, {"held": held.sign()}))


def hold(asked: Asked, at: datetime) -> Held:
    """Keep the time for this customer, and let go the one she held before. Raises one of REFUSALS."""
    if asked.hold is not None:
        series.let_go(asked.face.id, asked.hold, now=asked.now)
    kept = actions.hold(
        asked.face.id,
        actions.HoldRequest(
            service_id=asked.offer.id,
            start=at,
            staff=asked.staff,
            party=asked.party,
            key=secrets.token_urlsafe(16),
            nights=asked.nights_on(at),
            also=asked.offer.also,
        ),
        now=asked.now,
    )
    return Held(
        shop=asked.face.id,
        hold=kept.id,
        service=asked.offer.id,
        start=int(at.timestamp()),
        staff=asked.staff or 0,
        party=asked.party,
        until=int(kept.expires_at.timestamp()),
        nights=asked.nights_on(at),
        also=asked.offer.also,
    )


def nearest(asked: Asked, at: datetime) -> tuple[availability.Start, ...]:
    """The free times around one that cannot be had; none where the question cannot be answered."""
    try:
        return availability.nearest(
            asked.face.id,
            asked.offer.id,
            at,
            now=asked.now,
            staff=asked.staff,
            party=asked.party,
            nights=asked.nights_on(at),
            person=asked.person,
            own=asked.hold,
            also=asked.offer.also,
        )
    except NorenError:
        return ()


def instant(text: str) -> datetime:
    """Read a time that a button sent. Raises NotOffered."""
    try:
        at = datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise NotOffered from None
    if not FIRST <= at.date() <= LAST:
        raise NotOffered
    return at


def _page(
    request: HttpRequest,
    asked: Asked,
    refusal: NorenError | None = None,
    near: tuple[availability.Start, ...] = (),
) -> HttpResponse:
    shown = week.page(asked)
    context = {
        "shop": asked.face,
        "stopped": asked.face.is_stopped(asked.now),
        "held": asked.held,
        "taken": refusal and refusal.words(),
        "nearest": near,
        "full": full.places(asked, shown["columns"]),
        "several": asked.offer.series > 1,
        "dates_page": asked.way.at("book_series", [asked.face.slug, asked.offer.id], asked.said()),
        **shown,
    }
    response = render(request, "web/book/times.html", context, status=refusal.status if refusal else 200)
    add_never_cache_headers(response)
    return response


def question(request: HttpRequest, face: shopfront.Face, service_id: int) -> Asked:
    """Read what a customer asks, from the address or the form. Raises ServiceUnknown."""
    given = request.POST if request.method == "POST" else request.GET
    offer = shopfront.offer(face.id, service_id, adding.chosen(face.id, service_id, given.get("also", "")))
    if offer is None:
        raise ServiceUnknown
    staff = number(given.get("staff"))
    party = number(given.get("party")) or offer.party_min
    return Asked(
        face=face,
        offer=offer,
        staff=staff if staff in offer.staff else None,
        party=min(max(party, offer.party_min), offer.party_max),
        nights=_nights(offer, given.get("nights")),
        first=day_of(given.get("from")),
        day=day_of(given.get("day")),
        held=given.get("held", ""),
        hold=own_hold(given.get("held", ""), face.id),
        now=clock.now(),
        way=ways.of(request),
    )


def _nights(offer: shopfront.Offer, text: str | None) -> int:
    """Read how many nights of a stay; 0 is the fewest of the day on which it begins."""
    return min(number(text) or 0, offer.stay.most) if offer.stay else 0


def own_hold(token: str, shop_id: int) -> int | None:
    """The hold of a customer who came back to choose another time."""
    try:
        return helds.read(token, shop_id).hold if token else None
    except HoldExpired:
        return None


def number(text: str | None) -> int | None:
    """Read a number of an address: the digits alone."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 12 else None


def day_of(text: str | None) -> date | None:
    """Read a day of an address; None for one that no shop's calendar has."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if FIRST <= day <= LAST else None
