"""What cancelling costs, in words: now, and from which moment on more."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from noren.booking import agreement
from noren.booking.agreement import Fee, Step
from noren.booking.models import Booking, Status
from noren.booking.transact import of_id
from noren.shops.rules import known
from noren.shops.tenancy import shop as in_shop
from noren.shops.terms import Approval
from noren.web import wording
from noren.web.shopfront import Face


@dataclass(frozen=True, slots=True)
class Fees:
    """`now`: what it costs at this moment; `tiers`: a line each for now and for what comes (empty: nothing,
    ever). `asked`: that holds once the shop has said yes.
    """

    now: Fee
    tiers: tuple[str, ...]
    asked: bool


def of_booking(face: Face, booking_id: int, now: datetime) -> Fees:
    """By what was agreed when it was booked, or is about to be. Raises BookingUnknown."""
    with in_shop(face.id):
        return of(face, of_id(booking_id), now)


def of(face: Face, booking: Booking, now: datetime) -> Fees:
    """The same of a booking, or of one that nobody has made (`service_id` 0). Inside the shop."""
    steps, present = agreement.steps(booking, now=now), agreement.fee(booking, now=now)
    approval = Approval.NONE
    if booking.service_id:
        house = known().visit(booking.service_id, booking.also)
        approval = house.terms.services[booking.service_id].approval
    asked = booking.status == Status.PENDING or (
        booking.status == Status.HELD and approval is not Approval.NONE
    )
    ever = any(step.cost.fee_percent for step in steps)
    return Fees(present, tuple(_line(face, step) for step in steps) if ever else (), asked)


def cancel_until(face: Face, booking_id: int) -> datetime:
    """The last moment at which the customer may cancel, as it was agreed. Raises BookingUnknown."""
    with in_shop(face.id):
        return agreement.deadline(of_id(booking_id), "cancel").astimezone(face.zone)


@dataclass(frozen=True, slots=True)
class Moved:
    """What would be agreed of a booking at another time: `floor` is what was due before, and does not become
    less; until when she may cancel and change, in the shop's zone.
    """

    price: int
    fees: Fees
    floor: Fee
    cancel_until: datetime
    change_until: datetime


def if_moved(face: Face, booking_id: int, start: datetime, staff: int | None, *, now: datetime) -> Moved:
    """By what was agreed when it was booked. Changes nothing. Raises BookingUnknown."""
    with in_shop(face.id):
        booking = of_id(booking_id)
        house = known().visit(booking.service_id, booking.also)
        floor, agreed = agreement.fee(booking, now=now), agreement.moved(booking, house, staff)
        agreed = agreement.floored(booking, agreed, now=now)
        booking.start, booking.attention = start, ""
        booking.agreed |= agreed
        cancel, change = (
            agreement.deadline(booking, deed).astimezone(face.zone) for deed in ("cancel", "change")
        )
        return Moved(booking.agreed["price"], of(face, booking, now), floor, cancel, change)


def _line(face: Face, step: Step) -> str:
    if step.since is None:
        return _("Now: %(cost)s") % {"cost": cost(step.cost)}
    at = step.since.astimezone(face.zone)
    when = f"{wording.day(at)} {wording.clock(at)}"
    return _("After %(when)s: %(cost)s") % {"when": when, "cost": cost(step.cost)}


def cost(fee: Fee) -> str:
    """50 % (2,750円), or that it is free."""
    if not fee.fee_percent:
        return _("free of charge")
    return _("%(percent)d %% of the price (%(amount)s)") % {
        "percent": fee.fee_percent,
        "amount": wording.yen(fee.fee),
    }
