"""A customer moves her own booking: the free times, the one she chose beside her own, done.

Only the last step changes anything: the engine and the referee decide there, and who was overtaken in between
is shown the nearest times.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.rules import own_link
from noren.booking import actions, availability
from noren.booking.availability import Start
from noren.booking.transact import CUSTOMER
from noren.errors import AlreadyCancelled, CourseOnly, NorenError, SlotTaken, TooLateToChange
from noren.web import fees, linked, own, shopfront, times, week, wording
from noren.web.shopfront import Face
from noren.web.visits import Visit
from noren.web.week import Asked


@dataclass(frozen=True, slots=True)
class Move:
    """What every step needs. `asked` is the page of free times as she has turned it."""

    request: HttpRequest
    token: str
    face: Face
    visit: Visit
    asked: Asked

    @property
    def home(self) -> str:
        return reverse("own", args=[self.token])

    def page(self, template: str, status: int, **context: Any) -> HttpResponse:
        values = {"shop": self.face, "token": self.token, "booking": self.visit, **context}
        return linked.closed(render(self.request, template, values, status=status))


@own_link
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the free times; POST the chosen one beside her own, and moves once she has seen that."""
    face, visit = linked.of(token)
    now = clock.now()
    until, offer = linked.change_until(face, visit), shopfront.offer(face.id, visit.service_id, visit.also)
    if until is None or offer is None:
        return HttpResponseRedirect(reverse("own", args=[token]))
    if until < now:
        return own.page(request, token, face, visit, refused=TooLateToChange().words(), status=409)
    before = week.like(face, offer, visit, now)
    here = Move(request, token, face, visit, _asked(request, token, before, visit))
    if request.method != "POST":
        return _times(here)
    at = times.instant(request.POST.get("at", ""))
    same = (at.timestamp(), here.asked.staff) == (visit.start.timestamp(), visit.asked_staff_id)
    if request.POST.get("step") == "move":
        return HttpResponseRedirect(here.home) if same else _moved(here, at)
    return _times(here, same=True) if same else _sure(here, at)


def _asked(request: HttpRequest, token: str, before: Asked, visit: Visit) -> Asked:
    """Read how the page is turned. Whom she asked for stays, until she chooses somebody else or anybody."""
    given = request.POST if request.method == "POST" else request.GET
    staff = times.number(given.get("staff"))
    return replace(
        before,
        staff=before.staff if "staff" not in given else staff if staff in before.offer.staff else None,
        party=visit.party,
        nights=visit.nights,
        first=times.day_of(given.get("from")),
        day=times.day_of(given.get("day")),
        hold=visit.id,
        person=visit.person,
        moving=token,
    )


def _times(
    here: Move, refusal: NorenError | None = None, at: datetime | None = None, *, same: bool = False
) -> HttpResponse:
    near = () if refusal is None or at is None else times.nearest(here.asked, at)
    near = tuple(each for each in near if each.stamp != int(here.visit.start.timestamp()))
    context = {"taken": refusal and refusal.words(), "nearest": near, **week.page(here.asked)}
    # How many come, and for how many nights, is as it was booked.
    context |= {"parties": [], "stays": [], "same": same}
    return here.page("web/own/move.html", refusal.status if refusal else 200, **context)


def _sure(here: Move, at: datetime) -> HttpResponse:
    chosen = _offered(here.asked, at)
    if chosen is None:
        return _times(here, SlotTaken(), at)
    then = fees.if_moved(here.face, here.visit.id, at, here.asked.staff, now=here.asked.now)
    members = shopfront.staff(here.face.id)
    asked = members.get(here.asked.staff or 0)
    offer = here.asked.offer
    anyone = _("Anyone") if len(offer.staff) > 1 and not offer.is_class else ""
    return here.page(
        "web/own/move_sure.html",
        200,
        at=chosen.stamp,
        staff=here.asked.staff,
        chosen={"start": chosen.at, "end": chosen.end, "nights": here.visit.nights},
        staff_name=wording.text(asked.texts, "name") if asked else anyone,
        then=then,
        fees=then.fees,
        floor=then.floor.fee_percent and fees.cost(then.floor),
        changing=_changing(then.change_until, here.asked.now),
        cancelling=wording.cancelling(then.cancel_until, here.asked.now),
        policy=here.face.policy,
        back=here.asked.address(),
    )


def _changing(until: datetime, now: datetime) -> str:
    """Until when it may be changed again; of a time so near, that it may not."""
    if until < now:
        return _("At the new time it cannot be changed again on your booking's page.")
    return wording.changing(until, now)


def _offered(asked: Asked, at: datetime) -> Start | None:
    """Return the start, if it is offered for this booking."""
    day = at.astimezone(asked.face.zone).date()
    found = availability.month(
        asked.face.id,
        asked.offer.id,
        day,
        day,
        now=asked.now,
        staff=asked.staff,
        party=asked.party,
        own=asked.hold,
        nights=asked.nights,
        person=asked.person,
        also=asked.offer.also,
    )
    return next((each for each in found.days.get(day, ()) if each.stamp == int(at.timestamp())), None)


def _moved(here: Move, at: datetime) -> HttpResponse:
    try:
        actions.move(here.face.id, here.visit.id, at, here.asked.staff, now=here.asked.now, by=CUSTOMER)
    except AlreadyCancelled:
        return HttpResponseRedirect(here.home)
    except TooLateToChange as refusal:
        return own.page(
            here.request, here.token, here.face, here.visit, refused=refusal.words(), status=refusal.status
        )
    except (*times.REFUSALS, CourseOnly) as refusal:
        return _times(here, refusal, at)
    return HttpResponseRedirect(here.home + "?moved")
