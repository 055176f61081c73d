"""When a customer is reminded: as was agreed, and not in the shop's quiet hours.

What falls into them goes out before they begin; where that is past already, once they are over, if that is
still before the start. By the quiet hours as they were when it was booked, like all that was agreed.
"""

from datetime import UTC, datetime, timedelta

from noren.booking.models import Booking
from noren.engine import quiet
from noren.engine.quiet import Quiet


def at(booking: Booking, *, now: datetime) -> datetime | None:
    """Return when she is to be reminded; None where there is no time left for it, or no reminder."""
    wished = _wished(booking)
    if wished is None or wished <= now:
        return None
    early = earliest(booking)
    if early > now:
        return early
    late = _moment(quiet.awake(booking.zone, _quiet(booking), int(wished.timestamp())))
    return late if now < late < booking.start else None


def earliest(booking: Booking) -> datetime:
    """Return the moment before which nobody is reminded of it."""
    wished = _wished(booking)
    if wished is None:
        return booking.start
    return _moment(quiet.before(booking.zone, _quiet(booking), int(wished.timestamp())))


def _wished(booking: Booking) -> datetime | None:
    before = timedelta(minutes=booking.agreed["reminder_minutes"])
    return booking.start - before if before else None


def _quiet(booking: Booking) -> Quiet | None:
    hours: list[int] | None = booking.agreed.get("quiet")
    return Quiet(*hours) if hours else None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
