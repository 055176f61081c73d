"""Frozen exports: no list of customers leaves a shop, or any, until another operator has thawed it.

Whoever is a member of an incident freezes at once and needs no power: it takes something from nobody for
good. That she does not thaw it herself is what makes it hold against her own session, too.
"""

import secrets
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import ExportsFrozen
from noren_vault.incidents import Asker, Incidents
from noren_vault.record import Outcome, Record
from noren_vault.rights import PLATFORM

_ALL: Final = """
SELECT frozen, shop_id, by, since, thawed_by, thawed_at FROM vault.export_freeze
WHERE incident = %s ORDER BY since, frozen
"""


async def check(database: Database, shop: int) -> None:
    """Raise ExportsFrozen while lists of this shop are frozen."""
    row = await database.row(
        "SELECT 1 FROM vault.export_freeze WHERE thawed_at IS NULL AND shop_id = ANY(%s) LIMIT 1",
        [[PLATFORM, shop]],
    )
    if row is not None:
        raise ExportsFrozen


class Freezes:
    """Freezes and lists; `lifting` thaws. On record first."""

    def __init__(self, *, database: Database, record: Record, incidents: Incidents, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._incidents = incidents
        self._now = now

    async def freeze(self, asker: Asker, incident: str, shop: int) -> str:
        """Freeze a shop's lists, or with 0 all; one that is being taken stops within a piece of it."""
        freeze = secrets.token_hex(8)
        async with self._database.transaction() as connection:
            await self._incidents.found(connection, asker, incident)
            ref = f"incident:{incident}/freeze:{freeze}"
            entry = await self._record.write("incident", asker.path, shop=shop, ref=ref, note="frozen")
            await connection.execute(
                b"INSERT INTO vault.export_freeze (frozen, incident, shop_id, by, since) "
                b"VALUES (%s, %s, %s, %s, %s)",
                [freeze, incident, shop, asker.handle, self._now()],
            )
        await self._record.outcome(entry, Outcome.DONE, asker.path)
        return freeze

    async def all(self, incident: str) -> list[dict[str, Any]]:
        """Give an incident's freezes, in order; the caller has said who asks."""
        return [
            {
                "freeze": freeze,
                "shop": shop,
                "by": by,
                "since": since / 1000,
                "thawed_by": thawed_by,
                "thawed": None if thawed is None else thawed / 1000,
            }
            for freeze, shop, by, since, thawed_by, thawed in await self._database.rows(_ALL, [incident])
        ]
