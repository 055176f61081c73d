"""What waits for somebody's look: bookings that cannot stay as they are, until each is decided on."""

from datetime import datetime

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import actions, resettle, work
from noren.booking import day as booking_day
from noren.booking.models import Booking
from noren.errors import NorenError, NothingHere
from noren.shops.tenancy import shop as in_shop
from noren.web import console, names, shopfront, times, touched, visits, wording, works
from noren.web.desk import face_of

SHOWN = 100
"""On one page; the others come when these are decided."""


@permission_required(Permission.BOOKINGS_SETTLE)
@require_http_methods(["GET", "HEAD", "POST"])
def waiting(request: StaffRequest) -> HttpResponse:
    """List them; a tap (POST) shows the names."""
    face = face_of(request)
    now = clock.now()
    found = booking_day.waiting(face.id, now=now)
    shown = found[:SHOWN]
    asked = [row.person_id for row in shown] if request.method == "POST" else []
    told = names.ask(request.signed_in.grant, people.Purpose.DAY, asked, console.LIST)
    context = {
        "shop": face,
        "way": "attention",
        "rows": _rows(face, shown, told, now),
        "changes": [works.row_of(each, face, settles=True) for each in work.changes_open(face.id)],
        "more": len(found) - len(shown),
        "names": told,
        "ask_names": not asked and bool(found),
    }
    return render(request, "web/console/attention.html", context, status=told.answer_to(request))


def _rows(
    face: shopfront.Face, found: list[Booking], told: names.Names, now: datetime
) -> list[dict[str, object]]:
    ids = [row.id for row in found]
    reasons, follow = booking_day.last_reasons(face.id, ids), work.lines_of(face.id, ids)
    with in_shop(face.id):
        seen = console.named(visits.of(found, face), told, now)
    return [
        {
            "seen": each,
            "why": _why(row, reasons.get(row.id, "")),
            "follows": touched.follow_words(follow[row.id].choice) if row.id in follow else "",
        }
        for each, row in zip(seen, found, strict=True)
    ]


def _why(row: Booking, code: str) -> str:
    return touched.why_words(code) or touched.attention_words(row.attention)


@permission_required(Permission.BOOKINGS_SETTLE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, booking_id: int) -> HttpResponse:
    """Decide on one: keep, give to somebody else, move, cancel."""
    refused = None
    if request.method == "POST":
        try:
            _decide(request, booking_id)
        except NorenError as refusal:
            refused = refusal
        else:
            return HttpResponseRedirect(reverse("console_attention"))
    return _page(request, booking_id, refused)


def _decide(request: StaffRequest, booking_id: int) -> None:
    shop_id, by, now = request.shop_id, request.signed_in.by, clock.now()
    match request.POST.get("deed", ""):
        case "keep":
            actions.keep(shop_id, booking_id, now=now, by=by)
        case "move":
            resettle.move_nearest(shop_id, booking_id, now=now, by=by)
        case "cancel":
            actions.cancel(shop_id, booking_id, now=now, by=by, reason="shop")
        case deed if deed.startswith("staff-") and (staff := times.number(deed[6:])) is not None:
            resettle.reassign(shop_id, booking_id, staff, now=now, by=by)
        case _:
            raise NothingHere


def _page(request: StaffRequest, booking_id: int, refused: NorenError | None) -> HttpResponse:
    face = face_of(request)
    with in_shop(face.id):
        row = Booking.objects.filter(id=booking_id).first()
        visit = None if row is None else visits.of([row], face)[0]
    if row is None or visit is None:
        raise NothingHere
    free = resettle.who_can(face.id, row, now=clock.now()) if row.status in actions.OPEN else ()
    called = shopfront.staff(face.id)
    reason = booking_day.last_reasons(face.id, [row.id]).get(row.id, "")
    context = {
        "shop": face,
        "way": "attention",
        "booking": visit,
        "why": _why(row, reason) if row.attention else "",
        "others": [
            {"id": each, "name": wording.text(called[each].texts, "name")} for each in free if each in called
        ],
        "refused": refused and refused.words(),
    }
    return render(
        request, "web/console/attention_one.html", context, status=refused.status if refused else 200
    )
