"""The deeds of a booking: hold, confirm, release, cancel, move. Each is one transaction and one SQL call.

The engine decides on what it reads, the function rechecks what can race; who was overtaken reads again and
decides again, three times at most. There is no vault in here.
"""

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings

from noren.booking import agreement, asked, jobs, persons, referee, sheets, usage
from noren.booking.asked import Asked
from noren.booking.decide import Decision, decide
from noren.booking.models import STANDING, Attention, Booking, Event, Status
from noren.booking.referee import KeyInUse
from noren.booking.transact import (
    CUSTOMER,
    Actor,
    attempt,
    by_staff,
    locked,
    may_insist,
    note,
    of_id,
)
from noren.engine.model import LimitOf, ShopRules
from noren.errors import (
    AlreadyCancelled,
    HoldExpired,
    IdempotencyKeyReused,
    NorenError,
    SlotTaken,
    TooLateToCancel,
    TooLateToChange,
)
from noren.shops.rules import Known, known
from noren.shops.tenancy import shop, write_in
from noren.shops.terms import Approval
from noren.shops.trip import read_in

_OF_KEY = "SELECT 1 FROM booking_booking WHERE shop_id = $1::bigint AND idempotency = $2::bytea"
NOTHING_MORE: Mapping[str, Any] = MappingProxyType({})
OPEN = (Status.PENDING, Status.CONFIRMED)
"""What can still be moved and cancelled."""


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """`key` names the wish: the same one again gives the same hold, whatever happened to the first answer.

    `nights` of a stay; `person` where she is known; `override` is the reason (a code) for which staff insist.
    `until`: how long it is kept, where that is not the shop's usual time; `since`, `also`: see asked.Asked.
    `walk_in`: she stands at the desk; staff alone. Neither hours nor grid, notice or limits bind, but what
    somebody else has is not hers.
    """

    service_id: int
    start: datetime
    staff: int | None
    party: int
    key: str = ""
    nights: int = 0
    person: UUID | None = None
    override: str = ""
    until: datetime | None = None
    since: datetime | None = None
    also: tuple[int, ...] = ()
    walk_in: bool = False

    def asked(self, by: Actor) -> Asked:
        return Asked(
            self.service_id,
            self.start,
            self.staff,
            self.party,
            nights=self.nights,
            person=self.person,
            since=self.since,
            over=bool(self.override) or self.walk_in,
            course=by_staff(by),
            also=self.also,
            desk=by.startswith("staff:"),
            walk_in=self.walk_in,
        )


@dataclass(frozen=True, slots=True)
class Hold:
    id: int
    expires_at: datetime
    staff_id: int | None


def hold(shop_id: int, request: HoldRequest, *, now: datetime, by: Actor = CUSTOMER) -> Hold:
    """Keep a slot while a form is filled.

    Raises SlotTaken (facts: nearest), LimitReached, InThePast, TooLate, OutsideHorizon, NotOffered,
    PartyTooLarge, NightsNotOffered, NotTogether, ServiceUnknown, IdempotencyKeyReused.
    """
    may_insist(request.override or ("walk_in" if request.walk_in else ""), by)
    wanted = request.asked(by)
    digest = digest_of(shop_id, request.key)

    def write() -> Hold:
        return write_hold(request, decide(wanted, now=now), now=now, by=by, idempotency=digest)

    for _ in range(2):
        try:
            return attempt(shop_id, wanted, write, now=now)
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


def write_hold(
    request: HoldRequest,
    decision: Decision,
    *,
    now: datetime,
    by: Actor,
    idempotency: bytes | None = None,
    series: int | None = None,
) -> Hold:
    """Write a hold as it was decided, and the job that ends it. `series`: its series' id, 0 for the first of
    one. Raises what `referee.hold` does.
    """
    expires_at = request.until or now + timedelta(minutes=decision.known.terms.hold_minutes)
    values = decision.values | {"expires_at": expires_at.astimezone(UTC).isoformat(), "series_id": series}
    booking_id = referee.hold(
        decision.known.rules,
        values,
        decision.claims,
        decision.limits,
        now=now,
        idempotency=idempotency,
        by=by,
        over=request.override,
    )
    jobs.expire(booking_id, expires_at)
    return Hold(booking_id, expires_at, values["staff_id"])


def of_key(shop_id: int, key: str, *, now: datetime) -> Booking | None:
    """Return the booking (or hold) that was made with this key. A hold whose time is over is ended first."""
    digest = digest_of(shop_id, key)
    if digest is None:
        return None
    # Most who come with a key come for the first time: that is seen with one look.
    if not read_in(shop_id, _OF_KEY, [shop_id, digest]):
        return None
    with shop(shop_id):
        found = Booking.objects.filter(idempotency=digest).first()
    if found is None or found.expires_at is None or found.expires_at > now:
        return found
    # Its own job may end it at the same moment: then it has ended all the same.
    expire(shop_id, found.id, now=now)
    return None


