"""From a held time to a booking: who, the final screen, done.

What the customer writes travels in her form and in the answers to it; before she books it is kept nowhere.
Who is signed in writes nothing but a word to the shop: the rest is hers already, shown by a reveal of
herself, and is changed in her account.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.rules import public
from noren.booking import book, series, visitors
from noren.booking.book_series import complete_series
from noren.booking.models import Booking
from noren.booking.report import Line
from noren.errors import (
    BadField,
    CannotTakeNewCustomers,
    HoldExpired,
    NorenError,
    SeriesNotFree,
    SeriesTooLong,
    ServiceUnknown,
)
from noren.shops.tenancy import shop as in_shop
from noren.web import dates, fees, known, shopfront, times, visits, ways, wording
from noren.web import held as helds
from noren.web.account_home import OWN_FIELDS
from noren.web.forms import CustomerForm, WordForm
from noren.web.held import Held
from noren.web.public import face_or_404
from noren.web.ways import Way
from noren.web.week import Asked


@dataclass(frozen=True)
class Me:
    """A customer who is signed in. Her fields are asked for when a page shows them."""

    grant: str
    person: UUID

    @cached_property
    def fields(self) -> dict[str, str]:
        told = people.reveal(self.grant, people.Purpose.OWN, [self.person], OWN_FIELDS)
        return told.persons.get(self.person, {})


@dataclass(frozen=True, slots=True)
class Desk:
    """What every step of one customer's form needs."""

    request: HttpRequest
    face: shopfront.Face
    offer: shopfront.Offer
    held: Held
    now: datetime
    me: Me | None

    def page(self, template: str, status: int, **context: Any) -> HttpResponse:
        held = context.pop("held", self.held)
        values = {
            "shop": self.face,
            "chosen": _chosen(self.face, self.offer, held),
            "held": held.sign(),
            "action": self.way.at("book_who", [self.face.slug, self.offer.id]),
            "me": self.me,
            "guest": "guest" in self.given,
            "here": self._here(held),
            "back": "" if held.dates else _asked(self).address(held=held.sign()),
            "more": _more(self, held),
            **context,
        }
        response = render(self.request, template, values, status=status)
        add_never_cache_headers(response)
        return response

    @property
    def way(self) -> Way:
        return ways.of(self.request)

    @property
    def given(self) -> QueryDict:
        return self.request.POST if self.request.method == "POST" else self.request.GET

    def _here(self, held: Held) -> str:
        """The form's own address outside of any frame, to come back to from the account."""
        action = reverse("book_who", args=[self.face.slug, self.offer.id])
        return f"{action}?{urlencode({'held': held.sign()})}"

    def form(self, form: CustomerForm, status: int = 200, **context: Any) -> HttpResponse:
        return self.page("web/book/who.html", status, form=form, **context)


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def who(request: HttpRequest, slug: str, service_id: str) -> HttpResponse:
    """GET shows the empty form; POST goes on, back, to another time, or books, as the button said."""
    face = face_or_404(slug)
    offer = shopfront.offer(face.id, int(service_id))
    if offer is None:
        raise ServiceUnknown
    given = request.POST if request.method == "POST" else request.GET
    held = helds.read(given.get("held", ""), face.id)
    if held.also:
        offer = shopfront.offer(face.id, offer.id, held.also)
    if offer is None or held.service != offer.id:
        # The final screen would tell another service's price and rules than those that are agreed.
        raise HoldExpired
    anybody = "guest" in given or ways.of(request).framed
    desk = Desk(request, face, offer, held, clock.now(), None if anybody else signed_in(request, face))
    if desk.me is not None:
        with in_shop(face.id):
            visitors.check(offer.visitors, desk.me.person, now=desk.now)
    form = _form(desk)
    if request.method != "POST":
        return desk.form(form)
    if request.POST.get("step") == "who":
        return desk.form(form)
    if request.POST.get("step") == "other":
        return _other_dates(desk)
    if not form.is_valid():
        return desk.form(form, 422)
    return _held_or_taken(desk, form)


