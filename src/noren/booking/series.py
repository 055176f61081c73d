"""The deeds of a series: look, hold, confirm, release, cancel the rest. Each is one transaction.

All that a series may touch is locked first, in the one order (sql/0002_sheets.sql); then its dates are
decided and written one by one. One of them is moved or cancelled by the deeds of any booking (actions.py),
which leaves the others alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from noren.booking import actions, agreement, jobs, persons, referee, report
from noren.booking.actions import OPEN, HoldRequest
from noren.booking.decide import Decision
from noren.booking.models import Booking, Event, Status
from noren.booking.referee import KeyInUse, Overtaken
from noren.booking.report import Line, Mode, Place, Reach, SeriesRequest
from noren.booking.transact import CUSTOMER, Actor, by_staff, note, tried
from noren.errors import (
    AlreadyCancelled,
    BookingUnknown,
    IdempotencyKeyReused,
    NorenError,
    SeriesNotFree,
    SlotTaken,
    TooLateToCancel,
)
from noren.shops.rules import known
from noren.shops.tenancy import shop, write_in


@dataclass(frozen=True, slots=True)
class HeldSeries:
    """`id` is the first booking's; every other carries it as its `series_id`."""

    id: int
    expires_at: datetime
    report: tuple[Line, ...]

    @property
    def bookings(self) -> list[int]:
        return [line.booking for line in self.report if line.booking is not None]


def look(shop_id: int, request: SeriesRequest, *, now: datetime, by: Actor = CUSTOMER) -> tuple[Line, ...]:
    """Return for each date whether it is free, else why not and what is nearest. Nothing is written.

    Raises ServiceUnknown, SeriesTooLong, NotOffered, BadField.
    """
    with shop(shop_id):
        wanted = report.starts(request, staff=by_staff(by), now=now)
        found = report.places(request, wanted, staff=by_staff(by), near=True, now=now)
        return tuple(Line.of(place) for place in found)


def hold_series(shop_id: int, request: SeriesRequest, *, now: datetime, by: Actor = CUSTOMER) -> HeldSeries:
    """Keep the dates of a series while a form is filled: those that its mode says, or none.

    The same key again gives the same holds. Raises SeriesNotFree (facts: report), IdempotencyKeyReused, and
    what `look` does.
    """
    for _ in range(2):
        try:
            return tried(shop_id, lambda: _write(shop_id, request, now=now, by=by))
        except KeyInUse:
            earlier = actions.of_key(shop_id, request.key, now=now)
        except NorenError as refused:
            # What bars the way may be what the same key has booked before.
            earlier = actions.of_key(shop_id, request.key, now=now)
            if earlier is None and isinstance(refused, SeriesNotFree | SlotTaken):
                raise SeriesNotFree(report=look(shop_id, request, now=now, by=by)) from None
            if earlier is None:
                raise
        if earlier is not None:
            return _same(shop_id, earlier, request)
    raise SeriesNotFree(report=look(shop_id, request, now=now, by=by))


def _write(shop_id: int, request: SeriesRequest, *, now: datetime, by: Actor) -> HeldSeries:
    """Lock, decide, write: inside the shop's transaction."""
    wanted = report.starts(request, staff=by_staff(by), now=now)
    near = request.mode is Mode.NEAREST and bool(request.starts)
    reach = Reach.of(request, wanted, near=near)
    referee.lock_series(known().rules, reach.limits, reach.sessions, reach.resources, reach.days, now=now)
    if report.starts(request, staff=by_staff(by), now=now) != wanted:
        # A date of the course was cancelled or moved before it was locked.
        raise Overtaken
    places = report.places(request, wanted, staff=by_staff(by), near=near, now=now)
    chosen = _chosen(request, places)
    expires_at = now + timedelta(minutes=known().terms.hold_minutes)
    wish = HoldRequest(request.service_id, now, request.staff, request.party, request.key, until=expires_at)
    ids = _holds(shop_id, wish, [decision for _, decision in chosen], now=now, by=by)
    referee.unlock_series(reach.resources, reach.days)
    held = {place.wanted: booking_id for (place, _), booking_id in zip(chosen, ids, strict=True)}
    lines = tuple(Line.of(place, held.get(place.wanted)) for place in places)
    facts: dict[str, Any] = {"asked": request.plain(), "dates": [line.plain() for line in lines]}
    note(ids[0], "series", now=now, by=by, **facts)
    return HeldSeries(ids[0], expires_at, lines)


def _chosen(request: SeriesRequest, places: list[Place]) -> list[tuple[Place, Decision]]:
    """Return what is to be held, by the customer's choice; of a course all or nothing."""
    taken = [(place, place.decision or place.nearest) for place in places]
    chosen = [(place, decision) for place, decision in taken if decision is not None]
    whole = request.mode is Mode.ALL_OR_NOTHING or not request.starts
    if not chosen or (whole and len(chosen) < len(places)):
        raise SeriesNotFree
    return chosen


