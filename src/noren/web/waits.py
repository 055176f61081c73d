"""Joining the waiting list for a place that can be waited for (full.py).

What is typed travels in the form and in the answers to it, as in reserve.py.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren.accounts.rules import public
from noren.booking import book, waiting, wishes
from noren.errors import (
    AlreadyBooked,
    AlreadyWaiting,
    BadField,
    CannotTakeNewCustomers,
    NorenError,
    NoWaitingList,
    SlotFree,
)
from noren.shops.tenancy import shop as in_shop
from noren.web import full, shopfront, times, wording
from noren.web.forms import CustomerForm, WaitForm
from noren.web.public import face_or_404
from noren.web.reserve import Me, signed_in
from noren.web.ways import OWN
from noren.web.week import Asked

_REFUSALS = (SlotFree, NoWaitingList, AlreadyWaiting, AlreadyBooked, CannotTakeNewCustomers)
_ENDS = tuple(each for each in (*_REFUSALS, *times.REFUSALS) if each is not CannotTakeNewCustomers)


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, slug: str, service_id: str) -> HttpResponse:
    """GET says what is waited for and asks who waits; POST joins, and shows her place by its link."""
    asked = times.question(request, face_or_404(slug), int(service_id))
    given = request.POST if request.method == "POST" else request.GET
    start = times.instant(given["at"]) if "at" in given else None
    if asked.offer.also or asked.offer.stay is not None or (start is None and asked.day is None):
        raise NoWaitingList
    desk = Desk(request, asked, start, signed_in(request, asked.face))
    form = None if desk.me else WaitForm(request.POST if request.method == "POST" else None)
    try:
        if request.method != "POST":
            return desk.looked(form)
        if form is not None and not form.is_valid():
            return desk.page(form, 422)
        return HttpResponseRedirect(desk.joined(form))
    except BadField as refusal:
        if form is None:
            raise
        form.refused(refusal.reasons)
        return desk.page(form, refusal.status)
    except (*_REFUSALS, *times.REFUSALS) as refusal:
        return desk.page(form, refusal.status, refusal)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the page shows and the deed needs."""

    request: HttpRequest
    asked: Asked
    start: datetime | None
    me: Me | None

    def joined(self, form: CustomerForm | None) -> str:
        """Join; return where her place is shown. Raises what waiting.join does."""
        wanted = waiting.JoinRequest(
            service_id=self.asked.offer.id,
            day=None if self.start else self.asked.day,
            start=self.start,
            staff=self.asked.staff,
            party=self.asked.party,
            locale=get_language() or "ja",
        )
        if self.me is not None:
            who: Any = self.me.person
        elif form is not None:
            who = book.Customer(**form.contact)
        else:
            raise RuntimeError("nobody waits")
        done = waiting.join(self.asked.face.id, wanted, who, now=self.asked.now)
        return reverse("waiting", args=[done.token])

    def looked(self, form: CustomerForm | None) -> HttpResponse:
        """Show the form, if there is something to wait for. Raises what wishes.check does."""
        day = self.start.astimezone(self.asked.face.zone).date() if self.start else self.asked.day
        with in_shop(self.asked.face.id):
            wishes.check(full.wish(self.asked, day or self.asked.today, self.start), now=self.asked.now)
        return self.page(form)

    def page(
        self, form: CustomerForm | None, status: int = 200, refused: NorenError | None = None
    ) -> HttpResponse:
        asked, start = self.asked, self.start and self.start.astimezone(self.asked.face.zone)
        there = [asked.face.slug, asked.offer.id]
        values = {
            "shop": asked.face,
            "form": form,
            "me": self.me,
            "service": asked.offer.name,
            "party": asked.party,
            "staff": asked.staff,
            "member": _name(asked),
            "start": start,
            "day": start.date() if start else asked.day,
            "here": OWN.at("book_wait", there),
            "book": OWN.at("book", there),
            "back": replace(asked, day=None).address(),
            "refused": refused and refused.words(),
            "nearest": refused.facts.get("nearest", ()) if refused else (),
            # Somebody who may wait for it is shown the form again, whatever was wrong with it.
            "ends": isinstance(refused, _ENDS),
        }
        response = render(self.request, "web/book/wait.html", values, status=status)
        add_never_cache_headers(response)
        return response


def _name(asked: Asked) -> str:
    member = shopfront.staff(asked.face.id).get(asked.staff or 0)
    return "" if member is None else wording.text(member.texts, "name")
