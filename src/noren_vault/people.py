"""Persons as they are stored: sealed rows in, sealed rows out. Nothing here decides whether it may."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import orjson

from noren_vault import blind, own_records
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import RecordDamaged
from noren_vault.fields import Value, Values
from noren_vault.floors import Floors
from noren_vault.keys import Keys
from noren_vault.sealing import EpochKey
from noren_vault.together import Together

_INSERT: Final = b"""
WITH made AS (
    INSERT INTO vault.person (shop_id, person, kind, state, key_hash, content, index_key, made_at)
    SELECT %(shop)s, p.person, %(kind)s, %(state)s, p.key_hash, p.content, %(index_key)s, %(now)s
    FROM unnest(%(persons)s::uuid[], %(key_hashes)s::bytea[], %(contents)s::bytea[])
        AS p(person, key_hash, content)
    ON CONFLICT (shop_id, key_hash) WHERE key_hash IS NOT NULL DO NOTHING
    RETURNING person
), keyed AS (
    INSERT INTO keystore.person_key (shop_id, person, epoch, wrapped, versions, keyed_at)
    SELECT %(shop)s, k.person, %(epoch)s, k.wrapped, k.versions::jsonb, %(now)s
    FROM unnest(%(persons)s::uuid[], %(wrapped)s::bytea[], %(versions)s::text[])
        AS k(person, wrapped, versions)
    JOIN made USING (person)
), sealed AS (
    INSERT INTO vault.field (shop_id, person, field, version, sealed, written_at)
    SELECT %(shop)s, f.person, f.field, 1, f.sealed, %(now)s
    FROM unnest(%(field_persons)s::uuid[], %(fields)s::text[], %(sealed)s::bytea[])
        AS f(person, field, sealed)
    JOIN made USING (person)
), blinded AS (
    INSERT INTO vault.blind (shop_id, token, person, field, index_key)
    SELECT %(shop)s, b.token, b.person, b.field, %(index_key)s
    FROM unnest(%(blind_persons)s::uuid[], %(blind_fields)s::text[], %(tokens)s::bytea[])
        AS b(person, field, token)
    JOIN made USING (person)
)
SELECT person::text FROM made
"""

# One row a person, in the binary form: a third of the time of a row a field.
_READ: Final = """
SELECT p.person::text, k.epoch, k.wrapped, k.versions::text, f.names, f.versions, f.sealed
FROM vault.person p
LEFT JOIN keystore.person_key k USING (shop_id, person)
LEFT JOIN LATERAL (
    SELECT array_agg(s.field) AS names, array_agg(s.version) AS versions, array_agg(s.sealed) AS sealed
    FROM vault.field s
    WHERE s.shop_id = p.shop_id AND s.person = p.person AND s.field = ANY(%(fields)s)
) f ON true
WHERE p.shop_id = %(shop)s AND p.person = ANY(%(persons)s::uuid[]) AND p.state <> 'erased'
  AND p.kind = ANY(%(kinds)s)
"""
# Who was joined with another record is found as that one.
_KEPT: Final = (
    "SELECT person::text FROM vault.person WHERE shop_id = %s AND state = 'kept' AND kind = 'customer' "
    "AND NOT EXISTS (SELECT FROM vault.merge m WHERE m.shop_id = vault.person.shop_id "
    "AND m.person = vault.person.person AND m.state = 'merged') "
)

# The caller's idempotency key, sealed as a field that no request can name: a new index key needs it.
KEY_FIELD: Final = "key"
# What the vault's own parts store persons under, a member by the handle: from outside nobody may, or a
# member's invitation would go to an address that was planted there.
OWN_KEYS: Final = ("member:", "backup:")
CUSTOMER: Final = ("customer",)
MEMBER: Final = ("member",)
ANYBODY: Final = ("customer", "member")
# Who takes the public's notices by mail: a person of no shop.
READER: Final = "reader"
# Who asked something at the inquiry desk: a person of no shop, too.
ASKER: Final = "asker"
# Who reported something from outside, and gave an address: of no shop either.
REPORTER: Final = "reporter"
ADDRESSEES: Final = (*ANYBODY, READER, ASKER, REPORTER)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to be stored. `key` makes a second attempt find the first."""

    person: str
    key: str | None
    values: Values

    @classmethod
    def of(cls, key: str | None, values: Values) -> "NewPerson":
        """Give it a new id."""
        return cls(str(uuid4()), key, values)

    @property
    def stored(self) -> Values:
        """All that is sealed: the values and the key."""
        return self.values if self.key is None else self.values | {KEY_FIELD: Value(self.key)}


