"""Whom to call: those whom no mail tells. One tap shows all names and phones; one says that she was told."""

import re

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.messages import calls, wording
from noren.messages.models import ToMany
from noren.shops.tenancy import shop as in_shop
from noren.web import mails, names, times, visits
from noren.web import wording as written
from noren.web.desk import face_of
from noren.web.names import Names
from noren.web.shopfront import Face
from noren.web.visits import Visit

FIELDS = ("name", "kana", "phone")
# As many as one look may show.
SHOWN = 100
_HOLE = re.compile(r"\{([a-z]+)\}")


@permission_required(Permission.BOOKINGS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """GET lists them by numbers; POST shows names and phones, or notes that somebody was told."""
    face, now = face_of(request), clock.now()
    message = times.number(request.POST.get("message"))
    if message is not None:
        over = request.POST.get("deed") != "undo"
        calls.said(face.id, message, now=now, by=request.signed_in.by, over=over)
        if "names" not in request.POST:
            return HttpResponseRedirect(reverse("console_calls"))
    found = calls.waiting(face.id, now=now)
    shown = found[:SHOWN]
    wanted = [each.booking.person_id for each in shown] if request.method == "POST" else []
    told = names.ask(request.signed_in.grant, people.Purpose.CUSTOMER, wanted, FIELDS)
    with in_shop(face.id):
        seen = visits.of([each.booking for each in shown], face)
        many = ToMany.objects.in_bulk({each.many for each in shown if each.many is not None})
    rows = [
        {
            "message": call.message,
            "visit": visit,
            "name": told.of(visit.person),
            "kana": told.kana(visit.person),
            "phone": told.told.get(visit.person, {}).get("phone", "") if visit.person else "",
            "what": mails.what(call.kind),
            "tell": _told(many.get(call.many or 0), face, visit, told),
            "said_by": call.said_by.removeprefix("staff:"),
            "said_at": call.said_at and call.said_at.astimezone(face.zone),
        }
        for call, visit in zip(shown, seen, strict=True)
    ]
    context = {
        "shop": face,
        "way": "calls",
        "names": told,
        "shows": bool(told.told),
        "rows": rows,
        "open": sum(not row["said_by"] for row in rows),
        "more": len(found) - len(shown),
    }
    return render(request, "web/console/calls.html", context, status=told.answer_to(request))


def _told(row: ToMany | None, face: Face, visit: Visit, told: Names) -> str:
    """Say what a message to many would have told her, with her own visit in it."""
    if row is None:
        return ""
    said = {"name": told.of(visit.person), "shop": face.name, "service": visit.service, "staff": visit.staff}
    said |= {
        "day": written.day(visit.start),
        "when": f"{written.day(visit.start)} {written.clock(visit.start)}",
    }
    text = wording.of_many(row.words, written.spoken_language()).opening
    return _HOLE.sub(lambda match: str(said.get(match[1], match[0])), text)
