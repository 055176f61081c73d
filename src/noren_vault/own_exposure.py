"""What became known of one's own: who has the code of a mail is told what the telling said of her, no more.

No name, no address, nothing of hers: names of fields, from when to when, by which kind of way. It is
answered from what was told, so an erasure takes nothing from it. A wrong code and no code are one refusal,
and it leaves at the same moment as an answer.
"""

from typing import Any, Final

from noren_vault.database import Database
from noren_vault.defence import Defence
from noren_vault.errors import NoSuchExposure
from noren_vault.record import Path, Record
from noren_vault.rights import PLATFORM
from noren_vault.telling_mails import code_hash
from noren_vault.visits import Visit

_FIND: Final = """
SELECT w.shop_id, w.person::text, w.fields, w.ways, w.since, w.until, w.surely, w.kind, t.notice, t.telling,
       t.size, p.state = 'erased'
FROM vault.told w JOIN vault.telling t USING (telling)
LEFT JOIN vault.person p ON (p.shop_id, p.person) = (w.shop_id, w.person)
WHERE w.code_hash = %s AND w.state NOT IN ('failed', 'waiting')
"""
# Under this all who type a code are counted, with from where they do.
_CODES: Final = "exposed"


class OwnExposure:
    """Answers."""

    def __init__(self, database: Database, record: Record, defence: Defence) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._defence = defence

    async def look(self, code: str, visit: Visit, path: Path) -> dict[str, Any]:
        """Give what the code is of, on record first. Raises NoSuchExposure, ChallengeNeeded."""
        await self._defence.asked(PLATFORM, _CODES, visit)
        row = await self._database.row(_FIND, [code_hash(code)])
        if row is None:
            raise NoSuchExposure
        shop, person, names, ways, since, until, surely, kind, notice, telling, size, erased = row
        await self._record.write(
            "right", path, shop=shop, persons=[person], ref=f"telling:{telling}", note="exposed"
        )
        return {
            "shop": shop,
            "fields": names,
            "ways": ways,
            "since": since / 1000,
            "until": until / 1000,
            "surely": surely,
            "kind": kind,
            "notice": notice,
            "entries": size,
            "erased": bool(erased),
        }
