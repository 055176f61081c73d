"""The day view: a column for each who serves and each thing used, hours as rows, length as height."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import StaffRequest, staff_required
from noren.booking.models import Block, Claim, ClassSession
from noren.engine import hours as engine_hours
from noren.shops import rules
from noren.shops.models import Resource, Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import console, names, shopfront, times, visits, wording
from noren.web.desk import face_of

# What is drawn when nobody has said when the shop opens; the axis grows with what is booked.
USUAL = (9 * 60, 20 * 60)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the day, in minutes from its local midnight."""

    start: int
    end: int

    @property
    def h(self) -> int:
        return self.start // 60

    @property
    def m(self) -> int:
        return self.start % 60

    @property
    def lh(self) -> int:
        return (self.end - self.start) // 60

    @property
    def lm(self) -> int:
        return (self.end - self.start) % 60


@dataclass(frozen=True, slots=True)
class Piece:
    """What one booking, class or block takes of one column, drawn as a block."""

    span: Span
    title: str
    more: str
    look: str
    href: str


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    shut: tuple[Span, ...]
    blocks: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Taking:
    """A claim on the day's own axis."""

    resource: int
    span: Span
    booking: int | None
    session: int | None
    block: int | None


@staff_required
@require_http_methods(["GET", "HEAD", "POST"])
def day(request: StaffRequest) -> HttpResponse:
    """Today and tomorrow show names by themselves; another day by a tap (POST)."""
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    shown = _shown(request, now.date())
    found = console.rows_of(face, shown)
    near = now.date() <= shown <= now.date() + timedelta(days=1)
    wanted = [visit.person for visit in found] if near or request.method == "POST" else []
    told = names.ask(request.signed_in.grant, people.Purpose.DAY, wanted, console.LIST)
    context = {
        "shop": face,
        "way": "day",
        "date": shown,
        "here": _address(shown),
        "names": told,
        "ask_names": not wanted and bool(found),
        "rows": console.named(found, told, now),
        "turns": _turns(shown, now.date()),
        **_picture(face, shown, found, told, now),
    }
    return render(request, "web/console/day.html", context, status=told.answer_to(request))


def _shown(request: StaffRequest, today: date) -> date:
    return times.day_of(request.GET.get("date")) or today


def _address(shown: date) -> str:
    return f"{reverse('console_day')}?date={shown}"


def _turns(shown: date, today: date) -> list[dict[str, str]]:
    one = timedelta(days=1)
    return [
        {"id": "before", "href": _address(shown - one), "words": _("Day before")},
        {"id": "today", "href": _address(today), "words": _("Today")},
        {"id": "after", "href": _address(shown + one), "words": _("Day after")},
    ]


def _picture(
    face: shopfront.Face, shown: date, found: Sequence[visits.Visit], told: names.Names, now: datetime
) -> dict[str, object]:
    with in_shop(face.id):
        lanes, opens = _lanes(), _open(shown)
        takings = _takings(face, shown)
        sessions = ClassSession.objects.in_bulk({t.session for t in takings if t.session})
        blocks = Block.objects.in_bulk({t.block for t in takings if t.block})
    titles = {visit.id: (visit, told.of(visit.person)) for visit in found}
    services = {offer.id: offer.name for offer in shopfront.offers(face.id)}
    pieces: dict[int, list[Piece]] = defaultdict(list)
    for resource, taken in _by_resource(takings).items():
        for group in taken:
            pieces[resource] += _pieces(group, titles, services, sessions, blocks)
    first, last = _axis([span for spans in opens.values() for span in spans], takings)
    minute = int((now - datetime.combine(shown, time(), face.zone)).total_seconds()) // 60
    return {
        "first": first,
        "last": last,
        "clock_hours": [
            {"h": hour, "words": wording.clock_of_minute(hour * 60)} for hour in range(first, last)
        ],
        "now": Span(minute, minute) if first * 60 <= minute < last * 60 else None,
        "lanes": [
            Lane(
                name=name,
                shut=tuple(_shut(opens.get(resource, ()), first, last)),
                blocks=tuple(
                    sorted(pieces[resource], key=lambda piece: (piece.look != "idle", piece.span.start))
                ),
            )
            for resource, name in lanes.items()
        ],
    }


def _lanes() -> dict[int, str]:
    """Staff first, then what is used; a whole that only claims its parts has no column."""
    staff = Staff.objects.in_bulk()
    found = Resource.objects.filter(bookable=True).order_by("position", "id")
    lanes = {
        row.id: wording.text(staff[row.id].texts if row.id in staff else row.texts, "name") or row.key
        for row in found
        if not row.parts
    }
    return dict(sorted(lanes.items(), key=lambda lane: lane[0] not in staff))


