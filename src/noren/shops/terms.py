"""What else is agreed when somebody books, and how a shop treats a booking: beside the rules of time.

Money is in the currency's smallest unit, tax included; minutes of a day are wall time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from noren.engine.model import Deadline, FeePolicy, FeeTier, ShopRules
from noren.engine.quiet import Quiet
from noren.shops.questions import Asking, asking, together

Plain = Mapping[str, Any]


class Approval(StrEnum):
    """What a booking waits for, and whether its time is kept meanwhile."""

    NONE = ""
    KEEPS = "keeps"
    FREE = "free"


class Visitors(StrEnum):
    """Whom a service is for. It is her own word, and of who is known the history's."""

    ALL = ""
    FIRST = "first"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Minimum:
    """A date of a class with fewer seats booked at its deadline does not take place."""

    seats: int
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class CheckIn:
    """From `opens_minutes` before the start; `release_minutes` after it the time is free (None: never)."""

    opens_minutes: int = 60
    release_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class WaitingRule:
    """A place is kept `hours` for who waits, offered until `stop_minutes` before the start.

    `pass_over`: where the first party is too large for what is free, the next is asked.
    """

    hours: int = 4
    stop_minutes: int = 20
    pass_over: bool = False


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    price: int
    tax_rate: int
    timetable: Sequence[Plain]
    course: bool
    approval: Approval
    fees: FeePolicy
    check_in: CheckIn
    minimum: Minimum | None
    waiting: WaitingRule | None
    asks: Asking
    series: int = 1
    """How many dates a customer may book at once."""
    parts: tuple["ServiceTerms", ...] = ()
    """Of a visit, in its order."""
    more: Mapping[int, int] = field(default_factory=dict)
    """By staff: how much more (or less) each costs who is asked for, where that differs."""
    visitors: Visitors = Visitors.ALL

    def unit_price(self, staff: int | None) -> int:
        """Return the price for each when she is asked for; None: nobody is."""
        return self.price + self.surcharge(staff)

    def surcharge(self, staff: int | None) -> int:
        """Return what her own price adds to the service's; of a visit of all its parts."""
        parts = self.parts or (self,)
        return 0 if staff is None else sum(each.more.get(staff, 0) for each in parts)


@dataclass(frozen=True, slots=True)
class Terms:
    """`staff_fees`: 指名料 by staff."""

    currency: str
    policy_version: int
    hold_minutes: int
    reminders: tuple[int, ...]
    """How many minutes before a start, the longest first."""
    thanks_hours: int
    quiet: Quiet | None
    told_at_once: frozenset[str]
    """Of what somebody of the team wants a mail at once."""
    services: Mapping[int, ServiceTerms]
    staff_fees: Mapping[int, int]


def terms_from(rows: Mapping[str, Any]) -> Terms:
    """Build the terms from rows in their plain form (rules.py)."""
    shop, quiet = rows["shop"], rows["shop"]["quiet"]
    return Terms(
        currency=shop["currency"],
        policy_version=shop["policy_version"],
        hold_minutes=shop["hold_minutes"],
        reminders=reminders_of(shop["reminder_minutes"], *shop["more_reminders"]),
        thanks_hours=shop["thanks_hours"],
        told_at_once=frozenset(shop["told_at_once"]),
        quiet=Quiet(quiet["from"], quiet["to"]) if quiet else None,
        services={row["id"]: _service(row, shop) for row in rows["services"]},
        staff_fees={row["id"]: row["fee"] for row in rows["staff"]},
    )


def reminders_of(*minutes: int) -> tuple[int, ...]:
    """Return the reminders that are some, each once, the longest first."""
    return tuple(sorted({each for each in minutes if each > 0}, reverse=True))


def visit_terms(terms: Terms, service_id: int, rules: ShopRules) -> Terms:
    """Return the terms with those of a visit in the place of the service's: its price is the sum, the shop
    approves it where it approves one of its parts, and nobody waits for it. What cancelling costs, and until
    when it may be, is each part's own (booking.agreement).
    """
    parts = tuple(terms.services[part.service.id] for part in rules.services[service_id].parts)
    approvals = {each.approval for each in parts}
    visit = replace(
        parts[0],
        price=sum(each.price for each in parts),
        approval=next((each for each in (Approval.KEEPS, Approval.FREE) if each in approvals), Approval.NONE),
        visitors=next((each.visitors for each in parts if each.visitors), Visitors.ALL),
        timetable=(),
        course=False,
        minimum=None,
        waiting=None,
        asks=together([each.asks for each in parts]),
        parts=parts,
    )
    return replace(terms, services={**terms.services, service_id: visit})


def fees_from(plain: Plain) -> FeePolicy:
    """Read what cancelling costs, of a service or as a booking has agreed to it."""
    tiers = (FeeTier(Deadline(**each["since"]), each["percent"]) for each in plain.get("tiers", ()))
    return FeePolicy(tuple(tiers), plain.get("free_minutes", 0))


def _service(row: Plain, shop: Plain) -> ServiceTerms:
    minimum = row["minimum"]
    return ServiceTerms(
        price=row["price"],
        tax_rate=row["tax_rate"],
        timetable=row["timetable"],
        course=row["course"],
        approval=Approval(row["approval"]),
        fees=fees_from(row["fees"]),
        check_in=CheckIn(**row["check_in"]),
        minimum=Minimum(minimum["seats"], Deadline(**minimum["deadline"])) if minimum else None,
        waiting=WaitingRule(**row["waiting"]) if row["waiting"] else None,
        series=row["series"].get("most", 1),
        asks=asking(shop, row),
        more={each["staff"]: each["price"] - row["price"] for each in row["by_staff"] if "price" in each},
        visitors=Visitors(row["visitors"]),
    )
