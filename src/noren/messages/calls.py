"""Whom no mail tells: no address, or none that works. Somebody of the shop calls, and says so.

By the mails that could not be sent, so that nothing has to be known of anybody here. What was said by phone
is a line of the booking's history.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from noren.booking.models import STANDING, Booking, Event
from noren.booking.transact import Actor, note
from noren.errors import NothingHere
from noren.messages import log
from noren.messages.models import Message, State
from noren.messages.notice import ENDED, Kind
from noren.shops.tenancy import shop, write_in

# What she must know; who books at the desk or on the page knows that she has.
_NEWS = (Kind.MOVED, Kind.RESCHEDULED, Kind.REASSIGNED, Kind.ZONE, Kind.REMINDER, Kind.MANY, *ENDED)
# Further back than this nobody calls.
_BACK = timedelta(days=31)
# How long what was said stands on the list, to be taken back.
_SAID = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Call:
    """One thing to tell about one booking. `said_by`, `said_at`: who has told her, and when."""

    message: int
    booking: Booking
    kind: Kind
    many: int | None = None
    """Of which message to many it is."""
    said_by: str = ""
    said_at: datetime | None = None


def waiting(shop_id: int, *, now: datetime) -> list[Call]:
    """Return what is to be told by phone, the next visit first, and what has been just now at the end.

    Of one booking the newest mail alone, besides each message to many, and only while what it tells is true
    and to come. Three queries.
    """
    with shop(shop_id):
        tried = Message.objects.filter(
            kind__in=_NEWS, changed_at__gte=now - _BACK, booking_id__isnull=False
        ).order_by("created_at", "id")
        newest = {(each.booking_id, each.many_id): each for each in tried}
        failed = [each for each in newest.values() if each.state == State.FAILED]
        rows = Booking.objects.in_bulk({each.booking_id for each in failed if each.booking_id is not None})
        said = _said(rows)
    calls = [
        _call(each, row, said.get(each.id))
        for each in failed
        if (row := rows.get(each.booking_id or 0)) is not None
        and row.start > now
        and (each.kind in ENDED) == (row.status not in STANDING)
    ]
    shown = [each for each in calls if each.said_at is None or each.said_at > now - _SAID]
    return sorted(shown, key=lambda each: (each.said_at is not None, each.booking.start))


def _said(booking_ids: Iterable[int]) -> dict[int, Event]:
    """Return by mail who has told it last, if that stands."""
    events = Event.objects.filter(booking_id__in=list(booking_ids), what__in=["called", "not_called"])
    last = {each.facts["message"]: each for each in events.order_by("id")}
    return {key: each for key, each in last.items() if each.what == "called"}


def _call(message: Message, booking: Booking, said: Event | None) -> Call:
    kind = Kind(message.kind)
    return (
        Call(message.id, booking, kind, message.many_id)
        if said is None
        else Call(message.id, booking, kind, message.many_id, said_by=said.by, said_at=said.at)
    )


def said(shop_id: int, message_id: int, *, now: datetime, by: Actor, over: bool = True) -> None:
    """Note that she was told by phone; not `over`: that she was not, after all. Again does nothing.

    Raises NothingHere.
    """
    with write_in(shop_id):
        message = Message.objects.filter(id=message_id, state=State.FAILED).first()
        if message is None or message.booking_id is None:
            raise NothingHere
        stands = message.id in _said([message.booking_id])
        if stands != over:
            what = "called" if over else "not_called"
            note(message.booking_id, what, now=now, by=by, why=message.kind, message=message.id)
            log.told_otherwise([message.id], now=now, by=by, over=over)
