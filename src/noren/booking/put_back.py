"""A move is taken back: the booking stands where it stood, with whom she had asked for, if that is free."""

from dataclasses import replace
from datetime import datetime

from noren.booking import actions, agreement, asked
from noren.booking.decide import decide
from noren.booking.models import Booking, Event
from noren.booking.transact import Actor, locked, tried
from noren.shops.tenancy import shop

UNDONE = "undone"
# What else changes where a booking stands: after it there is no move to be taken back.
_CHANGES = ("moved", "session_moved", "extended", "checked_out", "cancelled")


def last_move(shop_id: int, booking_id: int, *, change: int) -> Event | None:
    """Return the move that was a booking's so-manieth change, if it can be taken back: None where something
    else has changed it since.
    """
    with shop(shop_id):
        booking = Booking.objects.filter(id=booking_id, changes=change).first()
        return None if booking is None else _last(booking)


def _last(booking: Booking) -> Event | None:
    if booking.status not in actions.OPEN or booking.session_id is not None or booking.agreed["nights"]:
        return None
    last = Event.objects.filter(booking_id=booking.id, what__in=_CHANGES).order_by("-id").first()
    return last if last is not None and last.what == "moved" and last.why != UNDONE else None


def undo(
    shop_id: int,
    booking_id: int,
    *,
    change: int,
    asked_for: int | None,
    now: datetime,
    by: Actor,
    told: bool,
) -> Booking:
    """Put it back, once: neither hours nor grid, notice or limits are asked, for it stood there before. But
    what somebody else has by now is not hers, and where somebody has moved it again since (`change`: see
    last_move) it stays there. Raises SlotTaken, BookingUnknown.
    """

    def write() -> Booking:
        booking = locked(booking_id)
        last = _last(booking) if booking.changes == change else None
        if last is None:
            return booking
        who = last.facts["from_staff"]
        back = asked.again(booking, datetime.fromisoformat(last.facts["from"]), who)
        decision = decide(replace(back, over=True, walk_in=True), now=now)
        whom = asked_for if asked_for == who else None
        decision.values["asked_staff_id"] = whom
        agreed = agreement.moved(booking, decision.known, whom)
        return actions.write_move(booking, decision, agreed, now=now, by=by, why=UNDONE, told=told)

    return tried(shop_id, write)
