"""The week view: days as columns, of one who serves or of all: what, when and in which state. No names."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking.models import STANDING, Booking, ClassSession, Status
from noren.engine.model import ShopRules
from noren.shops import rules
from noren.shops.tenancy import shop as in_shop
from noren.web import calendar, lanes, shopfront, times, visits, wording
from noren.web.desk import face_of
from noren.web.lanes import Piece, Span

WEEK = 7
# Beside more than so many at a time a column has no room for another: the last stands over the one before.
BESIDE = 12


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece that shares its column's width with those of the same time: the `at`th of `of`."""

    piece: Piece
    at: int
    of: int
    words: str


@dataclass(frozen=True, slots=True)
class Day:
    whole: calendar.Whole
    href: str
    today: bool
    count: int
    shut: tuple[Span, ...]
    pieces: tuple[Placed, ...]


@permission_required(Permission.DAY_SEE)
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    on = calendar.shown(request, now.date())
    serving = {each: known for each, known in shopfront.serving(face.id).items() if not known.is_whole}
    of = times.number(request.GET.get("of"))
    of = of if of in serving else None
    with in_shop(face.id):
        house = rules.known().rules
        first = calendar.week_begin(house, on)
        days = [first + timedelta(days=number) for number in range(WEEK)]
        own = calendar.closings(days[0], days[-1])
        found = _visits(face, days)
        pieces = _of_one(face, days, of, found) if of is not None else _of_all(face, days, found)
    opens = {day: _opens(house, day, of) for day in days}
    hours = lanes.axis(
        [span for spans in opens.values() for span in spans],
        [piece.span for those in pieces.values() for piece in those],
    )
    context = {
        "shop": face,
        "way": "day",
        "date": on,
        "first_day": days[0],
        "last_day": days[-1],
        "views": calendar.views("week", on, of=of),
        "turns": _turns(on, now.date(), of),
        "who": [(each, known.name) for each, known in serving.items()],
        "of": of,
        "first": hours[0],
        "last": hours[1],
        "clock_hours": lanes.clock_hours(*hours),
        "days": [
            Day(
                calendar.whole(house, own, day),
                calendar.address("day", day),
                day == now.date(),
                _count(pieces[day]),
                tuple(lanes.shut(opens[day], *hours)),
                _placed(pieces[day], Span(hours[0] * 60, hours[1] * 60)),
            )
            for day in days
        ],
        "now": {"h": now.hour, "m": now.minute} if hours[0] <= now.hour < hours[1] else None,
    }
    return render(request, "web/console/calendar_week.html", context)


def _turns(on: date, today: date, of: int | None) -> list[dict[str, str]]:
    week = timedelta(days=WEEK)
    turns = (
        ("before", on - week, _("Week before")),
        ("today", today, _("This week")),
        ("after", on + week, _("Week after")),
    )
    return [
        {"id": name, "href": calendar.address("week", day, of=of), "words": words}
        for name, day, words in turns
    ]


def _visits(face: shopfront.Face, days: Sequence[date]) -> list[visits.Visit]:
    """Return what touches the days: what began before them too, as stays do. Inside the shop."""
    begin, end = (
        datetime.combine(day, time(), face.zone).astimezone(UTC)
        for day in (days[0], days[-1] + timedelta(days=1))
    )
    rows = Booking.objects.filter(start__lt=end, end__gt=begin, status__in=STANDING)
    return visits.of(list(rows.order_by("start", "id")), face)


def _opens(house: ShopRules, day: date, of: int | None) -> tuple[Span, ...]:
    """Return when one is there, or when anybody is."""
    opens = lanes.opens_by(house, day)
    if of is not None:
        return opens.get(of, ())
    return tuple(lanes.joined([span for spans in opens.values() for span in spans]))


def _of_one(
    face: shopfront.Face, days: Sequence[date], of: int, found: Iterable[visits.Visit]
) -> Mapping[date, list[Piece]]:
    """Return all that takes her time, blocks and what is free meanwhile as well."""
    takings = lanes.takings(face, days[0], days[-1], of)
    titles = {visit.id: (visit, visit.service) for visit in found}
    board = lanes.board(face, [each for those in takings.values() for each in those], titles, leads=False)
    drawn: dict[date, list[Piece]] = defaultdict(list)
    for day, those in takings.items():
        # What begins after midnight is on its own date here: the column beside it.
        own = [each for each in those if each.span.start < lanes.DAY]
        for group in lanes.by_resource(own).get(of, ()):
            drawn[day] += [_plain(piece) for piece in lanes.pieces(group, board)]
    taken = {each.booking for those in takings.values() for each in those}
    for visit in found:
        if visit.status == Status.PENDING and visit.staff_id == of and visit.id not in taken:
            _add(drawn, days, visit)
    return drawn


