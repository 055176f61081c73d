"""The day sheet: who comes on a day, on paper, for when the vault or the network is down.

Told and on record before it is made, numbered, over with its day. It is the answer to a form and nothing
else: no address leads to it again, and another one has another number and is told anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import day_sheets
from noren.booking.models import Status
from noren.errors import BudgetExceeded, NorenError, NoSuchPerson, PurposeRefused
from noren.web import day_sheet_pdf as paper
from noren.web import day_sheets_made, names, shopfront, times, visits, wording
from noren.web.day import everybody
from noren.web.day_sheets_made import Issued
from noren.web.desk import face_of
from noren.web.paper import LACKING

ALWAYS = ("name", "kana")
# What is planned further ahead changes so much that a list of it is of no use.
AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why none was made. `over`: for want of budget."""

    words: str
    status: int
    over: bool = False


@permission_required(Permission.DAY_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """GET asks what is to stand on it and lists those that were made; POST makes one."""
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    given = request.POST if request.method == "POST" else request.GET
    day = times.day_of(given.get("date")) or now.date()
    if request.method != "POST":
        return _page(request, face, max(day, now.date()), now=now)
    if not now.date() <= day <= now.date() + AHEAD:
        words = _("Please choose today or a day to come: the sheet of a day that is over holds no longer.")
        return _page(request, face, day, now=now, refused=Refused(words, 422))
    return _made(request, face, day, now=now)


def _page(
    request: StaffRequest, face: shopfront.Face, day: date, *, now: datetime, refused: Refused | None = None
) -> HttpResponse:
    found = everybody(face, day)
    today = now.date()
    context = {
        "shop": face,
        "way": "day",
        "date": day,
        "first": today,
        "last": today + AHEAD,
        "back": f"{reverse('console_day')}?date={day}",
        "near": [(today, _("Today")), (today + timedelta(days=1), _("Tomorrow"))],
        "bookings": len(found),
        "persons": len(_persons(found)),
        "phones": "phones" in request.POST,
        "issued": day_sheets_made.issued(face, now=now, day=None if request.signed_in.manages else day),
        "refused": refused,
    }
    return render(request, "web/console/day_sheet.html", context, status=refused.status if refused else 200)


def _persons(found: Sequence[visits.Visit]) -> list[UUID]:
    return list(dict.fromkeys(visit.person for visit in found if visit.person is not None))


def _made(request: StaffRequest, face: shopfront.Face, day: date, *, now: datetime) -> HttpResponse:
    """Have it told, give it its number, and answer with it: as a page to print, or as a PDF."""
    found = everybody(face, day)
    persons = _persons(found)
    fields = (*ALWAYS, "phone") if "phones" in request.POST else ALWAYS
    try:
        told, entries = _told(request.signed_in.grant, persons, fields)
    except NorenError as refusal:
        return _page(request, face, day, now=now, refused=_why(refusal, fields))
    counted = day_sheets.Told(len(found), len(persons), fields if persons else (), entries)
    row = day_sheets.issue(face.id, day, counted, now=now, by=request.signed_in.by)
    sheet = _sheet(face, day_sheets_made.shown(row, face, now), found, told)
    if request.POST.get("form") == "page":
        context = {"shop": face, "sheet": sheet, "date": day}
        return render(request, "web/console/day_sheet_print.html", context)
    answer = HttpResponse(paper.pdf(sheet), content_type="application/pdf")
    # Shown and not saved: a copy that nobody remembers would outlast the day.
    answer["Content-Disposition"] = f'inline; filename="day-sheet-{row.number}.pdf"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _told(
    grant: str, persons: Sequence[UUID], fields: tuple[str, ...]
) -> tuple[dict[UUID, dict[str, str]], list[int]]:
    """Reveal all of them, as many at once as the vault tells. Raises as `people.reveal` does."""
    told: dict[UUID, dict[str, str]] = {}
    entries = []
    for piece in _pieces(persons):
        try:
            seen = people.reveal(grant, people.Purpose.DAY_SHEET, piece, fields)
        except NoSuchPerson:
            continue  # all of these were erased
        told |= seen.persons
        entries.append(seen.entry)
    return told, entries


