"""What staff do about a booking: each deed a POST, refused in words on the page it came from.

Who presses twice has pressed once: a deed that is done already is no mistake.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import actions, availability, put_back, reception
from noren.booking.models import Status
from noren.errors import AlreadyCancelled, BookingUnknown, NorenError, NothingHere, NotOffered, NotThatStatus
from noren.shops.tenancy import shop as in_shop
from noren.web import (
    calendar,
    console,
    customers,
    deeds,
    desk_booking,
    dropping,
    shopfront,
    times,
    visits,
    why,
)
from noren.web.desk import face_of
from noren.web.shopfront import Face
from noren.web.touched import told
from noren.web.visits import Visit

Deed = Callable[..., Any]
# By its address: the deed, the status it leads to, the reasons it asks for.
_DEEDS: dict[str, tuple[Deed, Status, Callable[[], dict[str, str]] | None]] = {
    "approve": (reception.approve, Status.CONFIRMED, None),
    "decline": (reception.decline, Status.DECLINED, deeds.declining),
    "check-in": (reception.check_in, Status.CHECKED_IN, None),
    "undo-check-in": (reception.undo_check_in, Status.CONFIRMED, None),
    "no-show": (reception.no_show, Status.NO_SHOW, None),
    "check-out": (reception.check_out, Status.CHECKED_IN, None),
    "cancel": (actions.cancel, Status.CANCELLED, deeds.cancelling),
}
# A day of all that is offered, and those around it.
ONE = timedelta(days=1)


@permission_required(Permission.BOOKINGS_CHANGE)
@require_POST
def deed(request: StaffRequest, booking_id: int, deed: str) -> HttpResponse:
    """Do what the button said."""
    if deed not in _DEEDS:
        raise NothingHere
    do, leads_to, reasons = _DEEDS[deed]
    wanted: dict[str, Any] = {"now": clock.now(), "by": request.signed_in.by}
    if deed in ("decline", "cancel"):
        wanted["told"] = told(request.POST)
    if reasons is not None:
        given = request.POST.get("reason", "")
        wanted["reason"] = given if given in reasons() else "other"
    try:
        do(request.shop_id, booking_id, **wanted)
        if deed == "check-out":
            desk_booking.note_price(request, booking_id)
    except BookingUnknown:
        raise NothingHere from None
    except NorenError as refusal:
        if not _is_done(request, booking_id, leads_to, refusal):
            return console.booking_page(request, booking_id, customers.OPEN, refused=refusal)
    return HttpResponseRedirect(reverse("console_booking", args=[booking_id]))


def _is_done(request: StaffRequest, booking_id: int, leads_to: Status, refusal: NorenError) -> bool:
    """Say whether it was refused because it has been done, a moment ago or by somebody else."""
    if not isinstance(refusal, NotThatStatus | AlreadyCancelled):
        return False
    visit = visits.one(face_of(request), booking_id)
    return visit is not None and visit.status == leads_to


@permission_required(Permission.BOOKINGS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: StaffRequest, booking_id: int) -> HttpResponse:
    """GET shows where a booking can be moved; POST moves it there, or over what is there for a reason."""
    face = face_of(request)
    visit = visits.one(face, booking_id)
    if visit is None:
        raise NothingHere
    back = HttpResponseRedirect(reverse("console_booking", args=[booking_id]))
    if request.method != "POST":
        return _page(request, face, visit) if visit.open else back
    insists = "insist" in request.POST
    over = request.POST.get("reason", "") if insists else ""
    drop = dropping.read(request.POST, face, visit)
    staff = drop.lane if drop else times.number(request.POST.get("staff"))
    at: datetime | None = None
    try:
        if request.POST.get("deed") == "undo":
            return _put_back(request, face, visit)
        at = _wanted(request, face, insists=insists)
        if insists and over not in deeds.insisting():
            return _page(request, face, visit, at=at, no_reason=True)
        values: dict[str, Any] = {"now": clock.now(), "by": request.signed_in.by, "override": over}
        values["told"] = told(request.POST)
        row = actions.move(face.id, booking_id, at, staff, asks=drop is None, **values)
    except NorenError as refusal:
        return _page(request, face, visit, refused=refusal, at=at)
    return back if drop is None else dropping.done(face, visit, row, told=values["told"])


def _put_back(request: StaffRequest, face: Face, visit: Visit) -> HttpResponse:
    """Take the last move back, and show the day on which it stands again. Raises what put_back.undo does."""
    change, asked_for = (times.number(request.POST.get(name)) for name in ("change", "asked"))
    values: dict[str, Any] = {"now": clock.now(), "by": request.signed_in.by, "told": told(request.POST)}
    row = put_back.undo(face.id, visit.id, change=change or 0, asked_for=asked_for, **values)
    return HttpResponseRedirect(calendar.address("day", row.start.astimezone(face.zone).date()))


def _wanted(request: StaffRequest, face: Face, *, insists: bool) -> datetime:
    """Read where to: the time of a button, or a day and a time of the shop's wall. Raises NotOffered."""
    if not insists:
        return times.instant(request.POST.get("at", ""))
    at = why.instant(request.POST.get("date"), request.POST.get("time"), face)
    if at is None:
        raise NotOffered
    return at


