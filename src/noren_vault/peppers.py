"""A new pepper brought under everything that people sign in with, while the vault serves.

Mails, seeds and keys of recovery codes are sealed anew (and mails hashed anew). A password's text is not
here, so over its hash a layer of the new pepper is laid, and the row names both. Batches, each one
transaction; a row is done or not, so a killed rotation goes on where it was. It is done when no row is under
another pepper without the new one's layer. The old pepper is still needed then to check the layered ones: it
is retired when the last of those has signed in, and PostgreSQL refuses that sooner.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from noren_vault.database import Connection, Database
from noren_vault.errors import RecordDamaged
from noren_vault.hashing import Cost
from noren_vault.keys import Keys
from noren_vault.passwords import Stored
from noren_vault.providers import Kind
from noren_vault.providers import Stored as StoredKey
from noren_vault.second_factors import recovery_place, totp_place
from noren_vault.signin_mails import place as mail_place
from noren_vault.sso_subjects import place as subject_place

ROWS_A_BATCH: Final = 50
_PAUSE_SECONDS: Final = 0.02
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_log = structlog.get_logger("peppers")
Words = dict[str, Any]

# What is still to be brought under the new pepper; `new` is its id.
LEFT: Final = (
    "SELECT (SELECT count(*) FROM keystore.signin_mail WHERE pepper <> %(new)s)"
    " + (SELECT count(*) FROM keystore.former_mail WHERE pepper <> %(new)s)"
    " + (SELECT count(*) FROM keystore.sso_subject WHERE pepper <> %(new)s)"
    " + (SELECT count(*) FROM vault.totp WHERE pepper <> %(new)s)"
    " + (SELECT count(*) FROM vault.recovery WHERE pepper <> %(new)s)"
    " + (SELECT count(*) FROM vault.password p WHERE p.pepper <> %(new)s OR NOT EXISTS"
    " (SELECT 1 FROM vault.password_layer l WHERE l.actor = p.actor AND l.pepper = %(new)s))"
)
_UNUSED: Final = """
SELECT p.number, p.id FROM vault.pepper p
WHERE p.number < (SELECT max(number) FROM vault.pepper)
  AND NOT EXISTS (SELECT 1 FROM vault.rotation r WHERE r.kind = 'pepper' AND r.ended_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM vault.password_layer l WHERE l.pepper = p.id)
ORDER BY p.number
"""
_LAYERS: Final = b"""
SELECT actor::text, array_agg(pepper ORDER BY place) FROM vault.password_layer
WHERE actor = ANY(%s::uuid[]) GROUP BY actor
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its rows' columns beside `actor`, how one is made anew, and the statements that write it."""

    name: bytes
    columns: bytes
    anew: Callable[[Keys, Sequence[Any], tuple[bytes, ...]], Words]
    write: tuple[bytes, ...]


def _opened(keys: Keys, pepper: bytes, sealed: bytes, place: str) -> bytes:
    key = keys.peppers.get(bytes(pepper))
    if key is None:
        raise RecordDamaged("decryption failed")
    return key.open(bytes(sealed), place)


def _named(place: Callable[[str], str]) -> Callable[[Keys, Sequence[Any], tuple[bytes, ...]], Words]:
    """What an account is found by: sealed, and hashed, too."""

    def anew(keys: Keys, row: Sequence[Any], _: tuple[bytes, ...]) -> Words:
        actor, shop, sealed, pepper = row
        plain = _opened(keys, pepper, sealed, place(actor))
        new = keys.pepper
        return {"token": new.token(shop, plain.decode()), "sealed": new.seal(plain, place(actor))}

    return anew


def _again(place: Callable[[str], str]) -> Callable[[Keys, Sequence[Any], tuple[bytes, ...]], Words]:
    def anew(keys: Keys, row: Sequence[Any], _: tuple[bytes, ...]) -> Words:
        actor, sealed, pepper = row
        return {"sealed": keys.pepper.seal(_opened(keys, pepper, sealed, place(actor)), place(actor))}

    return anew


