"""The day view: a column for each who serves and each thing used, hours as rows, length as height."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import late
from noren.booking.models import STANDING, Block, Booking, Claim, ClassSession, Status
from noren.engine import hours as engine_hours
from noren.shops import rules
from noren.shops.tenancy import shop as in_shop
from noren.web import answered, away, console, live, names, shopfront, spots, times, visits, wording
from noren.web.desk import face_of

# What is drawn when nobody has said when the shop opens; the axis grows with what is booked.
USUAL = (9 * 60, 20 * 60)
DAY = 24 * 60
LATEST = 30 * 60
"""Where the axis ends at most: six in the morning after."""


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
    """What one booking, class or block takes of one column, drawn as a block. `state`: what is not as usual,
    in words.
    """

    span: Span
    title: str
    more: str
    look: str
    href: str
    state: str = ""
    anchor: str = ""
    visit: visits.Visit | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """`away`: where to say that she is away, of who serves on a day that is not over."""

    name: str
    away: str
    shut: tuple[Span, ...]
    blocks: tuple[Piece, ...]
    empty: tuple[spots.Spot, ...] = ()
    """Where a tap begins a booking."""


@dataclass(frozen=True, slots=True)
class Taking:
    """A claim on the day's own axis."""

    resource: int
    span: Span
    booking: int | None
    session: int | None
    block: int | None


@permission_required(Permission.DAY_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def day(request: StaffRequest) -> HttpResponse:
    """Today and tomorrow show names by themselves; another day by a tap (POST)."""
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    shown = _shown(request, now.date())
    asks, known = live.context(face.id), live.shown(request)
    found = console.rows_of(face, shown)
    near = now.date() <= shown <= now.date() + timedelta(days=1)
    with in_shop(face.id):
        takings = _takings(face, shown)
        lasting = _lasting(face, takings, found)
    both = [*found, *lasting]
    wanted = (
        [visit.person for visit in both if visit.id not in known] if near or request.method == "POST" else []
    )
    also = answered.brings(both)
    told = names.ask(request.signed_in.grant, people.Purpose.DAY, wanted, console.LIST, also)
    context = {
        "shop": face,
        "way": "day",
        "date": shown,
        "here": _address(shown),
        "names": told,
        "ask_names": not wanted and bool(both) and not known,
        "live": asks,
        "rows": console.named(both, told, now, late.told(face.id, [visit.id for visit in both])),
        "turns": _turns(shown, now.date()),
        "why": f"{reverse('console_why')}?date={shown}",
        "away": away.address(None, shown) if away.may(request) and shown >= now.date() else "",
        **_picture(request, face, shown, found=both, takings=takings, told=told, now=now),
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


def _lasting(
    face: shopfront.Face, takings: Sequence[Taking], found: Sequence[visits.Visit]
) -> list[visits.Visit]:
    """Return what has begun on a day before and takes something of this one still: stays, long nights."""
    there = {visit.id for visit in found}
    ids = {taking.booking for taking in takings if taking.booking is not None} - there
    return visits.of(list(Booking.objects.filter(id__in=ids, status__in=STANDING).order_by("start")), face)


def _picture(
    request: StaffRequest,
    face: shopfront.Face,
    shown: date,
    *,
    found: Sequence[visits.Visit],
    takings: Sequence[Taking],
    told: names.Names,
    now: datetime,
) -> dict[str, object]:
    serving = shopfront.serving(face.id)
    lanes = {each: known.name for each, known in serving.items() if not known.is_whole}
    with in_shop(face.id):
        opens = opens_on(shown)
        sessions = ClassSession.objects.in_bulk({t.session for t in takings if t.session})
        blocks = Block.objects.in_bulk({t.block for t in takings if t.block})
    absent = away.who(request, face) if shown >= now.date() else ()
    titles = {visit.id: (visit, answered.who(told, visit)) for visit in found}
    services = {offer.id: offer.name for offer in shopfront.offers(face.id)}
    pieces: dict[int, list[Piece]] = defaultdict(list)
    for resource, taken in _by_resource(takings).items():
        for group in taken:
            pieces[resource] += _pieces(group, titles, services, sessions, blocks)
    for each in _aside(found, takings):
        pieces[each.staff_id or 0].append(_asked(face, shown, each, told))
    first, last = _axis([span for spans in opens.values() for span in spans], _stretches(takings))
    seen = Span(first * 60, last * 60)
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
                away=away.address(resource, shown) if resource in absent else "",
                name=name,
                shut=tuple(_shut(opens.get(resource, ()), first, last)),
                blocks=tuple(_drawn(pieces[resource], seen)),
                empty=spots.of_lane(
                    name,
                    resource if serving[resource].is_staff else None,
                    shown,
                    opens=opens.get(resource, ()),
                    taken=[piece.span for piece in pieces[resource]],
                    since=minute,
                ),
            )
            for resource, name in lanes.items()
        ],
    }


