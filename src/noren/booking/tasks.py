"""Jobs of this room."""

from datetime import timedelta

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from noren import clock
from noren.booking import actions, classes, reception

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


@app.task(name="noren.booking.tasks.follow_rules", retry=RETRY)
def follow_rules(shop_id: int) -> None:
    """Do what a change of the rules makes necessary."""
    now = clock.now()
    actions.reindex(shop_id, now=now)
    timetables(shop_id)


@app.task(name="noren.booking.tasks.timetables", retry=RETRY)
def timetables(shop_id: int) -> None:
    """Make the dates of a shop's classes, and come again tomorrow: one such job waits at a time."""
    now = clock.now()
    if not classes.schedule(shop_id, now=now).any_timetable:
        return
    again = timetables.configure(schedule_at=now + timedelta(days=1), queueing_lock=f"timetables:{shop_id}")
    try:
        again.defer(shop_id=shop_id)
    except AlreadyEnqueued:
        return