@dataclass(slots=True)
class Sealed:
    """A stored person, still sealed: field -> (version, sealed value)."""

    person: str
    epoch: bytes
    wrapped: bytes
    versions: dict[str, int]
    fields: dict[str, tuple[int, bytes]] = field(default_factory=dict)


# A shop, fields, kinds and a person.
_Asked = tuple[int, tuple[str, ...], tuple[str, ...], str]


class People:
    """Seals, stores, finds and opens."""

    def __init__(self, database: Database, keys: Keys, least: Floors) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._least = least
        self._single = Together(self._read_single)
        self._listener: Callable[[int, Iterable[str]], None] | None = None

    def tell_changes_to(self, listener: Callable[[int, Iterable[str]], None]) -> None:
        """Have one listener called with shop and persons after each change that may have come true."""
        self._listener = listener

    def changed(self, shop: int, persons: Iterable[str]) -> None:
        """Say that persons were changed, or may have been."""
        if self._listener is not None:
            self._listener(shop, persons)

    async def insert(
        self, shop: int, people: Sequence[NewPerson], *, kind: str, state: str, searched: bool, now: int
    ) -> set[str]:
        """Store new persons in one statement; gives the ids of those whose key was not there yet.

        The caller holds the keys steady, from its look for these keys on.
        """
        rows = await asyncio.to_thread(self._rows, shop, people, searched=searched)
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                _INSERT, {"shop": shop, "kind": kind, "state": state, "now": now, **rows}
            )
            made = {row[0] for row in await cursor.fetchall()}
        self.changed(shop, made)
        return made

    async def by_key(self, shop: int, keys: Iterable[str]) -> dict[str, str]:
        """Find persons by the keys they were stored with: key -> person."""
        hashes = {token: key for key in keys for token in blind.identities(self._keys, shop, key)}
        rows = await self._database.rows(
            "SELECT key_hash, person::text FROM vault.person WHERE shop_id = %s AND key_hash = ANY(%s)",
            [shop, list(hashes)],
        )
        return {hashes[bytes(key_hash)]: person for key_hash, person in rows}

    async def read(
        self, shop: int, persons: Sequence[str], fields: Sequence[str], *, kinds: Sequence[str] = CUSTOMER
    ) -> list[Sealed]:
        """Read persons of this shop, sealed, in the order asked for; who is not there is left out."""
        if len(persons) == 1:
            one = await self._single.get((shop, tuple(fields), tuple(kinds), persons[0]))
            return [] if one is None else [one]
        found = await self._read(shop, persons, fields, kinds)
        return [found[person] for person in dict.fromkeys(persons) if person in found]

    async def kept_after(self, shop: int, person: str, most: int) -> list[str]:
        """Give the next ids of a shop's customers, not of who never finished booking."""
        rows = await self._database.rows(
            _KEPT + "AND person > %s ORDER BY vault.person.person LIMIT %s", [shop, person, most]
        )
        return [row[0] for row in rows]

    async def kept_among(self, shop: int, persons: Sequence[str]) -> list[str]:
        """Give those of the ids that are a shop's customers."""
        rows = await self._database.rows(_KEPT + "AND person = ANY(%s::uuid[])", [shop, list(persons)])
        return [row[0] for row in rows]

    async def _read_single(self, asked: Sequence[_Asked]) -> dict[_Asked, Sealed]:
        """Read single persons that were asked for at the same time: most are asked for in the same way."""
        found: dict[_Asked, Sealed] = {}
        for shop, fields, kinds in dict.fromkeys(one[:3] for one in asked):
            persons = [one[3] for one in asked if one[:3] == (shop, fields, kinds)]
            read = await self._read(shop, persons, fields, kinds)
            found |= {(shop, fields, kinds, person): sealed for person, sealed in read.items()}
        return found

    async def _read(
        self, shop: int, persons: Sequence[str], fields: Sequence[str], kinds: Sequence[str]
    ) -> dict[str, Sealed]:
        wanted = {"shop": shop, "persons": list(persons), "fields": list(fields), "kinds": list(kinds)}
        return {row[0]: _sealed(row) for row in await self._database.rows(_READ, wanted, binary=True)}

    def open(self, shop: int, sealed: Sealed, fields: Sequence[str]) -> dict[str, Value]:
        """Open the asked fields of a person. Raises RecordDamaged. Only called when the entry is durable."""
        epoch = self._epoch(shop, sealed)
        key = epoch.unwrap(sealed.wrapped, shop=shop, person=sealed.person, versions=sealed.versions)
        values: dict[str, Value] = {}
        for name in fields:
            if name not in sealed.versions:
                continue
            version, stored = sealed.fields.get(name, (0, b""))
            if version != sealed.versions[name]:
                raise RecordDamaged("decryption failed")
            plain = key.open(stored, shop=shop, person=sealed.person, field=name, version=version)
            value = Value.from_bytes(plain)
            if value.text:
                values[name] = value
        return values

    async def rewrite(
        self, connection: Connection, shop: int, sealed: Sealed, new: "Rewrite", now: int
    ) -> None:
        """Write fields anew under the row's lock, which the caller's transaction holds."""
        epoch = self._epoch(shop, sealed)
        old, versions = sealed.versions, sealed.versions | new.versions
        key = epoch.unwrap(sealed.wrapped, shop=shop, person=sealed.person, versions=old)
        wrapped = epoch.rewrap(sealed.wrapped, shop=shop, person=sealed.person, old=old, new=versions)
        names = sorted(new.versions)
        boxes = [
            key.seal(
                new.values.get(name, Value("")).to_bytes(),
                shop=shop,
                person=sealed.person,
                field=name,
                version=versions[name],
            )
            for name in names
        ]
        await connection.execute(
            b"UPDATE keystore.person_key SET wrapped = %s, versions = %s::jsonb "
            b"WHERE shop_id = %s AND person = %s",
            [wrapped, json.dumps(versions), shop, sealed.person],
        )
        await connection.execute(
            b"INSERT INTO vault.field (shop_id, person, field, version, sealed, written_at) "
            b"SELECT %s, %s, f.field, f.version, f.sealed, %s "
            b"FROM unnest(%s::text[], %s::integer[], %s::bytea[]) AS f(field, version, sealed) "
            b"ON CONFLICT (shop_id, person, field) DO UPDATE SET version = excluded.version, "
            b"sealed = excluded.sealed, written_at = excluded.written_at",
            [shop, sealed.person, now, names, [versions[name] for name in names], boxes],
        )
        await self._reindex(connection, shop, sealed.person, new)
        self._database.after(connection, lambda: self.changed(shop, [sealed.person]))

    async def lock(
        self, connection: Connection, shop: int, person: str, states: Sequence[str]
    ) -> Sealed | None:
        """Lock a customer in one of the states in the caller's transaction; None when there is none.

        Every writer locks the person's row first, so that none waits for another in a ring.
        """
        locked = await connection.execute(
            b"SELECT 1 FROM vault.person WHERE shop_id = %s AND person = %s AND kind = 'customer' "
            b"AND state = ANY(%s) FOR UPDATE",
            [shop, person, list(states)],
        )
        if await locked.fetchone() is None:
            return None
        cursor = await connection.execute(
            b"SELECT epoch, wrapped, versions FROM keystore.person_key WHERE shop_id = %s AND person = %s",
            [shop, person],
        )
        row = await cursor.fetchone()
        return None if row is None else Sealed(person, bytes(row[0]), bytes(row[1]), dict(row[2]))

    async def destroy(self, connection: Connection, shop: int, persons: Sequence[str]) -> None:
        """Destroy the data keys, and what they sealed, in the caller's transaction."""
        for table in (b"keystore.person_key", b"vault.field", b"vault.blind"):
            await connection.execute(
                b"DELETE FROM " + table + b" WHERE shop_id = %s AND person = ANY(%s::uuid[])", [shop, persons]
            )
        await own_records.forget(connection, shop, persons)
        await connection.execute(
            b"UPDATE vault.person SET state = 'erased', key_hash = NULL, content = NULL, index_key = NULL "
            b"WHERE shop_id = %s AND person = ANY(%s::uuid[])",
            [shop, persons],
        )
        self._database.after(connection, lambda: self.changed(shop, persons))

    def _epoch(self, shop: int, sealed: Sealed) -> EpochKey:
        """The key that wraps this person's, once the row is known to be the newest."""
        self._least.check(shop, sealed.person, sealed.versions)
        epoch = self._keys.epochs.get(sealed.epoch)
        if epoch is None:
            raise RecordDamaged("decryption failed")
        return epoch

    async def _reindex(self, connection: Connection, shop: int, person: str, new: "Rewrite") -> None:
        await connection.execute(
            b"DELETE FROM vault.blind WHERE shop_id = %s AND person = %s AND field = ANY(%s)",
            [shop, person, sorted(new.versions)],
        )
        index = self._keys.index
        tokens = blind.tokens(index, shop, new.values)
        await connection.execute(
            b"INSERT INTO vault.blind (shop_id, token, person, field, index_key) "
            b"SELECT %s, b.token, %s, b.field, %s FROM unnest(%s::text[], %s::bytea[]) AS b(field, token)",
            [shop, person, index.id, list(tokens), list(tokens.values())],
        )

    def _rows(self, shop: int, people: Sequence[NewPerson], *, searched: bool) -> dict[str, Any]:
        """Seal the persons into the arrays of `_INSERT`."""
        index, epoch = self._keys.index, self._keys.epoch
        sealed: list[tuple[str, str, bytes]] = []
        tokens: list[tuple[str, str, bytes]] = []
        wraps: list[bytes] = []
        for one in people:
            versions = dict.fromkeys(one.stored, 1)
            key, wrapped = epoch.new_data_key(shop=shop, person=one.person, versions=versions)
            wraps.append(wrapped)
            for name, value in one.stored.items():
                box = key.seal(value.to_bytes(), shop=shop, person=one.person, field=name, version=1)
                sealed.append((one.person, name, box))
            if searched:
                tokens += [
                    (one.person, f, token) for f, token in blind.tokens(index, shop, one.values).items()
                ]
        keys = [None if one.key is None else blind.identity(index, shop, one.key) for one in people]
        return {
            "persons": [one.person for one in people],
            "key_hashes": keys,
            "contents": [blind.content(index, shop, one.values) for one in people],
            "index_key": index.id,
            "epoch": epoch.id,
            "wrapped": wraps,
            "versions": [json.dumps(dict.fromkeys(one.stored, 1)) for one in people],
            "field_persons": [person for person, _, _ in sealed],
            "fields": [name for _, name, _ in sealed],
            "sealed": [box for _, _, box in sealed],
            "blind_persons": [person for person, _, _ in tokens],
            "blind_fields": [name for _, name, _ in tokens],
            "tokens": [token for _, _, token in tokens],
        }


