"""From a held time to a booking: who, the final screen, done.

What the customer writes travels in her form and in the answers to it; before she books it is kept nowhere.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.rules import public
from noren.booking import book
from noren.errors import BadField, CannotTakeNewCustomers, HoldExpired, NorenError, ServiceUnknown
from noren.web import fees, shopfront, times, wording
from noren.web import held as helds
from noren.web.forms import CustomerForm
from noren.web.held import Held
from noren.web.public import face_or_404
from noren.web.week import Asked


@dataclass(frozen=True, slots=True)
class Desk:
    """What every step of one customer's form needs."""

    request: HttpRequest
    face: shopfront.Face
    offer: shopfront.Offer
    held: Held
    now: datetime

    def page(self, template: str, status: int, **context: Any) -> HttpResponse:
        held = context.pop("held", self.held)
        values = {
            "shop": self.face,
            "chosen": _chosen(self.face, self.offer, held),
            "held": held.sign(),
            "action": reverse("book_who", args=[self.face.slug, self.offer.id]),
            "back": _asked(self).address(held=held.sign()),
            **context,
        }
        response = render(self.request, template, values, status=status)
        add_never_cache_headers(response)
        return response

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
    if held.service != offer.id:
        # The final screen would tell another service's price and rules than those that are agreed.
        raise HoldExpired
    desk = Desk(request, face, offer, held, clock.now())
    if request.method != "POST":
        return desk.form(CustomerForm())
    form = CustomerForm(request.POST)
    if request.POST.get("step") == "who":
        return desk.form(form)
    if not form.is_valid():
        return desk.form(form, 422)
    return _held_or_taken(desk, form)


def _held_or_taken(desk: Desk, form: CustomerForm) -> HttpResponse:
    """Make sure that a time is held, hers or the one she chose instead, then go on."""
    another = desk.request.POST.get("at")
    try:
        if another is not None:
            desk = replace(desk, held=_hold(desk, times.instant(another)))
            return _final(desk, form, moved=True)
        if desk.held.until <= desk.now.timestamp():
            desk = replace(desk, held=_hold(desk, desk.held.at))
        if desk.request.POST.get("step") != "book":
            return _final(desk, form)
        return _book(desk, form)
    except times.REFUSALS as refusal:
        return _taken(desk, form, refusal)
    except BadField as refusal:
        form.refused(refusal.facts.get("fields") or {refusal.facts["field"]: refusal.facts["reason"]})
        return desk.form(form, refusal.status)
    except CannotTakeNewCustomers as refusal:
        return desk.form(form, refusal.status, away=refusal.words())


def _book(desk: Desk, form: CustomerForm) -> HttpResponse:
    customer = book.Customer(**form.cleaned_data)
    try:
        booked = _complete(desk, customer)
    except HoldExpired:
        # It ran out, or was let go when the vault was away: hers again if nobody was faster.
        desk = replace(desk, held=_hold(desk, desk.held.at))
        booked = _complete(desk, customer)
    return HttpResponseRedirect(reverse("own", args=[booked.token]) + "?new")


def _complete(desk: Desk, customer: book.Customer) -> book.Booked:
    return book.complete(
        desk.face.id,
        desk.held.hold,
        customer,
        now=desk.now,
        locale=get_language() or "ja",
        consent=desk.face.policy_version,
    )


def _hold(desk: Desk, at: datetime) -> Held:
    return times.hold(_asked(desk), at)


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
    )


def _taken(desk: Desk, form: CustomerForm, refusal: NorenError) -> HttpResponse:
    """Somebody was faster: the filled form stands in the answer, beside the nearest free times."""
    near = times.nearest(_asked(desk), desk.held.at)
    return desk.form(form, refusal.status, taken=refusal.words(), nearest=near)


def _final(desk: Desk, form: CustomerForm, *, moved: bool = False) -> HttpResponse:
    until = shopfront.cancel_until(desk.face, desk.offer.id, desk.held.at)
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
    anyone = _("Anyone") if len(offer.staff) > 1 else ""
    end = start + timedelta(minutes=offer.minutes)
    if offer.stay:
        end = shopfront.check_out(offer.stay, start, held.nights)
    return {
        "service": offer.name,
        "price": offer.total(held.party, held.asked, held.nights),
        "minutes": 0 if offer.stay else offer.minutes,
        "nights": held.nights,
        "start": start,
        "end": end,
        "staff": wording.text(asked.texts, "name") if asked else anyone,
        "party": held.party,
        "approval": offer.approval,
    }
