"""Other hours for a day, and who can be booked: what a change touches is shown before it is saved."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import changes
from noren.booking.impact import Touched
from noren.engine import hours as engine_hours
from noren.errors import ChangeTouchesBookings
from noren.shops import edits, rules
from noren.shops.edits import DayReason
from noren.shops.models import Override, Resource, Staff
from noren.shops.reading import Ranges, Reader
from noren.shops.tenancy import shop as in_shop
from noren.web import shopfront, times, touched, wording
from noren.web.desk import Unclear, face_of

# What somebody types for a stretch of time, and for the space between two.
_DASHES = str.maketrans({"–": "-", "—": "-", "〜": "-", "~": "-", "−": "-", "ー": "-", "、": " ", ",": " "})
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Deed:
    """A change that was asked for: what it does in words, the fields that ask for it, and its rows."""

    words: str
    fields: dict[str, str]
    write: Callable[[], bool]
    on: date | None = None
    many: tuple[tuple[str, str], ...] = ()
    """Fields of which there are several of one name."""
    away: int = 0
    """Of somebody's day off: who it is. Her bookings of that day may be settled one by one."""


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def hours(request: StaffRequest) -> HttpResponse:
    face = face_of(request)
    if request.method != "POST":
        return _page(request, face)
    now = clock.now()
    try:
        deed = _asked(request, face, now)
    except Unclear as fault:
        return _page(request, face, wrong=str(fault), status=422)
    chosen, by = touched.choices(request.POST), request.signed_in.by
    try:
        done = changes.change(face.id, deed.write, chosen, now=now, by=by)
    except ChangeTouchesBookings as refusal:
        return preview(request, face, deed, refusal.facts["touched"])
    shown = f"?date={deed.on}" if deed.on else ""
    return touched.onward(request, done.work_id, reverse("console_hours") + shown + "#saved")


def _asked(request: StaffRequest, face: shopfront.Face, now: datetime) -> Deed:
    match request.POST.get("deed", ""):
        case "day":
            return _day(request, now.astimezone(face.zone).date())
        case "usual":
            on = _date(request, now.astimezone(face.zone).date())
            words = _("%(day)s: hours as usual") % {"day": wording.full_day(on)}
            return Deed(words, {"deed": "usual", "date": f"{on}"}, partial(edits.unset_day, on), on)
        case "off" | "on" as deed:
            return _switched(request, face, deed, now)
        case _:
            raise Unclear(_("Please choose once more."))


def _day(request: StaffRequest, today: date) -> Deed:
    on = _date(request, today)
    given = request.POST.get("why", "")
    why = DayReason(given) if given in set(DayReason) else DayReason.NONE
    closed = request.POST.get("open", "closed") == "closed"
    text = "" if closed else request.POST.get("hours", "")
    ranges: Ranges = [] if closed else ranges_of(text)
    told = _("closed") if closed else wording.joined([_span(each) for each in ranges])
    words = _("%(day)s: %(hours)s") % {"day": wording.full_day(on), "hours": told}
    fields = {
        "deed": "day",
        "date": f"{on}",
        "open": "closed" if closed else "hours",
        "hours": text,
        "why": str(why),
    }
    return Deed(words, fields, partial(edits.set_day, on, ranges, why), on)


def _date(request: StaffRequest, today: date) -> date:
    on = times.day_of(request.POST.get("date"))
    if on is None or on < today:
        raise Unclear(_("Please choose a day from today on."))
    return on


def ranges_of(text: str) -> Ranges:
    """Read hours as somebody types them. Raises Unclear."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).translate(_DASHES)
    faults: list[str] = []
    found = Reader({"hours": " ".join(plain.split())}, "", faults).ranges("hours")
    if faults or not found:
        raise Unclear(_("Please write the hours like 10:00-13:00 14:00-19:00."))
    return found


def _span(one: list[int]) -> str:
    return f"{wording.clock_of_minute(one[0])}–{wording.clock_of_minute(one[1])}"


def _switched(request: StaffRequest, face: shopfront.Face, deed: str, now: datetime) -> Deed:
    given = times.number(request.POST.get("staff"))
    who = shopfront.staff(face.id)
    if given is None or given not in who:
        raise Unclear(_("Please choose once more."))
    name = wording.text(who[given].texts, "name")
    words = _("%(name)s cannot be booked any more") if deed == "off" else _("%(name)s can be booked again")
    write = partial(edits.set_bookable, given, there=deed == "on", now=now)
    return Deed(words % {"name": name}, {"deed": deed, "staff": str(given)}, write)


def preview(
    request: StaffRequest,
    face: shopfront.Face,
    deed: Deed,
    found: tuple[Touched, ...],
    *,
    there: str = "",
    way: str = "hours",
) -> HttpResponse:
    """Show the bookings that a change touches, and ask what becomes of each."""
    context = {
        "shop": face,
        "way": way,
        "there": there or reverse("console_hours"),
        "deed": deed,
    }
    context |= touched.asked(face, found, request.POST)
    return render(request, "web/console/touched.html", context)


def _page(request: StaffRequest, face: shopfront.Face, *, wrong: str = "", status: int = 200) -> HttpResponse:
    today = clock.now().astimezone(face.zone).date()
    given = request.POST if request.method == "POST" else request.GET
    on = times.day_of(given.get("date")) or today
    with in_shop(face.id):
        usual = engine_hours.merged(engine_hours.of_shop(rules.known().rules, on))
        coming = Override.objects.filter(resource_id=None, service_id=None, date__gte=today).order_by("date")
        days = list(coming)
        staff = _staff()
    own = next((each for each in days if each.date == on), None)
    as_it_is = {"open": "hours" if usual else "closed", "why": own.why if own else ""}
    shown = given if request.method == "POST" else as_it_is
    context = {
        "shop": face,
        "way": "hours",
        "date": max(on, today),
        "today": today,
        "now_open": wording.joined([_span(list(each)) for each in usual]) or _("closed"),
        "typed": given.get("hours", "") or " ".join(plain(each) for each in usual),
        "closed": shown.get("open") == "closed",
        "why": shown.get("why", ""),
        "reasons": wording.day_reasons(),
        "days": [{"date": each.date, "words": _said(each)} for each in days],
        "own": own is not None,
        "staff": staff,
        "wrong": wrong,
    }
    return render(request, "web/console/hours.html", context, status=status)


def plain(one: Sequence[int]) -> str:
    """Write a stretch as it is typed: 10:00-19:00."""
    return "-".join(f"{minute // 60}:{minute % 60:02}" for minute in one)


def _said(row: Override) -> str:
    told = wording.joined([_span(each) for each in row.ranges]) or _("closed")
    why = wording.day_reasons().get(row.why, "") if row.why else ""
    return f"{told} · {why}" if why else told


def _staff() -> list[dict[str, object]]:
    there = dict(Resource.objects.filter(kind="staff").values_list("id", "bookable"))
    return [
        {"id": row.id, "name": wording.text(row.texts, "name") or row.key, "there": there.get(row.id, False)}
        for row in Staff.objects.order_by("position", "id")
    ]
