"""Jobs of this room. Enqueued by booking, by name, in the transaction that makes them necessary."""

from collections.abc import Sequence

from django.db import InterfaceError, OperationalError
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from noren import clock
from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.messages import daily
from noren.messages.deliver import NotSentYet, deliver, deliver_waiting
from noren.messages.notice import Kind

# 3 s, 9 s, 27 s ... : the ninth wait is over five hours, and all of them together about eight. The last two
# are our own database, away or back again: a mail must not be lost by that.
RETRY = RetryStrategy(
    max_attempts=9,
    exponential_wait=3,
    retry_exceptions=[NotSentYet, VaultUnavailable, LedgerUnavailable, OperationalError, InterfaceError],
)


@app.task(name="noren.messages.tasks.send", queue="messages", retry=RETRY)
def send(shop_id: int, booking_id: int, kind: str, others: Sequence[int] = ()) -> None:
    """Send one mail about a booking, and about others of its series. Once, and only of what is true."""
    deliver(shop_id, booking_id, Kind(kind), others=others, now=clock.now())


@app.task(name="noren.messages.tasks.tell", queue="messages", retry=RETRY)
def tell(shop_id: int, waiting_id: int, kind: str) -> None:
    """Send one mail to who waits: joined or offered. Once, and only if true."""
    deliver_waiting(shop_id, waiting_id, Kind(kind), now=clock.now())


@app.task(name="noren.messages.tasks.morning", queue="messages", retry=RETRY)
def morning(shop_id: int) -> None:
    """Write to the shop's owners. The next morning's job is there before anything can go wrong with this."""
    now = clock.now()
    plan_morning(shop_id)
    daily.deliver(shop_id, now=now)


@app.task(name="noren.messages.tasks.plan_morning", queue="messages", retry=RETRY)
def plan_morning(shop_id: int) -> None:
    """See to it that the mail of the next morning will be sent: one such job of each shop waits at a time."""
    at = daily.next_morning(shop_id, now=clock.now())
    try:
        morning.configure(schedule_at=at, queueing_lock=f"morning:{shop_id}").defer(shop_id=shop_id)
    except AlreadyEnqueued:
        return
