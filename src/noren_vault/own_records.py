"""Which records of a shop are one customer's: found by the address that she proved, never by one she typed.

A guest who books is a new record each time. They come together under an account when its own address is
proved: every record of the shop with the same address, unless it was written into it later and never proved
there (who typed it need not be its owner). An account that goes on to another address keeps what it had
(`hold`); what it says is not its own it never sees again. A record that the shop has joined to another one
stands in no account but the one that its own address opens.
"""

from collections.abc import Sequence
from typing import Final

from noren_vault import blind
from noren_vault.database import Connection, Database
from noren_vault.keys import Keys

# One mailbox may stand at many records: a family's, a company's. The newest are read.
MOST_RECORDS: Final = 100

_WITH_HER_ADDRESS: Final = """
SELECT same.person FROM vault.proof f JOIN keystore.person_key k USING (shop_id, person)
JOIN vault.blind own USING (shop_id, person)
JOIN vault.blind same ON same.shop_id = own.shop_id AND same.token = own.token
LEFT JOIN vault.proof other ON other.shop_id = same.shop_id AND other.person = same.person
WHERE f.shop_id = %(shop)s AND f.person = %(person)s::uuid AND f.proved_at IS NOT NULL
  AND f.version = (k.versions ->> 'mail')::integer AND own.field = 'mail' AND same.field = 'mail'
  AND (other.person IS NULL OR other.proved_at IS NOT NULL)
"""
_RECORDS_OF: Final = """
SELECT p.person::text FROM vault.person p LEFT JOIN vault.account_record said
  ON said.shop_id = p.shop_id AND said.person = %(person)s::uuid AND said.record = p.person
WHERE p.shop_id = %(shop)s AND p.kind = 'customer' AND p.state <> 'erased' AND coalesce(said.held, true)
  AND (p.person = %(person)s::uuid OR NOT EXISTS (SELECT FROM vault.merge m
    WHERE m.shop_id = p.shop_id AND m.person = p.person AND m.state = 'merged'))
  AND p.person IN (SELECT %(person)s::uuid UNION ALL
    SELECT h.record FROM vault.account_record h
    WHERE h.shop_id = %(shop)s AND h.person = %(person)s::uuid AND h.held
    UNION ALL {found})
ORDER BY p.person <> %(person)s::uuid, p.made_at DESC, p.person LIMIT %(most)s
"""
_HOLD_OF: Final = """
INSERT INTO vault.account_record (shop_id, person, record, held, at)
SELECT DISTINCT %(shop)s, %(person)s::uuid, w.person, true, %(now)s
FROM ({found}) w WHERE w.person <> %(person)s::uuid
ON CONFLICT (shop_id, person, record) DO NOTHING
"""
_RECORDS: Final = _RECORDS_OF.format(found=_WITH_HER_ADDRESS)
_HOLD: Final = _HOLD_OF.format(found=_WITH_HER_ADDRESS)
_JOINED: Final = """
SELECT m.person::text FROM vault.merge m
WHERE m.shop_id = %s AND m.into_person = ANY(%s::uuid[]) AND m.state IN ('merged', 'settled') ORDER BY m.at
"""
_LET_GO: Final = """
INSERT INTO vault.account_record (shop_id, person, record, held, at) VALUES (%s, %s, %s, false, %s)
ON CONFLICT (shop_id, person, record) DO UPDATE SET held = false, at = excluded.at
"""
# First who proved it, an account that one can sign in to before the others; then whose own word it is; last
# into whose record it was written. The oldest of each, so that a code finds the same person again.
_WHOSE: Final = """
SELECT p.person::text
FROM vault.blind b JOIN vault.person p USING (shop_id, person)
JOIN keystore.person_key k USING (shop_id, person)
LEFT JOIN vault.proof f USING (shop_id, person)
LEFT JOIN vault.actor a ON a.kind = 'customer' AND a.handle = 'person:' || p.person::text
WHERE b.shop_id = %s AND b.token = ANY(%s) AND b.field = 'mail' AND p.state = 'kept' AND p.kind = 'customer'
ORDER BY EXISTS (SELECT FROM vault.merge m
        WHERE m.shop_id = p.shop_id AND m.person = p.person AND m.state = 'merged'),
    CASE WHEN f.proved_at IS NOT NULL AND f.version = (k.versions ->> 'mail')::integer THEN 0
              WHEN f.version IS NULL THEN 1 ELSE 2 END,
    NOT (EXISTS (SELECT 1 FROM vault.passkey y WHERE y.actor = a.actor)
      OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor)),
    p.made_at, p.person
LIMIT 1
"""
_ANOTHER: Final = """
SELECT 1 FROM vault.blind own JOIN vault.blind same ON same.shop_id = own.shop_id AND same.token = own.token
JOIN vault.proof f ON f.shop_id = same.shop_id AND f.person = same.person AND f.proved_at IS NOT NULL
JOIN vault.actor a ON a.kind = 'customer' AND a.handle = 'person:' || same.person::text
WHERE own.shop_id = %s AND own.person = %s AND own.field = 'mail' AND same.field = 'mail'
  AND same.person <> own.person
  AND (EXISTS (SELECT 1 FROM vault.passkey y WHERE y.actor = a.actor)
    OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor))
LIMIT 1
"""


async def whose(database: Database, keys: Keys, shop: int, mail: str) -> str | None:
    """Give the one record of a shop to which a code for this address lets in. Never to be told outside."""
    row = await database.row(_WHOSE, [shop, blind.mails(keys, shop, mail)])
    return None if row is None else str(row[0])


async def of_account(database: Database, shop: int, person: str, most: int) -> list[str]:
    """Give her records: her own first, then the newest."""
    asked = {"shop": shop, "person": person, "most": most}
    return [row[0] for row in await database.rows(_RECORDS, asked)]


async def with_joined(database: Database, shop: int, records: Sequence[str]) -> list[str]:
    """Add the records that a shop has joined to these: what was looked at of them was hers."""
    rows = await database.rows(_JOINED, [shop, list(records)])
    return [*records, *(row[0] for row in rows if row[0] not in records)]


async def hold(connection: Connection, shop: int, person: str, now: int) -> None:
    """Keep with the account what its address has brought, in the transaction that changes the address."""
    await connection.execute(_HOLD.encode(), {"shop": shop, "person": person, "now": now})


async def let_go(connection: Connection, shop: int, person: str, record: str, now: int) -> None:
    """Take a record from the account for good, in the caller's transaction."""
    await connection.execute(_LET_GO.encode(), [shop, person, record, now])


async def forget(connection: Connection, shop: int, persons: Sequence[str]) -> None:
    """Forget what was said by or of these persons, in the caller's transaction."""
    await connection.execute(
        b"DELETE FROM vault.account_record WHERE shop_id = %s "
        b"AND (person = ANY(%s::uuid[]) OR record = ANY(%s::uuid[]))",
        [shop, list(persons), list(persons)],
    )


async def another_account(connection: Connection, shop: int, person: str) -> bool:
    """Whether somebody else signs in to an account whose proved address is this person's, too."""
    cursor = await connection.execute(_ANOTHER.encode(), [shop, person])
    return await cursor.fetchone() is not None
