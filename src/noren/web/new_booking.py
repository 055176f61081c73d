"""Reception books: for a customer who is known, for a new one, on the phone or at the desk.

One page each: who, then a time, which books. What was typed stands in the answer again, and in no address.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import day as booking_day
from noren.booking import desk
from noren.booking.actions import HoldRequest
from noren.booking.book import Customer
from noren.booking.models import Booking
from noren.errors import BadField, NorenError, NotOffered
from noren.shops.tenancy import shop as in_shop
from noren.web import customers, deeds, names, proposals, shopfront, times, touched, visits, why
from noren.web.desk import open_face_of
from noren.web.forms import DeskForm
from noren.web.proposals import Pick
from noren.web.shopfront import Face, Offer

ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the page was asked for: a day and a time that somebody had in mind, with whom, and a service."""

    face: Face
    now: datetime
    offers: tuple[Offer, ...]
    offer: Offer | None
    day: date
    time: str
    staff: int | None
    key: str

    @property
    def at(self) -> datetime:
        """From when on times are looked for."""
        given = why.instant(self.day.isoformat(), self.time, self.face) if self.time else None
        here = self.now.astimezone(self.face.zone).date()
        start = given or (self.now if self.day <= here else why.instant(f"{self.day}", "00:00", self.face))
        return max(start or self.now, self.now)

    @property
    def query(self) -> str:
        """The same for another page."""
        today = self.now.astimezone(self.face.zone).date()
        day = "" if self.day == today and not self.time else self.day.isoformat()
        said = {"date": day, "time": self.time, "staff": self.staff or ""}
        return urlencode({name: value for name, value in said.items() if value})


def _wanted(request: StaffRequest) -> Wanted:
    face, now = open_face_of(request), clock.now()
    given: QueryDict = request.POST if "step" in request.POST or "pick" in request.POST else request.GET
    today = now.astimezone(face.zone).date()
    offers = tuple(each for each in shopfront.offers(face.id) if not (each.stay or each.course))
    service = times.number(given.get("service"))
    chosen = next((each for each in offers if each.id == service), None)
    return Wanted(
        face=face,
        now=now,
        offers=offers,
        offer=offers[0] if chosen is None and len(offers) == 1 else chosen,
        day=times.day_of(given.get("date")) or today,
        time=given.get("time", "")[:5],
        staff=times.number(given.get("staff")),
        key=request.POST.get("key", "")[:64] or secrets.token_urlsafe(16),
    )


@permission_required(Permission.BOOKINGS_CHANGE)
@sensitive_post_parameters("query")
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: StaffRequest) -> HttpResponse:
    """Who is it? Posted, so that no address keeps what was looked for."""
    wanted = _wanted(request)
    query = request.POST.get("query", "").strip()[:254]
    found, number, told = customers.found(request, wanted.face, query) if query else ([], 0, names.Names())
    context = {
        "shop": wanted.face,
        "way": "new",
        "names": told,
        "wanted": wanted,
        "query": query,
        "found": found,
        "number": number,
        "searched": bool(query) and not told.away,
    }
    return render(request, "web/console/new_find.html", context, status=told.answer_to(request))


