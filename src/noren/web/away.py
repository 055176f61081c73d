"""Who serves is away: all her bookings of that day on one screen, each with what is free instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import away
from noren.booking.away import Deed, Wish
from noren.errors import NorenError
from noren.shops.tenancy import shop as in_shop
from noren.web import answered, console, names, shopfront, times, visits, wording
from noren.web.desk import face_of


@dataclass(frozen=True, slots=True)
class Option:
    """One way out, by its code in the form."""

    code: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One booking of hers. `said`: what became of it just now, or why nothing did."""

    row: console.Row
    by_name: bool
    options: tuple[Option, ...]
    told: bool
    said: str = ""


@dataclass(frozen=True, slots=True)
class Did:
    """What became of one booking. `wrong`: nothing did, and why."""

    row: console.Row
    words: str
    wrong: bool


def may(request: StaffRequest) -> bool:
    return Permission.BOOKINGS_CHANGE in request.signed_in.permissions


def who(request: StaffRequest, face: shopfront.Face) -> Mapping[int, str]:
    """Return those of whom somebody may say that they are away, by id."""
    if not may(request):
        return {}
    return {each: known.name for each, known in shopfront.serving(face.id).items() if known.is_staff}


def address(staff: int | None, on: date) -> str:
    return f"{reverse('console_away')}?{f'staff={staff}&' if staff else ''}date={on}"


