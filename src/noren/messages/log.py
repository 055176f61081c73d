"""What was sent, as a list: by ids, kinds and states. What did not arrive stands until somebody has looked.

Sending again is a deed of somebody's: by the same key where the mail has surely not gone, by a new one where
nobody knows (she may then have it twice, and whoever presses has been told so).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from procrastinate.contrib.django import app

from noren.booking.transact import Actor
from noren.errors import NothingHere
from noren.messages.models import Message, State
from noren.messages.notice import Kind
from noren.shops.tenancy import shop, write_in

TROUBLE: Final = (State.FAILED, State.UNKNOWN)
"""What did not arrive, or may not have."""
BACK: Final = timedelta(days=31)
"""Further back than this nobody need look at it."""
MOST: Final = 100
# A second press, and a worker who is at it: within this time it is not sent again.
_PAUSE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for; what is empty does not matter. `before`: the number of the line above."""

    states: tuple[str, ...] = ()
    kind: str = ""
    booking: int | None = None
    before: int | None = None
    open_only: bool = False
    """Only what nobody has set aside."""


def lines(shop_id: int, wanted: Wanted, *, most: int) -> list[Message]:
    """Return the newest lines. One query."""
    with shop(shop_id):
        return list(_wanted(wanted).order_by("-id")[:most])


def _wanted(wanted: Wanted) -> QuerySet[Message]:
    found = Message.objects.all()
    if wanted.states:
        found = found.filter(state__in=wanted.states)
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.booking is not None:
        found = found.filter(booking_id=wanted.booking)
    if wanted.before is not None:
        found = found.filter(id__lt=wanted.before)
    return found.filter(aside_at=None) if wanted.open_only else found


def troubles(shop_id: int, *, now: datetime) -> int:
    """Return how many did not arrive, or may not have, and stand open; a hundred is many. One query."""
    with shop(shop_id):
        found = Message.objects.filter(state__in=TROUBLE, aside_at=None, changed_at__gte=now - BACK)
        return len(found.values_list("id", flat=True)[:MOST])


def again(shop_id: int, message_id: int, *, now: datetime, by: Actor, sure: bool = False) -> None:
    """Send one again that did not arrive, if what it says is still true; pressed twice it is sent once.

    One that may have arrived only when she who asks is `sure`: it goes under a new key. Raises NothingHere.
    """
    with write_in(shop_id):
        row = Message.objects.select_for_update(no_key=True).filter(id=message_id).first()
        if row is None or row.state not in TROUBLE or (row.state == State.UNKNOWN and not sure):
            raise NothingHere
        if row.aside_at is not None and row.state == State.UNKNOWN:
            return
        if row.state == State.FAILED and row.changed_at > now - _PAUSE:
            return
        known = Message.objects.filter(id=row.id)
        if row.state == State.UNKNOWN:
            known.update(aside_at=now, aside_by=by)
            enqueue(row, row.again + 1)
        else:
            known.update(changed_at=now, aside_at=None, aside_by="")
            enqueue(row, row.again)


def enqueue(row: Message, number: int) -> None:
    """Write the job that sends it by the same key, or as the `number`th under a new one. Inside the shop."""
    said: dict[str, Any] = {"shop_id": row.shop_id, "kind": row.kind, "again": number}
    if row.booking_id is None:
        app.configure_task("noren.messages.tasks.tell").defer(waiting_id=row.waiting_id, **said)
        return
    if row.kind == Kind.REMINDER and (before := row.before) is not None:
        said["before"] = before
    if row.many_id is not None:
        said["many"] = row.many_id
    app.configure_task("noren.messages.tasks.send").defer(
        booking_id=row.booking_id, others=row.others, **said
    )


def set_aside(shop_id: int, message_id: int, *, now: datetime, by: Actor, over: bool = True) -> None:
    """Say that nobody need look at it any more; not `over`: somebody must, after all. NothingHere."""
    with write_in(shop_id):
        found = Message.objects.filter(id=message_id, state__in=TROUBLE)
        if not found.exists():
            raise NothingHere
        if over:
            found.filter(aside_at=None).update(aside_at=now, aside_by=by)
        else:
            found.update(aside_at=None, aside_by="")


def told_otherwise(message_ids: Iterable[int], *, now: datetime, by: Actor, over: bool) -> None:
    """Set aside what somebody has told by phone. Inside the shop's transaction."""
    found = Message.objects.filter(id__in=list(message_ids))
    found.update(aside_at=now if over else None, aside_by=by if over else "")
