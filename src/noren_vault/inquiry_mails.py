"""The mails to who asked at the inquiry desk: owed in the row from the transaction that they tell of.

A mail that a crash or an absent mail server kept back is tried again, after waits that grow, for three
days; one that may have arrived is not. Of two that wait the newer one stands: each says only that something
is there.
"""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

import structlog

from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.errors import BadRequest, NoSuchInquiry, NoSuchPerson, RecordDamaged, VaultError
from noren_vault.inquiries import Inquiries, Standing
from noren_vault.inquiry_letters import ANSWERED, RECEIVED
from noren_vault.letter import Letter
from noren_vault.record import Path
from noren_vault.rights import PLATFORM
from noren_vault.tasks import Afterwards

DEFERRED: Final = "deferred"
_FAILED: Final = "failed"
_MOST: Final = 50
_LEAST_WAIT_MS: Final = 60_000
_GIVE_UP_MS: Final = 3 * 86_400_000
_VAULT: Final = Path("vault")
_DUE: Final = (
    "SELECT i.inquiry FROM vault.inquiry i JOIN vault.person p ON (p.shop_id, p.person) = (0, i.person) "
    "WHERE i.owed <> '' AND i.owed_next <= %s AND p.state <> 'erased' ORDER BY i.owed_next LIMIT %s"
)
_log = structlog.get_logger("inquiries")


class InquiryMails:
    """Sends what is owed."""

    def __init__(
        self, *, database: Database, inquiries: Inquiries, courier: Courier, origin: str, now: Now
    ) -> None:
        """Keep the parts; links begin with `origin`."""
        self._database = database
        self._inquiries = inquiries
        self._courier = courier
        self._origin = origin
        self._now = now
        # Gone when nobody waits for it.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._after = Afterwards("asker_not_told")

    def later(self, inquiry: str) -> None:
        """Send it after the answer."""
        self._after.begin(self.send(inquiry))

    async def send(self, inquiry: str) -> str:
        """Send what is owed of one, after what is being sent of it; gives how it went (`Courier.send`), or
        nothing where she gave no address. `deferred` is tried again by itself. Raises NoSuchInquiry.
        """
        turn = self._turns.setdefault(inquiry, asyncio.Lock())
        async with turn:
            one = await self._inquiries.find(inquiry)
            if not one.owed:
                return "already" if one.mailed else ""
            how = await self._hand_over(one)
            await self._note(one, how)
        return how

    async def tidy(self) -> None:
        """Send what is due."""
        for (inquiry,) in await self._database.rows(_DUE, [self._now(), _MOST]):
            try:
                await self.send(str(inquiry))
            except NoSuchInquiry:  # erased at this moment
                continue

    async def stop(self) -> None:
        """Wait for the mails under way."""
        await self._after.settle()

    async def _hand_over(self, one: Standing) -> str:
        subject, body = (ANSWERED if one.owed.startswith("answer") else RECEIVED)[one.locale]
        link = f"{self._origin}/inquiry/own/{await self._inquiries.token(one)}"
        letter = Letter(f"{one.ref}/{one.owed}", subject, body, {"link": link})
        try:
            return await self._courier.send(PLATFORM, one.person, letter, _VAULT)
        except (BadRequest, NoSuchPerson, RecordDamaged) as fault:
            _log.warning("asker_not_told", fault=fault.code)
            return _FAILED
        except VaultError as fault:
            _log.warning("asker_not_told_yet", fault=fault.code)
            return DEFERRED

    async def _note(self, one: Standing, how: str) -> None:
        now = self._now()
        waits = how == DEFERRED and now - one.owed_at < _GIVE_UP_MS
        await self._database.run(
            "UPDATE vault.inquiry SET owed = CASE WHEN %s THEN owed ELSE '' END, owed_next = %s "
            "WHERE inquiry = %s AND owed = %s",
            [waits, now + max(_LEAST_WAIT_MS, now - one.owed_at), one.inquiry, one.owed],
        )