def _pieces(persons: Sequence[UUID]) -> list[tuple[UUID, ...]]:
    return [tuple(persons[at : at + names.MOST]) for at in range(0, len(persons), names.MOST)]


def _why(refusal: NorenError, fields: tuple[str, ...]) -> Refused:
    if isinstance(refusal, PurposeRefused) and "phone" in fields:
        words = _("Your role may not see phone numbers on a day sheet. Please make it without them.")
        return Refused(words, refusal.status)
    return Refused(refusal.words(), refusal.status, over=isinstance(refusal, BudgetExceeded))


def _sheet(
    face: shopfront.Face,
    made: Issued,
    found: Sequence[visits.Visit],
    told: dict[UUID, dict[str, str]],
) -> paper.Sheet:
    facts = {
        "number": made.sheet.number,
        "day": wording.full_day(made.sheet.day),
        "shop": face.name,
        "at": f"{wording.day(made.at.date())} {wording.clock(made.at)}",
        "until": f"{wording.day(made.until.date())} {wording.clock(made.until)}",
        "who": made.by,
    }
    return paper.Sheet(
        title=_("Day sheet no. %(number)s · %(day)s") % facts,
        says=(
            _("%(shop)s · made %(at)s by %(who)s · holds until %(until)s") % facts,
            _("What was booked or changed after that is not on it."),
        ),
        columns=(_("Time"), _("Customer"), _("Service"), _("Phone"), _("State")),
        groups=_groups(face, found, told),
        phones="phone" in made.sheet.fields,
        empty=_("Nobody is booked for this day."),
        ends=_("No. %(number)s · Please destroy this sheet after %(until)s.") % facts,
        page=_("page %s of %s"),
        goes_on=_("%s (continued)"),
        lacking=_("%s: a letter that could not be printed.") % LACKING,
        made=made.at,
        language=(get_language() or "ja")[:2],
    )


def _groups(
    face: shopfront.Face, found: Sequence[visits.Visit], told: dict[UUID, dict[str, str]]
) -> tuple[paper.Group, ...]:
    """Those of each who serves, in the shop's own order; at the end those whom nobody serves by name."""
    order = list(shopfront.serving(face.id))
    lines: dict[tuple[int, int | None, str], list[paper.Line]] = {}
    for visit in sorted(found, key=lambda each: (each.start, each.id)):
        place = order.index(visit.staff_id) if visit.staff_id in order else len(order)
        key = (place if visit.staff_id else len(order) + 1, visit.staff_id, visit.staff)
        lines.setdefault(key, []).append(_line(visit, told))
    ordered = sorted(lines.items(), key=lambda each: (each[0][0], each[0][1] or 0))
    return tuple(paper.Group(key[2] or _("Without a name"), tuple(those)) for key, those in ordered)


def _line(visit: visits.Visit, told: dict[UUID, dict[str, str]]) -> paper.Line:
    values = told.get(visit.person, {}) if visit.person is not None else {}
    party = _("%(n)d people") % {"n": visit.party} if visit.party > 1 else ""
    return paper.Line(
        time=_stretch(visit),
        name=values.get("name") or (_("Nobody") if visit.person is None else names.short(visit.person)),
        kana=values.get("kana", ""),
        phone=values.get("phone", ""),
        service=visit.service,
        party=_("for somebody else") if visit.for_other and not party else party,
        state="" if visit.status == Status.CONFIRMED else visit.status_words,
    )


def _stretch(visit: visits.Visit) -> str:
    if visit.start.date() == visit.end.date():
        return f"{wording.clock(visit.start)}–{wording.clock(visit.end)}"
    ends = (f"{wording.day(each.date())} {wording.clock(each)}" for each in (visit.start, visit.end))
    return "–".join(ends)
