"""Whom no mail of a telling has reached: their shop writes them a letter, from a list it asks for by two."""

from collections import Counter
from typing import Any, Final

from noren_vault.database import Database
from noren_vault.errors import NoSuchTelling
from noren_vault.grants import Grant
from noren_vault.permissions import Permission

# A mail that came back is known to the courier alone.
_NOT_REACHED: Final = """
SELECT t.telling, t.notice, w.person::text FROM vault.told w JOIN vault.telling t USING (telling)
JOIN vault.person p ON (p.shop_id, p.person) = (w.shop_id, w.person)
LEFT JOIN vault.message m
    ON (m.shop_id, m.message_key) = (w.shop_id, 'telling:' || w.telling || '/' || w.person::text)
WHERE w.shop_id = %(shop)s AND t.state = 'agreed' AND w.kind = 'customer' AND p.state = 'kept'
  AND (%(telling)s = '' OR t.telling = %(telling)s)
  AND (w.state IN ('failed', 'no_mail', 'unknown') OR (w.state = 'told' AND m.state = 'bounced'))
ORDER BY t.decided_at DESC, w.person
"""


class TellingLetters:
    """Says how many, and who."""

    def __init__(self, database: Database) -> None:
        """Keep the database."""
        self._database = database

    async def of_shop(self, grant: Grant) -> list[dict[str, Any]]:
        """How many of the shop's customers each telling has not reached, the newest first."""
        grant.needs(Permission.LISTS_EXPORT)
        rows = await self._database.rows(_NOT_REACHED, {"shop": grant.shop, "telling": ""})
        return [
            {"telling": telling, "notice": notice, "persons": count}
            for (telling, notice), count in Counter((row[0], row[1]) for row in rows).items()
        ]

    async def persons(self, grant: Grant, telling: str) -> list[str]:
        """Give their ids, for a list that is asked for. Raises NoSuchTelling."""
        rows = await self._database.rows(_NOT_REACHED, {"shop": grant.shop, "telling": telling})
        if not telling or not rows:
            raise NoSuchTelling
        return [row[2] for row in rows]
