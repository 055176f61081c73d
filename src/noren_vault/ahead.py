"""A list's sealed rows, read while its grant is looked at: neither needs the other's answer.

The shop is in the token. What is read stays sealed, and is dropped where the grant does not hold.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from noren_vault.grants import shop_of
from noren_vault.people import CUSTOMER, People, Sealed
from noren_vault.rights import Purpose


@dataclass(frozen=True, slots=True)
class Ahead:
    """Rows that are being read, and for which question."""

    asked: tuple[int, list[str], tuple[str, ...], Sequence[str]]
    rows: asyncio.Task[list[Sealed]]


@asynccontextmanager
async def read_ahead(
    people: People, token: object, purpose: Purpose, persons: Sequence[str], names: tuple[str, ...]
) -> AsyncIterator[Ahead | None]:
    """Begin to read; None for one person, who is read together with other single ones, and for oneself."""
    wanted, shop = list(dict.fromkeys(persons)), shop_of(token)
    if shop is None or len(wanted) < 2 or purpose in (Purpose.OWN, Purpose.MEMBERS):
        yield None
        return
    rows = asyncio.create_task(people.read(shop, wanted, names, kinds=CUSTOMER))
    try:
        yield Ahead((shop, wanted, names, CUSTOMER), rows)
    finally:
        rows.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await rows
