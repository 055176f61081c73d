"""One booking that follows a change of the rules: moved or cancelled as it was chosen, each exactly once.

The booking's row is locked before its line, and the line is marked in the transaction that does it. Who has
touched the booking meanwhile has decided: then nothing is done to it.
"""

from datetime import datetime
from functools import partial

from noren.booking import actions, resettle
from noren.booking.changes import Choice
from noren.booking.models import Booking, LineState, Work, WorkLine
from noren.booking.transact import locked, of_id
from noren.errors import AlreadyCancelled, NothingFree
from noren.shops.models import Shop
from noren.shops.tenancy import shop, write_in


class _NotNow(Exception):
    """The line was done already, or the booking is not what was decided on any more."""


def follow(shop_id: int, work: Work, line: WorkLine, now: datetime) -> None:
    """Do one line. Where nothing is free the booking stays to be looked at, as it is."""
    choice, booking_id = Choice(line.choice), line.booking_id or 0
    with shop(shop_id):
        over = _over(of_id(booking_id), line, now)
    if over:
        _mark(shop_id, line, LineState.KEPT, over)
    elif choice.cancels:
        _cancel(shop_id, work, line, now=now, told=choice.tells)
    else:
        take = partial(_take, line, now)
        try:
            resettle.move_nearest(shop_id, booking_id, now=now, by=work.by, told=choice.tells, first=take)
        except NothingFree:
            _mark(shop_id, line, LineState.ODD, "nothing_free")
        except (_NotNow, AlreadyCancelled):
            _again(shop_id, line, now)


def _cancel(shop_id: int, work: Work, line: WorkLine, *, now: datetime, told: bool) -> None:
    try:
        with write_in(shop_id):
            booking = _take(line, now)
            actions.write_cancel(booking, now=now, by=work.by, why=line.why, told=told)
            resettle.drop_left(booking, now=now, by=work.by)
    except _NotNow:
        _again(shop_id, line, now)


def _take(line: WorkLine, now: datetime) -> Booking:
    """Lock the booking and mark its line as done, inside the transaction that does it. Raises _NotNow."""
    # The shop's row before the booking's: so does a change of the rules.
    Shop.objects.select_for_update(no_key=True).first()
    booking = locked(line.booking_id or 0)
    waits = WorkLine.objects.select_for_update(no_key=True).filter(id=line.id, state=LineState.WAITING)
    if not waits.exists() or _over(booking, line, now):
        raise _NotNow
    WorkLine.objects.filter(id=line.id).update(state=LineState.MADE)
    return booking


def _again(shop_id: int, line: WorkLine, now: datetime) -> None:
    """Say why nothing was done, where the line still waits."""
    with shop(shop_id):
        over = _over(of_id(line.booking_id or 0), line, now)
    _mark(shop_id, line, LineState.KEPT, over or "touched")


def _over(booking: Booking, line: WorkLine, now: datetime) -> str:
    """Say why what was decided does not hold for it any more; nothing where it does."""
    if booking.status not in actions.OPEN:
        return "ended"
    if booking.start != line.start or not booking.attention:
        return "touched"
    return "in_the_past" if booking.start <= now else ""


def _mark(shop_id: int, line: WorkLine, state: LineState, why: str) -> None:
    with write_in(shop_id):
        WorkLine.objects.filter(id=line.id, state=LineState.WAITING).update(state=state, why=why)
