"""Rotation of keys while the vault serves: all is brought under a new key, then the old one is retired.

    epoch   a new epoch key; each person's data key is wrapped under it
    data    a new data key for each person; the fields are sealed anew
    index   a new index key; every blind token and keyed hash is computed anew
    pepper  a new pepper; all that people sign in with is brought under it (`peppers`)

Batches of few persons, each one transaction that first locks the persons as every writer does; a person is
done or not, never half, so a killed rotation goes on where it was. Old and new keys both work meanwhile. That
it is done is not said but shown: what is left under an old key is counted, and the foreign keys let the old
one be withdrawn only when that is nothing. Its file is kept for older backups and destroyed when none needs
it.
"""

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import psycopg
import structlog
from psycopg import sql
from psycopg_pool import PoolTimeout

from noren_vault.backup_keys import DAY_MS, date_text
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import KeysBusy, LedgerUnavailable, NoSuchKey
from noren_vault.keys import Keyring, Keys
from noren_vault.peppers import LEFT, Peppers
from noren_vault.providers import Kind, Stored
from noren_vault.record import Path, Record
from noren_vault.rekeying import Rekeying

PERSONS_A_BATCH: Final = 25
_WORDS_A_BATCH: Final = 200
# Table, key, and what stands before the key where its words are bound to their row.
_WORDS: Final = (
    ("session", "session", ""),
    ("allowance", "request", "allowance:"),
    ("transfer", "transfer", "transfer:"),
    ("transfer_rows", "transfer || ':' || place", "transfer_rows:"),
    ("power", "power", "power:"),
    ("power_review", "power", "power_review:"),
    ("sso", "shop_id::text", "sso:"),
    ("door", "session || ':' || note", "door:"),
    ("passkey_word", "name", "passkey:"),
    ("api_key", "name", "api-key:"),
    ("defence", "name", "defence:"),
    ("incident_record", "incident || ':' || number", "incident:"),
    ("reader", "person::text", "reader:"),
    ("inquiry_line", "inquiry || ':' || number", "inquiry:"),
    ("inquiry_key", "name", "inquiry-key:"),
    ("sign", "sign", "sign:"),
    ("evidence", "file", "evidence:"),
    ("evidence_piece", "file || ':' || number", "evidence-piece:"),
    ("telling", "telling", "telling:"),
    ("path_block", "block", "path-block:"),
    ("secret_note", "note", "secret-note:"),
)
# Between two batches at least this long, and as long as the last one took: half of the time is the reveals'.
_PAUSE_SECONDS: Final = 0.02
_AGAIN_SECONDS: Final = 5.0
_PATH: Final = Path("vault")
_log = structlog.get_logger("rotation")


class What(StrEnum):
    """Which keys are made anew."""

    EPOCH = "epoch"
    DATA = "data"
    INDEX = "index"
    PEPPER = "pepper"


# Which persons are still to be done, and what would still lie under an old key.
_NEEDS: Final = {
    What.EPOCH: "EXISTS (SELECT 1 FROM keystore.person_key k "
    "WHERE (k.shop_id, k.person) = (p.shop_id, p.person) AND k.epoch <> %(new)s)",
    What.DATA: "EXISTS (SELECT 1 FROM keystore.person_key k "
    "WHERE (k.shop_id, k.person) = (p.shop_id, p.person) AND k.keyed_at < %(since)s)",
    What.INDEX: "(p.index_key <> %(new)s OR EXISTS (SELECT 1 FROM vault.blind b "
    "WHERE (b.shop_id, b.person) = (p.shop_id, p.person) AND b.index_key <> %(new)s))",
}
_LEFT: Final = {
    What.EPOCH: "SELECT (SELECT count(*) FROM keystore.person_key"
    " WHERE substring(wrapped FROM 6 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.session WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.allowance WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.transfer WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.transfer_rows WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.power WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.power_review WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.sso WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.door WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.passkey_word WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.api_key WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.defence WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.incident_record WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.reader WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.inquiry_line WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.inquiry_key WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.sign WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.evidence WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.evidence_piece WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.telling WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.path_block WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)"
    " + (SELECT count(*) FROM vault.secret_note WHERE substring(sealed FROM 2 FOR 4) <> %(new)s)",
    What.DATA: "SELECT (SELECT count(*) FROM keystore.person_key WHERE keyed_at < %(since)s)"
    " + (SELECT count(*) FROM vault.field f LEFT JOIN keystore.person_key k USING (shop_id, person)"
    " WHERE substring(f.sealed FROM 2 FOR 4) IS DISTINCT FROM substring(k.wrapped FROM 1 FOR 4))",
    What.INDEX: "SELECT (SELECT count(*) FROM vault.blind WHERE index_key <> %(new)s)"
    " + (SELECT count(*) FROM vault.person WHERE index_key <> %(new)s)",
    What.PEPPER: LEFT,
}
_PERSONS: Final = b"SELECT count(*) FROM vault.person p WHERE p.state <> 'erased' AND "


