"""Who of a shop looked at how many of its customers, and who came in: counts by member, out of the index.

Nobody's data and no customer's id; that somebody asked is on record, as every question to the ledger is.
"""

from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.grants import Grant
from noren_vault.index import Index
from noren_vault.permissions import Permission
from noren_vault.record import Record

DAYS: Final = 30
_DAY_MS: Final = 86_400_000
_SECONDS: Final = 10.0
# By these kinds customers are told, or were about to be. What failed told nothing.
_KINDS: Final = ("intent", "search", "export")
# A customer reads about herself; what no person asked for is told on other pages.
_LOOKS: Final = """
SELECT e.actor, e.purpose, count(DISTINCT e.entry), count(DISTINCT p.person), max(e.at)
FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry)
WHERE e.shop_id = %(shop)s AND e.at >= %(since)s AND e.entry < %(size)s AND e.kind = ANY(%(kinds)s)
  AND e.outcome <> 'failed' AND e.actor NOT LIKE 'person:%%' AND e.purpose <> 'own'
GROUP BY e.actor, e.purpose ORDER BY e.actor, e.purpose
"""
_SIGNINS: Final = """
SELECT a.handle,
    (SELECT count(*) FROM vault.ledger_entry e WHERE e.actor = a.handle AND e.shop_id = %(shop)s
        AND e.at >= %(since)s AND e.entry < %(size)s AND e.kind = 'signin' AND e.outcome <> 'failed'),
    (SELECT count(*) FROM vault.ledger_entry e WHERE e.actor = a.handle AND e.shop_id = %(shop)s
        AND e.at >= %(since)s AND e.entry < %(size)s AND e.kind = 'refused' AND e.purpose = ''),
    (SELECT count(DISTINCT g.session) FROM vault.access_grant g WHERE g.actor = a.actor
        AND g.shop_id = %(shop)s AND g.revoked_at IS NULL AND g.expires_at > %(now)s),
    (SELECT max(g.issued_at) FROM vault.access_grant g WHERE g.actor = a.actor AND g.shop_id = %(shop)s)
FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = %(shop)s AND m.ended_at IS NULL ORDER BY a.handle
"""


class Looks:
    """Reads them."""

    def __init__(self, *, database: Database, record: Record, index: Index, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._index = index
        self._now = now

    async def of_shop(self, grant: Grant) -> dict[str, Any]:
        """Give the counts of the last DAYS; who may change the shop asks. Instants in POSIX seconds.

        Raises GrantRefused, LedgerUnavailable, VaultUnavailable (index behind).
        """
        grant.needs(Permission.SHOP_CHANGE)
        await self._record.settle()
        # Up to here the counts are whole. That she asks comes after it and need not be in the index.
        size = self._record.ledger.size
        await self._record.write("scope", grant.path, shop=grant.shop, note="who_looked")
        await self._index.reach(size, _SECONDS)
        now = self._now()
        asked = {
            "shop": grant.shop,
            "since": now - DAYS * _DAY_MS,
            "now": now,
            "size": size,
            "kinds": list(_KINDS),
        }
        looks = await self._database.rows(_LOOKS, asked)
        signins = await self._database.rows(_SIGNINS, asked)
        return {
            "days": DAYS,
            "size": size,
            "looks": [
                {"actor": actor, "purpose": purpose, "looks": looked, "persons": persons, "last": at / 1000}
                for actor, purpose, looked, persons, at in looks
            ],
            "signins": [
                {
                    "handle": handle,
                    "signins": came,
                    "refused": refused,
                    "sessions": sessions,
                    "last": None if last is None else last / 1000,
                }
                for handle, came, refused, sessions, last in signins
            ],
        }
