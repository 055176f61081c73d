"""Ending what was set for an incident: a hold released, a freeze thawed, a path opened again, in one way."""

from dataclasses import dataclass
from typing import Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import GrantRefused, NoSuchBlock, NoSuchFreeze, NoSuchHold, VaultError
from noren_vault.incidents import Asker, Incidents
from noren_vault.record import Outcome, Record


@dataclass(frozen=True, slots=True)
class Kind:
    """What ends so. `find` gives its shop, who set it and when it ended; `by_another`: not whoever set it."""

    name: str
    note: str
    find: bytes
    end: bytes
    missing: type[VaultError]
    by_another: bool = True


HOLD: Final = Kind(
    "hold",
    "released",
    b"SELECT shop_id, '', ended_at FROM vault.legal_hold WHERE hold = %s AND incident = %s FOR UPDATE",
    b"UPDATE vault.legal_hold SET ended_at = %(now)s WHERE hold = %(name)s",
    NoSuchHold,
    by_another=False,
)
FREEZE: Final = Kind(
    "freeze",
    "thawed",
    b"SELECT shop_id, by, thawed_at FROM vault.export_freeze WHERE frozen = %s AND incident = %s FOR UPDATE",
    b"UPDATE vault.export_freeze SET thawed_by = %(by)s, thawed_at = %(now)s WHERE frozen = %(name)s",
    NoSuchFreeze,
)
BLOCK: Final = Kind(
    "block",
    "opened_again",
    b"SELECT 0, by, opened_at FROM vault.path_block WHERE block = %s AND incident = %s FOR UPDATE",
    b"UPDATE vault.path_block SET opened_by = %(by)s, opened_at = %(now)s WHERE block = %(name)s",
    NoSuchBlock,
)


class Lifting:
    """Ends them. Each is an entry `incident` first; who set one may need another operator for it."""

    def __init__(self, *, database: Database, record: Record, incidents: Incidents, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._incidents = incidents
        self._now = now

    async def lift(self, kind: Kind, asker: Asker, incident: str, name: str) -> None:
        """End one; again it changes nothing. Raises NoSuchIncident, what `kind` says, GrantRefused."""
        async with self._database.transaction() as connection:
            await self._incidents.found(connection, asker, incident)
            cursor = await connection.execute(kind.find, [name, incident])
            row = await cursor.fetchone()
            if row is None:
                raise kind.missing
            shop, by, ended = row
            if ended is not None:
                return
            if kind.by_another and asker.actor and by == asker.handle:
                raise GrantRefused("nobody is their own second operator")
            ref = f"incident:{incident}/{kind.name}:{name}"
            entry = await self._record.write("incident", asker.path, shop=shop, ref=ref, note=kind.note)
            await connection.execute(kind.end, {"by": asker.handle, "now": self._now(), "name": name})
        await self._record.outcome(entry, Outcome.DONE, asker.path)