@permission_required(Permission.BOOKINGS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def known(request: StaffRequest, person: UUID) -> HttpResponse:
    """For a customer who is known: the same as last time, or anything else; a time books it."""
    wanted = _wanted(request)
    rows = booking_day.history(wanted.face.id, person)
    if not rows:
        # Nobody here has booked yet: whether she is one of this shop's the vault alone knows.
        people.reveal(request.signed_in.grant, people.Purpose.CUSTOMER, [person], customers.OPEN)
    spoken = next((row.locale for row in rows if row.locale), locale())
    told = names.Names()
    refused: NorenError | None = None
    if _books(request):
        try:
            wish = _wish(request, wanted, spoken, person)
            booking = desk.book_known(wanted.face.id, wish, person, now=wanted.now, by=request.signed_in.by)
            return _done(booking, wish)
        except NorenError as refusal:
            refused = refusal
    told = names.ask(request.signed_in.grant, people.Purpose.CUSTOMER, [person], customers.OPEN)
    with in_shop(wanted.face.id):
        history = visits.of(rows, wanted.face)
    serving = shopfront.serving(wanted.face.id)
    context = {
        "names": told,
        "person": person,
        "title": told.of(person),
        "kana": told.kana(person),
        "same": proposals.the_same(wanted.face, history, serving, wanted.at, now=wanted.now),
    }
    return _page(request, wanted, context, refused, person=person)


@permission_required(Permission.BOOKINGS_CHANGE)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """For somebody who is not known: who she is, and a time, which books."""
    wanted = _wanted(request)
    if request.method != "POST" or not _books(request):
        given = request.POST
        first = {name: given.get(name, "") for name in DeskForm.base_fields}
        first["name"] = first["name"] or given.get("query", "")[:100]
        return _page(request, wanted, {"form": DeskForm(initial=first)})
    form = DeskForm(request.POST)
    if not form.is_valid():
        return _page(request, wanted, {"form": form}, status=422)
    try:
        wish = _wish(request, wanted, locale(), None)
        customer = Customer(**form.contact)
        booking = desk.book_new(wanted.face.id, wish, customer, now=wanted.now, by=request.signed_in.by)
    except BadField as refusal:
        form.refused(refusal.reasons)
        return _page(request, wanted, {"form": form}, status=refusal.status)
    except NorenError as refusal:
        return _page(request, wanted, {"form": form}, refusal)
    return _done(booking, wish)


def locale() -> str:
    """In which language she is written to, of whom nothing else is known: that of whoever books."""
    return "en" if (get_language() or "ja").startswith("en") else "ja"


def _books(request: StaffRequest) -> bool:
    return request.method == "POST" and ("pick" in request.POST or request.POST.get("step") == "insist")


def _done(booking: Booking, wish: desk.Wish) -> HttpResponse:
    """Show it, and the way to undo it, which tells her if the booking has."""
    how = "told" if wish.told else "1"
    return HttpResponseRedirect(f"{reverse('console_booking', args=[booking.id])}?booked={how}")


def _wish(request: StaffRequest, wanted: Wanted, spoken: str, person: UUID | None) -> desk.Wish:
    """Read what the button said. Raises NotOffered."""
    over = ""
    if "pick" in request.POST:
        pick = proposals.read(request.POST["pick"])
    else:
        at = why.instant(request.POST.get("date"), request.POST.get("time"), wanted.face)
        over = request.POST.get("reason", "")
        if at is None or wanted.offer is None or over not in deeds.insisting():
            raise NotOffered
        pick = Pick(wanted.offer.id, (), wanted.staff, at)
    wish = HoldRequest(
        pick.service, pick.at, pick.staff, 1, wanted.key, person=person, override=over, also=pick.also
    )
    return desk.Wish(wish, spoken, touched.told(request.POST))


def _page(
    request: StaffRequest,
    wanted: Wanted,
    more: Mapping[str, Any],
    refused: NorenError | None = None,
    *,
    person: UUID | None = None,
    status: int = 200,
) -> HttpResponse:
    face, offer = wanted.face, wanted.offer
    serving = shopfront.serving(face.id)
    near = refused.facts.get("nearest", ()) if refused else ()
    picks: tuple[Pick, ...] = ()
    staff = wanted.staff if offer is not None and wanted.staff in offer.staff else None
    if offer is not None:
        picks = proposals.of_day(face, offer, wanted.day, staff, now=wanted.now, person=person)
    context = {
        "shop": face,
        "way": "new",
        "wanted": wanted,
        "offer": offer,
        "picks": picks,
        "serving": [(each, who.name) for each, who in serving.items() if who.is_staff],
        "refused": refused and refused.words(),
        "nearest": [_near(request, wanted, start.at) for start in near],
        "insisting": deeds.insisting(),
        "insists": request.POST.get("step") == "insist",
        "tell": touched.told(request.POST),
        **more,
    }
    status = refused.status if refused else status
    return render(request, "web/console/new.html", context, status=status)


def _near(request: StaffRequest, wanted: Wanted, at: datetime) -> Pick:
    """The same at another time."""
    if "pick" in request.POST:
        pick = proposals.read(request.POST["pick"])
        return Pick(pick.service, pick.also, pick.staff, at)
    return Pick(wanted.offer.id if wanted.offer else 0, (), wanted.staff, at)
