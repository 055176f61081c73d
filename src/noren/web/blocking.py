"""Time that cannot be booked, said at the calendar: what lies there is shown before anything is blocked."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import away, blocks
from noren.booking.models import Block
from noren.errors import ChangeTouchesBookings, NothingHere
from noren.shops.tenancy import shop as in_shop
from noren.web import calendar, hours, just_done, lanes, shopfront, spots, story, times, touched, why
from noren.web.desk import Unclear, face_of
from noren.web.hours import Deed

LONGEST = timedelta(days=366)
_FIELDS = ("resource", "date", "from", "until", "to")


@dataclass(frozen=True, slots=True)
class Wish:
    """Who or what is to be closed, from when to when."""

    resource: int
    start: datetime
    end: datetime


@permission_required(Permission.BOOKINGS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """GET asks whom to block and when; POST blocks it, once it is said what becomes of what lies there."""
    face, now, by = face_of(request), clock.now(), request.signed_in.by
    if request.method != "POST":
        return _page(request, face, request.GET)
    if request.POST.get("deed") == "again":
        return _again(request, face, now)
    try:
        wish = _asked(request.POST, face, now)
    except Unclear as fault:
        return _page(request, face, request.POST, wrong=str(fault), status=422)
    chosen = touched.choices(request.POST)
    try:
        how: dict[str, Any] = {"over": blocks.Over.CHOSEN, "choices": chosen, "once": True}
        made = blocks.blackout(face.id, wish.resource, [(wish.start, wish.end)], now=now, by=by, **how)
    except ChangeTouchesBookings as refusal:
        deed = _deed(face, wish, request.POST)
        found, there = refusal.facts["touched"], reverse("console_block")
        return hours.preview(request, face, deed, found, there=there, way="day")
    done: dict[str, Any] = {"blocked": made[0].blocks[0]} if made else {}
    day = calendar.address("day", wish.start.astimezone(face.zone).date(), **done)
    return touched.onward(request, made[0].work_id if made else None, day)


def _again(request: StaffRequest, face: shopfront.Face, now: datetime) -> HttpResponse:
    """Close again what was just opened; what lies there waits for a look, as it did."""
    found = just_done.read(request.POST.get("what", ""))
    if found is None or found[0] not in _closable(face) or found[2] <= now:
        raise NothingHere
    resource, start, end, reason = found
    more: dict[str, Any] = {"reason": reason, "over": blocks.Over.KEEP, "once": True}
    blocks.blackout(face.id, resource, [(start, end)], now=now, by=request.signed_in.by, **more)
    return HttpResponseRedirect(calendar.address("day", start.astimezone(face.zone).date()))


def _asked(given: QueryDict, face: shopfront.Face, now: datetime) -> Wish:
    """Read the form. Raises Unclear."""
    resource = times.number(given.get("resource"))
    if resource is None or resource not in _closable(face):
        raise Unclear(_("Please choose whom or what to block."))
    start = why.instant(given.get("date"), given.get("from"), face)
    last = given.get("until") or given.get("date")
    end = why.instant(last, given.get("to"), face)
    if start is None or end is None:
        raise Unclear(_("There is no such day or time. Please look at it once more."))
    if end <= start and not given.get("until"):
        # Until two in the morning: of the next day.
        end = why.instant(f"{_day(last) + timedelta(days=1)}", given.get("to"), face) or end
    if end <= start:
        raise Unclear(_("The end lies before the beginning."))
    if end <= now:
        raise Unclear(_("This time is over. Please choose one that is still to come."))
    if end - start > LONGEST:
        raise Unclear(_("At most a year can be blocked at once."))
    return Wish(resource, start, end)


def _day(text: str | None) -> date:
    return times.day_of(text) or times.FIRST


def _closable(face: shopfront.Face) -> dict[int, str]:
    """Return who and what can be closed: a whole by its parts, too."""
    return {each: known.name for each, known in shopfront.serving(face.id).items()}


def _deed(face: shopfront.Face, wish: Wish, given: QueryDict) -> Deed:
    here = just_done.span(wish.start.astimezone(face.zone), wish.end.astimezone(face.zone))
    name = just_done.name_of(face, wish.resource)
    words = _("Block for %(name)s: %(span)s") % {"name": name, "span": here}
    return Deed(words, {each: given.get(each, "") for each in _FIELDS}, lambda: False)


def _page(
    request: StaffRequest, face: shopfront.Face, given: QueryDict, *, wrong: str = "", status: int = 200
) -> HttpResponse:
    now = clock.now().astimezone(face.zone)
    on = times.day_of(given.get("date")) or now.date()
    begins = (now + timedelta(hours=1)).replace(minute=0)
    context = {
        "shop": face,
        "way": "day",
        "wrong": wrong,
        "who": _closable(face),
        "resource": times.number(given.get("resource")),
        "date": f"{on}",
        "from": given.get("from") or f"{begins:%H:%M}",
        "until": given.get("until", ""),
        "to": given.get("to") or f"{begins + timedelta(hours=1):%H:%M}",
        "day": calendar.address("day", on),
    }
    return render(request, "web/console/block.html", context, status=status)


@permission_required(Permission.BOOKINGS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, block_id: int) -> HttpResponse:
    """GET shows a block, and what lies under it; POST opens the time again."""
    face, now = face_of(request), clock.now()
    with in_shop(face.id):
        row = Block.objects.filter(id=block_id).first()
    if row is None:
        raise NothingHere
    start, end = (each.astimezone(face.zone) for each in (row.start, row.end))
    day = calendar.address("day", start.date())
    if request.method == "POST":
        if row.kind != "block":
            raise NothingHere  # another calendar's: it is opened there
        blocks.unblock(face.id, block_id)
        undone = request.POST.get("deed") == "undo"
        return HttpResponseRedirect(day if undone else f"{day}&{urlencode({'opened': just_done.token(row)})}")
    under = blocks.under(face.id, row.resource_id, row.start, row.end, now=now)
    context = {
        "shop": face,
        "way": "day",
        "block": row,
        "here": reverse("console_block_one", args=[block_id]),
        "name": just_done.name_of(face, row.resource_id),
        "span": just_done.span(start, end),
        "by": story.who(row.by),
        "made": row.created_at.astimezone(face.zone),
        "reason": _("away") if row.why == away.WHY else "",
        "opens": row.kind == "block" and row.end > now,
        "rows": touched.rows(face, under, {}),
        "day": day,
        "why": spots.why(row.resource_id, start.date(), lanes.minute(start, start.date())),
    }
    return render(request, "web/console/block_one.html", context)
