"""The month of all who serve: who is there on which day; a tap changes one day, a button copies many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import away
from noren.engine import hours as engine_hours
from noren.engine.model import Hours, ShopRules
from noren.errors import NothingHere
from noren.shops import day_requests, edits, rules, shifts
from noren.shops.models import DayRequest, Resource, Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import away as console_away
from noren.web import ruled, times, wording
from noren.web.desk import Unclear, open_face_of
from noren.web.hours import Deed, plain, ranges_of
from noren.web.shopfront import Face

_ONE_DAY = timedelta(days=1)
MONTHS_AHEAD = 14


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of one of them. `look`: usual, own (other hours), off, free (by her pattern), shut (the shop),
    gone (before her first day, after her last), away (nobody can book her, for whatever reason).
    """

    on: date
    spans: tuple[str, ...]
    look: str
    asked: bool
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One of those who serve, with her days."""

    id: int
    name: str
    cells: tuple[Cell, ...]


def short(minutes: tuple[int, int]) -> str:
    """Write hours as narrowly as a cell is: 10–19, 9:30–25."""
    return "–".join(f"{each // 60}" if each % 60 == 0 else f"{each // 60}:{each % 60:02}" for each in minutes)


def spoken(ranges: Iterable[tuple[int, int]]) -> str:
    """Write hours in full; none: closed."""
    clocks = [f"{wording.clock_of_minute(a)}–{wording.clock_of_minute(b)}" for a, b in ranges]
    return wording.joined(clocks) or _("off")


def look_of(known: ShopRules, own: Hours | None, on: date) -> str:
    """Say what kind of day it is."""
    if own is not None and not engine_hours.within(own, on):
        return "gone"
    if not engine_hours.merged(engine_hours.of_shop(known, on)):
        return "shut"
    if own is not None and on in own.overrides:
        return "own" if engine_hours.merged(own.overrides[on]) else "off"
    return "usual" if engine_hours.there(known, own, on) else "free"


def cell(
    known: ShopRules, own: Hours | None, on: date, *, name: str, asked: bool, away: bool = False
) -> Cell:
    """Return one day as the table shows it."""
    there = engine_hours.there(known, own, on)
    look = look_of(known, own, on)
    if there and away:
        there, look = [], "away"
    told = {
        "gone": _("not there"),
        "shut": _("the shop is closed"),
        "own": _("%(hours)s, other than usual") % {"hours": spoken(there)},
        "off": _("day off, other than usual"),
        "away": _("away: no bookings are taken"),
    }.get(look) or spoken(there)
    words = f"{name}, {wording.day(on)}: {told}" + (f", {_('a request waits')}" if asked else "")
    return Cell(on, tuple(short(each) for each in there), look, asked, words)


def asked_days(rows: Iterable[DayRequest]) -> set[tuple[int, date]]:
    """Return whose which days are asked for."""
    return {(row.staff_id, day) for row in rows for day in day_requests.days(row)}


def month_of(text: str | None, today: date) -> date:
    """Return the first of the month that an address asks for; of this one where it asks for none."""
    asked = times.day_of(f"{text}-01" if text else None) or today
    month = asked.replace(day=1)
    latest = (today.replace(day=1) + timedelta(days=31 * MONTHS_AHEAD)).replace(day=1)
    return min(month, latest)


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """Show a month; POST copies the month before, or one week's from the week before."""
    face = open_face_of(request)
    today = clock.now().astimezone(face.zone).date()
    given = request.POST if request.method == "POST" else request.GET
    first = month_of(given.get("month"), today)
    if request.method != "POST":
        return _page(request, face, first, today)
    try:
        deed = _copied(request, face, first, today)
    except Unclear as fault:
        return _page(request, face, first, today, wrong=str(fault))
    back = f"{reverse('console_shifts')}?month={first:%Y-%m}&kept"
    there = reverse("console_shifts")
    return ruled.changed(request, face, deed, there=there, way="staff", back=back)


def _copied(request: StaffRequest, face: Face, first: date, today: date) -> Deed:
    """Read what is to be copied. Raises Unclear."""
    with in_shop(face.id):
        ids = [row.id for row in _staff()]
    week = times.day_of(request.POST.get("week"))
    match request.POST.get("deed", ""):
        case "month":
            pairs = shifts.month_before(first, today)
            words = _("%(month)s as the month before") % {"month": wording.month(first)}
        case "week" if week is not None and week.weekday() == 0:
            pairs = shifts.week_before(week, today)
            words = _("The week from %(day)s as the one before") % {"day": wording.day(week)}
        case _:
            raise Unclear(_("Please choose once more."))
    return Deed(words, ruled.asked_again(request), partial(shifts.copy, ids, pairs))


def _staff() -> list[Resource]:
    """Return those who serve and can be booked, in their order. Inside the shop."""
    return list(Resource.objects.filter(kind="staff", bookable=True).order_by("position", "id"))