@permission_required(Permission.BOOKINGS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """GET shows what is hers and what is free instead; POST does what was chosen, and says what became of
    each. Names of today and tomorrow are shown by themselves, of other days by a tap.
    """
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    given = request.POST if request.method == "POST" else request.GET
    on = max(times.day_of(given.get("date")) or now.date(), now.date())
    serving = who(request, face)
    staff = times.number(given.get("staff"))
    if staff is None or staff not in serving:
        context = {
            "shop": face,
            "way": "day",
            "date": on,
            "who": [(address(e, on), n) for e, n in serving.items()],
        }
        return render(request, "web/console/away_who.html", context)
    start, end = away.stretch(face.id, on, now=now)
    did: Mapping[int, tuple[str, bool]] = {}
    by, deed = request.signed_in.by, request.POST.get("deed", "")
    if deed == "back":
        away.back(face.id, staff, end)
        return HttpResponseRedirect(address(staff, on))
    if deed == "away":
        if not away.is_off(face.id, staff, on):
            away.close(face.id, staff, start, end, now=now, by=by)
        did = _settled(face, staff, request.POST, now=now, by=by)
    return _page(request, face, (staff, serving[staff]), on, did=did, now=now)


def _settled(
    face: shopfront.Face, staff: int, given: QueryDict, *, now: datetime, by: str
) -> dict[int, tuple[str, bool]]:
    """Do what was chosen, one after the other; who lost a race is told, and the others go on."""
    did = {}
    for booking_id, wish in _wishes(given).items():
        try:
            done = away.settle(face.id, staff, booking_id, wish, now=now, by=by)
        except NorenError as refusal:
            did[booking_id] = refusal.words(), True
        else:
            did[booking_id] = (_did(wish) if done else _("This had been done already."), False)
    return did


def _wishes(given: QueryDict) -> dict[int, Wish]:
    """Read what was chosen; what is no choice is none."""
    found = {}
    for name, value in given.items():
        booking = times.number(name.removeprefix("choice-")) if name.startswith("choice-") else None
        wish = None if booking is None else _wish(str(value), told=f"tell-{booking}" in given)
        if booking is not None and wish is not None:
            found[booking] = wish
    return found


def _wish(code: str, *, told: bool) -> Wish | None:
    """Read one: staff-ID, time-SECONDS-ID (0: anybody), ask, cancel."""
    name, *rest = code.split("-")
    numbers = [times.number(each) for each in rest]
    if name not in set(Deed) or None in numbers:
        return None
    match name, numbers:
        case Deed.STAFF, [int(staff)]:
            return Wish(Deed.STAFF, staff, told=told)
        case Deed.TIME, [int(seconds), int(staff)]:
            return Wish(Deed.TIME, staff or None, datetime.fromtimestamp(seconds, UTC), told=told)
        case ((Deed.ASK | Deed.CANCEL), []):
            return Wish(Deed(name), told=told)
    return None


def _did(wish: Wish) -> str:
    words = {
        Deed.STAFF: _("Given to somebody else, at the same time."),
        Deed.TIME: _("Moved to another time."),
        Deed.ASK: _("The customer is asked to choose another time."),
        Deed.CANCEL: _("Cancelled."),
    }
    quiet = "" if wish.told else " " + _("The customer is not told.")
    return words[wish.deed] + quiet


def _page(
    request: StaffRequest,
    face: shopfront.Face,
    her: tuple[int, str],
    on: date,
    *,
    did: Mapping[int, tuple[str, bool]],
    now: datetime,
) -> HttpResponse:
    staff, name = her
    start, end = away.stretch(face.id, on, now=now)
    found = away.rows(face.id, staff, start, end, now=now)
    with in_shop(face.id):
        done = visits.done(set(did) - {each.booking.id for each in found}, face)
        seen = visits.of([each.booking for each in found], face)
    near = on <= now.date() + timedelta(days=1)
    both = [*seen, *done]
    wanted = [each.person for each in both] if near or "names" in request.POST else []
    told = names.ask(request.signed_in.grant, people.Purpose.DAY, wanted, console.LIST, answered.brings(both))
    named = console.named(seen, told, now)
    called = {each: known.name for each, known in shopfront.serving(face.id).items()}
    closed = bool(away.closed(face.id, staff, end))
    context = {
        "shop": face,
        "way": "day",
        "here": address(staff, on),
        "date": on,
        "staff": staff,
        "name": name,
        "closed": closed,
        "off": not closed and away.is_off(face.id, staff, on),
        "until": end,
        "names": told,
        "ask_names": not wanted and bool(both),
        "lines": _lines(face, named, found, called, did),
        "did": [
            Did(row, *did[row.visit.id])
            for row in [*console.named(done, told, now), *named]
            if row.visit.id in did
        ],
        "day": f"{reverse('console_day')}?date={on}",
    }
    return render(request, "web/console/away.html", context, status=told.answer_to(request))


def _lines(
    face: shopfront.Face,
    named: Sequence[console.Row],
    found: Sequence[away.Row],
    called: Mapping[int, str],
    did: Mapping[int, tuple[str, bool]],
) -> list[Line]:
    return [
        Line(row, each.by_name, _options(face, each, called), told=True, said=did.get(row.visit.id, ("",))[0])
        for row, each in zip(named, found, strict=True)
    ]


def _options(face: shopfront.Face, row: away.Row, called: Mapping[int, str]) -> tuple[Option, ...]:
    found = [Option("", _("Leave it for now"), row.sure is None)]
    for each in row.others:
        if each in called:
            words = _("Same time, with %(name)s") % {"name": called[each]}
            found.append(Option(f"{Deed.STAFF}-{each}", words, each == row.sure))
    asked = row.booking.asked_staff_id
    for start, hers in row.times:
        at = datetime.fromtimestamp(start.stamp, face.zone)
        same_day = at.date() == row.booking.start.astimezone(face.zone).date()
        when = wording.clock(at) if same_day else f"{wording.day(at)} {wording.clock(at)}"
        words = _("%(when)s, with %(name)s") % {"when": when, "name": called.get(asked or 0, "")}
        code = f"{Deed.TIME}-{start.stamp}-{asked if hers else 0}"
        found.append(
            Option(code, words if hers else _("%(when)s, with anybody free") % {"when": when}, False)
        )
    if row.booking.session_id is None:
        found.append(Option(Deed.ASK, _("Ask the customer to choose another time"), False))
    found.append(Option(Deed.CANCEL, _("Cancel"), False))
    return tuple(found)