def _form(desk: Desk) -> CustomerForm:
    """The form, with what the shop asks at this moment: what was asked when it was shown may be another."""
    kind = CustomerForm if desk.me is None else WordForm
    given = desk.request.POST if desk.request.method == "POST" else None
    asks = shopfront.asks(desk.face.id, desk.offer.id, desk.offer.also)
    return kind(given, asks=asks, party=desk.held.party)


def signed_in(request: HttpRequest, face: shopfront.Face) -> Me | None:
    """Who is signed in, if her sign-in still holds; without the vault she is as anybody."""
    found = known.person_of(request, face.id)
    return None if found is None else Me(*found)


def _held_or_taken(desk: Desk, form: CustomerForm) -> HttpResponse:
    """Make sure that a time is held, hers or the one she chose instead, then go on."""
    another = desk.request.POST.get("at")
    try:
        if another is not None:
            desk = replace(desk, held=times.hold(_asked(desk), times.instant(another)))
            return _final(desk, form, moved=True)
        if desk.request.POST.get("step") == "dates" and desk.held.dates:
            desk = replace(desk, held=dates.hold(_asked(desk), dates.ticked(desk.request.POST)))
            return _final(desk, form, moved=True)
        if desk.held.until <= desk.now.timestamp():
            desk = replace(desk, held=_hold_again(desk))
        if desk.request.POST.get("step") != "book":
            return _final(desk, form)
        return _book(desk, form)
    except (*times.REFUSALS, SeriesNotFree, SeriesTooLong) as refusal:
        return _taken(desk, form, refusal)
    except BadField as refusal:
        if refusal.facts.get("field") == "dates":
            return _taken(desk, form, SeriesNotFree())
        form.refused(refusal.reasons)
        return desk.form(form, refusal.status)
    except CannotTakeNewCustomers as refusal:
        return desk.form(form, refusal.status, away=refusal.words())


def _book(desk: Desk, form: CustomerForm) -> HttpResponse:
    try:
        token = _complete(desk, form)
    except HoldExpired:
        # It ran out, or was let go when the vault was away: hers again if nobody was faster.
        desk = replace(desk, held=_hold_again(desk))
        token = _complete(desk, form)
    return HttpResponseRedirect(desk.way.done(desk.face.slug, token))


def _complete(desk: Desk, form: CustomerForm) -> str:
    """Book what is held; give its link, of a series its first date's."""
    rest: dict[str, Any] = {
        "now": desk.now,
        "locale": get_language() or "ja",
        "consent": desk.face.policy_version,
    }
    there = desk.face.id, desk.held.hold
    if desk.me is None:
        customer = book.Customer(**form.contact)
        if desk.held.dates:
            return complete_series(*there, customer, told=form.said, **rest)
        return book.complete(*there, customer, told=form.said, **rest).token
    own = book.Own(desk.me.grant, desk.me.person, form.cleaned_data["note"], form.said)
    if desk.held.dates:
        return complete_series(*there, own, told=form.said, **rest)
    return book.complete_own(*there, own, **rest).token


def _hold_again(desk: Desk) -> Held:
    asked, held = _asked(desk), desk.held
    return dates.hold(asked, held.starts) if held.dates else times.hold(asked, held.at)


def _other_dates(desk: Desk) -> HttpResponse:
    """Let the dates go, and show them anew to choose others."""
    asked, held = _asked(desk), desk.held
    series.let_go(desk.face.id, held.hold, now=desk.now)
    said = {"at": str(held.start), "times": str(max(2, len(held.dates)))} if not desk.offer.is_class else {}
    there = [desk.face.slug, desk.offer.id]
    return HttpResponseRedirect(desk.way.at("book_series", there, {**asked.said(), **said}))


