"""What becomes of a booking that cannot stay as it is: another time, somebody else who serves, or the same
time on the wall by another clock. Each is one transaction; who was overtaken decides again.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from noren.booking import actions, agreement, asked, availability, changes, impact, sheets
from noren.booking.availability import Start
from noren.booking.decide import decide
from noren.booking.models import Booking, ClassSession, Event
from noren.booking.transact import Actor, locked, of_id, tried
from noren.engine import availability as engine
from noren.engine import windows
from noren.errors import AlreadyCancelled, BookingUnknown, NorenError, NothingFree, NotOffered
from noren.shops.models import Shop
from noren.shops.rules import known
from noren.shops.tenancy import shop


class _Decided(Exception):
    """Somebody has said otherwise since."""


def move_nearest(
    shop_id: int,
    booking_id: int,
    *,
    now: datetime,
    by: Actor,
    why: str = "rules",
    told: bool = True,
    first: Callable[[], object] | None = None,
) -> Booking:
    """Move to the nearest time that is free by the rules of now, to whom she asked for if she asked; that is
    its own time, where somebody else can serve it and who serves it now cannot.

    The shop moves it, so she is `told`, and may cancel for nothing. `first` is done in the same transaction,
    before it. Raises NothingFree, AlreadyCancelled, BookingUnknown; then it stays as it is.
    """

    def moved(start: datetime) -> Booking:
        return _moved(shop_id, booking, start, now=now, by=by, why=why, told=told, first=first)

    with shop(shop_id):
        booking = of_id(booking_id)
        if booking.status not in actions.OPEN:
            raise AlreadyCancelled
        found = availability.nearest(
            shop_id,
            booking.service_id,
            booking.start,
            now=now,
            staff=booking.asked_staff_id,
            party=booking.party,
            nights=booking.agreed["nights"],
            limit=20,
            own=booking_id,
            also=booking.also,
            desk=True,
        )
        starts = _others(booking, found)
    for start in sorted(starts, key=lambda at: (abs(at - booking.start), at)):
        try:
            return moved(start)
        except AlreadyCancelled:
            raise
        except NorenError:
            continue  # taken, or a limit is reached: the next one
    raise NothingFree


def move_waiting(shop_id: int, booking_id: int, *, now: datetime, told: bool = True) -> None:
    """Move a booking that waits for another time; one that somebody has looked at meanwhile is left alone,
    and so is one that a later change has decided on, or for which nothing is free. A class that nobody is
    booked for any more is not held.
    """

    def still() -> None:
        # The shop's row before the booking's: so does a change of the rules.
        Shop.objects.select_for_update(no_key=True).first()
        if not locked(booking_id).attention or not _is_to_move(booking_id):
            raise _Decided

    with suppress(NothingFree, AlreadyCancelled, BookingUnknown, _Decided):
        move_nearest(shop_id, booking_id, now=now, by="system", told=told, first=still)


def _is_to_move(booking_id: int) -> bool:
    """Say whether the last change that touched it was to move it."""
    last = Event.objects.filter(booking_id=booking_id, what="touched").order_by("-id").first()
    return last is not None and changes.Choice(last.facts["choice"]).moves


def drop_left(booking: Booking, *, now: datetime, by: Actor) -> None:
    """Take the date away that a booking has left, as it was before, where the rules would not hold it and
    nobody else is booked. Inside the transaction in which it leaves.
    """
    row = ClassSession.objects.filter(id=booking.session_id or 0).first()
    if row is not None and not impact.date_is_held(known(), row):
        changes.drop_dates([row.id], now=now, by=by)


def _others(booking: Booking, found: Iterable[Start]) -> list[datetime]:
    """Return the times that are not as it is now. Of a class, without the dates that stand only because
    somebody has booked them.
    """
    if booking.session_id is None:
        as_now = booking.start, booking.staff_id
        return [each.at for each in found if not (each.at == as_now[0] and as_now[1] in each.staff)]
    others = [each.at for each in found if each.at != booking.start]
    rows = ClassSession.objects.filter(
        service_id=booking.service_id, start__in=others, cancelled=False
    ).order_by("start")
    return [row.start for row in rows if impact.date_is_held(known(), row)]


def _moved(
    shop_id: int,
    booking: Booking,
    start: datetime,
    *,
    now: datetime,
    by: Actor,
    why: str,
    told: bool,
    first: Callable[[], object] | None,
) -> Booking:
    wanted = asked.again(booking, start, booking.asked_staff_id)

    def write() -> Booking:
        if first is not None:
            first()
        row = of_id(booking.id)
        if row.status not in actions.OPEN:
            raise AlreadyCancelled
        decision = decide(wanted, now=now)
        free = agreement.unbound(row)
        kind = "reassigned" if start == booking.start else "rescheduled"
        moved = actions.write_move(row, decision, free, now=now, by=by, why=why, kind=kind, told=told)
        if row.attention:
            drop_left(row, now=now, by=by)
        return moved

    return tried(shop_id, write)


def reassign(
    shop_id: int,
    booking_id: int,
    staff: int,
    *,
    now: datetime,
    by: Actor,
    agreed_anew: bool = False,
    override: str = "",
) -> Booking:
    """Give a booking to somebody else, at the same time. Its price stays; so does the fee for having asked.

    `agreed_anew`: she has said that she asks for this one instead, at this one's fee. `override` is the
    reason for which staff insist on somebody who is not free. Raises what `actions.move` raises.
    """
    with shop(shop_id):
        before = of_id(booking_id)
    if before.session_id is not None:
        raise NotOffered
    # It was agreed long ago: neither notice nor horizon nor a limit of customers is asked again.
    wanted = replace(
        asked.again(before, before.start, staff, over=bool(override)), since=before.asked_at, person=None
    )

    def write() -> Booking:
        row = of_id(booking_id)
        if row.status not in actions.OPEN:
            raise AlreadyCancelled
        decision = decide(wanted, now=now)
        agreed = agreement.unbound(row)
        if agreed_anew:
            row.agreed |= agreed
            agreed |= agreement.moved(row, decision.known, staff)
        decision.values["asked_staff_id"] = staff if agreed_anew else None
        over = bool(override)
        return actions.write_move(
            row, decision, agreed, now=now, by=by, why=override or "staff", over=over, kind="reassigned"
        )

    return tried(shop_id, write)


def who_can(shop_id: int, booking: Booking, *, now: datetime) -> tuple[int, ...]:
    """Return who is free to serve a booking at its own time, instead of whom it was given to."""
    start, nights = int(booking.start.timestamp()) // 60, booking.agreed["nights"]
    seen = sheets.survey(
        shop_id,
        booking.service_id,
        lambda rules: windows.of_start(rules, booking.service_id, start, nights),
        now=now,
        own=booking.id,
        also=booking.also,
        desk=True,
    )
    rules = seen.known.rules
    if rules.services[booking.service_id].capacity is not None:
        return ()
    agreed_at = int(booking.created_at.timestamp())
    offered = engine.starts(
        rules,
        booking.service_id,
        seen.window,
        seen.taken,
        now=agreed_at,
        party=booking.party,
        nights=nights,
    )
    free = offered.who(start) if start in offered else ()
    return tuple(each for each in free if each != booking.staff_id)
