"""What was agreed when somebody booked, and what follows from it: deadlines and fees.

Kept with the booking, so that a later edit of service, price or policy leaves it alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from noren.booking import reminder
from noren.booking.asked import Asked
from noren.booking.models import Attention, Booking, Event, Status
from noren.engine import policy
from noren.engine.model import Deadline, Part, Service
from noren.shops.rules import Known, known
from noren.shops.terms import ServiceTerms, fees_from


def of(house: Known, asked: Asked) -> dict[str, Any]:
    """Return what is agreed: a later edit of service, price or policy leaves the booking's own alone.

    Of a visit (`house` has it in the service's place) also what is agreed of each of its parts.
    """
    service, terms = house.rules.services[asked.service_id], house.terms
    own = terms.services[asked.service_id]
    fee = terms.staff_fees.get(asked.staff, 0) if asked.staff is not None else 0
    return {
        "price": own.unit_price(asked.staff) * asked.party * max(1, asked.nights) + fee,
        "unit_price": own.unit_price(asked.staff),
        **({"own_price": extra} if (extra := own.surcharge(asked.staff)) else {}),
        "fee": fee,
        "currency": terms.currency,
        "tax_rate": own.tax_rate,
        "minutes": service.minutes,
        "nights": asked.nights,
        "before": service.before,
        "after": service.after,
        **_binding(service.stretches[0].service, own),
        "check_in": asdict(own.check_in),
        **({"visitors": own.visitors} if own.visitors else {}),
        "policy_version": terms.policy_version,
        **reminder.agreed(terms),
        **_parts(service, own, asked, fee),
    }


def _binding(service: Service, own: ServiceTerms) -> dict[str, Any]:
    return {
        "change": asdict(service.change),
        "cancel": asdict(service.cancel),
        "fees": {
            "tiers": [{"since": asdict(each.since), "percent": each.percent} for each in own.fees.tiers],
            "free_minutes": own.fees.free_minutes,
        },
    }


def _parts(service: Service, whole: ServiceTerms, asked: Asked, fee: int) -> dict[str, Any]:
    """Return what is agreed of each part of a visit; 指名料 stands with the first."""
    parts = [
        {
            "service": part.service.id,
            **_placed(part),
            "price": own.unit_price(asked.staff) * asked.party + (0 if number else fee),
            "unit_price": own.unit_price(asked.staff),
            "tax_rate": own.tax_rate,
            **_binding(part.service, own),
        }
        for number, (part, own) in enumerate(zip(service.parts, whole.parts, strict=True))
    ]
    return {"parts": parts} if parts else {}


def _placed(part: Part) -> dict[str, int]:
    return {"offset": part.offset, "minutes": part.service.minutes}


def moved(booking: Booking, house: Known, staff: int | None) -> dict[str, Any]:
    """指名 is priced when it is booked: with the same staff nothing changes."""
    if staff == booking.asked_staff_id:
        return {}
    fee = house.terms.staff_fees.get(staff, 0) if staff is not None else 0
    terms = house.terms.services.get(booking.service_id)
    extra = 0 if terms is None else terms.surcharge(staff)
    each = extra - booking.agreed.get("own_price", 0)
    more = fee - booking.agreed["fee"] + each * booking.party * max(1, booking.agreed.get("nights", 0))
    first = [{**part, "price": part["price"] + more} for part in booking.parts[:1]]
    parts = {"parts": first + booking.parts[1:]} if first else {}
    own = {"own_price": extra, "unit_price": booking.agreed["unit_price"] + each} if each else {}
    return {"fee": fee, "price": booking.agreed["price"] + more, **own, **parts}


def floored(booking: Booking, agreed: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return what a move agrees anew, with what was due when it was made: that does not become less."""
    parts = agreed.get("parts") or booking.parts
    if not parts:
        return {**agreed, "fee_floor": fee(booking, now=now).fee_percent}
    percents = [0] * len(parts) if is_free(booking) else [each for _, each in _percents(booking, now)]
    return {
        **agreed,
        "parts": [{**part, "fee_floor": each} for part, each in zip(parts, percents, strict=True)],
    }


def retimed(booking: Booking, agreed: dict[str, Any], house: Known) -> dict[str, Any]:
    """Return what a move agrees anew; the parts of a visit take as long as they do now, in today's order."""
    parts = {part["service"]: part for part in agreed.get("parts") or booking.parts}
    if not parts:
        return agreed
    now = house.rules.services[booking.service_id].parts
    return {**agreed, "parts": [{**parts[part.service.id], **_placed(part)} for part in now]}


def unbound(booking: Booking) -> dict[str, Any]:
    """Return what binds a customer whose time the shop has moved: she may cancel, and owes nothing."""
    free = asdict(Deadline())
    none = {"change": free, "cancel": free, "fees": {"tiers": [], "free_minutes": 0}, "fee_floor": 0}
    parts = [{**part, **none} for part in booking.parts]
    return {**none, **({"parts": parts} if parts else {})}


def is_free(booking: Booking) -> bool:
    """Say whether nothing that was agreed about cancelling binds yet, or any more: the shop has still to say
    yes, or it has moved the class and she has not said that she keeps it.
    """
    return booking.status == Status.PENDING or booking.attention == Attention.MOVED


def deadline(booking: Booking, deed: str) -> datetime:
    """Return until when (included) a customer may "cancel" or "change": by the booking's own agreement."""
    if is_free(booking):
        return booking.start
    start, rules = int(booking.start.timestamp()) // 60, known().rules
    deadlines = [Deadline(**part[deed]) for part in _each(booking)]
    return datetime.fromtimestamp(min(policy.last_moment(rules, each, start) for each in deadlines), UTC)


def _each(booking: Booking) -> Sequence[Mapping[str, Any]]:
    """Return what was agreed of each part; of what is no visit, as of its only one."""
    return booking.parts or [booking.agreed]


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
    """Return the sum of what each part costs; where these differ the percentage is that of the whole price,
    rounded up.
    """
    found = _percents(booking, now)
    owed, price = sum(price * percent // 100 for price, percent in found), booking.agreed["price"]
    percents = {percent for _, percent in found}
    return Fee(percents.pop() if len(percents) == 1 else -(-owed * 100 // max(1, price)), owed)


def _percents(booking: Booking, now: datetime) -> list[tuple[int, int]]:
    """Return of each part its price and how much of it is due."""
    start, rules = int(booking.start.timestamp()) // 60, known().rules
    # The hold of an offer is older than the booking, by hours: what counts is when she said yes.
    booked = _booked_at(booking)
    times = {"booked": int(booked.timestamp()), "now": int(now.timestamp())}
    due = (policy.fee_percent(rules, fees_from(part["fees"]), start, **times) for part in _each(booking))
    return [
        (part["price"], max(each, part.get("fee_floor", 0)))
        for part, each in zip(_each(booking), due, strict=True)
    ]


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
    policies = [fees_from(part["fees"]) for part in _each(booking)]
    moments = {
        datetime.fromtimestamp(policy.last_moment(rules, each.since, start), UTC)
        for fees in policies
        for each in fees.tiers
    }
    moments |= {
        _booked_at(booking) + timedelta(minutes=each.free_minutes) for each in policies if each.free_minutes
    }
    found = [Step(None, _once_agreed(booking, now))]
    for moment in sorted(each for each in moments if each >= now):
        cost = _once_agreed(booking, moment + timedelta(seconds=1))
        if cost != found[-1].cost:
            found.append(Step(moment, cost))
    return tuple(found)
