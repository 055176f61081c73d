"""What happened to a booking, as values: when, who, what, why. The words are the pages'."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from noren.booking.models import Event
from noren.shops.tenancy import shop


class What(StrEnum):
    """The codes of `Event.what`."""

    HELD = "held"
    HELD_OVER = "held_over"
    """Staff have insisted on a time that was not offered."""
    ASKED = "asked"
    CONFIRMED = "confirmed"
    APPROVED = "approved"
    DECLINED = "declined"
    MOVED = "moved"
    SESSION_MOVED = "session_moved"
    CHECKED_IN = "checked_in"
    NOT_HERE = "not_here"
    """She had been checked in by mistake."""
    CHECKED_OUT = "checked_out"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    RELEASED = "released"
    EXPIRED = "expired"
    KEPT = "kept"
    TOUCHED = "touched"
    """A change of rules or a block concerns it."""
    FITS_AGAIN = "fits_again"
    SERIES = "series"
    LATE = "late"
    """She has said that she is running late, or that she is not after all."""
    EXTENDED = "extended"
    """It takes longer, or (why: undone) no longer does."""
    DELAYED = "delayed"
    """Her customer was told that she has to wait."""
    CHOOSE = "choose"
    """Who serves is away: her customer was asked to choose another time."""
    RELINKED = "relinked"
    """Its link was made invalid, and a new one mailed."""
    INSTEAD = "instead"
    """Somebody else comes."""
    SETTLED = "settled"
    """What was paid in the end, and how."""
    CALLED = "called"
    """Staff have told her by phone what no mail could."""
    NOT_CALLED = "not_called"
    """They had not, after all."""
    MOVED_IN = "moved_in"
    """It came in with a list from another system."""


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where: instants, and resources who serve."""

    start: datetime
    to: datetime
    staff: int | None
    to_staff: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """`by` is customer, api, system or staff:<handle>; `what` and `why` are codes. `over`: staff insisted.

    `fee` in the currency's smallest unit, where one was due (`fee_percent` of the price).
    """

    at: datetime
    by: str
    what: str
    why: str
    move: Move | None
    over: bool
    fee_percent: int
    fee: int
    late: int
    """By how many minutes, of who says so; 0: on time after all."""
    paid: tuple[int, str] | None = None
    """The final price, and the code of how it was paid."""


def of(shop_id: int, booking_id: int) -> list[Change]:
    """Return the changes of a booking, the oldest first. One query."""
    with shop(shop_id):
        return [_change(row) for row in Event.objects.filter(booking_id=booking_id).order_by("at", "id")]


def _change(row: Event) -> Change:
    facts: dict[str, Any] = row.facts
    return Change(
        at=row.at,
        by=row.by,
        what=row.what,
        why=row.why,
        move=_move(facts) if row.what in (What.MOVED, What.SESSION_MOVED) else None,
        over=row.what == What.HELD_OVER or (row.what == What.MOVED and bool(facts.get("over"))),
        fee_percent=facts.get("fee_percent", 0),
        fee=facts.get("fee", 0),
        late=facts.get("minutes", 0) if row.what in (What.LATE, What.DELAYED) else 0,
        paid=(facts["price"], facts["method"]) if row.what == What.SETTLED else None,
    )


def _move(facts: dict[str, Any]) -> Move:
    start, to = (datetime.fromisoformat(facts[end]) for end in ("from", "to"))
    return Move(start, to, facts["from_staff"], facts["to_staff"])