def _more(desk: Desk, held: Held) -> str:
    """Return where the time that is held is taken more than once, if the shop offers that."""
    if held.dates or desk.offer.series < 2 or desk.offer.is_class:
        return ""
    asked = replace(_asked(desk), held=held.sign())
    said = {**asked.said(), "at": str(held.start)}
    return desk.way.at("book_series", [desk.face.slug, desk.offer.id], said)


def _asked(desk: Desk) -> Asked:
    return Asked(
        face=desk.face,
        offer=desk.offer,
        staff=desk.held.asked,
        party=desk.held.party,
        nights=desk.held.nights,
        first=None,
        day=None,
        held="",
        hold=desk.held.hold,
        now=desk.now,
        way=desk.way,
    )


def _taken(desk: Desk, form: CustomerForm, refusal: NorenError) -> HttpResponse:
    """Somebody was faster: the filled form stands in the answer, beside the nearest free times."""
    if not desk.held.dates:
        near = times.nearest(_asked(desk), desk.held.at)
        return desk.form(form, refusal.status, taken=refusal.words(), nearest=near)
    lines = refusal.facts.get("report") or _looked(desk)
    shown = dates.told(dates.of(_asked(desk), lines))
    return desk.form(form, refusal.status, taken=refusal.words(), course=desk.offer.course, **shown)


def _looked(desk: Desk) -> tuple[Line, ...]:
    starts = () if desk.offer.course else desk.held.starts
    return series.look(desk.face.id, dates.as_series(_asked(desk), starts), now=desk.now)


def _final(desk: Desk, form: CustomerForm, *, moved: bool = False) -> HttpResponse:
    until = fees.cancel_until(desk.face, desk.held.hold)
    return desk.page(
        "web/book/final.html",
        200,
        form=form,
        moved=moved,
        policy=desk.face.policy,
        cancelling=wording.cancelling(until, desk.now),
        fees=fees.of_booking(desk.face, desk.held.hold, desk.now),
    )


def _chosen(face: shopfront.Face, offer: shopfront.Offer, held: Held) -> dict[str, Any]:
    """What the pages say of the time that is held."""
    start = held.at.astimezone(face.zone)
    members = shopfront.staff(face.id) if offer.staff else {}
    asked = members.get(held.staff)
    name = wording.text(asked.texts, "name") if asked else ""
    anyone = _("Anyone") if len(offer.staff) > 1 else ""
    minutes = _minutes(face, offer, held)
    _start, end = _ends(face, offer, held.at, held.nights, minutes)
    each = offer.total(held.party, held.asked, held.nights)
    return {
        "service": offer.name,
        "parts": visits.lines(offer, held.party, held.asked, name),
        "price": each * max(1, len(held.dates)),
        "each": each,
        "dates": [_ends(face, offer, at, held.nights, minutes) for at in held.starts],
        "fee": offer.fee(held.asked),
        "minutes": 0 if offer.stay else minutes,
        "nights": held.nights,
        "start": start,
        "end": end,
        "staff": name or anyone,
        "party": held.party,
        "approval": offer.approval,
        "visitors": offer.visitors,
    }


def _minutes(face: shopfront.Face, offer: shopfront.Offer, held: Held) -> int:
    """How long it takes: of who was not asked for by name as long as it is held."""
    if held.asked or not any(each.lengths for each in (offer, *offer.parts)):
        return offer.minutes_with(held.asked)
    with in_shop(face.id):
        row = Booking.objects.filter(id=held.hold).first()
    return offer.minutes if row is None else int((row.end - row.start).total_seconds()) // 60


def _ends(
    face: shopfront.Face, offer: shopfront.Offer, at: datetime, nights: int, minutes: int
) -> tuple[datetime, datetime]:
    start = at.astimezone(face.zone)
    if offer.stay:
        return start, shopfront.check_out(offer.stay, start, nights)
    return start, start + timedelta(minutes=minutes)
