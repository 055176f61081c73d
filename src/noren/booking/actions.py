"""The deeds: hold, confirm, release, cancel, move, block. Each is one transaction and one SQL function call.

The engine decides on what it reads, the function rechecks what can race; who was overtaken reads again and
decides again, three times at most. There is no vault in here.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings

from noren.booking import availability, jobs, referee, sheets
from noren.booking.decide import Asked, Decision, decide
from noren.booking.models import Booking, Status
from noren.booking.referee import KeyInUse, Overtaken
from noren.engine import policy
from noren.engine.model import Claim, Deadline
from noren.errors import (
    AlreadyCancelled,
    BookingUnknown,
    HoldExpired,
    IdempotencyKeyReused,
    NorenError,
    SlotTaken,
    TooLateToCancel,
    TooLateToChange,
)
from noren.shops.rules import known
from noren.shops.tenancy import shop, write_in

TRIES = 3
Actor = str
"""Who: "customer", "staff:<id>", "api", "system". Never a name."""
CUSTOMER: Actor = "customer"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """`key` names the wish: the same one again gives the same hold, whatever happened to the first answer."""

    service_id: int
    start: datetime
    staff: int | None
    party: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    id: int
    expires_at: datetime
    staff_id: int | None


def hold(shop_id: int, request: HoldRequest, *, now: datetime, by: Actor = CUSTOMER) -> Hold:
    """Keep a slot while a form is filled.

    Raises SlotTaken (facts: nearest), InThePast, TooLate, OutsideHorizon, NotOffered, PartyTooLarge,
    ServiceUnknown, IdempotencyKeyReused.
    """
    asked = Asked(request.service_id, request.start, request.staff, request.party)
    digest = _digest(shop_id, request.key)

    def write() -> Hold:
        decision = decide(asked, now=now)
        expires_at = now + timedelta(minutes=decision.known.terms.hold_minutes)
        values = decision.values | {"expires_at": expires_at.astimezone(UTC).isoformat()}
        booking_id = referee.hold(
            decision.known.rules, values, decision.claims, now=now, idempotency=digest, by=by
        )
        jobs.expire(booking_id, expires_at)
        return Hold(booking_id, expires_at, values["staff_id"])

    for _ in range(2):
        try:
            return _write(shop_id, asked, write, now=now)
        except KeyInUse:
            earlier = of_key(shop_id, request.key, now=now)
        except NorenError:
            # What bars the way may be what the same key has booked before.
            earlier = of_key(shop_id, request.key, now=now)
            if earlier is None:
                raise
        if earlier is not None:
            return _same(earlier, request)
    raise SlotTaken(nearest=())


def of_key(shop_id: int, key: str, *, now: datetime) -> Booking | None:
    """Return the booking (or hold) that was made with this key. A hold whose time is over is ended first."""
    digest = _digest(shop_id, key)
    if digest is None:
        return None
    with shop(shop_id):
        found = Booking.objects.filter(idempotency=digest).first()
    if found is None or found.expires_at is None or found.expires_at > now:
        return found
    # Its own job may end it at the same moment: then it has ended all the same.
    expire(shop_id, found.id, now=now)
    return None


def _same(earlier: Booking, request: HoldRequest) -> Hold:
    now_asked = (request.service_id, request.start, request.staff, request.party)
    if now_asked != (earlier.service_id, earlier.start, earlier.asked_staff_id, earlier.party):
        raise IdempotencyKeyReused
    return Hold(earlier.id, earlier.expires_at or earlier.start, earlier.staff_id)


def _digest(shop_id: int, key: str) -> bytes | None:
    """Return the keyed hash that is kept of an Idempotency-Key; the key itself is kept nowhere."""
    if not key:
        return None
    if not settings.IDEMPOTENCY_KEY:
        raise RuntimeError("There is no key for idempotency hashes: has the system been set up?")
    return hmac.digest(settings.IDEMPOTENCY_KEY, f"{shop_id}\0{key}".encode(), "sha256")


def _write(shop_id: int, asked: Asked, write: Callable[[], T], *, now: datetime) -> T:
    """Write; tell a loser the nearest free starts."""
    try:
        return _tried(shop_id, write)
    except SlotTaken:
        near = availability.nearest(
            shop_id, asked.service_id, asked.start, now=now, staff=asked.staff, party=asked.party
        )
        raise SlotTaken(nearest=near) from None


def _tried(shop_id: int, write: Callable[[], T]) -> T:
    for _ in range(TRIES):
        try:
            with write_in(shop_id):
                return write()
        except Overtaken:
            continue
    raise SlotTaken


def confirm(
    shop_id: int, hold_id: int, person_id: UUID, *, now: datetime, locale: str, consent: int | None
) -> Booking:
    """Make a hold a booking, with its jobs. The same again gives the same booking.

    `consent` is the version of the policy that was agreed to. Raises HoldExpired, BookingUnknown.
    """
    with write_in(shop_id):
        booking = _locked(hold_id)
        if booking.status == Status.CONFIRMED and booking.person_id == person_id:
            return booking
        if booking.status != Status.HELD:
            raise HoldExpired
        agreed: dict[str, Any] = {"consent": consent, "consent_at": now.astimezone(UTC).isoformat()}
        reminder = jobs.booked(booking, person_id, now=now)
        referee.confirm(
            hold_id, person_id, now=now, locale=locale, agreed=agreed, reminder_job=reminder, by=CUSTOMER
        )
        booking.status, booking.expires_at, booking.person_id = Status.CONFIRMED, None, person_id
        booking.locale, booking.reminder_job = locale, reminder
        booking.agreed |= agreed
        return booking


def release(shop_id: int, hold_id: int, *, now: datetime, by: Actor = CUSTOMER) -> None:
    """Let a hold go; nothing happens to what is a hold no more."""
    try:
        with write_in(shop_id):
            referee.end(hold_id, [Status.HELD], Status.RELEASED, now=now, by=by)
    except AlreadyCancelled:
        return


def expire(shop_id: int, hold_id: int, *, now: datetime) -> None:
    """End a hold whose time is over; nothing happens to any other."""
    try:
        with write_in(shop_id):
            referee.end(hold_id, [Status.HELD], Status.EXPIRED, now=now, by="system")
    except AlreadyCancelled:
        return


def cancel(shop_id: int, booking_id: int, *, now: datetime, by: Actor, reason: str = "") -> None:
    """Cancel: its time is free at once. `reason` is a code (a-z, 0-9, _), never a free text.

    Raises TooLateToCancel (customers), AlreadyCancelled, BookingUnknown.
    """
    with write_in(shop_id):
        booking = _locked(booking_id)
        if booking.status not in (Status.PENDING, Status.CONFIRMED):
            raise AlreadyCancelled
        if by == CUSTOMER and now > deadline(booking, "cancel"):
            raise TooLateToCancel
        referee.end(
            booking_id, [Status.PENDING, Status.CONFIRMED], Status.CANCELLED, now=now, by=by, why=reason
        )
        jobs.cancelled(booking)


def move(
    shop_id: int,
    booking_id: int,
    start: datetime,
    staff: int | None,
    *,
    now: datetime,
    by: Actor,
    reason: str = "",
) -> Booking:
    """Move a booking; it may overlap itself. What was agreed stays, but for the fee of other staff.

    Raises what `hold` raises, and TooLateToChange (customers), AlreadyCancelled, BookingUnknown.
    """
    with shop(shop_id):
        before = _booking(booking_id)
    asked = Asked(before.service_id, start, staff, before.party, own=booking_id)

    def write() -> Booking:
        booking = _booking(booking_id)
        if booking.status not in (Status.PENDING, Status.CONFIRMED):
            raise AlreadyCancelled
        if by == CUSTOMER and now > deadline(booking, "change"):
            raise TooLateToChange
        decision = decide(asked, now=now)
        values = decision.values | {"agreed": _moved_agreement(booking, decision, staff)}
        rules = decision.known.rules
        referee.move(rules, booking_id, values, decision.claims, now=now, by=by, why=reason)
        # Jobs come after the booking in the order of locks, here as in cancel.
        moved = _booking(booking_id)
        moved.reminder_job = jobs.moved(moved, now=now)
        moved.save(update_fields=["reminder_job"])
        return moved

    return _write(shop_id, asked, write, now=now)


def block(
    shop_id: int,
    resource_id: int,
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    by: Actor,
    reason: str = "",
) -> int:
    """Close a resource for a while, over bookings too (they stay, and keep their claims). Gives its id."""
    with write_in(shop_id):
        rules = known().rules
        first, last = int(start.timestamp()) // 60, -(-int(end.timestamp()) // 60)
        claims = [
            Claim(each, rules.resources[each].stock, first, last, first, last)
            for each in _leaves(rules.resources, resource_id)
        ]
        values = {
            "resource_id": resource_id,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "kind": "block",
            "why": reason,
        }
        return referee.block(rules, values, claims, now=now, by=by)


def unblock(shop_id: int, block_id: int) -> None:
    """Open it again."""
    with write_in(shop_id):
        referee.unblock(block_id)


def reindex(shop_id: int, *, now: datetime) -> None:
    """Compute the sheets of stocks anew, from yesterday on: a stock that has changed has other planes."""
    since = now.date() - timedelta(days=1)
    with write_in(shop_id):
        for resource_id in sheets.stocks():
            referee.reindex(resource_id, since)


def deadline(booking: Booking, deed: str) -> datetime:
    """Return until when (included) a customer may "cancel" or "change": by the booking's own agreement."""
    start = int(booking.start.timestamp()) // 60
    seconds = policy.last_moment(known().rules, Deadline(**booking.agreed[deed]), start)
    return datetime.fromtimestamp(seconds, UTC)


def _moved_agreement(booking: Booking, decision: Decision, staff: int | None) -> dict[str, Any]:
    """指名 is priced when it is booked: with the same staff nothing changes."""
    if staff == booking.asked_staff_id:
        return {}
    fee = decision.known.terms.fees.get(staff, 0) if staff is not None else 0
    return {"fee": fee, "price": booking.agreed["price"] - booking.agreed["fee"] + fee}


def _leaves(resources: Any, resource_id: int) -> list[int]:
    parts = resources[resource_id].parts
    found = [leaf for part in parts for leaf in _leaves(resources, part)] if parts else [resource_id]
    return sorted(set(found))


def _locked(booking_id: int) -> Booking:
    """Return the row, locked: bookings come before sheets in the order of locks."""
    found = Booking.objects.select_for_update(no_key=True).filter(id=booking_id).first()
    if found is None:
        raise BookingUnknown
    return found


def _booking(booking_id: int) -> Booking:
    found = Booking.objects.filter(id=booking_id).first()
    if found is None:
        raise BookingUnknown
    return found
