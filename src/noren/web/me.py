"""One's own page: who comes today and tomorrow, one's shifts, and the days one asks for. For a phone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, staff_required
from noren.booking import day as booking_day
from noren.engine import hours as engine_hours
from noren.errors import AlreadyAnswered, AskedAlready
from noren.shops import day_requests, rules
from noren.shops.day_requests import Why
from noren.shops.models import DayRequest, Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import answered, console, names, times, visits, wording
from noren.web import day_requests as requests
from noren.web.desk import Unclear, open_face_of
from noren.web.hours import ranges_of
from noren.web.shifts import asked_days, look_of, spoken
from noren.web.shopfront import Face

SHIFTS = 42
FIRST_SHOWN = 14
FURTHEST = timedelta(days=366)
OF_THE_PAST = timedelta(days=14)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """One day of hers."""

    on: date
    hours: str
    look: str
    asked: bool


@dataclass(frozen=True, slots=True)
class Day:
    """Who comes to her on a day."""

    on: date
    today: bool
    rows: list[console.Row]
    names: names.Names


@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """Show them; POST asks for days, or withdraws what was asked."""
    face = open_face_of(request)
    with in_shop(face.id):
        her = Staff.objects.filter(key=request.signed_in.staff_id or "").first()
    if her is None:
        context = {"shop": face, "way": "me"}
        return render(request, "web/console/me_nobody.html", context)
    if request.method != "POST":
        return _page(request, face, her)
    try:
        if request.POST.get("deed") == "withdraw":
            with in_shop(face.id):
                number = times.number(request.POST.get("request")) or 0
                day_requests.withdraw(number, her.id, now=clock.now())
        else:
            _ask(request.POST, face, her)
    except Unclear as fault:
        return _page(request, face, her, wrong=str(fault), status=422)
    except (AlreadyAnswered, AskedAlready) as refusal:
        return _page(request, face, her, wrong=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(f"{reverse('console_me')}?kept#requests")


def _ask(given: Mapping[str, Any], face: Face, her: Staff) -> None:
    """Read what she asks for, and write it down. Raises Unclear, AskedAlready."""
    now = clock.now()
    today = now.astimezone(face.zone).date()
    first, until = times.day_of(given.get("first")), str(given.get("last", "")).strip()
    last = times.day_of(until) if until else first
    if first is None or last is None or first < today or first > today + FURTHEST:
        raise Unclear(_("Please choose a day from today on."))
    if last < first:
        raise Unclear(_("The last day is before the first one. Please look at both once more."))
    if (last - first).days >= day_requests.MOST_DAYS:
        raise Unclear(_("These are too many days; %(most)d at most.") % {"most": day_requests.MOST_DAYS})
    why = given.get("why", "")
    ranges = ranges_of(str(given.get("hours", ""))) if given.get("open") == "hours" else []
    with in_shop(face.id):
        day_requests.ask(her.id, first, last, ranges, Why(why) if why in set(Why) else Why.PRIVATE, now=now)


def _page(
    request: StaffRequest, face: Face, her: Staff, *, wrong: str = "", status: int = 200
) -> HttpResponse:
    now = clock.now().astimezone(face.zone)
    today = now.date()
    with in_shop(face.id):
        rows = DayRequest.objects.filter(staff_id=her.id, last__gte=today - OF_THE_PAST)
        asked = list(rows.order_by("-first", "-id")[: requests.MOST_SHOWN])
    shifts = _shifts(face, her, today, [row for row in asked if row.state == day_requests.State.ASKED])
    sees = Permission.DAY_SEE in request.signed_in.permissions
    given = request.POST if wrong else {}
    context = {
        "shop": face,
        "way": "me",
        "name": wording.text(her.texts, "name") or her.key,
        "today": today,
        "days": [_day(request, face, her, today + number * _ONE_DAY, today) for number in (0, 1)]
        if sees
        else [],
        "shifts": shifts[:FIRST_SHOWN],
        "later": shifts[FIRST_SHOWN:],
        "requests": requests.lines(asked, {}, face, today),
        "whys": requests.why_words(),
        "given": given,
        "kept": "kept" in request.GET and not wrong,
        "wrong": wrong,
    }
    return render(request, "web/console/me.html", context, status=status)


def _shifts(face: Face, her: Staff, today: date, asked: list[DayRequest]) -> list[Shift]:
    with in_shop(face.id):
        known = rules.known().rules
    own = known.resources[her.id].hours
    waiting = asked_days(asked)
    found = []
    for number in range(SHIFTS):
        on = today + number * _ONE_DAY
        there = engine_hours.there(known, own, on)
        look = look_of(known, own, on)
        words = _("the shop is closed") if look == "shut" else spoken(there)
        found.append(Shift(on, words, look if there else "none", (her.id, on) in waiting))
    return found


def _day(request: StaffRequest, face: Face, her: Staff, on: date, today: date) -> Day:
    """Names of today are told for today's list, of tomorrow for the calendar: each is recorded."""
    with in_shop(face.id):
        found = visits.of(booking_day.of_resource(face.id, on, her.id), face)
    purpose = people.Purpose.TODAY if on == today else people.Purpose.DAY
    wanted = [visit.person for visit in found]
    told = names.ask(request.signed_in.grant, purpose, wanted, console.LIST, answered.brings(found))
    now = clock.now().astimezone(face.zone)
    return Day(on, on == today, console.named(found, told, now), told)