def _holds(
    shop_id: int, wish: HoldRequest, decisions: Iterable[Decision], *, now: datetime, by: Actor
) -> list[int]:
    """Write them in this order; the key, and the series, are the first one's."""
    digest = actions.digest_of(shop_id, wish.key)
    ids: list[int] = []
    for decision in decisions:
        first: dict[str, Any] = {"series": ids[0]} if ids else {"series": 0, "idempotency": digest}
        ids.append(actions.write_hold(wish, decision, now=now, by=by, **first).id)
    return ids


def _same(shop_id: int, earlier: Booking, request: SeriesRequest) -> HeldSeries:
    with shop(shop_id):
        event = Event.objects.filter(booking_id=earlier.id, what="series").first()
    if event is None or event.facts["asked"] != request.plain():
        raise IdempotencyKeyReused
    lines = tuple(Line.read(each) for each in event.facts["dates"])
    return HeldSeries(earlier.id, earlier.expires_at or earlier.start, lines)


def confirm_series(
    shop_id: int,
    series_id: int,
    person: UUID,
    *,
    now: datetime,
    locale: str,
    consent: int | None,
    said: Mapping[str, Any] = actions.NOTHING_MORE,
    by: Actor = CUSTOMER,
) -> list[Booking]:
    """Make all holds of a series bookings, or none, with one mail. The same again gives the same bookings.

    Raises HoldExpired, LimitReached, BookingUnknown.
    """
    with write_in(shop_id):
        rows = locked_series(series_id)
        given, person = person, persons.standing_for(person)
        over = all(row.status != Status.HELD for row in rows)
        if over and any(row.person_id == person for row in rows):
            return rows
        rules = known().rules
        referee.lock_limits([each for row in rows for each in actions.of_customer(rules, row, person)])
        referee.lock_taken([row.id for row in rows])
        values: dict[str, Any] = {"now": now, "locale": locale, "consent": consent, "by": by}
        done = [actions.write_confirm(row.id, given, said=said, told=False, **values) for row in rows]
        jobs.told(done, person, "asked" if done[0].status == Status.PENDING else "booked")
        return done


def release_series(shop_id: int, series_id: int, *, now: datetime, by: Actor = CUSTOMER) -> None:
    """Let the holds of a series go; nothing happens to what is a hold no more."""
    with write_in(shop_id):
        rows = [row for row in locked_series(series_id) if row.status == Status.HELD]
        _end(rows, lambda row: referee.end(row.id, [Status.HELD], Status.RELEASED, now=now, by=by))
        for row in rows:
            jobs.freed(row.start, row.end)


def let_go(shop_id: int, hold_id: int, *, now: datetime) -> None:
    """Let a customer's hold go; of the first of a series the others with it."""
    with shop(shop_id):
        leads = Booking.objects.filter(series_id=hold_id).exists()
    if leads:
        release_series(shop_id, hold_id, now=now)
    else:
        actions.release(shop_id, hold_id, now=now)


def standing(series_id: int) -> list[Booking]:
    """Return what was booked of a series, by its start, whatever became of it since. Inside the shop."""
    rows = Booking.objects.filter(series_id=series_id).exclude(person_id=None)
    return list(rows.order_by("start", "id"))


def cancel_rest(
    shop_id: int, series_id: int, since: datetime, *, now: datetime, by: Actor, reason: str = ""
) -> list[Booking]:
    """Cancel what still stands of a series from an instant on, and tell it once. Gives what was cancelled.

    All or nothing: raises TooLateToCancel (customers) where one of them is too near, AlreadyCancelled where
    there is none, BookingUnknown.
    """
    with write_in(shop_id):
        rows = [row for row in locked_series(series_id) if row.status in OPEN and row.start >= since]
        if not rows:
            raise AlreadyCancelled
        if by == CUSTOMER and any(now > agreement.deadline(row, "cancel") for row in rows):
            raise TooLateToCancel

        def end(row: Booking) -> None:
            cost = agreement.fee(row, now=now) if by == CUSTOMER else agreement.NOTHING
            said: dict[str, Any] = {"now": now, "by": by, "why": reason, "facts": asdict(cost)}
            referee.end(row.id, OPEN, Status.CANCELLED, **said)

        _end(rows, end)
        jobs.ended(rows[0], "cancelled", others=rows[1:])
        return rows


def _end(rows: list[Booking], end: Callable[[Booking], None]) -> None:
    referee.lock_taken([row.id for row in rows])
    for row in rows:
        end(row)


def locked_series(series_id: int) -> list[Booking]:
    """Return the bookings of a series by their start, locked in the order of their ids."""
    rows = list(Booking.objects.select_for_update(no_key=True).filter(series_id=series_id).order_by("id"))
    if not rows:
        raise BookingUnknown
    return sorted(rows, key=lambda row: (row.start, row.id))
