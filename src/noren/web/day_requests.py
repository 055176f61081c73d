"""Days off and other hours that staff ask for: the shop accepts or declines, and may take it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.errors import AlreadyAnswered
from noren.shops import day_requests
from noren.shops.day_requests import State, Why
from noren.shops.models import DayRequest, Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import ruled, times, wording
from noren.web.desk import open_face_of
from noren.web.hours import Deed
from noren.web.shifts import spoken
from noren.web.shopfront import Face

# How long an answered one is still on the list, and how many.
SHOWN = timedelta(days=31)
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One request in words."""

    id: int
    staff_id: int
    name: str
    when: str
    what: str
    why: str
    state: str
    state_words: str
    asked_at: datetime
    by: str
    open: bool


def why_words() -> dict[str, str]:
    """What a request may be for."""
    return {
        Why.PRIVATE: pgettext("why a day is asked for", "private"),
        Why.LEAVE: pgettext("why a day is asked for", "paid leave"),
        Why.TRAINING: pgettext("why a day is asked for", "training"),
        Why.SHIFT: pgettext("why a day is asked for", "shift swapped"),
    }


def state_words(state: str) -> str:
    """Say what became of it."""
    words = {
        State.ASKED: _("waits for an answer"),
        State.ACCEPTED: pgettext("a request", "accepted"),
        State.DECLINED: pgettext("a request", "declined"),
        State.WITHDRAWN: pgettext("a request", "withdrawn"),
    }
    return words[State(state)]


def when_words(row: DayRequest) -> str:
    """Say for which days it is."""
    if row.first == row.last:
        return wording.full_day(row.first)
    return _("%(first)s to %(last)s") % {
        "first": wording.full_day(row.first),
        "last": wording.day(row.last),
    }


def what_words(row: DayRequest) -> str:
    """Say what is asked for."""
    return spoken((a, b) for a, b in row.ranges) if row.ranges else _("day off")


def lines(rows: Sequence[DayRequest], names: Mapping[int, str], face: Face, today: date) -> list[Line]:
    """Give requests their words."""
    return [
        Line(
            id=row.id,
            staff_id=row.staff_id,
            name=names.get(row.staff_id, ""),
            when=when_words(row),
            what=what_words(row),
            why=why_words().get(row.why, "") if row.why else "",
            state=row.state,
            state_words=state_words(row.state),
            asked_at=row.asked_at.astimezone(face.zone),
            by=row.answered_by.removeprefix("staff:"),
            open=row.last >= today,
        )
        for row in rows
    ]


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """List them; POST answers one, or takes an answer back."""
    face = open_face_of(request)
    if request.method != "POST":
        return _page(request, face)
    try:
        return _answered(request, face)
    except AlreadyAnswered as refusal:
        return _page(request, face, refused=refusal.words(), status=refusal.status)


def _answered(request: StaffRequest, face: Face) -> HttpResponse:
    number, now, by = times.number(request.POST.get("request")), clock.now(), request.signed_in.by
    there = reverse("console_requests")
    today = now.astimezone(face.zone).date()
    with in_shop(face.id):
        row = DayRequest.objects.filter(id=number or 0).first()
        names = _names()
    deed = request.POST.get("deed", "")
    if row is None or deed not in ("accept", "decline", "reopen"):
        return _page(request, face, refused=_("Please choose once more."), status=422)
    if deed == "decline":
        with in_shop(face.id):
            day_requests.decline(row.id, now=now, by=by)
        return HttpResponseRedirect(f"{there}?kept")
    if deed == "accept":
        write = partial(day_requests.accept, row.id, today, now=now, by=by)
        away = 0 if row.ranges else row.staff_id
    else:
        write, away = partial(day_requests.reopen, row.id, today), 0
    words = {
        "name": names.get(row.staff_id, ""),
        "when": when_words(row),
        "what": what_words(row) if deed == "accept" else _("as usual"),
    }
    said = _("%(name)s, %(when)s: %(what)s") % words
    asked = Deed(said, {"deed": deed, "request": f"{row.id}"}, write, away=away)
    return ruled.changed(request, face, asked, there=there, way="staff")


def _names() -> dict[int, str]:
    return {row.id: wording.text(row.texts, "name") or row.key for row in Staff.objects.all()}


def _page(request: StaffRequest, face: Face, *, refused: str = "", status: int = 200) -> HttpResponse:
    now = clock.now()
    today = now.astimezone(face.zone).date()
    with in_shop(face.id):
        every = DayRequest.objects.order_by("first", "id")
        waiting = list(every.filter(state=State.ASKED, last__gte=today))
        done = every.filter(state__in=[State.ACCEPTED, State.DECLINED], last__gte=today - SHOWN)
        answered = list(done.order_by("-answered_at", "-id")[:MOST_SHOWN])
        names = _names()
    context = {
        "shop": face,
        "way": "staff",
        "waiting": lines(waiting, names, face, today),
        "answered": lines(answered, names, face, today),
        "refused": refused,
        "kept": "kept" in request.GET,
    }
    return render(request, "web/console/requests.html", context, status=status)
