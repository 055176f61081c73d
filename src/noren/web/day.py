"""The day view: a column for each who serves and each thing used, hours as rows, length as height."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import late
from noren.booking.models import STANDING, Booking, Status
from noren.engine.model import ShopRules
from noren.shops import rules
from noren.shops.tenancy import shop as in_shop
from noren.web import (
    answered,
    away,
    calendar,
    console,
    day_sheets_made,
    just_done,
    lanes,
    live,
    names,
    overrun,
    shopfront,
    spots,
    visits,
)
from noren.web.desk import face_of
from noren.web.lanes import Piece, Span, Taking

HOUR = 60


@dataclass(frozen=True, slots=True)
class Lane:
    """`away`: where to say that she is away, of who serves on a day that is not over."""

    id: int
    name: str
    away: str
    shut: tuple[spots.Spot, ...]
    """When she is not there; a tap asks why."""
    blocks: tuple[SafeString, ...]
    """What she has, as it is drawn."""
    empty: tuple[spots.Spot, ...] = ()
    """Where a tap begins a booking."""


@permission_required(Permission.DAY_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def day(request: StaffRequest) -> HttpResponse:
    """Today and tomorrow show names by themselves; another day by a tap (POST)."""
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    shown = calendar.shown(request, now.date())
    asks, known = live.context(face.id), live.shown(request)
    near = calendar.near(shown, now)
    read = _read(face, shown)
    both = read.found
    wanted = (
        [visit.person for visit in both if visit.id not in known] if near or request.method == "POST" else []
    )
    also = answered.brings(both)
    told = names.ask(request.signed_in.grant, people.Purpose.DAY, wanted, console.LIST, also)
    context = {
        "shop": face,
        "way": "day",
        "date": shown,
        "here": calendar.address("day", shown),
        "names": told,
        "last_sheet": day_sheets_made.newest_of(face, shown, told, now),
        "sheet_at": f"{reverse('console_day_sheet')}?date={shown}" if shown >= now.date() else "",
        "ask_names": not wanted and bool(both) and not known,
        "live": asks,
        "rows": console.named(both, told, now, read.lates),
        "views": calendar.views("day", shown),
        "turns": _turns(shown, now.date()),
        "why": f"{reverse('console_why')}?date={shown}",
        "away": away.address(None, shown) if away.may(request) and shown >= now.date() else "",
        "done": just_done.of(request, face, now),
        **_picture(request, shown, read, told, now),
    }
    return render(request, "web/console/day.html", context, status=told.answer_to(request))


def everybody(face: shopfront.Face, shown: date) -> list[visits.Visit]:
    """Return whose bookings begin on the day, and those from before that last."""
    found = console.rows_of(face, shown)
    with in_shop(face.id):
        return [*found, *_lasting(face, lanes.takings(face, shown, shown)[shown], found)]


def _turns(shown: date, today: date) -> list[dict[str, str]]:
    one = timedelta(days=1)
    return [
        {"id": "before", "href": calendar.address("day", shown - one), "words": _("Day before")},
        {"id": "today", "href": calendar.address("day", today), "words": _("Today")},
        {"id": "after", "href": calendar.address("day", shown + one), "words": _("Day after")},
    ]


@dataclass(frozen=True, slots=True)
class _Read:
    """What the app's side knows of a day, read in one transaction, before anybody's name is asked for."""

    found: list[visits.Visit]
    takings: Sequence[Taking]
    lates: Mapping[int, int]
    board: lanes.Board
    serving: Mapping[int, shopfront.Serving]
    house: ShopRules


def _read(face: shopfront.Face, shown: date) -> _Read:
    with in_shop(face.id):
        found = console.rows_of(face, shown)
        takings = lanes.takings(face, shown, shown)[shown]
        found += _lasting(face, takings, found)
        return _Read(
            found,
            takings,
            late.told(face.id, [visit.id for visit in found]),
            lanes.board(face, takings, {}, leads=False),
            shopfront.serving(face.id),
            rules.known().rules,
        )


def _lasting(
    face: shopfront.Face, takings: Sequence[Taking], found: Sequence[visits.Visit]
) -> list[visits.Visit]:
    """Return what has begun on a day before and takes something of this one still: stays, long nights."""
    there = {visit.id for visit in found}
    ids = {taking.booking for taking in takings if taking.booking is not None} - there
    return visits.of(list(Booking.objects.filter(id__in=ids, status__in=STANDING).order_by("start")), face)


def _picture(
    request: StaffRequest, shown: date, read: _Read, told: names.Names, now: datetime
) -> dict[str, object]:
    changes = Permission.BOOKINGS_CHANGE in request.signed_in.permissions
    found, takings, house = read.found, read.takings, read.house
    opens = lanes.opens_by(house, shown)
    titles = {visit.id: (visit, answered.who(told, visit)) for visit in found}
    board = replace(read.board, titles=titles, blocks_lead=changes)
    pieces: dict[int, list[Piece]] = defaultdict(list)
    for resource, taken in lanes.by_resource(takings).items():
        for group in taken:
            pieces[resource] += lanes.pieces(group, board)
    for each in _aside(found, takings):
        pieces[each.staff_id or 0].append(_asked(shown, each, told))
    first, last = lanes.axis([span for spans in opens.values() for span in spans], lanes.stretches(takings))
    sheet = _Sheet(request, told, now, (shown, first, last))
    return {
        "first": first,
        "last": last,
        "step": house.align if house.align < HOUR else 5,
        "clock_hours": lanes.clock_hours(first, last),
        "now": Span(sheet.minute, sheet.minute) if first * HOUR <= sheet.minute < last * HOUR else None,
        "lanes": [
            sheet.lane(resource, known, opens.get(resource, ()), pieces[resource])
            for resource, known in read.serving.items()
            if not known.is_whole
        ],
    }


class _Sheet:
    """Draws the columns of one day for whoever looks: what she may do is a link."""

    def __init__(
        self,
        request: StaffRequest,
        told: names.Names,
        now: datetime,
        span: tuple[date, int, int],
    ) -> None:
        may = request.signed_in.permissions
        self.now, self.known = now, told.told.keys()
        shown, self.first, self.last = span
        self.shown = shown
        self.minute = lanes.minute(now, shown)
        self.sees, self.changes = Permission.BOOKINGS_SEE in may, Permission.BOOKINGS_CHANGE in may
        self.aways = away.may(request) and shown >= now.date()

    def lane(
        self, resource: int, known: shopfront.Serving, opens: Sequence[Span], pieces: Sequence[Piece]
    ) -> Lane:
        shut = lanes.shut(opens, self.first, self.last)
        seen = Span(self.first * HOUR, self.last * HOUR)
        return Lane(
            resource,
            known.name,
            away.address(resource, self.shown) if self.aways and known.is_staff else "",
            shut=tuple(
                spots.closed(known.name, resource, self.shown, each, leads=self.sees) for each in shut
            ),
            blocks=tuple(
                lanes.html(self._led(piece, resource), self.known) for piece in lanes.drawn(pieces, seen)
            ),
            empty=spots.of_lane(
                known.name,
                resource if known.is_staff else None,
                self.shown,
                opens=opens,
                taken=[piece.span for piece in pieces],
                since=self.minute,
            ),
        )

    def _led(self, piece: Piece, resource: int) -> Piece:
        """Say where a booking is moved and made longer, and where a hatched spot tells why it is one."""
        visit = piece.visit
        if visit is None:
            hatched = piece.look.startswith("idle") and not piece.href and self.sees
            return (
                replace(piece, href=spots.why(resource, self.shown, piece.span.start)) if hatched else piece
            )
        if not self.changes or visit.nights or visit.start.date() != self.shown:
            return piece
        return replace(
            piece,
            since=lanes.minute(visit.start, self.shown),
            moves=visits.address("console_move", visit.id) if visit.open else "",
            longer=visits.address("console_longer", visit.id) if overrun.goes_on(visit, self.now) else "",
        )


def _aside(found: Sequence[visits.Visit], takings: Sequence[Taking]) -> list[visits.Visit]:
    """Return what is asked for and takes no time before it is approved."""
    taking = {each.booking for each in takings}
    return [each for each in found if each.status == Status.PENDING and each.id not in taking]


def _asked(shown: date, visit: visits.Visit, told: names.Names) -> Piece:
    here = lanes.span(visit.start, visit.end, shown)
    href = visits.address("console_booking", visit.id)
    title = answered.who(told, visit)
    return Piece(here, title, visit.service, visit.status, href, visit.status_words, visit=visit)
