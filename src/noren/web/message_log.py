"""What the shop's customers were sent: what, when, about which booking, whether it arrived. By ids."""

from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking.models import Booking
from noren.messages import log
from noren.messages.models import Message, State, Wording
from noren.messages.notice import Kind
from noren.shops.tenancy import shop as in_shop
from noren.web import mail_words, times, visits
from noren.web.desk import face_of
from noren.web.shopfront import Face

SHOWN: Final = 50
"""On one page; the others are a page further."""
TROUBLE: Final = "trouble"
KINDS: Final = {**mail_words.KINDS, Kind.MANY: gettext_lazy("Message to many")}
STATES: Final = {
    TROUBLE: gettext_lazy("did not arrive, or may not have"),
    State.QUEUED: gettext_lazy("being sent"),
    State.SENT: gettext_lazy("sent"),
    State.UNKNOWN: gettext_lazy("may have arrived"),
    State.FAILED: gettext_lazy("not sent"),
}


@permission_required(Permission.BOOKINGS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """List them, the newest first; POST sends one again, or sets it aside."""
    face = face_of(request)
    asked = {key: request.GET.get(key, "") for key in ("state", "kind", "booking", "before")}
    if request.method == "POST":
        asking = _done(request, face)
        if asking is None:
            said = {key: value for key, value in asked.items() if value}
            return HttpResponseRedirect(f"{reverse('console_messages')}?{urlencode({**said, 'done': 1})}")
        return _page(request, face, asked, asking=asking)
    return _page(request, face, asked)


def _done(request: StaffRequest, face: Face) -> int | None:
    """Do what was pressed; give the number of a message of which somebody has first to be asked."""
    number, now, by = times.number(request.POST.get("message")), clock.now(), request.signed_in.by
    match request.POST.get("deed", ""), number:
        case _any, None:
            return None
        case "again", _any:
            log.again(face.id, number, now=now, by=by)
        case "ask", _any:
            return number
        case "sure", _any:
            log.again(face.id, number, now=now, by=by, sure=True)
        case "aside" | "back" as deed, _any:
            log.set_aside(face.id, number, now=now, by=by, over=deed == "aside")
    return None


def _page(
    request: StaffRequest, face: Face, asked: dict[str, str], *, asking: int | None = None
) -> HttpResponse:
    state, kind = asked["state"], asked["kind"]
    trouble = state == TROUBLE
    wanted = log.Wanted(
        states=log.TROUBLE if trouble else (state,) if state in STATES else (),
        kind=kind if kind in KINDS else "",
        booking=times.number(asked["booking"]),
        before=times.number(asked["before"]),
        open_only=trouble,
    )
    found = log.lines(face.id, wanted, most=SHOWN + 1)
    shown = found[:SHOWN]
    same = {key: value for key, value in asked.items() if value and key != "before"}
    older = urlencode({**same, "before": shown[-1].id}) if len(found) > SHOWN else ""
    context = {
        "shop": face,
        "way": "messages",
        "tab": "sent",
        "rows": _rows(face, shown),
        "older": older,
        "newest": not asked["before"],
        "states": STATES,
        "state": state,
        "kinds": KINDS,
        "kind": kind,
        "booking": wanted.booking,
        "asking": asking,
        "here": urlencode({key: value for key, value in asked.items() if value}),
        "filtered": bool(wanted.states or wanted.kind or wanted.booking),
        "done": "done" in request.GET,
        "troubles": log.troubles(face.id, now=clock.now()),
    }
    return render(request, "web/console/messages.html", context)


def _rows(face: Face, found: list[Message]) -> list[dict[str, Any]]:
    """Give each line its visit and its words. As many queries for many as for one."""
    with in_shop(face.id):
        bookings = Booking.objects.in_bulk({each.booking_id for each in found if each.booking_id})
        seen = {each.id: each for each in visits.of(list(bookings.values()), face)}
        used = {each.wording_id for each in found if each.wording_id}
        versions = dict(Wording.objects.filter(id__in=used).values_list("id", "version"))
    return [
        {
            "id": each.id,
            "what": KINDS.get(each.kind) or _("Other mail"),  # type: ignore[call-overload]
            "visit": seen.get(each.booking_id or 0),
            "at": each.changed_at.astimezone(face.zone),
            "state": each.state,
            "state_words": STATES.get(each.state, each.state),
            "attempts": each.attempts,
            "others": len(each.others),
            "many": each.many_id,
            "version": versions.get(each.wording_id or 0),
            "aside": each.aside_at is not None,
            "aside_by": each.aside_by.removeprefix("staff:"),
        }
        for each in found
    ]
