"""Time of a resource that cannot be booked: a pause, a day off. What is booked there is listed first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.db.models import Q

from noren.booking import changes, jobs, referee
from noren.booking.changes import NONE, Choice, Choices, chosen
from noren.booking.impact import OPEN, Touched
from noren.booking.models import Attention, Block, Booking, Claim, Status
from noren.booking.transact import Actor, tried
from noren.engine import model, wall
from noren.engine.model import DAY, ShopRules, Why
from noren.engine.standing import leaves
from noren.shops.models import Shop
from noren.shops.rules import known
from noren.shops.tenancy import shop, write_in

Stretch = tuple[datetime, datetime]


class Over(StrEnum):
    """What becomes of the bookings under a block."""

    REFUSE = "refuse"
    """Nothing is blocked while there are any: they are told."""
    KEEP = "keep"
    """They stay, and somebody looks at them."""
    CANCEL = "cancel"
    """They are cancelled, and their customers told; they owe nothing."""
    SKIP = "skip"
    """Only what is free is blocked."""
    CHOSEN = "chosen"
    """What was chosen for each; while one has no choice nothing is blocked, and they are told."""


@dataclass(frozen=True, slots=True)
class Blacked:
    """What became of one date of a blackout."""

    start: datetime
    end: datetime
    blocks: tuple[int, ...]
    touched: tuple[Touched, ...]
    work_id: int | None = None
    """The work by which the bookings of all dates follow step by step, where they are many."""


def under(
    shop_id: int, resource_id: int, start: datetime, end: datetime, *, now: datetime
) -> tuple[Touched, ...]:
    """Return the bookings that a block of a resource would lie over, those of classes too."""
    with shop(shop_id):
        rules = known().rules
        why = Why.STAFF if rules.resources[resource_id].kind == "staff" else Why.ROOM
        rows = _there(closing(rules, resource_id, start, end))
        return tuple(_touched(row, why) for row in rows if row.status in OPEN and row.end > now)


def block(
    shop_id: int,
    resource_id: int,
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    by: Actor,
    reason: str = "",
    over: Over = Over.KEEP,
) -> int:
    """Close a resource for a while; gives the block's id. `over` as in `blackout`, but not SKIP: that may be
    several blocks, or none. Raises ChangeTouchesBookings (REFUSE).
    """
    if over is Over.SKIP:
        raise RuntimeError("What is left free may be several blocks: use blackout().")
    stretches = [(start, end)]
    done = blackout(shop_id, resource_id, stretches, now=now, by=by, reason=reason, over=over)
    return done[0].blocks[0]


def blackout(
    shop_id: int,
    resource_id: int,
    stretches: Sequence[Stretch],
    *,
    now: datetime,
    by: Actor,
    reason: str = "",
    over: Over = Over.REFUSE,
    once: bool = False,
    choices: Choices = NONE,
) -> tuple[Blacked, ...]:
    """Close a resource on one date or many, in one transaction, and report on each.

    Raises ChangeTouchesBookings (REFUSE, CHOSEN): nothing is blocked then. A form that is being filled for
    such a time cannot be finished. `once`: who is closed until then already, for the same reason, stays so,
    and nothing is reported.
    """

    def write() -> tuple[Blacked, ...]:
        # Nothing is booked there between our look and our block: referee.hold asks for this row.
        Shop.objects.select_for_update(no_key=True).first()
        if once and _is_closed(resource_id, stretches, reason):
            return ()
        rules = known().rules
        claims = [closing(rules, resource_id, *stretch) for stretch in stretches]
        there = [_there(each) for each in claims]
        rows = _locked({each.id for those in there for each in those}, now)
        why = Why.STAFF if rules.resources[resource_id].kind == "staff" else Why.ROOM
        booked = {row.id: _touched(row, why) for row in rows if row.status in OPEN}
        answers = _chosen(over, choices, booked)
        work_id = None if over is Over.SKIP else _answer(rows, booked, answers, now=now, by=by)
        done = []
        for stretch, those, bookings in zip(stretches, claims, there, strict=True):
            under_it = tuple(booked[each.id] for each in bookings if each.id in booked)
            free = _free(those, *stretch) if over is Over.SKIP else [stretch]
            made = [_write(rules, resource_id, each, reason, now=now, by=by) for each in free]
            done.append(Blacked(*stretch, tuple(made), under_it, work_id))
        return tuple(done)

    return tried(shop_id, write)


def _is_closed(resource_id: int, stretches: Sequence[Stretch], reason: str) -> bool:
    there = Block.objects.filter(resource_id=resource_id, why=reason, start__lte=stretches[-1][0])
    return there.filter(end=stretches[-1][1]).exists()


def _chosen(over: Over, choices: Choices, booked: Mapping[int, Touched]) -> dict[int, Choice]:
    """Return what becomes of each booking. Raises ChangeTouchesBookings: nobody has said."""
    same = {Over.KEEP: Choice.KEEP, Over.CANCEL: Choice.CANCEL, Over.SKIP: Choice.KEEP}
    return chosen(choices if over is Over.CHOSEN else same.get(over, NONE), tuple(booked.values()))


def _answer(
    rows: Sequence[Booking],
    booked: Mapping[int, Touched],
    answers: Mapping[int, Choice],
    *,
    now: datetime,
    by: Actor,
) -> int | None:
    for row in rows:
        if row.status == Status.HELD:
            referee.end(row.id, [Status.HELD], Status.RELEASED, now=now, by=by, why="blocked")
            jobs.freed(row.start, row.end)
    those = sorted(booked.values(), key=lambda each: (each.start, each.booking_id))
    return changes.settle(those, answers, now=now, by=by, why="blocked")


def _write(
    rules: ShopRules, resource_id: int, stretch: Stretch, reason: str, *, now: datetime, by: Actor
) -> int:
    values = {
        "resource_id": resource_id,
        "start": stretch[0].isoformat(),
        "end": stretch[1].isoformat(),
        "kind": "block",
        "why": reason,
    }
    return referee.block(rules, values, closing(rules, resource_id, *stretch), now=now, by=by)


def unblock(shop_id: int, block_id: int) -> None:
    """Open it again: who was looked for because of it alone need not be looked at any more."""
    with write_in(shop_id):
        found = Block.objects.filter(id=block_id).first()
        if found is None:
            return
        waiting = Booking.objects.filter(
            attention=Attention.BLOCKED, start__lt=found.end, end__gt=found.start
        )
        rows = list(waiting.select_for_update(no_key=True).order_by("id"))
        referee.unblock(block_id)
        for row in rows:
            if not _blocked(row):
                Booking.objects.filter(id=row.id).update(attention="")
        jobs.freed(found.start, found.end)


def _blocked(row: Booking) -> bool:
    """Say whether a block lies over what a booking, or its class, has claimed."""
    mine = Claim.objects.filter(Q(booking_id=row.id) | Q(session_id=row.session_id, session_id__isnull=False))
    return any(
        Claim.objects.filter(
            resource_id=claim.resource_id,
            day=claim.day,
            block_id__isnull=False,
            core_from__lt=claim.core_to,
            core_to__gt=claim.core_from,
        ).exists()
        for claim in mine
    )


def closing(rules: ShopRules, resource_id: int, start: datetime, end: datetime) -> list[model.Claim]:
    """Return what a block takes."""
    first, last = int(start.timestamp()) // 60, -(-int(end.timestamp()) // 60)
    return [
        model.Claim(each, rules.resources[each].stock, first, last, first, last)
        for each in sorted(leaves(rules.resources, resource_id))
    ]


def _taken(claims: Sequence[model.Claim]) -> list[tuple[Claim, int]]:
    """Return the claims of bookings and classes on the days of a block, each with its day's first minute."""
    first = min(each.start for each in claims) // DAY
    last = (max(each.end for each in claims) - 1) // DAY
    rows = Claim.objects.filter(
        resource_id__in={each.resource_id for each in claims},
        day__gte=wall.as_date(first),
        day__lte=wall.as_date(last),
        block_id__isnull=True,
    )
    return [(row, wall.number(row.day) * DAY) for row in rows.order_by("day", "padded_from", "id")]


