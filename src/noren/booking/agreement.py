"""What was agreed when somebody booked, and what follows from it: deadlines and fees.

Kept with the booking, so that a later edit of service, price or policy leaves it alone.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from noren.booking.asked import Asked
from noren.booking.models import Attention, Booking, Event, Status
from noren.engine import policy
from noren.engine.model import Deadline
from noren.shops.rules import Known, known
from noren.shops.terms import fees_from


def of(house: Known, asked: Asked) -> dict[str, Any]:
    """Return what is agreed: a later edit of service, price or policy leaves the booking's own alone."""
    service, terms = house.rules.services[asked.service_id], house.terms
    own = terms.services[asked.service_id]
    fee = terms.staff_fees.get(asked.staff, 0) if asked.staff is not None else 0
    return {
        "price": own.price * asked.party * max(1, asked.nights) + fee,
        "unit_price": own.price,
        "fee": fee,
        "currency": terms.currency,
        "tax_rate": own.tax_rate,
        "minutes": service.minutes,
        "nights": asked.nights,
        "before": service.before,
        "after": service.after,
        "change": asdict(service.change),
        "cancel": asdict(service.cancel),
        "fees": {
            "tiers": [{"since": asdict(each.since), "percent": each.percent} for each in own.fees.tiers],
            "free_minutes": own.fees.free_minutes,
        },
        "check_in": asdict(own.check_in),
        "policy_version": terms.policy_version,
        "reminder_minutes": terms.reminder_minutes,
        "quiet": None if terms.quiet is None else [terms.quiet.begin, terms.quiet.end],
    }


def moved(booking: Booking, house: Known, staff: int | None) -> dict[str, Any]:
    """指名 is priced when it is booked: with the same staff nothing changes."""
    if staff == booking.asked_staff_id:
        return {}
    fee = house.terms.staff_fees.get(staff, 0) if staff is not None else 0
    return {"fee": fee, "price": booking.agreed["price"] - booking.agreed["fee"] + fee}


def unbound() -> dict[str, Any]:
    """Return what binds a customer whose time the shop has moved: she may cancel, and owes nothing."""
    free = asdict(Deadline())
    return {"change": free, "cancel": free, "fees": {"tiers": [], "free_minutes": 0}, "fee_floor": 0}


def is_free(booking: Booking) -> bool:
    """Say whether nothing that was agreed about cancelling binds yet, or any more: the shop has still to say
    yes, or it has moved the class and she has not said that she keeps it.
    """
    return booking.status == Status.PENDING or booking.attention == Attention.MOVED


def deadline(booking: Booking, deed: str) -> datetime:
    """Return until when (included) a customer may "cancel" or "change": by the booking's own agreement."""
    if is_free(booking):
        return booking.start
    start = int(booking.start.timestamp()) // 60
    seconds = policy.last_moment(known().rules, Deadline(**booking.agreed[deed]), start)
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Fee:
    """What cancelling costs: `fee` in the currency's smallest unit, rounded down."""

    fee_percent: int
    fee: int


NOTHING = Fee(0, 0)


def fee(booking: Booking, *, now: datetime) -> Fee:
    """Return what a customer owes who cancels now, by the booking's own agreement. Inside the shop.

    A move does not lower what was due when it was made; within the free minutes after booking nothing is due.
    Who has only asked owes nothing: nothing is agreed before the shop says yes.
    """
    return NOTHING if is_free(booking) else _once_agreed(booking, now)


def _booked_at(booking: Booking) -> datetime:
    """Return when she said yes: from then on the free minutes count. Of a hold, when it was made."""
    agreed_at = booking.agreed.get("consent_at")
    return booking.created_at if agreed_at is None else datetime.fromisoformat(agreed_at)


def _once_agreed(booking: Booking, now: datetime) -> Fee:
    start = int(booking.start.timestamp()) // 60
    fees = fees_from(booking.agreed["fees"])
    # The hold of an offer is older than the booking, by hours: what counts is when she said yes.
    booked = _booked_at(booking)
    times = {"booked": int(booked.timestamp()), "now": int(now.timestamp())}
    due = policy.fee_percent(known().rules, fees, start, **times)
    percent = max(due, booking.agreed.get("fee_floor", 0))
    return Fee(percent, booking.agreed["price"] * percent // 100)


def owed(booking: Booking, *, now: datetime) -> Fee:
    """Return what cancelling would cost now; of one that was cancelled, what it did cost. Inside the shop."""
    if booking.status in (Status.PENDING, Status.CONFIRMED):
        return fee(booking, now=now)
    ended = Event.objects.filter(booking_id=booking.id, what="cancelled").order_by("id").last()
    if ended is None:
        return NOTHING
    return Fee(ended.facts.get("fee_percent", 0), ended.facts.get("fee", 0))


@dataclass(frozen=True, slots=True)
class Step:
    """What cancelling costs after a moment; `since` None: now."""

    since: datetime | None
    cost: Fee


def steps(booking: Booking, *, now: datetime) -> tuple[Step, ...]:
    """Return what cancelling costs now and how that will change, by the booking's own agreement: of one that
    is only asked for, once it is agreed. Inside the shop.
    """
    rules, start = known().rules, int(booking.start.timestamp()) // 60
    fees = fees_from(booking.agreed["fees"])
    moments = {
        datetime.fromtimestamp(policy.last_moment(rules, each.since, start), UTC) for each in fees.tiers
    }
    if fees.free_minutes:
        moments.add(_booked_at(booking) + timedelta(minutes=fees.free_minutes))
    found = [Step(None, _once_agreed(booking, now))]
    for moment in sorted(each for each in moments if each >= now):
        cost = _once_agreed(booking, moment + timedelta(seconds=1))
        if cost != found[-1].cost:
            found.append(Step(moment, cost))
    return tuple(found)
