"""Jobs of this room. Enqueued by booking in the transaction that makes them necessary."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from noren import errors
from noren.people import client

# Without end: a booking is confirmed, so its person must be kept however long the vault was away. (After its
# start the vault waits ten minutes before it erases, so that these come first.)
RETRY = RetryStrategy(wait=10, retry_exceptions=[errors.VaultUnavailable, errors.LedgerUnavailable])


@app.task(name="noren.people.tasks.keep", queue="people", retry=RETRY)
def keep(shop_id: int, person_id: str) -> None:
    """Keep the person of a confirmed booking for good; again does nothing."""
    client.keep(shop_id, UUID(person_id))