def _open(shown: date) -> dict[int, tuple[Span, ...]]:
    """When each resource is open on the date: its own hours within the shop's."""
    shop_rules = rules.known().rules
    whole = engine_hours.merged(engine_hours.of_shop(shop_rules, shown))
    found = {}
    for resource in shop_rules.resources.values():
        own = whole
        if resource.hours is not None:
            own = engine_hours.merged(engine_hours.of_other(shop_rules, resource.hours, shown))
        found[resource.id] = tuple(_common(whole, own))
    return found


def _common(these: Sequence[tuple[int, int]], those: Sequence[tuple[int, int]]) -> Iterable[Span]:
    for start, end in these:
        for other_start, other_end in those:
            if max(start, other_start) < min(end, other_end):
                yield Span(max(start, other_start), min(end, other_end))


def _takings(face: shopfront.Face, shown: date) -> list[Taking]:
    """The claims that touch the day, on its axis. Claims lie on UTC days."""
    midnight = datetime.combine(shown, time(), face.zone).astimezone(UTC)
    days = [midnight.date() + timedelta(days=number) for number in (-1, 0, 1)]
    rows = Claim.objects.filter(day__in=days, core_to__gt=0)
    found = []
    for row in rows:
        zero = datetime.combine(row.day, time(), UTC)
        offset = int((zero - midnight).total_seconds()) // 60
        span = Span(max(0, offset + row.core_from), offset + row.core_to)
        if span.start < span.end and 0 <= offset + row.core_from < 30 * 60:
            found.append(Taking(row.resource_id, span, row.booking_id, row.session_id, row.block_id))
    return found


def _by_resource(takings: Iterable[Taking]) -> dict[int, list[list[Taking]]]:
    """The takings of each column, those of one booking together."""
    found: dict[int, dict[tuple[int | None, ...], list[Taking]]] = defaultdict(lambda: defaultdict(list))
    for taking in takings:
        found[taking.resource][taking.booking, taking.session, taking.block].append(taking)
    return {resource: list(groups.values()) for resource, groups in found.items()}


def _pieces(
    group: list[Taking],
    titles: Mapping[int, tuple[visits.Visit, str]],
    services: Mapping[int, str],
    sessions: Mapping[int, ClassSession],
    blocks: Mapping[int, Block],
) -> list[Piece]:
    """One booking's blocks in one column; between two of them, hatched, where the column is free."""
    title, more, look, href = _words(group[0], titles, services, sessions, blocks)
    spans = _joined([taking.span for taking in group])
    drawn = [Piece(span, title, more, look, href) for span in spans]
    gaps = [Span(before.end, after.start) for before, after in pairwise(spans)]
    return drawn + [Piece(gap, _("free meanwhile"), "", "idle", "") for gap in gaps if gap.start < gap.end]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Make those that touch one: a claim is cut at UTC's midnight, which is nine in the morning in Japan."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _words(
    taking: Taking,
    titles: Mapping[int, tuple[visits.Visit, str]],
    services: Mapping[int, str],
    sessions: Mapping[int, ClassSession],
    blocks: Mapping[int, Block],
) -> tuple[str, str, str, str]:
    if taking.booking is not None and taking.booking in titles:
        visit, name = titles[taking.booking]
        look = visit.status if visit.status == "pending" else ""
        return name, visit.service, look, reverse("console_booking", args=[visit.id])
    if taking.session is not None and taking.session in sessions:
        session = sessions[taking.session]
        seats = _("%(taken)d of %(seats)d seats") % {"taken": session.booked, "seats": session.capacity}
        return services.get(session.service_id, ""), seats, "session", ""
    if taking.block in blocks:
        return _("blocked"), "", "idle", ""
    return _("being booked"), "", "held", ""


def _axis(opens: Sequence[Span], takings: Sequence[Taking]) -> tuple[int, int]:
    """The hours that are drawn: all that is open, all that is taken."""
    starts = [span.start for span in opens] + [taking.span.start for taking in takings]
    ends = [span.end for span in opens] + [taking.span.end for taking in takings]
    first, last = min(starts, default=USUAL[0]), max(ends, default=USUAL[1])
    return first // 60, min(-(-last // 60), 30)


def _shut(opens: Sequence[Span], first: int, last: int) -> Iterable[Span]:
    """What of the axis the column is not open."""
    edge = first * 60
    for span in sorted(opens, key=lambda each: each.start):
        if span.start > edge:
            yield Span(edge, span.start)
        edge = max(edge, span.end)
    if edge < last * 60:
        yield Span(edge, last * 60)
