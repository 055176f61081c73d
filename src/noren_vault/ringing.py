"""What rings has in common: it hangs as rows, is rung beside the answer, and again until it was taken.

Who is to be told is stored in the transaction that makes it necessary. What could not be handed over is tried
again every minute; a mail server that is away holds nobody up.
"""

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.errors import NoSuchPerson, VaultError
from noren_vault.letter import Letter
from noren_vault.record import Path
from noren_vault.tasks import Afterwards

# With these a letter is on its way, or never will be.
_SETTLED: Final = ("sent", "already", "unknown", "failed", "bounced")
_log = structlog.get_logger("ringing")


class Ringing:
    """Rings what hangs, one round at a time. A kind of its own says how in `_ring`."""

    def __init__(self) -> None:
        """Nothing rings yet."""
        self._one = asyncio.Lock()
        self._after = Afterwards("bells_wait")

    def soon(self) -> None:
        """Ring what hangs, without making anybody wait."""
        self._after.begin(self.ring())

    def again(self) -> None:
        """Ring what still hangs, unless that is being done."""
        if not self._after:
            self.soon()

    async def ring(self) -> None:
        """Tell everybody who is to be told and was not; what cannot be done now is left hanging."""
        async with self._one:
            try:
                await self._ring()
            except (psycopg.Error, PoolTimeout, VaultError) as fault:
                _log.error("bells_wait", bells=type(self).__name__, fault=type(fault).__name__)

    async def stop(self) -> None:
        """Wait for what is being told."""
        await self._after.settle()

    async def _ring(self) -> None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Hung:
    """Somebody who is to be told: by which letter, and the key of the row that says so."""

    shop: int
    person: str
    letter: Letter
    row: tuple[object, ...]


class MailBells(Ringing):
    """Bells that are mails. A kind of its own says what hangs, and `_TOLD` marks a row."""

    _TOLD: ClassVar[str]

    def __init__(self, database: Database, courier: Courier, origin: str, now: Now) -> None:
        """Keep the parts; links begin with `origin`."""
        super().__init__()
        self._database = database
        self._courier = courier
        self._origin = origin
        self._now = now

    async def _hanging(self) -> list[Hung]:
        raise NotImplementedError

    async def _ring(self) -> None:
        for one in await self._hanging():
            if await self._told(one):
                await self._database.run(self._TOLD, [self._now(), *one.row])

    async def _told(self, one: Hung) -> bool:
        try:
            return await self._courier.send(one.shop, one.person, one.letter, Path("vault")) in _SETTLED
        except NoSuchPerson:
            return True
        except VaultError as fault:
            _log.error("bell_not_rung", shop=one.shop, message_key=one.letter.key, fault=fault.code)
            return False
