"""What happens at the desk: approve, decline, check in, no-show, check out; and what happens by itself where
nobody comes, or nobody answers. Each is one transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from noren.booking import agreement, asked, jobs, referee
from noren.booking.asked import Asked
from noren.booking.decide import decide
from noren.booking.models import Booking, Claim, Event, Status
from noren.booking.transact import Actor, attempt, locked, note, of_id, tried
from noren.engine import model
from noren.engine.model import DAY
from noren.errors import AlreadyCancelled, NotThatStatus, TooEarlyToCheckIn, TooLateToCheckIn
from noren.shops.rules import known
from noren.shops.tenancy import shop, write_in

_EPOCH = date(1970, 1, 1)


def approve(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> Booking:
    """Say yes to a booking that waits for it. Where its time was not kept it is taken now, by the rules as
    they were when it was asked for. Raises SlotTaken and what else `hold` raises, NotThatStatus.
    """
    with shop(shop_id):
        before = of_id(booking_id)

    def write() -> Booking:
        # As it stands now: it may have been moved since.
        booking = of_id(booking_id)
        if booking.status != Status.PENDING:
            raise NotThatStatus(status=booking.status)
        try:
            _say_yes(booking, now=now, by=by)
        except AlreadyCancelled:  # somebody else has answered it at the same moment
            raise NotThatStatus from None
        approved = of_id(booking_id)
        approved.reminder_job = jobs.approved(approved, now=now)
        approved.save(update_fields=["reminder_job"])
        return approved

    return attempt(shop_id, _waiting(before), write, now=now)


def _waiting(booking: Booking) -> Asked:
    return asked.again(booking, booking.start, booking.asked_staff_id, since=booking.asked_at, course=True)


def _say_yes(booking: Booking, *, now: datetime, by: Actor) -> None:
    if booking.takes:
        referee.mark(booking.id, [Status.PENDING], Status.CONFIRMED, "approved", now=now, by=by)
        return
    decision = decide(_waiting(booking), now=now)
    values: dict[str, Any] = {
        **decision.values,
        "agreed": agreement.retimed(booking, {}, decision.known),
        "status": Status.CONFIRMED,
        "takes": True,
        "changes": booking.changes,
    }
    rules, claims, limits = decision.known.rules, decision.claims, decision.limits
    said: dict[str, Any] = {"now": now, "by": by, "what": "approved", "limits": limits}
    referee.move(rules, booking.id, [Status.PENDING], values, claims, **said)


def decline(
    shop_id: int, booking_id: int, *, now: datetime, by: Actor, reason: str = "", told: bool = True
) -> None:
    """Say no. Not `told`: staff have said it to her themselves. Raises NotThatStatus, BookingUnknown."""
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status != Status.PENDING:
            raise NotThatStatus(status=booking.status)
        _end(booking, Status.DECLINED, now=now, by=by, why=reason, told=told)


def lapse(shop_id: int, booking_id: int, *, now: datetime) -> None:
    """Decline a booking that nobody answered until its start; nothing happens to any other."""
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status == Status.PENDING and booking.start <= now:
            _end(booking, Status.DECLINED, now=now, by="system", why="unanswered")


def check_in(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> None:
    """Note that she is here; staff may do so for who had been noted as a no-show, too.

    Raises TooEarlyToCheckIn; TooLateToCheckIn once the time was, or is to be, given free; NotThatStatus.
    """
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status == Status.RELEASED and booking.person_id is not None:
            raise TooLateToCheckIn
        late_comer = booking.status == Status.NO_SHOW and by.startswith("staff:")
        if booking.status != Status.CONFIRMED and not late_comer:
            raise NotThatStatus(status=booking.status)
        rule = booking.agreed["check_in"]
        if now < booking.start - timedelta(minutes=rule["opens_minutes"]):
            raise TooEarlyToCheckIn
        free_again = released_at(booking)
        if free_again is not None and now >= free_again:
            raise TooLateToCheckIn
        statuses = [Status.CONFIRMED, Status.NO_SHOW]
        referee.mark(booking_id, statuses, Status.CHECKED_IN, "checked_in", now=now, by=by)


def undo_check_in(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> None:
    """Note that she is not here after all: somebody else's line was pressed. What becomes of it is staff's
    to say again, also where its time would have been given free by now. Raises NotThatStatus.
    """
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status != Status.CHECKED_IN or has_left(booking_id):
            raise NotThatStatus(status=booking.status)
        referee.mark(booking_id, [Status.CHECKED_IN], Status.CONFIRMED, "not_here", now=now, by=by)


def no_show(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> None:
    """Note that nobody came: its time stays taken. Raises TooEarlyToCheckIn, NotThatStatus."""
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status != Status.CONFIRMED:
            raise NotThatStatus(status=booking.status)
        if now < booking.start:
            raise TooEarlyToCheckIn
        referee.mark(booking_id, [Status.CONFIRMED], Status.NO_SHOW, "no_show", now=now, by=by)
        jobs.noted(booking, "missed")


def release_unattended(shop_id: int, booking_id: int, *, now: datetime) -> None:
    """Give a time free whose customer has not checked in; nothing happens to any other booking."""
    with write_in(shop_id):
        booking = locked(booking_id)
        due = released_at(booking)
        if booking.status == Status.CONFIRMED and due is not None and due <= now:
            _end(booking, Status.RELEASED, now=now, by="system", why="no_check_in")


def released_at(booking: Booking) -> datetime | None:
    """Return when its time is free again without a check-in, by its own agreement; None: never."""
    minutes = booking.agreed["check_in"]["release_minutes"]
    return None if minutes is None else booking.start + timedelta(minutes=minutes)


def check_out(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> Booking:
    """Note that she has left, once. What remains of the time is free, but for the buffer after it; a place in
    a class ends with the class. Raises NotThatStatus.
    """

    def write() -> Booking:
        booking = of_id(booking_id)
        if booking.status != Status.CHECKED_IN:
            raise NotThatStatus(status=booking.status)
        end = _whole_minute(max(now, booking.start + timedelta(minutes=1)))
        if has_left(booking_id):
            return of_id(booking_id)  # what was read above may be from before she left
        if end >= booking.end or booking.session_id is not None:
            locked(booking_id)
            if not has_left(booking_id):
                note(booking_id, "checked_out", now=now, by=by)
        else:
            _shorten(booking, end, now=now, by=by)
        return of_id(booking_id)

    return tried(shop_id, write)


def has_left(booking_id: int) -> bool:
    """Say whether she has checked out. Inside the shop."""
    return Event.objects.filter(booking_id=booking_id, what="checked_out").exists()


def _shorten(booking: Booking, end: datetime, *, now: datetime, by: Actor) -> None:
    last = int(end.timestamp()) // 60
    after = booking.agreed["after"]
    # What was to be occupied later (a segment of its own) goes, with its buffer; what is, keeps one.
    claims = [
        replace(each, end=min(each.end, last), padded_end=min(each.padded_end, last + after))
        for each in claimed(booking.id)
        if each.start < last
    ]
    end_at(booking, end, claims, now=now, by=by, what="checked_out")
    jobs.freed(end, booking.end)


def end_at(
    booking: Booking,
    end: datetime,
    claims: Sequence[model.Claim],
    *,
    now: datetime,
    by: Actor,
    what: str,
    why: str = "",
) -> None:
    """Let a booking end earlier or later than it was to, with these claims, over whatever is there."""
    values: dict[str, Any] = {
        "session_id": None,
        "staff_id": booking.staff_id,
        "asked_staff_id": booking.asked_staff_id,
        "start": booking.start.isoformat(),
        "end": end.isoformat(),
        "wall": booking.wall,
        "zone": booking.zone,
        "takes": True,
        "changes": booking.changes,
        "agreed": {},
    }
    said: dict[str, Any] = {"now": now, "by": by, "what": what, "why": why, "over": True}
    referee.move(known().rules, booking.id, [booking.status], values, claims, **said)


def longer(claim: model.Claim, minutes: int) -> model.Claim:
    """Return the claim for so many minutes more, its buffer after it."""
    return replace(claim, end=claim.end + minutes, padded_end=claim.padded_end + minutes)


def claimed(booking_id: int) -> list[model.Claim]:
    """Return what a booking takes. Inside the shop."""
    return _whole(Claim.objects.filter(booking_id=booking_id).order_by("day", "id"))


def _whole(rows: Iterable[Claim]) -> list[model.Claim]:
    """Join the claims of the days to what was claimed: a claim is cut at UTC midnights."""
    found: list[model.Claim] = []
    for row in rows:
        first = (row.day - _EPOCH).days * DAY
        start, end, padded_start, padded_end = (
            first + each for each in (row.core_from, row.core_to, row.padded_from, row.padded_to)
        )
        part = model.Claim(row.resource_id, row.units, start, end, padded_start, padded_end)
        before = next((n for n, each in enumerate(found) if _goes_on(each, part, first)), None)
        if before is None:
            found.append(part)
        else:
            found[before] = _joined(found[before], part)
    return found


def _goes_on(one: model.Claim, two: model.Claim, midnight: int) -> bool:
    same = (one.resource_id, one.units) == (two.resource_id, two.units)
    return same and one.padded_end == midnight == two.padded_start


def _joined(one: model.Claim, two: model.Claim) -> model.Claim:
    """An empty core is that of a day with nothing but a buffer."""
    start = one.start if one.start < one.end else two.start
    end = two.end if two.start < two.end else one.end
    return replace(one, start=start, end=end, padded_end=two.padded_end)


def _whole_minute(at: datetime) -> datetime:
    """Return the next whole minute."""
    return datetime.fromtimestamp(-(-int(at.timestamp()) // 60) * 60, UTC)


def _end(booking: Booking, ended: Status, *, now: datetime, by: Actor, why: str, told: bool = True) -> None:
    """End a booking whose row is locked, for which the customer owes nothing, and tell her."""
    facts = asdict(agreement.NOTHING)
    referee.end(booking.id, [booking.status], ended, now=now, by=by, why=why, facts=facts)
    jobs.ended(booking, str(ended), told=told)
