"""Jobs of this room."""

from datetime import date, datetime, timedelta

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from noren import clock
from noren.booking import (
    actions,
    changes,
    classes,
    merging,
    reception,
    reminding,
    resettle,
    sessions,
    waiting,
    work,
    zones,
)
from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.shops import edits, serving

RETRY = RetryStrategy(max_attempts=10, exponential_wait=2)


@app.task(name="noren.booking.tasks.expire", retry=RETRY)
def expire(shop_id: int, booking_id: int) -> None:
    """End a hold when its time is over; nothing happens to what became a booking."""
    actions.expire(shop_id, booking_id, now=clock.now())


@app.task(name="noren.booking.tasks.lapse", retry=RETRY)
def lapse(shop_id: int, booking_id: int) -> None:
    """Decline what nobody answered until its start."""
    reception.lapse(shop_id, booking_id, now=clock.now())


@app.task(name="noren.booking.tasks.release", retry=RETRY)
def release(shop_id: int, booking_id: int) -> None:
    """Give a time free whose customer has not checked in."""
    reception.release_unattended(shop_id, booking_id, now=clock.now())


@app.task(name="noren.booking.tasks.decide", retry=RETRY)
def decide(shop_id: int, session_id: int) -> None:
    """Call a date of a class off for which too few have come by its deadline."""
    sessions.decide(shop_id, session_id, now=clock.now())


@app.task(name="noren.booking.tasks.follow_rules", retry=RETRY)
def follow_rules(shop_id: int) -> None:
    """Do what a change of the rules makes necessary."""
    now = clock.now()
    actions.reindex(shop_id, now=now)
    classes.follow_minimum(shop_id, now=now)
    timetables(shop_id)
    review(shop_id)
    waiting.offer(shop_id, now=now)
    app.configure_task("noren.messages.tasks.plan_morning").defer(shop_id=shop_id)


@app.task(name="noren.booking.tasks.leave", retry=RETRY)
def leave(shop_id: int, resource_id: int) -> None:
    """Take who has left out of booking; nothing happens to who stays after all."""
    now = clock.now()

    def write() -> bool:
        return serving.has_left(resource_id, now=now) and edits.set_bookable(
            resource_id, there=False, now=now
        )

    changes.change(shop_id, write, changes.Choice.KEEP, now=now, by="system")


@app.task(name="noren.booking.tasks.move_nearest", retry=RETRY)
def move_nearest(shop_id: int, booking_id: int, *, told: bool = True) -> None:
    """Move a booking whose time is not offered any more; where nothing is free it stays, to be looked at."""
    resettle.move_waiting(shop_id, booking_id, now=clock.now(), told=told)


@app.task(name="noren.booking.tasks.review", retry=RETRY)
def review(shop_id: int) -> None:
    """Hold a shop's bookings against what the world has published since, holidays and clocks; and come again
    tomorrow.
    """
    now = clock.now()
    changes.review_holidays(shop_id, now=now)
    zones.review(shop_id, now=now)
    _tomorrow("review", shop_id, now)


# Without end, until it is done or stopped: who is told that it goes on must be able to rely on it.
@app.task(name="noren.booking.tasks.step", retry=RetryStrategy(wait=10))
def step(shop_id: int, work_id: int) -> None:
    """Do the next step of something long; it writes the job of the one after it."""
    work.step(shop_id, work_id, now=clock.now())


@app.task(name="noren.booking.tasks.replan", retry=RETRY)
def replan(shop_id: int, last: int) -> None:
    """Plan a shop's reminders and thanks anew, a chunk of its bookings at a time."""
    reminding.replan(shop_id, last, now=clock.now())


@app.task(name="noren.booking.tasks.offer", retry=RETRY)
def offer(shop_id: int, first: str, last: str) -> None:
    """Offer what is free on these days to those who wait for it."""
    waiting.offer(shop_id, date.fromisoformat(first), date.fromisoformat(last), now=clock.now())


# Without end: until the vault has said what became of it, nobody knows whose the bookings are.
@app.task(
    name="noren.booking.tasks.follow_merge",
    retry=RetryStrategy(wait=60, retry_exceptions=[VaultUnavailable, LedgerUnavailable]),
)
def follow_merge(shop_id: int, merge_id: int) -> None:
    """Do what a crash has left of joining two records, or of parting them."""
    merging.follow(shop_id, merge_id, now=clock.now())


@app.task(name="noren.booking.tasks.timetables", retry=RETRY)
def timetables(shop_id: int) -> None:
    """Make the dates of a shop's classes, and come again tomorrow: one such job waits at a time."""
    now = clock.now()
    if not classes.schedule(shop_id, now=now).any_timetable:
        return
    _tomorrow("timetables", shop_id, now)


def _tomorrow(name: str, shop_id: int, now: datetime) -> None:
    """Write the same job for tomorrow: one of each shop waits at a time."""
    again = app.configure_task(
        f"noren.booking.tasks.{name}",
        schedule_at=now + timedelta(days=1),
        queueing_lock=f"{name}:{shop_id}",
    )
    try:
        again.defer(shop_id=shop_id)
    except AlreadyEnqueued:
        return