def _page(
    request: StaffRequest,
    face: Face,
    visit: Visit,
    *,
    refused: NorenError | None = None,
    at: datetime | None = None,
    no_reason: bool = False,
) -> HttpResponse:
    now = clock.now()
    given = request.POST if request.method == "POST" else request.GET
    drop = dropping.read(given, face, visit)
    if drop is not None and at is None:
        at = drop.at
    here = None if at is None else at.astimezone(face.zone)
    today = now.astimezone(face.zone).date()
    day = times.day_of(given.get("date")) or (here and here.date()) or max(visit.start.date(), today)
    staff = times.number(given.get("staff")) if "staff" in given else visit.asked_staff_id
    staff = drop.lane if drop else staff
    offered = _offered(face, visit, day, staff, now)
    values: dict[str, Any] = {"party": visit.party, "nights": visit.nights, "also": visit.also}
    asked_why = here and why.address(visit.service_id, here, staff=staff, booking=visit.id, **values)
    context = {
        "shop": face,
        "way": "day",
        "booking": visit,
        "here": reverse("console_move", args=[visit.id]),
        "day": day,
        "time": here.strftime("%H:%M") if here else f"{visit.start:%H:%M}",
        "staff": staff,
        "serving": _who(face, visit),
        "offered": offered,
        "turns": [
            ("before", _address(visit, day - ONE, staff)) if day > today else None,
            ("after", _address(visit, day + ONE, staff)),
        ],
        "refused": refused and refused.words(),
        "nearest": refused.facts.get("nearest", ()) if refused else (),
        "why": asked_why if refused else None,
        "insisting": deeds.insisting(),
        "reason": given.get("reason", ""),
        "no_reason": no_reason,
        "insists": no_reason or "insist" in given,
        "drop": drop,
        "drop_at": here,
        "fit": dropping.fit(face, visit, drop, now) if drop and refused is None else None,
        "day_page": calendar.address("day", visit.start.date()),
    }
    status = 422 if no_reason else refused.status if refused else 200
    return render(request, "web/console/move.html", context, status=status)


def _address(visit: Visit, day: date, staff: int | None) -> str:
    query = {"date": day.isoformat(), "staff": str(staff or "")}
    return f"{reverse('console_move', args=[visit.id])}?{urlencode(query)}"


def _offered(
    face: Face, visit: Visit, day: date, staff: int | None, now: datetime
) -> tuple[availability.Start, ...]:
    """Return the starts of a day that the list would offer, the booking's own time among them."""
    found = availability.month(
        face.id,
        visit.service_id,
        day,
        day,
        now=now,
        staff=staff,
        party=visit.party,
        own=visit.id,
        nights=visit.nights,
        person=visit.person,
        also=visit.also,
        desk=True,
    )
    return found.days.get(day, ())


def _who(face: Face, visit: Visit) -> list[tuple[int, str]]:
    """Return who and what may be asked for with this service."""
    with in_shop(face.id):
        pool = visits.pool(visit)
    return [(each, known.name) for each, known in shopfront.serving(face.id).items() if each in pool]
