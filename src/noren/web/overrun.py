"""A visit takes longer: whom it touches is shown before it is said, and who of them is told."""

from datetime import datetime, timedelta

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import day as booking_day
from noren.booking import overrun
from noren.booking.models import Booking
from noren.errors import BookingUnknown, NorenError, NothingHere
from noren.shops.tenancy import shop as in_shop
from noren.web import answered, console, names, times, visits
from noren.web.desk import face_of
from noren.web.shopfront import Face

MOST = int(overrun.LONGEST.total_seconds()) // 60


def fits(face: Face, booking_id: int, now: datetime) -> bool:
    return overrun.may(booking_day.one(face.id, booking_id), now)


def goes_on(visit: visits.Visit, now: datetime) -> bool:
    """The same of a visit that a page shows: it is drawn, so it is no class."""
    return overrun.going_on(visit.status, visit.start, visit.end, now) and not visit.nights


@permission_required(Permission.BOOKINGS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest, booking_id: int) -> HttpResponse:
    """GET shows whom so many minutes more touch; POST lets it take longer, or takes that back."""
    face, now, by = face_of(request), clock.now(), request.signed_in.by
    try:
        row = booking_day.one(face.id, booking_id)
    except BookingUnknown:
        raise NothingHere from None
    refused = None
    if request.method == "POST":
        try:
            if request.POST.get("deed") == "undo":
                overrun.undo(face.id, booking_id, now=now, by=by)
            else:
                told = {each for name in request.POST.getlist("tell") if (each := times.number(name))}
                end = times.instant(request.POST.get("end", ""))
                overrun.extend(face.id, booking_id, end, now=now, by=by, told=told)
        except NorenError as refusal:
            refused = refusal
        else:
            return HttpResponseRedirect(reverse("console_longer", args=[booking_id]))
    return _page(request, face, row, refused)


def _page(request: StaffRequest, face: Face, row: Booking, refused: NorenError | None) -> HttpResponse:
    now = clock.now()
    minutes = times.number(request.GET.get("minutes"))
    minutes = minutes if minutes and minutes <= MOST else None
    end = row.end + timedelta(minutes=minutes or 0)
    those = overrun.touched(face.id, row, end) if minutes else []
    with in_shop(face.id):
        [visit] = visits.of([row], face)
        seen = visits.of(those, face)
    wanted = [each.person for each in [visit, *seen]]
    also = answered.brings([visit, *seen])
    told = names.ask(request.signed_in.grant, people.Purpose.DAY, wanted, console.LIST, also)
    before = overrun.before(face.id, row.id)
    context = {
        "shop": face,
        "way": "day",
        "here": reverse("console_longer", args=[row.id]),
        "names": told,
        "booking": visit,
        "name": told.of(visit.person),
        "may": overrun.may(row, now),
        "choices": sorted({*overrun.MINUTES, minutes or overrun.MINUTES[0]}),
        "minutes": minutes,
        "end": end.astimezone(face.zone),
        "stamp": int(end.timestamp()),
        "rows": console.named(seen, told, now),
        "before": before and before < row.end and before.astimezone(face.zone),
        "refused": refused and refused.words(),
    }
    status = refused.status if refused else 200
    return render(request, "web/console/longer.html", context, status=status)
