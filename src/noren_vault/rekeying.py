"""Persons brought under new keys, a few at a time, in the rotation's transaction. Nothing is told of what is
opened here.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from noren_vault import blind
from noren_vault.database import Connection
from noren_vault.errors import RecordDamaged
from noren_vault.fields import FIELDS, Value
from noren_vault.keys import Keys
from noren_vault.people import KEY_FIELD
from noren_vault.sealing import DataKey

_READ: Final = b"""
SELECT p.shop_id, p.person::text, p.kind, p.state, p.key_hash IS NOT NULL, k.epoch, k.wrapped, k.versions
FROM vault.person p JOIN keystore.person_key k USING (shop_id, person)
JOIN unnest(%s::bigint[], %s::uuid[]) AS w(shop_id, person) USING (shop_id, person)
"""
_FIELDS: Final = b"""
SELECT f.shop_id, f.person::text, f.field, f.version, f.sealed FROM vault.field f
JOIN unnest(%s::bigint[], %s::uuid[]) AS w(shop_id, person) USING (shop_id, person)
"""
_log = structlog.get_logger("rekeying")


@dataclass(slots=True)
class Held:
    """A locked person as it is stored."""

    shop: int
    person: str
    kind: str
    state: str
    keyed: bool
    epoch: bytes
    wrapped: bytes
    versions: dict[str, int]
    fields: dict[str, tuple[int, bytes]] = field(default_factory=dict)


Rows = list[tuple[Any, ...]]


class Rekeying:
    """Computes what a person has under the new keys, and writes it."""

    def __init__(self, keys: Keys) -> None:
        """Keep the keys: the newest of each kind is the new one."""
        self._keys = keys

    async def do(
        self, connection: Connection, what: str, persons: Sequence[tuple[int, str]], now: int
    ) -> int:
        """Bring locked persons under the new key; gives how many were. Damaged ones are left as they are."""
        held = await _read(connection, persons)
        act, write = {
            "epoch": (self._wrapped, _write_wrapped),
            "data": (self._sealed, _write_sealed),
            "index": (self._hashed, _write_hashed),
        }[what]
        rows = await asyncio.to_thread(_each, act, held)
        if rows:
            await write(connection, rows, now)
        return len(rows)

    def words(self, rows: Sequence[tuple[str, bytes]], place: str) -> list[bytes]:
        """Seal words anew. What does not open is sealed so that it never will, as before."""
        return [self._words(place + row, sealed) for row, sealed in rows]

    def _words(self, place: str, sealed: bytes) -> bytes:
        newest = self._keys.addresses
        try:
            return newest.seal(self._keys.opens(sealed).open(sealed, place), place)
        except RecordDamaged:
            _log.error("words_damaged", place=place)
            return newest.seal(b"", f"damaged:{place}")

    def _wrapped(self, one: Held) -> tuple[Any, ...]:
        new = self._keys.epoch
        old = self._keys.epochs.get(one.epoch)
        if old is None:
            raise RecordDamaged("no such epoch key")
        wrapped = old.hand_over(one.wrapped, new, shop=one.shop, person=one.person, versions=one.versions)
        return one.shop, one.person, new.id, wrapped

    def _sealed(self, one: Held) -> tuple[Any, ...]:
        plain = self._opened(one, list(one.versions))
        new = self._keys.epoch
        key, wrapped = new.new_data_key(shop=one.shop, person=one.person, versions=one.versions)
        boxes = {
            name: key.seal(value, shop=one.shop, person=one.person, field=name, version=one.versions[name])
            for name, value in plain.items()
        }
        return one.shop, one.person, new.id, wrapped, boxes

    def _hashed(self, one: Held) -> tuple[Any, ...]:
        names = [name for name in (*FIELDS, KEY_FIELD) if name in one.versions]
        opened = {name: Value.from_bytes(raw) for name, raw in self._opened(one, names).items()}
        values = {name: value for name, value in opened.items() if value.text}
        key, index = values.pop(KEY_FIELD, None), self._keys.index
        tokens = blind.tokens(index, one.shop, values) if one.kind == "customer" else {}
        key_hash = blind.identity(index, one.shop, key.text) if key is not None and one.keyed else None
        content = blind.content(index, one.shop, values) if one.state == "provisional" else None
        return one.shop, one.person, index.id, key_hash, content, tokens

    def _opened(self, one: Held, names: Sequence[str]) -> dict[str, bytes]:
        """Open the named fields. Raises RecordDamaged unless each is there in its version."""
        epoch = self._keys.epochs.get(one.epoch)
        if epoch is None:
            raise RecordDamaged("no such epoch key")
        key = epoch.unwrap(one.wrapped, shop=one.shop, person=one.person, versions=one.versions)
        return {name: _open(key, one, name) for name in names}


def _open(key: DataKey, one: Held, name: str) -> bytes:
    version, sealed = one.fields.get(name, (0, b""))
    if version != one.versions[name]:
        raise RecordDamaged("decryption failed")
    return key.open(sealed, shop=one.shop, person=one.person, field=name, version=version)


def _each(act: Callable[[Held], tuple[Any, ...]], held: Sequence[Held]) -> Rows:
    rows: Rows = []
    for one in held:
        try:
            rows.append(act(one))
        except RecordDamaged:
            _log.error("record_damaged", shop=one.shop, person=one.person)
    return rows


async def _read(connection: Connection, persons: Sequence[tuple[int, str]]) -> list[Held]:
    ids = [[shop for shop, _ in persons], [person for _, person in persons]]
    cursor = await connection.execute(_READ, ids)
    held = {
        (shop, person): Held(shop, person, kind, state, keyed, bytes(epoch), bytes(wrapped), dict(versions))
        for shop, person, kind, state, keyed, epoch, wrapped, versions in await cursor.fetchall()
    }
    cursor = await connection.execute(_FIELDS, ids)
    for shop, person, name, version, sealed in await cursor.fetchall():
        if (shop, person) in held:
            held[shop, person].fields[name] = (version, bytes(sealed))
    return list(held.values())


async def _write_wrapped(connection: Connection, rows: Rows, _now: int) -> None:
    await connection.execute(
        b"UPDATE keystore.person_key AS k SET epoch = n.epoch, wrapped = n.wrapped "
        b"FROM unnest(%s::bigint[], %s::uuid[], %s::bytea[], %s::bytea[]) "
        b"AS n(shop_id, person, epoch, wrapped) "
        b"WHERE (k.shop_id, k.person) = (n.shop_id, n.person)",
        [list(column) for column in zip(*rows, strict=True)],
    )


async def _write_sealed(connection: Connection, rows: Rows, now: int) -> None:
    await _write_wrapped(connection, [row[:4] for row in rows], now)
    shops = [row[0] for row in rows]
    await connection.execute(
        b"UPDATE keystore.person_key AS k SET keyed_at = %s FROM unnest(%s::bigint[], %s::uuid[]) "
        b"AS n(shop_id, person) WHERE (k.shop_id, k.person) = (n.shop_id, n.person)",
        [now, shops, [row[1] for row in rows]],
    )
    boxes = [(shop, person, name, box) for shop, person, _, _, all_ in rows for name, box in all_.items()]
    await connection.execute(
        b"UPDATE vault.field AS f SET sealed = n.sealed "
        b"FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::bytea[]) "
        b"AS n(shop_id, person, field, sealed) "
        b"WHERE (f.shop_id, f.person, f.field) = (n.shop_id, n.person, n.field)",
        [[box[column] for box in boxes] for column in range(4)],
    )


async def _write_hashed(connection: Connection, rows: Rows, _now: int) -> None:
    shops, persons = [row[0] for row in rows], [row[1] for row in rows]
    await connection.execute(
        b"DELETE FROM vault.blind b USING unnest(%s::bigint[], %s::uuid[]) AS n(shop_id, person) "
        b"WHERE (b.shop_id, b.person) = (n.shop_id, n.person)",
        [shops, persons],
    )
    tokens = [
        (shop, token, person, name, key_id)
        for shop, person, key_id, _, _, all_ in rows
        for name, token in all_.items()
    ]
    await connection.execute(
        b"INSERT INTO vault.blind (shop_id, token, person, field, index_key) SELECT * FROM "
        b"unnest(%s::bigint[], %s::bytea[], %s::uuid[], %s::text[], %s::bytea[])",
        [[token[column] for token in tokens] for column in range(5)],
    )
    await connection.execute(
        b"UPDATE vault.person AS p SET key_hash = n.key_hash, content = n.content, index_key = n.index_key "
        b"FROM unnest(%s::bigint[], %s::uuid[], %s::bytea[], %s::bytea[], %s::bytea[]) "
        b"AS n(shop_id, person, index_key, key_hash, content) "
        b"WHERE (p.shop_id, p.person) = (n.shop_id, n.person)",
        [[row[column] for row in rows] for column in range(5)],
    )