def _page(request: StaffRequest, face: Face, first: date, today: date, *, wrong: str = "") -> HttpResponse:
    days = list(shifts.month(first))
    with in_shop(face.id):
        known = rules.known().rules
        named = {row.id: wording.text(row.texts, "name") or row.key for row in Staff.objects.all()}
        open_ones = DayRequest.objects.filter(state=day_requests.State.ASKED)
        waiting = list(open_ones.filter(last__gte=today).order_by("first", "id"))
        staff = [row.id for row in _staff() if row.id in named]
    noted = _Noted(asked_days(waiting), _away(face, staff, days))
    rows = [_row(known, each, named[each], days, noted) for each in staff]
    month = timedelta(days=31)
    before = (first - _ONE_DAY).replace(day=1)
    mondays = [day - day.weekday() * _ONE_DAY for day in days[::7]]
    context = {
        "shop": face,
        "way": "staff",
        "month": first,
        "today": today,
        "earlier": f"{before:%Y-%m}",
        "later": f"{(first + month).replace(day=1):%Y-%m}",
        "days": [_head(known, day, today) for day in days],
        "rows": rows,
        "there": [sum(bool(row.cells[number].spans) for row in rows) for number in range(len(days))],
        "weeks": [each for each in dict.fromkeys(mondays) if each + 6 * _ONE_DAY >= today],
        "asked": len(waiting),
        "kept": "kept" in request.GET,
        "wrong": wrong,
        "past": days[-1] < today,
    }
    return render(request, "web/console/shifts.html", context, status=422 if wrong else 200)


def _head(known: ShopRules, day: date, today: date) -> dict[str, Any]:
    rest = day.weekday() == 6 or day in known.holidays
    return {"on": day, "rest": rest, "today": day == today, "weekday": wording.weekday(day)}


@dataclass(frozen=True, slots=True)
class _Noted:
    """Whose which days are asked for, and who is away on which."""

    asked: set[tuple[int, date]]
    away: set[tuple[int, date]]


def _away(face: Face, staff: list[int], days: list[date]) -> set[tuple[int, date]]:
    start, end = (datetime.combine(day, time(), face.zone) for day in (days[0], days[-1] + _ONE_DAY))
    return {(who, at.astimezone(face.zone).date()) for who, at in away.days(face.id, staff, start, end)}


def _row(known: ShopRules, staff_id: int, name: str, days: list[date], noted: _Noted) -> Row:
    own = known.resources[staff_id].hours
    cells = (
        cell(
            known,
            own,
            day,
            name=name,
            asked=(staff_id, day) in noted.asked,
            away=(staff_id, day) in noted.away,
        )
        for day in days
    )
    return Row(staff_id, name, tuple(cells))


# -- one day of one of them


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def day(request: StaffRequest, staff_id: int) -> HttpResponse:
    """One day of one of them: as usual, off, or other hours; what that touches is shown before."""
    face = open_face_of(request)
    today = clock.now().astimezone(face.zone).date()
    given = request.POST if request.method == "POST" else request.GET
    on = times.day_of(given.get("date")) or today
    with in_shop(face.id):
        row = Staff.objects.filter(id=staff_id).first()
        known = rules.known().rules
    if row is None or row.id not in known.resources:
        raise NothingHere
    name = wording.text(row.texts, "name") or row.key
    if request.method != "POST":
        return _day_page(request, face, known, (row.id, name), on)
    try:
        deed = _day_deed(given, row.id, name, on, today)
    except Unclear as fault:
        return _day_page(request, face, known, (row.id, name), on, wrong=str(fault))
    back = f"{reverse('console_shifts')}?month={on:%Y-%m}&kept#day-{row.id}-{on}"
    there = reverse("console_shift", args=[staff_id])
    return ruled.changed(request, face, deed, there=there, way="staff", back=back)


def _day_deed(given: Mapping[str, Any], staff_id: int, name: str, on: date, today: date) -> Deed:
    """Read what the day is to be. Raises Unclear."""
    if on < today:
        raise Unclear(_("Please choose a day from today on."))
    open_as, text = given.get("open", ""), given.get("hours", "")
    fields = {"date": f"{on}", "open": open_as, "hours": text}
    start = {"name": name, "day": wording.full_day(on)}
    if open_as == "usual":
        words = _("%(name)s, %(day)s: as usual") % start
        return Deed(words, fields, partial(edits.unset_day, on, resource_id=staff_id), on)
    if open_as not in ("off", "hours"):
        raise Unclear(_("Please choose once more."))
    ranges = [] if open_as == "off" else ranges_of(text)
    told = spoken((a, b) for a, b in ranges)
    words = _("%(name)s, %(day)s: %(hours)s") % {**start, "hours": told}
    write = partial(edits.set_day, on, ranges, resource_id=staff_id)
    return Deed(words, fields, write, on, away=staff_id if open_as == "off" else 0)


def _day_page(
    request: StaffRequest,
    face: Face,
    known: ShopRules,
    her: tuple[int, str],
    on: date,
    *,
    wrong: str = "",
) -> HttpResponse:
    staff_id, name = her
    today = clock.now().astimezone(face.zone).date()
    own = known.resources[staff_id].hours
    there = engine_hours.there(known, own, on)
    look = look_of(known, own, on)
    usual = shifts.usual(own, on)
    as_it_is = {"off": "off", "own": "hours"}.get(look, "usual")
    shown = request.POST if request.method == "POST" else {}
    context = {
        "shop": face,
        "way": "staff",
        "staff": staff_id,
        "name": name,
        "on": on,
        "past": on < today,
        "look": look,
        "now": spoken(there),
        "usual": _("when the shop is open") if usual is None else spoken(engine_hours.merged(usual)),
        "open": shown.get("open", as_it_is),
        "typed": shown.get("hours", "") or " ".join(plain(each) for each in there),
        "back": f"{reverse('console_shifts')}?month={on:%Y-%m}",
        "away": bool(_away(face, [staff_id], [on])) and console_away.address(staff_id, on),
        "wrong": wrong,
    }
    return render(request, "web/console/shift.html", context, status=422 if wrong else 200)
