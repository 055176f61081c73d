"""What stands before something is contained: the ledger's checkpoint, who is signed in, who is connected.

Taken before the deed, and written into the incident's book by who does it: afterwards it is gone.
"""

from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.incidents import Asker, Incidents
from noren_vault.record import Record

MOST_NAMED: Final = 60
_GRANTS: Final = """
SELECT g.session, g.credential, a.handle, g.shop_id, count(*) OVER ()
FROM vault.access_grant g JOIN vault.actor a USING (actor)
WHERE g.revoked_at IS NULL AND g.expires_at > %s ORDER BY g.seen_at DESC LIMIT %s
"""
_CONNECTIONS: Final = """
SELECT coalesce(usename::text, ''), count(*) FROM pg_stat_activity
WHERE datname = current_database() GROUP BY 1 ORDER BY 1
"""


class Containment:
    """Takes it; that it was taken is an entry first."""

    def __init__(self, *, database: Database, record: Record, incidents: Incidents, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._incidents = incidents
        self._now = now

    async def snapshot(self, asker: Asker, incident: str) -> dict[str, Any]:
        """Give checkpoint, living sign-ins by number and the newest of them, connections by login."""
        await self._incidents.check(asker, incident)
        await self._record.write("incident", asker.path, ref=f"incident:{incident}", note="snapshot")
        rows = await self._database.rows(_GRANTS, [self._now(), MOST_NAMED])
        logins = await self._database.rows(_CONNECTIONS)
        return {
            "checkpoint": self._record.ledger.head().signed,
            "grants": rows[0][4] if rows else 0,
            "named": [list(row[:4]) for row in rows],
            "connections": dict(logins),
        }
