"""Every change of a shop's rules: what it touches is listed before anything is saved, and the shop chooses.

The rules' new rows, what was chosen for each booking and the jobs that follow are one transaction: a crash
loses nothing, and no booking is without an answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from noren.booking import actions, impact, jobs, referee
from noren.booking.impact import Impact, Touched
from noren.booking.models import Attention, Booking, ClassSession, Status, Waiting
from noren.booking.transact import Actor, note, tried
from noren.engine.model import Why
from noren.errors import ChangeTouchesBookings
from noren.shops import rules
from noren.shops.holidays import public_holidays
from noren.shops.models import Shop
from noren.shops.rules import Known
from noren.shops.tenancy import current_shop

# How many years of published holidays are remembered, this one included: further than anybody books.
_YEARS = 4


class Choice(StrEnum):
    """What becomes of a booking that a change touches."""

    KEEP = "keep"
    """It stays where it is, and somebody looks at it."""
    MOVE = "move"
    """It goes to the nearest time that is free by the new rules; where there is none it stays."""
    CANCEL = "cancel"
    """It is cancelled, and its customer told; she owes nothing."""


Choices = Choice | Mapping[int, Choice]
"""One for all, or by booking."""
NONE: Choices = {}


@dataclass(frozen=True, slots=True)
class Done:
    """Whether anything was changed, and which bookings it touched."""

    changed: bool
    touched: tuple[Touched, ...] = ()


def change(
    shop_id: int, write: Callable[[], bool], choices: Choices = NONE, *, now: datetime, by: Actor
) -> Done:
    """Change a shop's rules: `write` writes their rows, and says whether anything differs.

    Raises ChangeTouchesBookings, and nothing is saved, while a booking it touches has no choice.
    """

    def deed() -> Done:
        # No booking is decided, and none confirmed, while this row is locked: referee.hold asks for it.
        row = Shop.objects.select_for_update(no_key=True).first()
        before = None if row is None else _as_seen(rules.read(), row)
        if not write():
            return Done(False)
        with rules.change():
            _remember(now)
            if before is None:
                return Done(True)
            found = _locked(before, now)
            _answer(before, found, choices, now=now, by=by)
            return Done(True, found.touched)

    return tried(shop_id, deed)


def _locked(before: Known, now: datetime) -> Impact:
    """Return what is touched, its rows locked: what was being confirmed meanwhile is a booking now."""
    after = rules.read()
    first = impact.compare(before, after, impact.future(now))
    ids = [*(each.booking_id for each in first.touched), *first.holds, *first.healed]
    if not ids:
        return first
    list(Booking.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id").values_list("id"))
    return impact.compare(before, after, impact.future(now))


def _answer(before: Known, found: Impact, choices: Choices, *, now: datetime, by: Actor) -> None:
    chosen = {each.booking_id: _chosen(choices, each.booking_id) for each in found.touched}
    if None in chosen.values():
        raise ChangeTouchesBookings(touched=found.touched)
    for hold_id in found.holds:
        referee.end(hold_id, [Status.HELD], Status.RELEASED, now=now, by=by, why="rules")
    for session_id, seats in found.seats.items():
        ClassSession.objects.filter(id=session_id).update(capacity=seats)
    cancel([each for each in found.touched if chosen[each.booking_id] is Choice.CANCEL], now=now, by=by)
    for each in found.touched:
        if chosen[each.booking_id] is not Choice.CANCEL:
            _attend(each, now=now, by=by, choice=chosen[each.booking_id] or Choice.KEEP)
    for booking_id in found.healed:
        Booking.objects.filter(id=booking_id).update(attention="")
        note(booking_id, "fits_again", now=now, by=by)
    drop_dates(found.closed_dates, now=now, by=by)
    _reindex(before, now)


def _chosen(choices: Choices, booking_id: int) -> Choice | None:
    return choices if isinstance(choices, Choice) else choices.get(booking_id)


def cancel(those: Sequence[Touched], *, now: datetime, by: Actor, why: str = "") -> None:
    """Cancel with notice, inside the shop's transaction and with the bookings' rows locked."""
    rows = Booking.objects.in_bulk([each.booking_id for each in those])
    referee.give_back(sorted(rows))
    for each in those:
        actions.write_cancel(rows[each.booking_id], now=now, by=by, why=why or each.why)


def _attend(each: Touched, *, now: datetime, by: Actor, choice: Choice) -> None:
    """Let it stay, for somebody to look at; and where it is to be moved, for a job to move."""
    attention = Attention.STAFF if each.why is Why.STAFF else Attention.CLOSED
    Booking.objects.filter(id=each.booking_id).update(attention=attention)
    note(each.booking_id, "touched", now=now, by=by, why=each.why, choice=choice)
    if choice is Choice.MOVE:
        jobs.move_nearest(each.booking_id)


def drop_dates(session_ids: Iterable[int], *, now: datetime, by: Actor) -> None:
    """Take away dates of classes that are not held any more and that nobody has booked.

    Where nobody ever did, or waits for it, the row goes too, so that the timetable may make it again.
    """
    ids = list(session_ids)
    if not ids:
        return
    empty = ClassSession.objects.filter(id__in=ids, booked=0, cancelled=False).order_by("id")
    waiting = Booking.objects.filter(session_id__in=ids, status__in=impact.OPEN)
    kept = set(waiting.values_list("session_id", flat=True))
    for row in empty:
        if row.id in kept:
            continue
        referee.cancel_session(row.id, now=now, by=by, why="rules", facts={})
        known_by = (Booking, Waiting)
        if not any(each.objects.filter(session_id=row.id).exists() for each in known_by):
            row.delete()


def _reindex(before: Known, now: datetime) -> None:
    """Compute the sheets of changed stocks anew at once: nothing is booked on the old ones."""
    after = rules.read().rules.resources
    for resource_id, old in before.rules.resources.items():
        if resource_id in after and after[resource_id].stock != old.stock:
            referee.reindex(resource_id, now.date() - timedelta(days=1))


def review_holidays(shop_id: int, *, now: datetime) -> Done:
    """Hold the shop's bookings against holidays that were published since: what they touch stays, for
    somebody to look at.
    """

    def differs() -> bool:
        row = Shop.objects.get()
        return bool(row.holidays_seen != _published(row.holiday_region, now))

    return change(shop_id, differs, Choice.KEEP, now=now, by="system")


def _remember(now: datetime) -> None:
    row = Shop.objects.get()
    Shop.objects.filter(shop_id=current_shop()).update(holidays_seen=_published(row.holiday_region, now))


def _published(region: str, now: datetime) -> dict[str, Any]:
    since, until = date(now.year, 1, 1), date(now.year + _YEARS - 1, 12, 31)
    days = sorted(day.isoformat() for day in public_holidays(region) if since <= day <= until)
    return {"region": region, "since": since.isoformat(), "until": until.isoformat(), "days": days}


def _as_seen(house: Known, row: Shop) -> Known:
    """Return what was known, with the holidays as seen last: newly published ones are a change too."""
    seen = row.holidays_seen
    if not seen:
        return house
    since, until = date.fromisoformat(seen["since"]), date.fromisoformat(seen["until"])
    others = frozenset(day for day in house.rules.holidays if not since <= day <= until)
    days = frozenset(date.fromisoformat(day) for day in seen["days"])
    holidays = others | days | frozenset(row.own_holidays)
    return replace(house, rules=replace(house.rules, holidays=holidays))
