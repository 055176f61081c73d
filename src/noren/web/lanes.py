"""What a day's columns show: claims as pieces on the day's own axis, in minutes of the shop's wall clock."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from noren.booking.models import Block, Claim, ClassSession, Status
from noren.engine import hours as engine_hours
from noren.engine.model import ShopRules
from noren.shops import rules
from noren.web import shopfront, visits, wording

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
    def place(self) -> SafeString:
        """Where it is drawn, as css/day.css reads it."""
        hours, minutes = divmod(self.end - self.start, 60)
        written = 'data-h="{}" data-m="{}" data-lh="{}" data-lm="{}"'
        return format_html(written, self.h, self.m, hours, minutes)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one booking, class or block takes of one column, drawn as a block. `state`: what is not as usual,
    in words. `moves`, `longer`: where a move of it, or more minutes, are asked for.
    """

    span: Span
    title: str
    more: str
    look: str
    href: str
    state: str = ""
    anchor: str = ""
    visit: visits.Visit | None = None
    moves: str = ""
    longer: str = ""
    since: int = 0
    """When the whole of it begins, of which this may be a later part."""


@dataclass(frozen=True, slots=True)
class Taking:
    """A claim on a day's own axis."""

    resource: int
    span: Span
    booking: int | None
    session: int | None
    block: int | None


@dataclass(frozen=True, slots=True)
class Board:
    """What is told of the takings: of bookings their visits and titles. `blocks_lead`: to open them again."""

    titles: Mapping[int, tuple[visits.Visit, str]]
    services: Mapping[int, str]
    sessions: Mapping[int, ClassSession]
    blocks: Mapping[int, Block]
    blocks_lead: bool = False


def board(
    face: shopfront.Face,
    takings: Iterable[Taking],
    titles: Mapping[int, tuple[visits.Visit, str]],
    *,
    leads: bool,
) -> Board:
    """Read what the takings are of. Inside the shop."""
    those = list(takings)
    sessions = ClassSession.objects.in_bulk({each.session for each in those if each.session})
    blocks = Block.objects.in_bulk({each.block for each in those if each.block})
    services = {offer.id: offer.name for offer in shopfront.offers(face.id)} if sessions else {}
    return Board(titles, services, sessions, blocks, leads)


def minute(at: datetime, shown: date) -> int:
    """Return where an instant, in the shop's zone, lies on a day's axis: as the clock on the wall says."""
    return (at.date() - shown).days * DAY + at.hour * 60 + at.minute