async def opened_under_lock(
    people: People, connection: Connection, shop: int, sealed: Sealed, fields: Sequence[str]
) -> Values:
    """Open fields of a locked person, to be written anew; nothing of it may be told."""
    cursor = await connection.execute(
        b"SELECT field, version, sealed FROM vault.field "
        b"WHERE shop_id = %s AND person = %s AND field = ANY(%s)",
        [shop, sealed.person, list(fields)],
    )
    sealed.fields |= {name: (at, bytes(box)) for name, at, box in await cursor.fetchall()}
    return people.open(shop, sealed, fields)


def _sealed(row: Row) -> Sealed:
    person, epoch, wrapped, versions, names, numbers, boxes = row
    stored = zip(names, zip(numbers, boxes, strict=True), strict=True) if names else ()
    return Sealed(person, epoch or b"", wrapped or b"", orjson.loads(versions or "{}"), dict(stored))


@dataclass(frozen=True, slots=True)
class Rewrite:
    """New values by field, and the version each named field has from now on; without a value it is gone."""

    values: Values
    versions: dict[str, int]

    @classmethod
    def of(cls, sealed: Sealed, names: Iterable[str], values: Values) -> "Rewrite":
        """Count one version on for each named field."""
        return cls(values, {name: sealed.versions.get(name, 0) + 1 for name in names})
