"""Whether somebody may come in otherwise than by the provider that the shop requires: asked at each grant.

The exception is a shop's owner with a passkey: the glass to break when the provider is away, or wrong. It is
on record, and every owner is written to. Operators show their passkey always; where a provider is required
for them, it alone no longer does.
"""

import asyncio
from typing import Final
from uuid import uuid4

import structlog

from noren_vault.courier import Courier
from noren_vault.database import Connection, Database
from noren_vault.errors import SsoRequired, VaultError
from noren_vault.letter import Letter
from noren_vault.record import Path, Record
from noren_vault.rights import PLATFORM, Role

BY_SSO: Final = "oidc-"
# FOR SHARE, of a row that does not require it yet, too: who begins to require it waits for sign-ins under
# way, and ends what they gave.
_ASKED: Final = b"""
SELECT a.handle, m.role, s.required FROM vault.sso s JOIN vault.actor a ON a.actor = %s AND a.kind = 'member'
LEFT JOIN vault.membership m ON m.shop_id = s.shop_id AND m.actor = a.actor AND m.ended_at IS NULL
WHERE s.shop_id = %s FOR SHARE OF s
"""
_OWNERS: Final = """
SELECT coalesce(m.person, a.person)::text FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = %s AND m.role = 'owner' AND m.ended_at IS NULL AND coalesce(m.person, a.person) IS NOT NULL
ORDER BY 1
"""
_SUBJECT: Final = "[暖簾] 組織のサインインを使わない入室 / Signed in past your organisation"
_TEXT: Final = """\
お店のオーナーが、組織のサインイン(SSO)を通らず、パスキーで入りました。お心当たりがなければ、すぐにお知らせください。
このことは記録に残っています。

----

An owner of your shop has signed in with a passkey, past your organisation's sign-in (SSO).
If you do not know why, please look into it at once. It is on record.
"""
_log = structlog.get_logger("sso")


class Required:
    """Refuses, and rings."""

    def __init__(self, database: Database, record: Record, courier: Courier) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._courier = courier
        self._ringing: set[asyncio.Task[None]] = set()

    async def check(
        self, connection: Connection, shop: int, actor: str, credential: str, session: str, *, first: bool
    ) -> None:
        """Raise SsoRequired, on record, where the provider is required and this is another way.

        `first`: the provider has vouched for an operator a moment ago. In the transaction of the grant.
        """
        if credential.startswith(BY_SSO):
            return
        cursor = await connection.execute(_ASKED, [actor, shop])
        row = await cursor.fetchone()
        if row is None or not row[2] or (shop == PLATFORM and first):
            return
        if row[1] == Role.AUDITOR:  # from outside: the platform's provider does not know them
            return
        path = Path(row[0], credential, session)
        if row[1] != Role.OWNER or not credential.startswith("pk-"):
            await self._record.write("refused", path, shop=shop, note="sso_required")
            raise SsoRequired
        await self._record.write("right", path, shop=shop, note="sso:glass_broken")
        task = asyncio.create_task(self._ring(shop, path))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)

    async def refuse(self, shop: int, path: Path) -> None:
        """Raise SsoRequired, on record, before anything is set up that would be another way."""
        row = await self._database.row("SELECT 1 FROM vault.sso WHERE shop_id = %s AND required", [shop])
        if row is not None:
            await self._record.write("refused", path, shop=shop, note="sso_required")
            raise SsoRequired

    async def stop(self) -> None:
        """Let what is being written be written."""
        await asyncio.gather(*self._ringing)

    async def _ring(self, shop: int, path: Path) -> None:
        """Write to every owner of the shop."""
        for (person,) in await self._database.rows(_OWNERS, [shop]):
            letter = Letter(key=f"sso:{uuid4()}", subject=_SUBJECT, text=_TEXT, values={})
            try:
                await self._courier.send(shop, person, letter, path)
            except VaultError as fault:
                _log.error("ring_not_sent", shop=shop, fault=fault.code)