def _aside(found: Sequence[visits.Visit], takings: Sequence[Taking]) -> list[visits.Visit]:
    """Return what is asked for and takes no time before it is approved."""
    taking = {each.booking for each in takings}
    return [each for each in found if each.status == Status.PENDING and each.id not in taking]


def _asked(face: shopfront.Face, shown: date, visit: visits.Visit, told: names.Names) -> Piece:
    midnight = datetime.combine(shown, time(), face.zone)
    start, end = (int((each - midnight).total_seconds()) // 60 for each in (visit.start, visit.end))
    href = reverse("console_booking", args=[visit.id])
    title = answered.who(told, visit)
    return Piece(Span(start, end), title, visit.service, visit.status, href, visit.status_words, visit=visit)


def _drawn(pieces: Iterable[Piece], seen: Span) -> list[Piece]:
    """What of the pieces lies on the axis. What is hatched lies under the others; what somebody was booked
    over stands beside it.
    """
    drawn: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: (piece.look != "idle", piece.span.start)):
        span = Span(max(piece.span.start, seen.start), min(piece.span.end, seen.end))
        if span.start >= span.end:
            continue
        met = [] if piece.look == "idle" else _met(drawn, span)
        for number in met:
            drawn[number] = replace(drawn[number], look=f"{drawn[number].look} under")
        left_is_free = all(" aside" in drawn[number].look for number in met)
        side = "" if not met else " under" if left_is_free else " aside"
        drawn.append(replace(piece, span=span, look=piece.look + side))
    return drawn


def _met(drawn: Sequence[Piece], span: Span) -> list[int]:
    """Return which of them are still there when another begins."""
    return [
        number
        for number, each in enumerate(drawn)
        if not each.look.startswith("idle") and each.span.end > span.start
    ]


def opens_on(shown: date) -> dict[int, tuple[Span, ...]]:
    """When each resource is open on the date: its own hours within the shop's. Inside the shop."""
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
        offset = int((datetime.combine(row.day, time(), UTC) - midnight).total_seconds()) // 60
        start, end = offset + row.core_from, offset + row.core_to
        # What begins late on a day is drawn there, until 30:00; what lasts longer on each of its days.
        if start < LATEST and end > (0 if start >= 0 else LATEST - DAY):
            span = Span(max(0, start), min(end, LATEST))
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
    whole = _piece(group[0], titles, services, sessions, blocks)
    spans = _joined([taking.span for taking in group])
    drawn = [
        replace(whole, span=span, anchor="" if number else whole.anchor) for number, span in enumerate(spans)
    ]
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


def _piece(
    taking: Taking,
    titles: Mapping[int, tuple[visits.Visit, str]],
    services: Mapping[int, str],
    sessions: Mapping[int, ClassSession],
    blocks: Mapping[int, Block],
) -> Piece:
    span = taking.span
    if taking.booking is not None and taking.booking in titles:
        visit, name = titles[taking.booking]
        usual = visit.status == Status.CONFIRMED
        state = "" if usual else visit.status_words
        href = reverse("console_booking", args=[visit.id])
        return Piece(span, name, visit.service, "" if usual else visit.status, href, state, visit=visit)
    if taking.session is not None and taking.session in sessions:
        session = sessions[taking.session]
        seats = _("%(taken)d of %(seats)d seats") % {"taken": session.booked, "seats": session.capacity}
        anchor = f"session-{session.id}-{taking.resource}"
        return Piece(span, services.get(session.service_id, ""), seats, "session", "", "", anchor)
    if taking.block is not None and taking.block in blocks:
        return Piece(span, _("blocked"), "", "idle", "", "", f"block-{taking.block}-{taking.resource}")
    return Piece(span, _("being booked"), "", "held", "")


def _stretches(takings: Iterable[Taking]) -> list[Span]:
    """Return from when to when each is taken, where claims are cut at midnights joined again."""
    groups = (group for those in _by_resource(takings).values() for group in those)
    return [span for group in groups for span in _joined([taking.span for taking in group])]


def _axis(opens: Sequence[Span], taken: Sequence[Span]) -> tuple[int, int]:
    """The hours that are drawn: all that is open, all that begins or ends on this day."""
    starts = [span.start for span in opens] + [span.start for span in taken if span.start]
    ends = [span.end for span in opens] + [span.end for span in taken if span.end < LATEST]
    first, last = min(starts, default=USUAL[0]), max(ends, default=USUAL[1])
    return first // 60, min(-(-last // 60), LATEST // 60)


def _shut(opens: Sequence[Span], first: int, last: int) -> Iterable[Span]:
    """What of the axis the column is not open."""
    edge = first * 60
    for span in sorted(opens, key=lambda each: each.start):
        if span.start > edge:
            yield Span(edge, span.start)
        edge = max(edge, span.end)
    if edge < last * 60:
        yield Span(edge, last * 60)
