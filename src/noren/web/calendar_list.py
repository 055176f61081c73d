"""The list view: what comes in a range of days, by state, service and staff. Names of today and tomorrow are
shown by themselves, those of another day by a tap for that day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import late
from noren.booking.models import STANDING, Booking, Status
from noren.shops.models import Service
from noren.shops.tenancy import shop as in_shop
from noren.web import answered, calendar, console, names, shopfront, times, visits, wording
from noren.web.desk import face_of

ONE = timedelta(days=1)
USUAL = timedelta(days=6)
LONGEST = timedelta(days=92)
MOST = 200
"""How many are listed on one page, and revealed at once."""
_FURTHEST = 100 * MOST
# What can be asked for, in the order of a visit's life; those that take no time any more last.
STATES = (*STANDING, Status.CANCELLED, Status.DECLINED, Status.RELEASED)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is listed."""

    first: date
    last: date
    state: str
    service: int | None
    staff: int | None
    skip: int = 0
    """How many are on the pages before."""

    @property
    def address(self) -> str:
        more = {each: getattr(self, each) for each in ("last", "state", "service", "staff", "skip")}
        return calendar.address("list", self.first, **more)


@dataclass(frozen=True, slots=True)
class Day:
    """One day's lines. `asks`: its names are shown by a tap."""

    date: date
    rows: Sequence[console.Row]
    asks: bool
    href: str


@permission_required(Permission.DAY_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """GET lists; POST shows the names of one day more."""
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    services, serving = _services(face), shopfront.serving(face.id)
    wish = _wish(request, now.date())
    tapped = times.day_of(request.POST.get("day")) if request.method == "POST" else None
    with in_shop(face.id):
        rows = _rows(face, wish)
        found = visits.of(rows[:MOST], face)
    named = [
        visit for visit in found if calendar.near(visit.start.date(), now) or visit.start.date() == tapped
    ]
    told = names.ask(
        request.signed_in.grant,
        people.Purpose.DAY,
        [visit.person for visit in named],
        console.LIST,
        answered.brings(named),
    )
    lates = late.told(face.id, [visit.id for visit in found])
    shown = {visit.start.date() for visit in named}
    context = {
        "shop": face,
        "way": "day",
        "date": wish.first,
        "wish": wish,
        "here": wish.address,
        "names": told,
        "views": calendar.views("list", wish.first),
        "turns": _turns(wish, now.date()),
        "days": _days(console.named(found, told, now, lates), shown),
        "count": len(found),
        "further": replace(wish, skip=wish.skip + MOST).address if len(rows) > MOST else "",
        "before": replace(wish, skip=max(0, wish.skip - MOST)).address if wish.skip else "",
        "states": [(str(each), visits.status_words(each)) for each in STATES],
        "services": services.items(),
        "staff": [(each, known.name) for each, known in serving.items() if known.is_staff],
    }
    return render(request, "web/console/calendar_list.html", context, status=told.answer_to(request))


def _wish(request: StaffRequest, today: date) -> Wish:
    given = request.GET
    first = calendar.shown(request, today)
    last = times.day_of(given.get("last")) or first + USUAL
    state = given.get("state", "")
    return Wish(
        first,
        min(max(first, last), first + LONGEST),
        state if state in STATES else "",
        times.number(given.get("service")),
        times.number(given.get("staff")),
        min(times.number(given.get("skip")) or 0, _FURTHEST),
    )


def _services(face: shopfront.Face) -> Mapping[int, str]:
    with in_shop(face.id):
        rows = Service.objects.order_by("position", "id")
        return {row.id: wording.text(row.texts, "name") or row.key for row in rows}


def _rows(face: shopfront.Face, wish: Wish) -> list[Booking]:
    """Return one more than is listed, where there are more. Inside the shop."""
    begin, end = (
        datetime.combine(day, time(), face.zone).astimezone(UTC) for day in (wish.first, wish.last + ONE)
    )
    asked: dict[str, Any] = {"status": wish.state} if wish.state else {"status__in": STANDING}
    if wish.staff is not None:
        asked["staff_id"] = wish.staff
    found = Booking.objects.filter(start__gte=begin, start__lt=end, person_id__isnull=False, **asked)
    if wish.service is not None:
        of_visit = Q(agreed__parts__contains=[{"service": wish.service}])
        found = found.filter(Q(service_id=wish.service) | of_visit)
    return list(found.order_by("start", "id")[wish.skip : wish.skip + MOST + 1])


def _days(rows: Sequence[console.Row], shown: set[date]) -> list[Day]:
    return [
        Day(day, tuple(those), day not in shown, calendar.address("day", day))
        for day, those in groupby(rows, key=lambda row: row.visit.start.date())
    ]


def _turns(wish: Wish, today: date) -> list[dict[str, str]]:
    length = wish.last - wish.first
    before, after = wish.first - length - ONE, wish.last + ONE
    turns = (
        ("before", before, _("Earlier")),
        ("today", today, _("From today")),
        ("after", after, _("Later")),
    )
    return [
        {"id": name, "href": replace(wish, first=day, last=day + length, skip=0).address, "words": words}
        for name, day, words in turns
    ]
