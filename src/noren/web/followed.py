"""Bookings that follow a change of the rules: how far they are, what is left, stopped and gone on with."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import changes, work
from noren.booking.models import LineState, Work, WorkLine, WorkState
from noren.errors import NothingHere
from noren.web import shopfront, touched, works
from noren.web.desk import face_of
from noren.web.shopfront import Face

MOST_LINES: Final = 30
WHY: Final[Mapping[str, str | Promise]] = {
    "touched": gettext_lazy("Somebody has decided on it meanwhile"),
    "ended": gettext_lazy("It had ended already"),
    "in_the_past": gettext_lazy("It had begun already"),
    "nothing_free": gettext_lazy("No other time is free near enough; it waits to be looked at"),
}


@permission_required(Permission.BOOKINGS_SETTLE)
@require_safe
def page(request: StaffRequest, change_id: int) -> HttpResponse:
    """Show how far it is, what was not done as it was chosen, and what is still to be done."""
    face = face_of(request)
    found = _found(face.id, change_id)
    counts = work.counts(face.id, found.id)
    odd, left = (read(face.id, found.id, MOST_LINES) for read in (work.odd_lines, work.lines_left))
    offers = {each.id: each.name for each in shopfront.offers(face.id)}
    context: dict[str, Any] = {
        "shop": face,
        "way": "attention",
        "work": found,
        "row": works.row_of(found, face, settles=True),
        "facts": _facts(counts),
        "odd": list(_lines(face, odd, offers)),
        "more_odd": max(0, counts.get(LineState.ODD, 0) + counts.get(LineState.KEPT, 0) - len(odd)),
        "left": list(_lines(face, left, offers)),
        "more_left": max(0, counts.get(LineState.WAITING, 0) - len(left)),
        "stops": found.state == WorkState.RUNNING,
        "resumes": found.state == WorkState.STOPPED,
    }
    return render(request, "web/console/change.html", context)


@permission_required(Permission.BOOKINGS_SETTLE)
@require_POST
def deed(request: StaffRequest, change_id: int) -> HttpResponse:
    """Stop it, or go on with it."""
    found, what = _found(request.shop_id, change_id), request.POST.get("deed")
    if what == "stop":
        work.stop(request.shop_id, found.id)
    elif what == "resume":
        work.resume(request.shop_id, found.id)
    return HttpResponseRedirect(reverse("console_change", args=[found.id]))


def _found(shop_id: int, change_id: int) -> Work:
    found = work.one(shop_id, change_id)
    if found.kind != changes.CHANGE:
        raise NothingHere
    return found


def _facts(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    words = {
        LineState.MADE: _("Moved or cancelled"),
        LineState.ODD: _("Nothing was free"),
        LineState.KEPT: _("Left alone"),
    }
    return [(label, counts[state]) for state, label in words.items() if counts.get(state)]


def _lines(face: Face, lines: list[WorkLine], offers: Mapping[int, str]) -> Iterator[dict[str, Any]]:
    for each in lines:
        yield {
            "href": reverse("console_attention_one", args=[each.booking_id]),
            "start": each.start and each.start.astimezone(face.zone),
            "service": offers.get(each.service_id or 0, ""),
            "why": WHY.get(each.why, ""),
            "follows": touched.follow_words(each.choice),
        }
