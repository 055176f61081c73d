"""A customer's own booking, by its link. GET changes nothing; nothing here is personal, no vault is asked."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from noren import clock
from noren.accounts.rules import own_link
from noren.booking import actions, late, series
from noren.booking import relink as relinking
from noren.booking.models import Booking, Status
from noren.booking.transact import CUSTOMER
from noren.errors import AlreadyCancelled, NothingHere, NotThatStatus, TooLateToCancel
from noren.messages import about, ics
from noren.messages.notice import Kind
from noren.shops.tenancy import shop as in_shop
from noren.web import fees, lateness, linked, own_series, shopfront, story, times, visits, wording


@own_link
@require_safe
def booking(request: HttpRequest, token: str) -> HttpResponse:
    face, visit = linked.of(token)
    return page(request, token, face, visit)


@own_link
@require_POST
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    face, visit = linked.of(token)
    now = clock.now()
    agreed = times.number(request.POST.get("fee")) or 0
    if visit.open and fees.of_booking(face, visit.id, now).now.fee > agreed:
        # It has risen since the page was shown: she is to see what it costs first.
        return page(request, token, face, visit, refused=_("What cancelling costs has changed."), status=409)
    try:
        actions.cancel(face.id, visit.id, now=now, by=CUSTOMER)
    except AlreadyCancelled:
        return HttpResponseRedirect(reverse("own", args=[token]))
    except TooLateToCancel as refusal:
        return page(request, token, face, visit, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("own", args=[token]))


@own_link
@require_POST
def cancel_rest(request: HttpRequest, token: str) -> HttpResponse:
    """Cancel all dates that she may still cancel, as she was shown them."""
    face, visit = linked.of(token)
    now = clock.now()
    found = own_series.of(face, visit, now).get("rest")
    back = HttpResponseRedirect(reverse("own", args=[token]) + "#series")
    if not isinstance(found, own_series.Rest) or visit.series_id is None:
        return back
    if (str(found.stamp), str(found.fee)) != (request.POST.get("since"), request.POST.get("fee")):
        words = _("What cancelling costs has changed.")
        return page(request, token, face, visit, refused=words, status=409)
    try:
        series.cancel_rest(face.id, visit.series_id, found.since, now=now, by=CUSTOMER)
    except AlreadyCancelled:
        return back
    except TooLateToCancel as refusal:
        return page(request, token, face, visit, refused=refusal.words(), status=refusal.status)
    return back


@own_link
@require_POST
def keep(_request: HttpRequest, token: str) -> HttpResponse:
    """She comes at the time to which the shop has moved it."""
    face, visit = linked.of(token)
    try:
        actions.keep(face.id, visit.id, now=clock.now(), by=CUSTOMER)
    except AlreadyCancelled:
        return HttpResponseRedirect(reverse("own", args=[token]))
    return HttpResponseRedirect(reverse("own", args=[token]) + "?kept")


@own_link
@require_POST
def late_by(request: HttpRequest, token: str) -> HttpResponse:
    """Tell the shop that she is running late; the page then says whether it still fits."""
    face, visit = linked.of(token)
    minutes = times.number(request.POST.get("minutes"))
    if minutes not in (0, *late.MINUTES):
        raise NothingHere
    try:
        late.tell(face.id, visit.id, minutes, now=clock.now(), by=CUSTOMER)
    except NotThatStatus as refusal:
        return page(request, token, face, visit, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("own", args=[token]) + "#late")


@own_link
@require_POST
def relink(request: HttpRequest, token: str) -> HttpResponse:
    """Make this link invalid, and mail her a new one: who has found the old one sees nothing any more."""
    face, visit = linked.of(token)
    try:
        relinking.relink(face.id, visit.id, now=clock.now(), by=CUSTOMER)
    except NotThatStatus as refusal:
        return page(request, token, face, visit, refused=refusal.words(), status=refusal.status)
    response = render(request, "web/own/relinked.html", {"shop": face})
    add_never_cache_headers(response)
    return response


@own_link
@require_safe
def calendar(_request: HttpRequest, token: str) -> HttpResponse:
    """The booking as an ICS file."""
    face, visit = linked.of(token)
    with in_shop(face.id):
        standing = Kind.ASKED if visit.status == Status.PENDING else Kind.BOOKED
        kind = standing if visit.stands else Kind.CANCELLED
        notice = about.notice(Booking.objects.get(id=visit.id), kind)
    file = ics.attachment(notice, now=clock.now())
    response = HttpResponse(file.content, content_type=file.type)
    response["Content-Disposition"] = 'attachment; filename="booking.ics"'
    add_never_cache_headers(response)
    return response


def page(
    request: HttpRequest,
    token: str,
    face: shopfront.Face,
    visit: visits.Visit,
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of a booking, with what was refused."""
    now = clock.now()
    until = fees.cancel_until(face, visit.id)
    new = "new" in request.GET and visit.stands
    costs, over = fees.of_booking(face, visit.id, now), visit.end <= now
    changes = None if over else linked.change_until(face, visit)
    context = {
        "shop": face,
        "token": token,
        "booking": visit,
        "new": new,
        "kept": "kept" in request.GET and visit.open and visit.was is None,
        "moved": "moved" in request.GET and visit.open,
        "changing": changes and wording.changing(changes, now),
        "changeable": changes is not None and now <= changes,
        "again": "" if visit.stands and not over else _again(face, visit, now),
        "choice": visit.open and visit.was is not None and now <= until,
        "refused": refused,
        "cancellable": now <= until,
        "cancelling": wording.cancelling(until, now),
        "fees": costs,
        "fee_words": _("Cancelling now: %(cost)s") % {"cost": fees.cost(costs.now)},
        "policy": face.policy,
        "late": lateness.of(face, visit, now),
        "story": story.for_customer(face, visit.id),
        **own_series.of(face, visit, now),
        **_heading(visit, new=new),
    }
    return linked.closed(render(request, "web/own/booking.html", context, status=status))


def _again(face: shopfront.Face, visit: visits.Visit, now: datetime) -> str:
    return linked.again(face, shopfront.offer(face.id, visit.service_id, visit.also), visit, now)


def _heading(visit: visits.Visit, *, new: bool) -> dict[str, str]:
    """What her booking is now, in a heading and a sentence; plain where it stands as ever."""
    soon = _("We would be glad to see you another day.")
    told = {
        Status.PENDING: (
            "pending",
            _("You have asked for this time."),
            _("It is not booked yet: the shop looks at it and answers by mail."),
        ),
        Status.CANCELLED: (
            "wrong",
            _("This booking is cancelled."),
            _("The time is free again.") + " " + soon,
        ),
        Status.DECLINED: (
            "wrong",
            _("The shop could not accept this."),
            _("You owe nothing.") + " " + soon,
        ),
        Status.RELEASED: (
            "wrong",
            _("This time was given free."),
            _("Nobody checked in. If you are here, please ask at the desk."),
        ),
        Status.EXPIRED: ("wrong", _("This was not completed."), _("The time is free again.") + " " + soon),
        Status.NO_SHOW: (
            "wrong",
            _("You were missed."),
            _("The shop noted that nobody came. If that is not so, please call."),
        ),
        Status.CHECKED_IN: ("good", _("You are checked in."), _("Welcome.")),
    }
    if new and visit.status == Status.CONFIRMED:
        words = _("A confirmation is on its way to your mail. The link in it leads back to this page.")
        return {"tone": "good", "heading": _("You are booked."), "words": words}
    tone, heading, words = told.get(Status(visit.status), ("", _("Your booking"), ""))
    return {"tone": tone, "heading": heading, "words": words}
