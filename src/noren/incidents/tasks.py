"""Jobs of this room: readers are told, promises are watched, what was agreed to comes to be read."""

from django.db import InterfaceError, OperationalError
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.incidents import handing, notice_letters, notices
from noren.people import notices as door


class NotAllYet(Exception):
    """A mail server kept some readers waiting; who has it already gets no second one."""


RETRY = RetryStrategy(
    max_attempts=12,
    exponential_wait=3,
    retry_exceptions=[NotAllYet, VaultUnavailable, LedgerUnavailable, OperationalError, InterfaceError],
)
# Without end: a promise that nobody watches is worth nothing.
ALWAYS = RetryStrategy(
    wait=10, retry_exceptions=[VaultUnavailable, LedgerUnavailable, OperationalError, InterfaceError]
)


@app.task(name="noren.incidents.tasks.tell_readers", queue="messages", retry=RETRY)
def tell_readers(notice: str, number: int, version: int) -> None:
    """Mail a published version to its readers: each once, however often this runs."""
    place, letters = notice_letters.of(notice, number, version)
    after, waiting = door.tell_readers(place, letters)
    while after:
        after, more = door.tell_readers(place, letters, after)
        waiting += more
    if waiting:
        raise NotAllYet(f"{waiting} readers")


@app.task(name="noren.incidents.tasks.ring_if_late", queue="messages", retry=ALWAYS)
def ring_if_late(notice: str, number: int, version: int) -> None:
    """Ring for the platform's people where the promised update has not come."""
    if notices.is_late(notice, number, version):
        door.late(notice, number)


@app.task(name="noren.incidents.tasks.take_up", queue="messages", retry=ALWAYS)
def take_up(notice: str) -> None:
    """Take over what was agreed to and has not come here: a crash fell in between."""
    notices.take_up(notice)


@app.task(name="noren.incidents.tasks.tell_of_pack", queue="messages", retry=RETRY)
def tell_of_pack(shop_id: int, key: str) -> None:
    """Write to a shop's owners that a pack waits in their console: each once, however often this runs."""
    if waiting := handing.tell(shop_id, key):
        raise NotAllYet(f"{waiting} owners")