def _same(earlier: Booking, request: HoldRequest) -> Hold:
    # By timestamp: in a doubled hour two zones' names of one instant are never equal (PEP 495).
    now_asked = (request.service_id, request.start.timestamp(), request.staff, request.party, request.nights)
    before = (earlier.service_id, earlier.start.timestamp(), earlier.asked_staff_id, earlier.party)
    other = now_asked != (*before, earlier.agreed["nights"]) or set(request.also) != set(earlier.also)
    if earlier.series_id is not None or other:
        raise IdempotencyKeyReused
    return Hold(earlier.id, earlier.expires_at or earlier.start, earlier.staff_id)


def digest_of(shop_id: int, key: str) -> bytes | None:
    """Return the keyed hash that is kept of an Idempotency-Key; the key itself is kept nowhere."""
    if not key:
        return None
    if not settings.IDEMPOTENCY_KEY:
        raise RuntimeError("There is no key for idempotency hashes: has the system been set up?")
    return hmac.digest(settings.IDEMPOTENCY_KEY, f"{shop_id}\0{key}".encode(), "sha256")


def confirm(
    shop_id: int,
    hold_id: int,
    person_id: UUID,
    *,
    now: datetime,
    locale: str,
    consent: int | None,
    said: Mapping[str, Any] = NOTHING_MORE,
    by: Actor = CUSTOMER,
) -> Booking:
    """Make a hold a booking, with its jobs; a pending one where the shop approves what customers ask.

    The same again gives the same booking. `consent` is the version of the policy that was agreed to, `said`
    what stays of her answers (said.Checked.agreed). Raises HoldExpired, LimitReached, BookingUnknown.
    """
    with write_in(shop_id):
        return write_confirm(hold_id, person_id, now=now, locale=locale, consent=consent, said=said, by=by)


def write_confirm(
    hold_id: int,
    person_id: UUID,
    *,
    now: datetime,
    locale: str,
    consent: int | None,
    said: Mapping[str, Any] = NOTHING_MORE,
    by: Actor,
    told: bool = True,
) -> Booking:
    """Confirm inside the shop's transaction. Not `told`: the caller writes the mail (jobs.told)."""
    booking = locked(hold_id)
    person_id = persons.standing_for(person_id, booking=hold_id)
    if booking.status in (Status.CONFIRMED, Status.PENDING) and booking.person_id == person_id:
        return booking
    if booking.status != Status.HELD:
        raise HoldExpired
    house = known().visit(booking.service_id, booking.also)
    status, takes = _approval(house, booking, by)
    agreed: dict[str, Any] = {"consent": consent, "consent_at": now.astimezone(UTC).isoformat(), **said}
    booking.locale, booking.person_id = locale, person_id
    if status == Status.PENDING:
        jobs.asked(booking, person_id, told=told)
    else:
        booking.reminder_job = jobs.booked(booking, person_id, now=now, told=told)
    referee.confirm(
        hold_id,
        person_id,
        now=now,
        locale=locale,
        agreed=agreed,
        limits=of_customer(house.rules, booking, person_id),
        reminder_job=booking.reminder_job,
        status=status,
        takes=takes,
        by=by,
    )
    booking.status, booking.takes, booking.expires_at = status, takes, None
    booking.agreed |= agreed
    if not takes:
        jobs.freed(booking.start, booking.end)
    return booking


def _approval(house: Known, booking: Booking, by: Actor) -> tuple[Status, bool]:
    """Return the status of a new booking and whether it takes capacity. What staff book needs no approval."""
    approval = house.terms.services[booking.service_id].approval
    if by_staff(by) or approval is Approval.NONE:
        return Status.CONFIRMED, True
    return Status.PENDING, approval is Approval.KEEPS


