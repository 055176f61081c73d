"""The console's first page, and one booking: who comes today, and what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import day as booking_day
from noren.booking import late, reception, tags, visitors
from noren.booking.models import Status
from noren.errors import NorenError, NothingHere
from noren.messages import log
from noren.shops import day_requests
from noren.shops.tenancy import shop as in_shop
from noren.web import (
    answered,
    calendar,
    card,
    customers,
    day_sheets_made,
    deeds,
    desk_booking,
    gaps,
    joins,
    live,
    mails,
    names,
    overrun,
    shopfront,
    stopping,
    story,
    visits,
    why,
)
from noren.web import told as told_of
from noren.web.desk import face_of

LIST = ("name", "kana")
MISSED = timedelta(minutes=5)
"""How long after its start a booking without a check-in is one whose customer has not come yet."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list of bookings, its name as far as it was told."""

    visit: visits.Visit
    name: str
    kana: str
    past: bool
    late: int = 0
    guests: str = ""
    """Whom she brings, or (visit.for_other) for whom she has booked."""
    told: bool = False
    """Whether its name was told."""
    due: int = 0
    """From which second on (POSIX) it is said that she has not come yet; 0: of this one never."""
    missed: bool = False
    """Whether that is so by now."""

    @property
    def href(self) -> str:
        return visits.address("console_booking", self.visit.id)


def rows_of(face: shopfront.Face, day: date) -> list[visits.Visit]:
    """The day's bookings, those being made just now left out: they have no customer yet."""
    with in_shop(face.id):
        return visits.of(booking_day.day(face.id, day), face)


def named(
    found: list[visits.Visit], told: names.Names, now: datetime, late_by: Mapping[int, int] | None = None
) -> list[Row]:
    """Give the lines their names; `late_by`: by how many minutes, of those who say so."""
    lates = late_by or {}
    rows = []
    for visit in found:
        awaited = visit.status == Status.CONFIRMED
        late_ = lates.get(visit.id, 0) if awaited else 0
        due = visit.start + MISSED
        waits = awaited and not late_ and not visit.nights
        row = Row(
            visit=visit,
            name=told.of(visit.person),
            kana=told.kana(visit.person),
            past=visit.end <= now,
            late=late_,
            guests=answered.guests(told, visit),
            told=visit.person in told.told,
            due=int(due.timestamp()) if waits else 0,
            missed=waits and due <= now,
        )
        rows.append(row)
    return rows


@permission_required(Permission.DAY_SEE)
@require_safe
def today(request: StaffRequest) -> HttpResponse:
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    asks, known = live.context(face.id), live.shown(request)
    found = rows_of(face, now.date())
    wanted = [visit.person for visit in found if visit.id not in known]
    told = names.ask(request.signed_in.grant, people.Purpose.TODAY, wanted, LIST, answered.brings(found))
    context = {
        "shop": face,
        "way": "today",
        "live": asks,
        "today": now.date(),
        "rows": named(found, told, now, late.told(face.id, [visit.id for visit in found])),
        "coming": len(found),
        **_open(request, face, now),
        "stopped": face.is_stopped(now) and face.stopped and stopping.told(*face.stopped),
        "names": told,
        "last_sheet": day_sheets_made.newest_of(face, now.date(), told, now),
        "troubles": log.troubles(face.id, now=now)
        if Permission.BOOKINGS_CHANGE in request.signed_in.permissions
        else 0,
        "news": told_of.count(request, face)
        if Permission.BOOKINGS_SEE in request.signed_in.permissions
        else 0,
        "requests": Permission.HOURS_CHANGE in request.signed_in.permissions
        and day_requests.waiting(face.id, now.date()),
    }
    return render(request, "web/console/today.html", context)