def _password(keys: Keys, row: Sequence[Any], layers: tuple[bytes, ...]) -> Words:
    actor, memory, passes, lanes, salt, alone, sealed, pepper = row
    stored = Stored(
        actor, Cost(memory, passes, lanes), bytes(salt), alone, bytes(sealed), bytes(pepper), layers
    )
    new = keys.pepper
    hashed, over = stored.opened(keys), layers
    if new.id not in layers:
        hashed, over = new.layer(hashed), (*layers, new.id)
    return {"sealed": new.seal(hashed, stored.place(over)), "place": len(over) - 1}


_SEALED: Final = b" SET sealed = %(sealed)s, pepper = %(pepper)s WHERE actor = %(actor)s"
_NAMED: Final = b" SET token = %(token)s, sealed = %(sealed)s, pepper = %(pepper)s WHERE actor = %(actor)s"
_LAYER: Final = b"""
INSERT INTO vault.password_layer (actor, place, pepper) VALUES (%(actor)s, %(place)s, %(pepper)s)
ON CONFLICT (actor, pepper) DO NOTHING
"""
# Of one account there may be two rows, a seed that is on and one that was begun, or more: `old` is which.
_SEED: Final = b"UPDATE vault.totp" + _SEALED + b" AND sealed = %(old)s"
_FORMER: Final = b"UPDATE keystore.former_mail" + _SEALED + b" AND sealed = %(old)s"
_TABLES: Final = (
    *(
        Table(table, b"shop_id, sealed, pepper", _named(place), (b"UPDATE " + table + _NAMED,))
        for table, place in (
            (b"keystore.signin_mail", mail_place),
            (b"keystore.sso_subject", subject_place),
        )
    ),
    Table(
        b"vault.password",
        b"memory_kib, passes, lanes, salt, alone, sealed, pepper",
        _password,
        (b"UPDATE vault.password" + _SEALED, _LAYER),
    ),
    Table(b"keystore.former_mail", b"sealed, pepper", _again(mail_place), (_FORMER,)),
    Table(b"vault.totp", b"sealed, pepper", _again(totp_place), (_SEED,)),
    Table(
        b"vault.recovery", b"sealed, pepper", _again(recovery_place), (b"UPDATE vault.recovery" + _SEALED,)
    ),
)


class Peppers:
    """Goes through the tables."""

    def __init__(self, database: Database, keys: Keys) -> None:
        """Keep the parts: the newest pepper is the new one."""
        self._database = database
        self._keys = keys

    async def round(self, count: Callable[[Connection, int], Any]) -> int:
        """Go once through everything; gives how many rows were done. `count` is told of each batch's."""
        done = 0
        for table in _TABLES:
            after: str | None = _FIRST
            while after is not None:
                async with self._database.transaction() as connection:
                    batch, after = await self._batch(connection, table, after)
                    await count(connection, batch)
                done += batch
                await asyncio.sleep(_PAUSE_SECONDS)
        return done

    async def unused(self) -> list[StoredKey]:
        """Name the old peppers under which nothing lies any more."""
        rows = await self._database.rows(_UNUSED)
        return [StoredKey(Kind.PEPPER, number, bytes(key_id)) for number, key_id in rows]

    async def _batch(self, connection: Connection, table: Table, after: str) -> tuple[int, str | None]:
        new = self._keys.pepper
        cursor = await connection.execute(
            b"SELECT actor::text, "
            + table.columns
            + b" FROM "
            + table.name
            + b" WHERE pepper <> %s AND actor > %s::uuid ORDER BY actor LIMIT %s FOR UPDATE SKIP LOCKED",
            [new.id, after, ROWS_A_BATCH],
        )
        rows, done = await cursor.fetchall(), 0
        # After the lock: the layers as they are now.
        read = await connection.execute(_LAYERS, [[row[0] for row in rows]])
        layers = {actor: tuple(bytes(one) for one in held) for actor, held in await read.fetchall()}
        for row in rows:
            try:
                words = table.anew(self._keys, row, layers.get(row[0], ()))
            except RecordDamaged:
                _log.error("damaged", table=table.name.decode())
                continue
            for statement in table.write:
                await connection.execute(
                    statement, {**words, "actor": row[0], "pepper": new.id, "old": row[-2]}
                )
            done += 1
        return done, rows[-1][0] if rows else None