def of_customer(rules: ShopRules, booking: Booking, person: UUID) -> list[dict[str, Any]]:
    """Return the limits of a customer, who is known only now; staff who have insisted ask for none."""
    start, end = (int(each.timestamp()) // 60 for each in (booking.start, booking.end))
    service = rules.services[booking.service_id]
    limits = usage.checks(rules, service, start, end, person=person, of=[LimitOf.CUSTOMER])
    if limits and Event.objects.filter(booking_id=booking.id, what="held_over").exists():
        return []
    return limits


def release(shop_id: int, hold_id: int, *, now: datetime, by: Actor = CUSTOMER) -> None:
    """Let a hold go; nothing happens to what is a hold no more."""
    try:
        with write_in(shop_id):
            referee.end(hold_id, [Status.HELD], Status.RELEASED, now=now, by=by)
            _free(hold_id)
    except AlreadyCancelled:
        return


def expire(shop_id: int, hold_id: int, *, now: datetime) -> None:
    """End a hold whose time is over; nothing happens to any other."""
    try:
        with write_in(shop_id):
            referee.end(hold_id, [Status.HELD], Status.EXPIRED, now=now, by="system")
            _free(hold_id)
    except AlreadyCancelled:
        # Who needed a part of its time may have swept it: then the rest of it is free.
        with shop(shop_id):
            if of_id(hold_id).status == Status.EXPIRED:
                _free(hold_id)


def _free(booking_id: int) -> None:
    ended = of_id(booking_id)
    jobs.freed(ended.start, ended.end)


def cancel(
    shop_id: int, booking_id: int, *, now: datetime, by: Actor, reason: str = "", told: bool = True
) -> None:
    """Cancel: its time is free at once. `reason` is a code (a-z, 0-9, _), never a free text. Not `told`: she
    has heard it from staff.

    What a customer owes for it is kept in its history; for what the shop cancels nobody owes anything. Raises
    TooLateToCancel (customers), AlreadyCancelled, BookingUnknown.
    """
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status not in OPEN:
            raise AlreadyCancelled
        if by == CUSTOMER and now > agreement.deadline(booking, "cancel"):
            raise TooLateToCancel
        write_cancel(booking, now=now, by=by, why=reason, told=told)


def write_cancel(booking: Booking, *, now: datetime, by: Actor, why: str, told: bool = True) -> None:
    """Cancel inside the shop's transaction, and tell her. Not `told`: somebody tells her otherwise."""
    cost = agreement.fee(booking, now=now) if by == CUSTOMER else agreement.NOTHING
    referee.end(booking.id, OPEN, Status.CANCELLED, now=now, by=by, why=why, facts=asdict(cost))
    jobs.ended(booking, "cancelled", told=told)


def move(
    shop_id: int,
    booking_id: int,
    start: datetime,
    staff: int | None,
    *,
    now: datetime,
    by: Actor,
    reason: str = "",
    override: str = "",
    told: bool = True,
    asks: bool = True,
) -> Booking:
    """Move a booking; it may overlap itself. What was agreed stays, but for the fee of other staff.

    Where it stands there already nothing happens: who presses twice is told once. `override` is the reason
    for which staff insist on a time that is not offered. Not `asks`: the desk says who serves, which is no
    asking for her; whom she had asked for she keeps asking for. Raises what `hold` raises, and
    TooLateToChange (customers), AlreadyCancelled, BookingUnknown.
    """
    may_insist(override, by)
    with shop(shop_id):
        before = of_id(booking_id)
    desk = by.startswith("staff:")
    wanted = asked.again(before, start, staff, over=bool(override), course=by_staff(by), desk=desk)

    def write() -> Booking:
        booking = of_id(booking_id)
        if booking.status not in OPEN:
            raise AlreadyCancelled
        as_now = booking.asked_staff_id if asks else booking.staff_id
        if (booking.start, as_now, booking.attention) == (start, staff, ""):
            return booking
        if by == CUSTOMER and now > agreement.deadline(booking, "change"):
            raise TooLateToChange
        decision = decide(wanted, now=now)
        whom = staff if asks or staff == booking.asked_staff_id else None
        decision.values["asked_staff_id"] = whom
        agreed = agreement.moved(booking, decision.known, whom)
        if by == CUSTOMER:
            agreed = agreement.floored(booking, agreed, now=now)
        said: dict[str, Any] = {"why": override or reason, "over": bool(override), "told": told}
        return write_move(booking, decision, agreed, now=now, by=by, **said)

    return attempt(shop_id, wanted, write, now=now)


def write_move(
    booking: Booking,
    decision: Decision,
    agreed: dict[str, Any],
    *,
    now: datetime,
    by: Actor,
    why: str = "",
    over: bool = False,
    kind: str = "moved",
    told: bool = True,
) -> Booking:
    """Move as it was decided, inside the shop's transaction. A pending one keeps taking what it took.

    `kind` is the mail that tells her, none where it is empty; not `told`: staff have said it themselves.
    """
    agreed = agreement.retimed(booking, agreed, decision.known)
    values = decision.values | {"agreed": agreed, "takes": booking.takes, "changes": booking.changes}
    claims, limits = (decision.claims, decision.limits) if booking.takes else ((), ())
    rules = decision.known.rules
    referee.move(rules, booking.id, OPEN, values, claims, limits=limits, now=now, by=by, why=why, over=over)
    # Jobs come after the booking in the order of locks, here as in cancel.
    moved = of_id(booking.id)
    moved.reminder_job = jobs.moved(moved, now=now, kind=kind, told=told)
    moved.save(update_fields=["reminder_job"])
    jobs.freed(booking.start, booking.end)
    return moved


def keep(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> None:
    """Somebody has looked: the booking stays as it is. A customer answers what is hers to answer, a class
    that was moved: from then on what was agreed binds again. Raises AlreadyCancelled, BookingUnknown.
    """
    with write_in(shop_id):
        booking = locked(booking_id)
        if booking.status not in STANDING:
            raise AlreadyCancelled
        if booking.attention and (by != CUSTOMER or booking.attention == Attention.MOVED):
            Booking.objects.filter(id=booking_id).update(attention="")
            note(booking_id, "kept", now=now, by=by, why=booking.attention)


def reindex(shop_id: int, *, now: datetime) -> None:
    """Compute the sheets of stocks anew, from yesterday on: a stock that has changed has other planes."""
    since = now.date() - timedelta(days=1)
    with write_in(shop_id):
        for resource_id in sheets.stocks():
            referee.reindex(resource_id, since)
