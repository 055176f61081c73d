"""Undoing an import: who came in with it, and is as she came, is erased; everybody else stays.

Bookings are not known here: whoever asks leaves those out who have any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from noren_vault import holds
from noren_vault.backup_keys import BackupKeys, date_text
from noren_vault.database import Database
from noren_vault.erasure import Reason
from noren_vault.errors import BadRequest, ErasureHeld, NoSuchTransfer
from noren_vault.floors import Floors
from noren_vault.grants import Grant
from noren_vault.people import People
from noren_vault.permissions import Permission
from noren_vault.record import Outcome, Record
from noren_vault.signin_mails import SigninMails
from noren_vault.transfers import Kind

MOST_A_REQUEST: Final = 500
# As she came: no field was written since, nobody signs in as her or has taken her for an own record, and she
# stands for no other record, nor has another one stand for her.
_AS_SHE_CAME: Final = """
p.kind = 'customer' AND p.state = 'kept'
AND NOT EXISTS (SELECT 1 FROM keystore.person_key k, jsonb_each_text(k.versions) v
    WHERE k.shop_id = p.shop_id AND k.person = p.person AND v.value <> '1')
AND NOT EXISTS (SELECT 1 FROM vault.field f
    WHERE f.shop_id = p.shop_id AND f.person = p.person AND f.written_at <> p.made_at)
AND NOT EXISTS (SELECT 1 FROM vault.account_record r
    WHERE r.shop_id = p.shop_id AND (r.record = p.person OR r.person = p.person))
AND NOT EXISTS (SELECT 1 FROM vault.proof f WHERE f.shop_id = p.shop_id AND f.person = p.person)
AND NOT EXISTS (SELECT 1 FROM vault.actor a WHERE a.shop_id = p.shop_id AND a.person = p.person)
AND NOT EXISTS (SELECT 1 FROM vault.merge m WHERE m.shop_id = p.shop_id AND m.state <> 'undone'
    AND p.person IN (m.person, m.into_person))
"""
_BROUGHT: Final = f"""
SELECT p.person::text, {_AS_SHE_CAME}
FROM vault.transfer_brought b JOIN vault.person p ON p.shop_id = %s AND p.person = b.person
WHERE b.transfer = %s AND b.person > %s::uuid AND p.state <> 'erased' ORDER BY b.person LIMIT %s
"""  # noqa: S608 - made of constants alone
_LOCK: Final = f"""
SELECT p.person::text FROM vault.person p JOIN vault.transfer_brought b ON b.person = p.person
WHERE p.shop_id = %s AND b.transfer = %s AND p.person = ANY(%s::uuid[]) AND {_AS_SHE_CAME}
ORDER BY p.person FOR UPDATE OF p
"""  # noqa: S608 - made of constants alone


@dataclass(frozen=True, slots=True)
class Brought:
    """Who came in with an import and is there: `fresh` is as she came."""

    person: str
    fresh: bool


class Undoing:
    """The act of undoing an import."""

    def __init__(
        self, *, database: Database, people: People, record: Record, least: Floors, backup_keys: BackupKeys
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._record = record
        self._least = least
        self._backup_keys = backup_keys

    async def brought(self, grant: Grant, transfer: str, after: str) -> list[Brought]:
        """Give the next 500 who came in with it and are there, by their ids. Raises NoSuchTransfer."""
        await self._own(grant, transfer)
        rows = await self._database.rows(_BROUGHT, [grant.shop, transfer, after, MOST_A_REQUEST])
        return [Brought(*row) for row in rows]

    async def undo(self, grant: Grant, transfer: str, persons: Sequence[str]) -> int:
        """Erase those of them that are as they came, all or none; gives their number. NoSuchTransfer."""
        await self._own(grant, transfer)
        if len(persons) > MOST_A_REQUEST:
            raise BadRequest(f"more than {MOST_A_REQUEST} persons in one request")
        date = date_text((last := await self._backup_keys.unreadable_from()).destroy_at)
        async with self._database.transaction() as connection:
            cursor = await connection.execute(_LOCK.encode(), [grant.shop, transfer, list(persons)])
            found = [row[0] for row in await cursor.fetchall()]
            if not found:
                return 0
            if (held := await holds.until(connection, grant.shop, found)) is not None:
                raise ErasureHeld("a legal hold", day=date_text(held))
            entry = await self._record.write(
                "erase",
                grant.path,
                shop=grant.shop,
                persons=found,
                ref=f"backup:{last.stored.id.hex()}/unreadable_from:{date}/import:{transfer}",
                note=Reason.MISTAKE,
            )
            await self._people.destroy(connection, grant.shop, found)
            await SigninMails.forget(connection, grant.shop, found)
        for person in found:
            self._least.erase(grant.shop, person)
        await self._record.outcome(entry, Outcome.DONE, grant.path)
        return len(found)

    async def _own(self, grant: Grant, transfer: str) -> None:
        grant.needs(Permission.LISTS_IMPORT)
        row = await self._database.row(
            "SELECT 1 FROM vault.transfer WHERE transfer = %s AND shop_id = %s AND kind = %s",
            [transfer, grant.shop, Kind.IMPORT],
        )
        if row is None:
            raise NoSuchTransfer