def _plain(piece: Piece) -> Piece:
    """The title is the service already."""
    return piece if piece.visit is None else replace(piece, more="")


def _of_all(
    face: shopfront.Face, days: Sequence[date], found: Iterable[visits.Visit]
) -> Mapping[date, list[Piece]]:
    """Return each visit and each class once, whomever it takes."""
    drawn: dict[date, list[Piece]] = defaultdict(list)
    sessions = _sessions(face, days)
    of_class = set(
        Booking.objects.filter(session_id__in=[each.id for each in sessions]).values_list("id", flat=True)
    )
    for visit in found:
        if visit.id not in of_class:
            _add(drawn, days, visit)
    services = {offer.id: offer.name for offer in shopfront.offers(face.id)} if sessions else {}
    for session in sessions:
        start, end = (each.astimezone(face.zone) for each in (session.start, session.end))
        seats = _("%(taken)d of %(seats)d seats") % {"taken": session.booked, "seats": session.capacity}
        title = services.get(session.service_id, "")
        if start.date() in days:
            span = lanes.span(start, end, start.date())
            drawn[start.date()].append(Piece(span, title, seats, "session", ""))
    return drawn


def _sessions(face: shopfront.Face, days: Sequence[date]) -> list[ClassSession]:
    begin, end = (
        datetime.combine(day, time(), face.zone).astimezone(UTC)
        for day in (days[0], days[-1] + timedelta(days=1))
    )
    rows = ClassSession.objects.filter(start__gte=begin, start__lt=end, cancelled=False)
    return list(rows.order_by("start", "id"))


def _add(drawn: Mapping[date, list[Piece]], days: Sequence[date], visit: visits.Visit) -> None:
    """Draw a visit on the day it begins, and on each it lasts over."""
    look = "" if visit.status == Status.CONFIRMED else visit.status
    for day in days:
        span = lanes.span(visit.start, visit.end, day)
        begins = visit.start.date() == day
        if not begins and not (span.start < 0 and span.end > lanes.LATEST - lanes.DAY):
            continue
        here = Span(max(0, span.start), min(span.end, lanes.LATEST))
        drawn[day].append(
            Piece(
                here,
                visit.service,
                visit.staff,
                look,
                visits.address("console_booking", visit.id),
                visit.status_words if look else "",
                visit=visit,
            )
        )


def _count(pieces: Iterable[Piece]) -> int:
    return len({piece.visit.id for piece in pieces if piece.visit is not None})


def _placed(pieces: Iterable[Piece], seen: Span) -> tuple[Placed, ...]:
    """Give those that meet a part of the column's width each."""
    placed: list[Placed] = []
    cluster: list[tuple[Piece, int]] = []
    ends: list[int] = []
    for piece in sorted(pieces, key=lambda each: (each.span.start, -each.span.end)):
        here = Span(max(piece.span.start, seen.start), min(piece.span.end, seen.end))
        if here.start >= here.end:
            continue
        if cluster and here.start >= max(ends):
            placed += _closed(cluster, len(ends))
            cluster, ends = [], []
        free = next((n for n, end in enumerate(ends) if end <= here.start), len(ends))
        ends[free : free + 1] = [here.end]
        cluster.append((replace(piece, span=here), free))
    return tuple(placed + _closed(cluster, len(ends)))


def _closed(cluster: Iterable[tuple[Piece, int]], of: int) -> list[Placed]:
    return [Placed(piece, min(at, BESIDE - 1), min(of, BESIDE), _words(piece)) for piece, at in cluster]


def _words(piece: Piece) -> str:
    """Say a piece in one line, for who does not see where it lies."""
    at = "–".join(wording.clock_of_minute(each) for each in (piece.span.start, piece.span.end))
    return wording.joined([each for each in (at, piece.title, piece.more, piece.state) if each])
