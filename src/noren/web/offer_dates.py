"""A class's dates, changed in the console: its timetable and seats, and one date that is called off."""

from datetime import timedelta
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import StaffRequest
from noren.booking import sessions
from noren.booking.models import ClassSession
from noren.errors import InThePast, NotOffered, ServiceUnknown
from noren.shops import edits
from noren.shops.models import Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import offers, times, touched, wording
from noren.web.dates_form import DatesForm
from noren.web.desk import open_face_of
from noren.web.offer import row_of
from noren.web.offer_form import Things
from noren.web.shopfront import Face

AHEAD = timedelta(days=60)


@offers.rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest, service_id: int) -> HttpResponse:
    """Show a class's dates; POST changes the timetable, or calls one date off once that is confirmed."""
    row, _lang = row_of(request.shop_id, service_id)
    if row.capacity is None:  # no class: it has no dates
        return HttpResponseRedirect(reverse("console_offer", args=[service_id]))
    given = request.POST if request.method == "POST" else None
    if given is not None and (off := times.number(given.get("off"))) is not None:
        return _off(request, service_id, off)
    with in_shop(request.shop_id):
        form = DatesForm(given, row=row, things=Things.read())
    form.initial = form.begun()
    there = reverse("console_offer_dates", args=[service_id])
    title = wording.text(row.texts, "name") or row.key
    if given is not None and form.is_valid():
        write = partial(edits.set_service, service_id, form.columns())
        return offers.changed(request, str(title), write, there, again=there)
    face = open_face_of(request)
    context = {
        "shop": face,
        "way": "offers",
        "row": row,
        "title": title,
        "form": form,
        "there": there,
        "kept": "kept" in request.GET,
        "called_off": request.GET.get("off", ""),
        "untold": "untold" in request.GET,
        "dates": _dates(face, service_id),
    }
    return render(request, "web/console/offer_dates.html", context, status=422 if form.errors else 200)


def _dates(face: Face, service_id: int) -> list[dict[str, object]]:
    """Return the dates of the weeks to come, those that were called off too."""
    now = clock.now()
    with in_shop(face.id):
        rows = ClassSession.objects.filter(service_id=service_id, start__gt=now, start__lt=now + AHEAD)
        names = {each.id: wording.text(each.texts, "name") for each in Staff.objects.all()}
        found = list(rows.order_by("start", "id"))
    zone = ZoneInfo(str(face.zone))
    return [
        {
            "id": each.id,
            "start": each.start.astimezone(zone),
            "leader": names.get(each.staff_id or 0, ""),
            "capacity": each.capacity,
            "booked": each.booked,
            "over": max(0, each.booked - each.capacity),
            "cancelled": each.cancelled,
            "write": _writing(each, zone) if each.booked and not each.cancelled else "",
        }
        for each in found
    ]


def _writing(each: ClassSession, zone: ZoneInfo) -> str:
    """Return where to write to all of a date: the page of a message to many, with this date picked."""
    begin, end = each.start.astimezone(zone), each.end.astimezone(zone)
    said = {"date": begin.date(), "from": f"{begin:%H:%M}", "until": end.date(), "to": f"{end:%H:%M}"}
    return f"{reverse('console_many')}?{urlencode({**said, 'service': each.service_id})}"


def _off(request: StaffRequest, service_id: int, session_id: int) -> HttpResponse:
    """Call one date off: who has booked it owes nothing. First it is asked, and whether they are told."""
    face, now = open_face_of(request), clock.now()
    there = reverse("console_offer_dates", args=[service_id])
    with in_shop(face.id):
        row = ClassSession.objects.filter(id=session_id, service_id=service_id).first()
    if row is None:
        raise ServiceUnknown
    if "sure" not in request.POST:
        context = {
            "shop": face,
            "way": "offers",
            "there": there,
            "id": session_id,
            "start": row.start.astimezone(face.zone),
            "booked": row.booked,
        }
        return render(request, "web/console/offer_off.html", context)
    try:
        by, told = request.signed_in.by, touched.told(request.POST)
        ended = sessions.cancel_session(face.id, session_id, now=now, by=by, why="shop", told=told)
    except (InThePast, NotOffered):  # it has ended, or somebody was faster: the list says so
        return HttpResponseRedirect(there)
    return HttpResponseRedirect(f"{there}?off={len(ended)}" + ("" if told else "&untold"))