def _there(claims: Sequence[model.Claim]) -> list[Booking]:
    """Return the bookings (and holds) whose own time, buffers aside, is to be blocked."""
    begin, end = claims[0].start, claims[0].end
    rows = [row for row, day in _taken(claims) if day + row.core_from < end and begin < day + row.core_to]
    bookings = {row.booking_id for row in rows if row.booking_id is not None}
    sessions = {row.session_id for row in rows if row.session_id is not None}
    found = Booking.objects.filter(Q(id__in=bookings) | Q(session_id__in=sessions))
    return list(found.filter(status__in=[*OPEN, Status.HELD]).order_by("start", "id"))


def _locked(ids: set[int], now: datetime) -> list[Booking]:
    """Return the rows, locked: what was being confirmed meanwhile is a booking now. What is over is left."""
    rows = Booking.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id")
    return [
        row
        for row in rows
        if row.end > now
        and (row.status in OPEN or (row.status == Status.HELD and row.expires_at and row.expires_at > now))
    ]


def _free(claims: Sequence[model.Claim], start: datetime, end: datetime) -> list[Stretch]:
    """Return what of a stretch nobody has taken, buffers included."""
    begin, last = claims[0].start, claims[0].end
    found: list[tuple[int, int]] = []
    spans = sorted((day + row.padded_from, day + row.padded_to) for row, day in _taken(claims))
    for first, until in [*spans, (last, last)]:
        if begin < min(first, last):
            found.append((begin, min(first, last)))
        begin = max(begin, until)
    return [(max(start, _at(a)), min(end, _at(b))) for a, b in found]


def _at(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _touched(row: Booking, why: Why) -> Touched:
    return Touched(row.id, row.service_id, row.start, row.end, row.staff_id, why)