def _open(request: StaffRequest, face: shopfront.Face, now: datetime) -> dict[str, object]:
    """What of today is free, and what waits for a yes, for whoever books."""
    if Permission.BOOKINGS_CHANGE not in request.signed_in.permissions:
        return {}
    asked = booking_day.unanswered(face.id, now=now)
    return {
        "free": gaps.today(face, now),
        "unanswered": asked and len(asked),
        "unanswered_at": asked
        and calendar.address(
            "list", now.date(), last=asked[-1].astimezone(face.zone).date().isoformat(), state=Status.PENDING
        ),
    }


@permission_required(Permission.BOOKINGS_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def booking(request: StaffRequest, booking_id: int) -> HttpResponse:
    """One booking and its customer's name; a tap (POST) shows the rest of her card."""
    return booking_page(request, booking_id, customers.asked_fields(request))


def booking_page(
    request: StaffRequest, booking_id: int, asked: tuple[str, ...], *, refused: NorenError | None = None
) -> HttpResponse:
    """The page, with what a deed was refused for."""
    face = face_of(request)
    visit = visits.one(face, booking_id)
    if visit is None:
        raise NothingHere
    now = clock.now().astimezone(face.zone)
    with in_shop(face.id):
        left = visit.status == Status.CHECKED_IN and reception.has_left(booking_id)
        odd = visitors.odd(visit.person, visit.agreed, visit.start)
    changes = Permission.BOOKINGS_CHANGE in request.signed_in.permissions
    fitting = deeds.of(visit, left=left, now=now) if changes else deeds.NONE
    # Who opens the page of somebody who may be arriving looks for her name; the tap for more is about her.
    arriving = fitting.check_in and asked == customers.OPEN
    purpose = people.Purpose.CHECK_IN if arriving else people.Purpose.CUSTOMER
    known = tags.words(face.id)
    also = answered.brings([visit]) + (("tags",) if known else ())
    told = names.ask(request.signed_in.grant, purpose, [visit.person], asked, also)
    context = {
        "shop": face,
        "way": "day",
        "here": reverse("console_booking", args=[booking_id]),
        "names": told,
        "booking": visit,
        **_of_customer(request, visit, told, asked, known),
        "guests": answered.guests(told, visit),
        "parts": answered.parts([visit], told, asked, request.signed_in.role, only=visit.said_under),
        "consents": answered.consents(face, visit),
        "unasked": answered.unasked(face, visit),
        "mails": visit.person
        and mails.of(request.signed_in.grant, visit.person, face, booking_id=booking_id),
        "refused": refused and refused.words(),
        "deeds": fitting,
        **(desk_booking.more(face, visit, left=left, now=now) if changes else {}),
        "booked": "booked" in request.GET and request.method != "POST",
        "told": request.GET.get("booked") == "told",
        "left": left,
        "longer": changes and overrun.fits(face, booking_id, now),
        "odd": odd,
        "late": late.told(face.id, [booking_id]).get(booking_id)
        if visit.status == Status.CONFIRMED
        else None,
        "cancelling": deeds.cancelling(),
        "declining": deeds.declining(),
        "story": story.of_booking(face, booking_id),
        "why": _why(visit),
    }
    status = refused.status if refused else told.answer_to(request)
    return render(request, "web/console/booking.html", context, status=status)


def _of_customer(
    request: StaffRequest,
    visit: visits.Visit,
    told: names.Names,
    asked: tuple[str, ...],
    known: Mapping[int, str],
) -> dict[str, object]:
    """Her card as far as it was asked for, her tags, and who she may be a second record of."""
    person = visit.person
    marks = card.tagged(known, told.told.get(person, {})) if person else []
    return {
        "person": person and customers.card(person, told, asked),
        "tags": [each for each in marks if each.on],
        "doubles": joins.hint(request, person) if request.method != "POST" else [],
    }


def _why(visit: visits.Visit) -> str:
    """Where it is said why this time is offered or not."""
    return why.address(
        visit.service_id,
        visit.start,
        staff=visit.asked_staff_id,
        party=visit.party,
        nights=visit.nights,
        also=visit.also,
    )
