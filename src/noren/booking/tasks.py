"""Jobs of this room."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from noren import clock
from noren.booking import actions


@app.task(name="noren.booking.tasks.expire", retry=RetryStrategy(max_attempts=10, exponential_wait=2))
def expire(shop_id: int, booking_id: int) -> None:
    """End a hold when its time is over; nothing happens to what became a booking."""
    actions.expire(shop_id, booking_id, now=clock.now())
