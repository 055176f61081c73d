"""Records that a shop has joined: which one went into which. Read here; written by `merging` alone.

A record that was joined is kept, sealed, until the time to undo it is over; then it is erased, and only its
id still leads to the other one. There are no chains: whoever has had records joined to her goes into nobody.
"""

from collections.abc import Sequence
from typing import Final

from noren_vault.database import Connection, Database
from noren_vault.errors import MergeRefused

_ROOT: Final = """
SELECT m.into_person::text FROM vault.merge m
WHERE m.shop_id = %s AND m.person = %s AND m.state IN ('merged', 'settled')
"""
_ALL: Final = """
SELECT m.person::text, m.into_person::text FROM vault.merge m
WHERE (%(shop)s::bigint IS NULL OR m.shop_id = %(shop)s) AND m.state IN ('merged', 'settled') AND (
    m.person = ANY(%(persons)s::uuid[]) OR m.into_person = ANY(%(persons)s::uuid[])
    OR m.into_person IN (SELECT o.into_person FROM vault.merge o
        WHERE o.person = ANY(%(persons)s::uuid[]) AND o.shop_id = m.shop_id
        AND o.state IN ('merged', 'settled')))
ORDER BY m.at, m.person
"""


async def root_of(connection: Connection, shop: int, person: str) -> str:
    """Give the record that a person's is today: her own, unless it was joined to another."""
    cursor = await connection.execute(_ROOT.encode(), [shop, person])
    row = await cursor.fetchone()
    return person if row is None else str(row[0])


async def stands(connection: Connection, shop: int, person: str) -> None:
    """Raise MergeRefused where a locked record went into another before its lock was had: it is written no
    more.
    """
    if await root_of(connection, shop, person) != person:
        raise MergeRefused("joined meanwhile", reason="merged")


async def together(connection: Connection, shop: int, person: str) -> list[str]:
    """Give all records that are one person today, the one that the others went into first."""
    root = await root_of(connection, shop, person)
    cursor = await connection.execute(_ALL.encode(), {"shop": shop, "persons": [root]})
    return [root, *(row[0] for row in await cursor.fetchall())]


async def pairs(database: Database, shop: int | None, persons: Sequence[str]) -> dict[str, str]:
    """Give every record that is one with any of these: which one went into which."""
    rows = await database.rows(_ALL, {"shop": shop, "persons": list(persons)})
    return dict(rows)