@dataclass(frozen=True, slots=True)
class Running:
    """A rotation under way. `entry` is the one that began it; `new` is None for data keys."""

    entry: int
    what: What
    new: bytes | None
    since: int

    @property
    def words(self) -> dict[str, Any]:
        """What the statements take."""
        return {"new": self.new, "since": self.since}


class Rotation:
    """Begins rotations, carries them on, ends them."""

    def __init__(
        self, *, database: Database, ring: Keyring, keys: Keys, record: Record, now: Now, days: int
    ) -> None:
        """Keep the parts; `days` is how long a backup may need a retired key."""
        self._database = database
        self._ring = ring
        self._keys = keys
        self._record = record
        self._now = now
        self._days = days
        self._rekeying = Rekeying(keys)
        self._peppers = Peppers(database, keys)
        self._news = asyncio.Event()
        self._one = asyncio.Lock()

    async def begin(self, what: What, path: Path) -> int:
        """Begin a rotation and give the entry that says so. Raises KeysBusy, LedgerUnavailable, KeysError."""
        async with self._one:
            if await self._running() is not None:
                raise KeysBusy
            stored = None
            if what is not What.DATA:
                stored = await asyncio.to_thread(self._ring.provider.new, Kind(what))
            ref = what if stored is None else f"{what}:{stored.id.hex()}"
            entry = await self._record.write("key", path, ref=ref, note="rotation_begin")
            if stored is not None:
                await asyncio.to_thread(self._ring.provider.make, stored)
            async with self._keys.steady.change():
                await self._put_in_use(entry, what, stored)
            self._news.set()
            return entry

    async def work_forever(self) -> None:
        """Carry on what was begun, now or before a restart."""
        while True:
            self._news.clear()
            wait = None
            try:
                await self.work()
            except (psycopg.Error, PoolTimeout, LedgerUnavailable) as fault:
                _log.error("rotation_waits", fault=type(fault).__name__)
                wait = _AGAIN_SECONDS
            if await self._unfinished():
                wait = _AGAIN_SECONDS
            try:
                await asyncio.wait_for(self._news.wait(), wait)
            except TimeoutError:
                continue

    async def work(self) -> None:
        """Bring everybody under the new key, and end the rotation when nothing is left under an old one.

        Persons whose record is damaged stay behind, and the old key with them: the rotation stays open.
        """
        await self._tell()
        running = await self._running()
        if running is None:
            return
        while await self._round(running):
            if running.what is What.EPOCH:
                await self._words(running)
        if running.what is What.EPOCH:
            await self._words(running)
        if left := await self.left(running):
            _log.warning("rotation_not_done", what=str(running.what), left=left)
            return
        await self._end(running)
        await self._tell()

    async def status(self) -> list[dict[str, Any]]:
        """Tell every rotation, newest first; `left` is what still lies under an old key."""
        rows = await self._database.rows(
            "SELECT entry, kind, new_key, begun_at, total, done, ended_at, told FROM vault.rotation "
            "ORDER BY entry DESC LIMIT 20"
        )
        told = []
        for entry, kind, new, begun, total, done, ended, last in rows:
            running = Running(entry, What(kind), None if new is None else bytes(new), begun)
            told.append(
                {
                    "what": kind,
                    "key": "" if new is None else bytes(new).hex(),
                    "begun": begun / 1000,
                    "total": total,
                    "done": done,
                    "ended": None if ended is None else ended / 1000,
                    "left": await self.left(running) if ended is None else 0,
                    "entries": [entry] if last is None else [entry, last],
                }
            )
        return told

    async def left(self, running: Running) -> int:
        """Count what lies under an old key."""
        row = await self._database.row(_LEFT[running.what], running.words)
        return 0 if row is None else int(row[0])

    async def destroy(self, key_id: bytes) -> None:
        """Destroy a retired key before its day: backups from before it was retired are lost with it.

        Raises NoSuchKey.
        """
        moved = await self._database.run(
            "UPDATE vault.retired_key SET destroy_at = %s WHERE id = %s AND destroyed_at IS NULL",
            [self._now(), key_id],
        )
        if not moved:
            raise NoSuchKey(key=key_id.hex())
        await self.destroy_due()

    async def destroy_due(self) -> int:
        """Destroy the retired keys whose day has come, each on record; gives their number."""
        rows = await self._database.rows(
            "SELECT kind, number, id FROM vault.retired_key WHERE destroyed_at IS NULL AND destroy_at <= %s",
            [self._now()],
        )
        for kind, number, key_id in rows:
            stored = Stored(Kind(kind), number, bytes(key_id))
            await asyncio.to_thread(self._ring.provider.destroy, stored)
            await self._record.write("key", _PATH, ref=f"{kind}:{stored.id.hex()}", note="destroyed")
            await self._database.run(
                "UPDATE vault.retired_key SET destroyed_at = %s WHERE kind = %s AND id = %s",
                [self._now(), kind, stored.id],
            )
        return len(rows)

    async def withdraw_peppers(self) -> int:
        """Retire the old peppers that no password needs any more, each on record; gives their number."""
        unused = await self._peppers.unused()
        if not unused:
            return 0
        row = await self._database.row(
            "SELECT max(entry) FROM vault.rotation WHERE kind = 'pepper' AND ended_at IS NOT NULL"
        )
        running = Running(0 if row is None else row[0], What.PEPPER, self._keys.pepper.id, 0)
        for stored in unused:
            ref = f"{stored.kind}:{stored.id.hex()}/destroyed:{date_text(self._destroy_at())}"
            await self._record.write("key", _PATH, ref=ref, note="retired")
            async with self._database.transaction() as connection:
                await connection.execute(b"DELETE FROM vault.pepper WHERE id = %s", [stored.id])
                await self._retire(connection, running, [stored])
            self._keys.forget(stored)
        return len(unused)

    # -- inside

    async def _put_in_use(self, entry: int, what: What, stored: Stored | None) -> None:
        """Register the key and the rotation in one transaction, then seal with it. The keys stand still."""
        raw = None if stored is None else await asyncio.to_thread(self._ring.provider.read, stored)
        running = Running(entry, what, None if stored is None else stored.id, self._now() + 1)
        total = LEFT.encode() if what is What.PEPPER else _PERSONS + _NEEDS[what].encode()
        async with self._database.transaction() as connection:
            if stored is not None:
                await self._ring.register(connection, stored)
            await connection.execute(
                b"INSERT INTO vault.rotation (entry, kind, new_key, begun_at, total) SELECT %(entry)s, "
                b"%(what)s, %(new)s, %(since)s, (" + total + b")",
                {"entry": entry, "what": what, **running.words},
            )
        if stored is not None and raw is not None:
            self._keys.take(stored, raw)

    async def _running(self) -> Running | None:
        row = await self._database.row(
            "SELECT entry, kind, new_key, begun_at FROM vault.rotation WHERE ended_at IS NULL"
        )
        if row is None:
            return None
        return Running(row[0], What(row[1]), None if row[2] is None else bytes(row[2]), row[3])

    async def _unfinished(self) -> bool:
        try:
            return await self._running() is not None
        except (psycopg.Error, PoolTimeout):
            return True

    async def _round(self, running: Running) -> int:
        """Go once through everybody; gives how many were done."""
        if running.what is What.PEPPER:
            return await self._peppers.round(lambda connection, done: _count(connection, running, done))
        done, after = 0, (-1, "00000000-0000-0000-0000-000000000000")
        while True:
            begun = time.monotonic()
            seen, last = await self._batch(running, after)
            if last is None:
                return done
            done, after = done + seen, last
            await asyncio.sleep(max(_PAUSE_SECONDS, time.monotonic() - begun))

    async def _batch(self, running: Running, after: tuple[int, str]) -> tuple[int, tuple[int, str] | None]:
        """Do the next persons in one transaction; gives how many were done, and the last of them."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"SELECT p.shop_id, p.person::text FROM vault.person p "
                b"WHERE (p.shop_id, p.person) > (%(shop)s, %(person)s::uuid) AND p.state <> 'erased' AND "
                + _NEEDS[running.what].encode()
                + b" ORDER BY p.shop_id, p.person LIMIT %(most)s FOR UPDATE OF p SKIP LOCKED",
                {"shop": after[0], "person": after[1], "most": PERSONS_A_BATCH, **running.words},
            )
            persons = [(shop, person) for shop, person in await cursor.fetchall()]
            if not persons:
                return 0, None
            done = await self._rekeying.do(connection, running.what, persons, self._now())
            await _count(connection, running, done)
        await self._progress(running, done)
        return done, persons[-1]

    async def _progress(self, running: Running, step: int) -> None:
        """Write each quarter down."""
        row = await self._database.row(
            "SELECT done, total FROM vault.rotation WHERE entry = %s", [running.entry]
        )
        done, total = row or (0, 0)
        if total and done < total and 4 * done // total > 4 * (done - step) // total:
            ref = f"{running.what}/entry:{running.entry}/done:{done}/of:{total}"
            await self._record.write("key", _PATH, ref=ref, note="rotation_progress")

    async def _words(self, running: Running) -> None:
        """Seal anew what lies under keys derived from the epochs'."""
        for table, column, place in _WORDS:
            names = {"table": sql.Identifier("vault", table), "column": sql.SQL(column)}
            left = True
            while left:
                left = await self._words_of(running, names, place) > 0
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _words_of(self, running: Running, names: dict[str, sql.Composable], place: str) -> int:
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                sql.SQL(
                    "SELECT {column}, sealed FROM {table} WHERE substring(sealed FROM 2 FOR 4) <> %s "
                    "ORDER BY {column} LIMIT %s FOR UPDATE SKIP LOCKED"
                ).format(**names),
                [running.new, _WORDS_A_BATCH],
            )
            rows = [(row, bytes(sealed)) for row, sealed in await cursor.fetchall()]
            await connection.execute(
                sql.SQL(
                    "UPDATE {table} AS s SET sealed = n.anew "
                    "FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) AS n(row, old, anew) "
                    "WHERE {column} = n.row AND s.sealed = n.old"
                ).format(**names),
                [[row for row, _ in rows], [old for _, old in rows], self._rekeying.words(rows, place)],
            )
        return len(rows)

    async def _end(self, running: Running) -> None:
        """End it and retire the old keys in one transaction; the foreign keys refuse it too early."""
        withdrawn: list[Stored] = []
        async with self._database.transaction() as connection:
            # A pepper stays in use while a password has it among its layers: see `withdraw_peppers`.
            if running.new is not None and running.what is not What.PEPPER:
                withdrawn = await self._ring.withdraw(connection, Kind(running.what), running.new)
                await self._retire(connection, running, withdrawn)
            await connection.execute(
                b"UPDATE vault.rotation SET ended_at = %s WHERE entry = %s", [self._now(), running.entry]
            )
        for stored in withdrawn:
            self._keys.forget(stored)

    async def _retire(self, connection: Connection, running: Running, withdrawn: list[Stored]) -> None:
        now, destroy_at = self._now(), self._destroy_at()
        for stored in withdrawn:
            await connection.execute(
                b"INSERT INTO vault.retired_key (kind, id, number, rotation, retired_at, destroy_at) "
                b"VALUES (%s, %s, %s, %s, %s, %s)",
                [stored.kind, stored.id, stored.number, running.entry, now, destroy_at],
            )

    def _destroy_at(self) -> int:
        """The day on which a key retired now is destroyed."""
        return (self._now() // DAY_MS + 1 + self._days) * DAY_MS

    async def _tell(self) -> None:
        """Write down the ends that are not on record yet, with the counts, and the keys retired with them."""
        rows = await self._database.rows(
            "SELECT entry, kind, done FROM vault.rotation "
            "WHERE ended_at IS NOT NULL AND told IS NULL ORDER BY entry"
        )
        for entry, kind, done in rows:
            retired = await self._database.rows(
                "SELECT id, destroy_at FROM vault.retired_key WHERE rotation = %s ORDER BY number", [entry]
            )
            for key_id, destroy_at in retired:
                ref = f"{kind}:{bytes(key_id).hex()}/destroyed:{date_text(destroy_at)}"
                await self._record.write("key", _PATH, ref=ref, note="retired")
            unit = "rows" if kind == What.PEPPER else "persons"
            ref = f"{kind}/entry:{entry}/{unit}:{done}/left:0"
            told = await self._record.write("key", _PATH, ref=ref, note="rotation_done")
            await self._database.run("UPDATE vault.rotation SET told = %s WHERE entry = %s", [told, entry])


async def _count(connection: Connection, running: Running, done: int) -> None:
    await connection.execute(
        b"UPDATE vault.rotation SET done = done + %s WHERE entry = %s", [done, running.entry]
    )