def span(start: datetime, end: datetime, shown: date) -> Span:
    """Return a stretch on the day's axis. In an hour that comes twice it is as long as it takes."""
    first, last = minute(start, shown), minute(end, shown)
    if last <= first:
        last = first + int((end.timestamp() - start.timestamp()) // 60)
    return Span(first, last)


def opens_on(shown: date) -> dict[int, tuple[Span, ...]]:
    """When each resource is open on the date: its own hours within the shop's. Inside the shop."""
    return opens_by(rules.known().rules, shown)


def opens_by(shop_rules: ShopRules, shown: date) -> dict[int, tuple[Span, ...]]:
    """The same by rules that are known already."""
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


def takings(
    face: shopfront.Face, first: date, last: date, resource: int | None = None
) -> dict[date, list[Taking]]:
    """The claims that touch the days, each on its day's axis. Claims lie on UTC days. Inside the shop."""
    one = timedelta(days=1)
    begin = datetime.combine(first, time(), face.zone).astimezone(UTC).date() - one
    end = datetime.combine(last, time(), face.zone).astimezone(UTC).date() + one
    rows = Claim.objects.filter(day__gte=begin, day__lte=end, core_to__gt=0)
    if resource is not None:
        rows = rows.filter(resource_id=resource)
    columns = ("day", "core_from", "core_to", "resource_id", "booking_id", "session_id", "block_id")
    found: dict[date, list[Taking]] = defaultdict(list)
    for day, core_from, core_to, *whose in rows.values_list(*columns):
        midnight = datetime.combine(day, time(), UTC)
        start = (midnight + timedelta(minutes=core_from)).astimezone(face.zone)
        until = (midnight + timedelta(minutes=core_to)).astimezone(face.zone)
        for shown in {start.date(), until.date(), *_evening_of(start, whose[0])}:
            there = span(start, until, shown)
            # What begins late on a day is drawn there, until 30:00; what lasts longer on each of its days.
            drawn = there.start < LATEST and there.end > (0 if there.start >= 0 else LATEST - DAY)
            if first <= shown <= last and drawn:
                here = Span(max(0, there.start), min(there.end, LATEST))
                found[shown].append(Taking(whose[0], here, *whose[1:]))
    return found


def _evening_of(start: datetime, resource: int) -> tuple[date, ...]:
    """Return the day before, where its hours reach over this early start: to the house it is that evening."""
    if start.hour * 60 >= LATEST - DAY:
        return ()
    before = start.date() - timedelta(days=1)
    hours = opens_on(before).get(resource, ())
    return (before,) if any(one.start < DAY and one.end > minute(start, before) for one in hours) else ()


def by_resource(those: Iterable[Taking]) -> dict[int, list[list[Taking]]]:
    """The takings of each column, those of one booking together."""
    found: dict[int, dict[tuple[int | None, ...], list[Taking]]] = defaultdict(lambda: defaultdict(list))
    for taking in those:
        found[taking.resource][taking.booking, taking.session, taking.block].append(taking)
    return {resource: list(groups.values()) for resource, groups in found.items()}


def pieces(group: list[Taking], told: Board) -> list[Piece]:
    """One booking's blocks in one column; between two of them, hatched, where the column is free."""
    whole = _piece(group[0], told)
    spans = joined([taking.span for taking in group])
    drawn = [
        replace(whole, span=one, anchor="" if number else whole.anchor) for number, one in enumerate(spans)
    ]
    gaps = [Span(before.end, after.start) for before, after in pairwise(spans)]
    return drawn + [Piece(gap, _("free meanwhile"), "", "idle", "") for gap in gaps if gap.start < gap.end]


def joined(spans: Iterable[Span]) -> list[Span]:
    """Make those that touch one: a claim is cut at UTC's midnight, which is nine in the morning in Japan."""
    found: list[Span] = []
    for one in sorted(spans, key=lambda each: each.start):
        if found and one.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


def _piece(taking: Taking, told: Board) -> Piece:
    here = taking.span
    if taking.booking is not None and taking.booking in told.titles:
        visit, name = told.titles[taking.booking]
        usual = visit.status == Status.CONFIRMED
        state = "" if usual else visit.status_words
        href = visits.address("console_booking", visit.id)
        return Piece(here, name, visit.service, "" if usual else visit.status, href, state, visit=visit)
    if taking.session is not None and taking.session in told.sessions:
        session = told.sessions[taking.session]
        seats = _("%(taken)d of %(seats)d seats") % {"taken": session.booked, "seats": session.capacity}
        anchor = f"session-{session.id}-{taking.resource}"
        return Piece(here, told.services.get(session.service_id, ""), seats, "session", "", "", anchor)
    if taking.block is not None and taking.block in told.blocks:
        anchor = f"block-{taking.block}-{taking.resource}"
        href = reverse("console_block_one", args=[taking.block]) if told.blocks_lead else ""
        return Piece(here, _("blocked"), "", "idle blocked", href, "", anchor)
    return Piece(here, _("being booked"), "", "held", "")


def drawn(those: Iterable[Piece], seen: Span) -> list[Piece]:
    """What of the pieces lies on the axis. What is hatched lies under the others; what somebody was booked
    over stands beside it.
    """
    found: list[Piece] = []
    for piece in sorted(those, key=lambda piece: (not piece.look.startswith("idle"), piece.span.start)):
        here = Span(max(piece.span.start, seen.start), min(piece.span.end, seen.end))
        if here.start >= here.end:
            continue
        met = [] if piece.look.startswith("idle") else _met(found, here)
        for number in met:
            found[number] = replace(found[number], look=f"{found[number].look} under")
        left_is_free = all(" aside" in found[number].look for number in met)
        side = "" if not met else " under" if left_is_free else " aside"
        found.append(replace(piece, span=here, look=piece.look + side))
    return found


def _met(those: Sequence[Piece], here: Span) -> list[int]:
    """Return which of them are still there when another begins."""
    return [
        number
        for number, each in enumerate(those)
        if not each.look.startswith("idle") and each.span.end > here.start
    ]


def html(piece: Piece, known: Collection[UUID]) -> SafeString:
    """Draw a piece; a day has hundreds, for which a template is slow. `known`: whose names were told."""
    visit = piece.visit
    name: SafeString | str = ""
    moves = ' data-moves="{}" data-since="{}" aria-keyshortcuts="m"'
    if visit is not None:
        told = format_html(' data-known="{}"', visit.id) if visit.person in known else ""
        name = format_html(' data-name="b{}"{}', visit.id, told)
    return format_html(
        '<{0}{1}{2} class="block {3}" {4}{5}{6}><b{7}>{8}</b>{9}{10}</{0}>',
        "a" if piece.href else "span",
        format_html(' href="{}"', piece.href) if piece.href else "",
        format_html(' id="{}"', piece.anchor) if piece.anchor else "",
        piece.look,
        piece.span.place,
        format_html(moves, piece.moves, piece.since) if piece.moves else "",
        format_html(' data-longer="{}"', piece.longer) if piece.longer else "",
        name,
        piece.title,
        format_html('<span class="said">{}</span>', piece.state) if piece.state else "",
        format_html("<span>{}</span>", piece.more) if piece.more else "",
    )


def stretches(those: Iterable[Taking]) -> list[Span]:
    """Return from when to when each is taken, where claims are cut at midnights joined again."""
    groups = (group for found in by_resource(those).values() for group in found)
    return [one for group in groups for one in joined([taking.span for taking in group])]


def axis(opens: Sequence[Span], taken: Sequence[Span]) -> tuple[int, int]:
    """The hours that are drawn: all that is open, all that begins or ends on this day."""
    starts = [one.start for one in opens] + [one.start for one in taken if one.start]
    ends = [one.end for one in opens] + [one.end for one in taken if one.end < LATEST]
    first, last = min(starts, default=USUAL[0]), max(ends, default=USUAL[1])
    return first // 60, min(-(-last // 60), LATEST // 60)


def clock_hours(first: int, last: int) -> list[dict[str, object]]:
    """The hours of the axis in words."""
    return [{"h": hour, "words": wording.clock_of_minute(hour * 60)} for hour in range(first, last)]


def shut(opens: Sequence[Span], first: int, last: int) -> Iterable[Span]:
    """What of the axis the column is not open."""
    edge = first * 60
    for one in sorted(opens, key=lambda each: each.start):
        if one.start > edge:
            yield Span(edge, one.start)
        edge = max(edge, one.end)
    if edge < last * 60:
        yield Span(edge, last * 60)
