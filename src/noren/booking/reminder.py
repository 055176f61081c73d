"""When a customer is reminded, and thanked: as was agreed, and not in the shop's quiet hours.

What falls into them goes out before they begin; where that is past already, once they are over, if that is
still before the start. By the quiet hours as they were when it was booked, like all that was agreed, or when
the shop last had its reminders planned anew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from noren.booking.models import Booking
from noren.engine import quiet
from noren.engine.quiet import Quiet
from noren.shops.terms import Terms

AGREED: Final = ("reminder_minutes", "more_reminders", "thanks_hours", "quiet")
"""What a booking keeps of when its mails go."""


@dataclass(frozen=True, slots=True)
class Step:
    """A mail that goes by the clock. `before`: of a reminder, so many minutes before the start."""

    kind: str
    at: datetime
    before: int | None = None


def agreed(terms: Terms) -> dict[str, Any]:
    """Return what a booking keeps of when its mails go, as the shop says now."""
    first, *more = terms.reminders or (0,)
    return {
        "reminder_minutes": first,
        "quiet": None if terms.quiet is None else [terms.quiet.begin, terms.quiet.end],
        **({"more_reminders": more} if more else {}),
        **({"thanks_hours": terms.thanks_hours} if terms.thanks_hours else {}),
    }


def leads(booking: Booking) -> tuple[int, ...]:
    """Return how many minutes before its start she is reminded, the longest first."""
    first: int = booking.agreed["reminder_minutes"]
    more: list[int] = booking.agreed.get("more_reminders", [])
    return (first, *more) if first else ()


def first(booking: Booking) -> int:
    return next(iter(leads(booking)), 0)


def following(booking: Booking, *, now: datetime, after: int | None = None) -> Step | None:
    """Return the next mail that goes by the clock; `after` a reminder so many minutes before the start.

    Two that quiet hours would bring together are one.
    """
    gone = None if after is None else earliest(booking, after)
    for lead in leads(booking):
        if after is not None and (lead >= after or earliest(booking, lead) == gone):
            continue
        due = at(booking, now=now, before=lead)
        if due is not None:
            return Step("reminder", due, lead)
    thanks = thanked_at(booking)
    return None if thanks is None or thanks <= now else Step("thanks", thanks)


def at(booking: Booking, *, now: datetime, before: int | None = None) -> datetime | None:
    """Return when she is to be reminded; None where there is no time left for it, or no reminder."""
    wished = _wished(booking, before)
    if wished is None or wished <= now:
        return None
    early = earliest(booking, before)
    if early > now:
        return early
    late = _moment(quiet.awake(booking.zone, _quiet(booking), int(wished.timestamp())))
    return late if now < late < booking.start else None


def earliest(booking: Booking, before: int | None = None) -> datetime:
    """Return the moment before which nobody is reminded of it; `before` None: by the first reminder."""
    wished = _wished(booking, before)
    if wished is None:
        return booking.start
    return _moment(quiet.before(booking.zone, _quiet(booking), int(wished.timestamp())))


def thanked_at(booking: Booking) -> datetime | None:
    """Return when she is thanked for her visit, once quiet hours are over; None: she is not."""
    hours: int = booking.agreed.get("thanks_hours", 0)
    if not hours:
        return None
    wished = booking.end + timedelta(hours=hours)
    return _moment(quiet.awake(booking.zone, _quiet(booking), int(wished.timestamp())))


def _wished(booking: Booking, before: int | None) -> datetime | None:
    minutes = first(booking) if before is None else before
    return booking.start - timedelta(minutes=minutes) if minutes else None


def _quiet(booking: Booking) -> Quiet | None:
    hours: list[int] | None = booking.agreed.get("quiet")
    return Quiet(*hours) if hours else None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
