"""Somebody who serves is away for the rest of a day: what is booked with her, what is free instead by the
engine, and what becomes of each. Each deed is a transaction of its own; who was overtaken is told.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from noren.booking import actions, agreement, asked, blocks, jobs, sheets
from noren.booking.asked import Beside
from noren.booking.availability import Found, Start, near
from noren.booking.decide import decide
from noren.booking.models import Attention, Block, Booking, Event
from noren.booking.transact import Actor, locked, note, of_id, tried
from noren.engine import availability as engine
from noren.engine import hours, wall, windows
from noren.engine.model import DAY, ShopRules
from noren.errors import NotOffered
from noren.shops.rules import known
from noren.shops.tenancy import shop, write_in

WHY = "away"
"""The reason of the block and of what follows from it, as a code."""
TIMES = 3
"""How many other times are shown of each."""
# How many days are searched for them, the day itself included.
_DAYS = 7


class Deed(StrEnum):
    """What becomes of a booking."""

    STAFF = "staff"
    """The same time, with somebody else."""
    TIME = "time"
    """Another time, with whom she asked for or with anybody."""
    ASK = "ask"
    """It stays for now, and she is asked to choose another time or to cancel for nothing."""
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was chosen for one booking. `staff` None: anybody; `at` of another time."""

    deed: Deed
    staff: int | None = None
    at: datetime | None = None
    told: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One booking of hers. `others` are free at its own time; `sure` is one of them where nobody has to
    think about it; `times` are the nearest others, each with whether they are with whom she asked for.
    """

    booking: Booking
    others: tuple[int, ...] = ()
    times: tuple[tuple[Start, bool], ...] = ()
    sure: int | None = None

    @property
    def by_name(self) -> bool:
        """Whether her customer has asked for her."""
        return self.booking.asked_staff_id == self.booking.staff_id


def stretch(shop_id: int, on: date, *, now: datetime) -> tuple[datetime, datetime]:
    """Return what is left of a business day: from now, or its midnight, until the last hours that begin on it
    are over.
    """
    with shop(shop_id):
        rules = known().rules
    number = wall.number(on)
    begin = wall.midnight(rules.zone, number)
    ranges = hours.merged(hours.of_shop(rules, on))
    last = max([DAY, *(end for _, end in ranges)])
    end = wall.midnight(rules.zone, number + 1) + last - DAY
    return max(_at(begin), now.replace(second=0, microsecond=0)), _at(end)


def rows(shop_id: int, staff: int, start: datetime, end: datetime, *, now: datetime) -> tuple[Row, ...]:
    """Return her bookings that begin in a stretch and are still hers, and what is free instead.

    Of all of one service one survey is read: what is asked does not grow with how many there are.
    """
    with shop(shop_id):
        ids = [each.booking_id for each in blocks.under(shop_id, staff, start, end, now=now)]
        found = list(Booking.objects.filter(id__in=ids, start__gte=start).order_by("start", "id"))
        alike: dict[tuple[int, tuple[int, ...], int], list[Booking]] = defaultdict(list)
        for each in found:
            if each.session_id is None:
                alike[each.service_id, each.also, each.agreed["nights"]].append(each)
        seen: dict[int, Row] = {}
        for some in alike.values():
            seen |= _instead(shop_id, staff, (start, end), some, now)
    return _picked([seen.get(each.id, Row(each)) for each in found])


def _instead(
    shop_id: int, staff: int, closed: blocks.Stretch, some: Sequence[Booking], now: datetime
) -> dict[int, Row]:
    """Return what is free instead of bookings of the same service."""
    one = some[0]
    nights = one.agreed["nights"]

    def of(rules: ShopRules) -> Any:
        first = wall.local_day(rules.zone, int(one.start.timestamp()) // 60)
        dates = wall.as_date(first), wall.as_date(first + _DAYS - 1)
        return windows.of_dates(rules, one.service_id, *dates, nights)

    survey = sheets.survey(shop_id, one.service_id, of, now=now, also=one.also, desk=True)
    rules = survey.known.rules
    minutes = [int(each.timestamp()) // 60 for each in closed]
    block = Beside(minutes[0], minutes[1], tuple(blocks.closing(rules, staff, *closed)))
    found = {}
    for own, without in sheets.without_each(survey, [each.id for each in some], now=now).items():
        booking = next(each for each in some if each.id == own)
        free = sheets.beside(without, [block])
        service = rules.services[booking.service_id]
        asking = Found(
            shop_id,
            service,
            free,
            now,
            None,
            booking.party,
            nights,
            own,
            booking.person_id,
            also=booking.also,
        )
        found[own] = Row(booking, _others(asking, booking), _times(asking, booking))
    return found


def _others(asking: Found, booking: Booking) -> tuple[int, ...]:
    """Return who is free at its own time. It was agreed long ago: no notice is asked again."""
    offered = engine.starts(
        asking.rules,
        booking.service_id,
        asking.survey.window,
        asking.survey.taken,
        now=int(booking.asked_at.timestamp()),
        party=booking.party,
        nights=asking.nights,
        used=replace(asking, person=None).used(),
    )
    minute = int(booking.start.timestamp()) // 60
    return offered.who(minute) if minute in offered else ()


def _times(asking: Found, booking: Booking) -> tuple[tuple[Start, bool], ...]:
    """Return the nearest other times; of those with whom she asked for at least one, where there is any."""
    at = booking.start.timestamp()
    found = {each.minute: (each, False) for each in near(asking, at, TIMES + 1) if each.stamp != at}
    if booking.asked_staff_id is not None:
        hers = near(replace(asking, staff=booking.asked_staff_id), at, TIMES)
        found = dict(sorted(found.items(), key=lambda each: abs(each[0] * 60 - at))[: TIMES - 1])
        found |= {each.minute: (each, True) for each in hers if each.stamp != at}
    nearest = sorted(found, key=lambda minute: abs(minute * 60 - at))
    if booking.asked_staff_id is None:
        nearest = nearest[:TIMES]
    return tuple(found[minute] for minute in sorted(nearest))


def _picked(found: Sequence[Row]) -> tuple[Row, ...]:
    """Preselect where it is certain: somebody is free at the same time, not picked for another already, and
    the customer has asked for nobody.
    """
    busy: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    picked = []
    for row in found:
        start, end = row.booking.start, row.booking.end
        there = [one for one in row.others if all(end <= a or b <= start for a, b in busy[one])]
        sure = there[0] if there and row.booking.asked_staff_id is None else None
        if sure is not None:
            busy[sure].append((start, end))
        picked.append(replace(row, sure=sure))
    return tuple(picked)


def close(shop_id: int, staff: int, start: datetime, end: datetime, *, now: datetime, by: Actor) -> None:
    """Close her for the stretch, once: nobody books her any more, and what stands waits for a look."""
    wanted: dict[str, Any] = {"now": now, "by": by, "reason": WHY, "over": blocks.Over.KEEP, "once": True}
    if start < end:
        blocks.blackout(shop_id, staff, [(start, end)], **wanted)


def is_off(shop_id: int, staff: int, on: date) -> bool:
    """Say whether she has no hours on a day by the rules: nobody can book her then, without a block."""
    with shop(shop_id):
        rules = known().rules
    return not hours.there(rules, rules.resources[staff].hours, on)


def days(shop_id: int, staff: Sequence[int], start: datetime, end: datetime) -> set[tuple[int, datetime]]:
    """Return who is closed as away in a stretch, each with when that begins."""
    with shop(shop_id):
        rows = Block.objects.filter(resource_id__in=staff, why=WHY, end__gt=start, start__lt=end)
        return set(rows.values_list("resource_id", "start"))


def closed(shop_id: int, staff: int, end: datetime) -> list[int]:
    """Return the blocks that say she is away until then."""
    with shop(shop_id):
        rows_of = Block.objects.filter(resource_id=staff, why=WHY, end=end)
        return list(rows_of.order_by("id").values_list("id", flat=True))


def back(shop_id: int, staff: int, end: datetime) -> None:
    """She is there after all: open again what is left. What was moved stays where it is."""
    for each in closed(shop_id, staff, end):
        blocks.unblock(shop_id, each)


def settle(shop_id: int, staff: int, booking_id: int, wish: Wish, *, now: datetime, by: Actor) -> bool:
    """Do what was chosen for one booking; False when it is hers no more: somebody has done it already.

    Raises what `actions.move` raises; then it stays as it is.
    """
    with shop(shop_id):
        before = of_id(booking_id)
    if before.staff_id != staff or before.status not in actions.OPEN:
        return False
    if wish.deed in (Deed.STAFF, Deed.TIME):
        if before.session_id is not None:
            raise NotOffered
        return _move(shop_id, before, wish, now=now, by=by)
    with write_in(shop_id):
        row = locked(booking_id)
        if not _is_as(row, before):
            return False
        if wish.deed is Deed.CANCEL:
            actions.write_cancel(row, now=now, by=by, why="shop", told=wish.told)
            return True
        return _ask(row, wish, now=now, by=by)


def _is_as(row: Booking, before: Booking) -> bool:
    same = (row.start, row.staff_id) == (before.start, before.staff_id)
    return same and row.status in actions.OPEN


def _ask(row: Booking, wish: Wish, *, now: datetime, by: Actor) -> bool:
    """Bind her to nothing any more, and ask her, once. It waits for a look until she has chosen."""
    last = Event.objects.filter(booking_id=row.id, what__in=["choose", "moved"]).order_by("-id").first()
    if last is not None and last.what == "choose":
        return False
    agreed = row.agreed | agreement.unbound(row)
    Booking.objects.filter(id=row.id).update(agreed=agreed, attention=row.attention or Attention.STAFF)
    note(row.id, "choose", now=now, by=by, why=WHY)
    if wish.told:
        jobs.write_to(row, "choose")
    return True


def _move(shop_id: int, before: Booking, wish: Wish, *, now: datetime, by: Actor) -> bool:
    same = wish.deed is Deed.STAFF
    wanted = asked.again(before, before.start if same else wish.at or before.start, wish.staff)
    if same:
        # It was agreed long ago: neither notice nor horizon nor a limit of customers is asked again.
        wanted = replace(wanted, since=before.asked_at, person=None)
    kind = "" if not wish.told else "reassigned" if same else "rescheduled"

    def write() -> bool:
        row = locked(before.id)
        if not _is_as(row, before):
            return False
        decision = decide(wanted, now=now)
        if same:
            decision.values["asked_staff_id"] = None
        free = agreement.unbound(row)
        actions.write_move(row, decision, free, now=now, by=by, why=WHY, kind=kind)
        return True

    return tried(shop_id, write)


def _at(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
