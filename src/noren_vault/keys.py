"""The vault's keys in memory, and which of them are in use.

Tables say which keys something may lie under (`keystore.epoch`, `vault.index_key`, `vault.pepper`); the
newest of a kind seals what is new, every one of them opens. Keys lie with a provider and are unwrapped once,
at the start or when they are made. A key is never made anew where something was sealed with another.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from noren_vault import sealing
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import RecordDamaged
from noren_vault.providers import FileProvider, KeysError, Kind, Stored
from noren_vault.sealing import EpochKey, IndexKey, PepperKey, PlainKey

__all__ = ["Keyring", "Keys", "KeysError"]

# A reveal that began under a key may still open with it after the key was retired.
_LINGER_SECONDS: Final = 60.0
_TABLES: Final = {Kind.EPOCH: b"keystore.epoch", Kind.INDEX: b"vault.index_key", Kind.PEPPER: b"vault.pepper"}
_log = structlog.get_logger("keys")


class Steady:
    """Many may hold the keys steady at once; who changes them waits for those and keeps new ones out."""

    def __init__(self) -> None:
        """Nobody is inside."""
        self._holders = 0
        self._changing = False
        self._moved = asyncio.Condition()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Inside, the newest keys stay the newest. Not to be nested."""
        async with self._moved:
            await self._moved.wait_for(lambda: not self._changing)
            self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            async with self._moved:
                self._moved.notify_all()

    @asynccontextmanager
    async def change(self) -> AsyncIterator[None]:
        """Inside, nobody holds them."""
        async with self._moved:
            await self._moved.wait_for(lambda: not self._changing)
            self._changing = True
        try:
            async with self._moved:
                await self._moved.wait_for(lambda: not self._holders)
            yield
        finally:
            self._changing = False
            async with self._moved:
                self._moved.notify_all()


@dataclass(slots=True)
class Keys:
    """The handles. `epoch` and `index` seal; `epochs`, `indexes`, `plains` hold every one in use, by its id.

    Only `Keyring` changes them. `origin` names the ledger in its checkpoints: after its key, so that it
    outlives a change of host.
    """

    ledger: Ed25519PrivateKey
    origin: str
    epochs: dict[bytes, EpochKey] = field(default_factory=dict)
    plains: dict[bytes, PlainKey] = field(default_factory=dict)
    indexes: dict[bytes, IndexKey] = field(default_factory=dict)
    peppers: dict[bytes, PepperKey] = field(default_factory=dict)
    steady: Steady = field(default_factory=Steady)

    @property
    def epoch(self) -> EpochKey:
        """The one that wraps what is new."""
        return next(reversed(self.epochs.values()))

    @property
    def addresses(self) -> PlainKey:
        """The one that seals network addresses, derived from the newest epoch's."""
        return next(reversed(self.plains.values()))

    @property
    def index(self) -> IndexKey:
        """The one of new tokens."""
        return next(reversed(self.indexes.values()))

    @property
    def pepper(self) -> PepperKey:
        """The one of what people sign in with from now on."""
        return next(reversed(self.peppers.values()))

    def opens(self, sealed: bytes) -> PlainKey:
        """Give the key that sealed a network address. Raises RecordDamaged for one that is not in use."""
        try:
            return self.plains[sealed[1 : 1 + sealing.KEY_ID_BYTES]]
        except KeyError:
            raise RecordDamaged("decryption failed") from None

    def take(self, stored: Stored, raw: bytes) -> None:
        """Make a key the newest of its kind."""
        if stored.kind is Kind.EPOCH:
            self.epochs[stored.id] = sealing.epoch_key(stored.id, raw)
            self.plains[stored.id] = sealing.plain_key(stored.id, raw, "session-address")
        elif stored.kind is Kind.PEPPER:
            self.peppers[stored.id] = sealing.pepper_key(stored.id, raw)
        else:
            self.indexes[stored.id] = sealing.index_key(stored.id, raw)

    def forget(self, stored: Stored) -> None:
        """Let go of a retired key, once who began with it has ended."""
        loop, key_id = asyncio.get_running_loop(), stored.id
        if stored.kind is Kind.INDEX:
            # Nothing is under it: asking for its tokens would only cost time.
            self.indexes.pop(key_id, None)
        elif stored.kind is Kind.PEPPER:
            loop.call_later(_LINGER_SECONDS, lambda: self.peppers.pop(key_id, None))
        else:
            loop.call_later(_LINGER_SECONDS, lambda: (self.epochs.pop(key_id), self.plains.pop(key_id)))


def ledger_key(provider: FileProvider) -> tuple[Ed25519PrivateKey, str]:
    """Give the key that signs the ledger, and the ledger's name. Blocks; raises KeysError."""
    stored = provider.stored(Kind.LEDGER)[-1]
    return Ed25519PrivateKey.from_private_bytes(provider.read(stored)), f"noren/{stored.id.hex()}"


class Keyring:
    """Provider, tables and memory kept together."""

    def __init__(self, provider: FileProvider, database: Database, now: Now) -> None:
        """Keep the parts; `load` comes first."""
        self.provider = provider
        self.database = database
        self._now = now

    async def load(self) -> Keys:
        """Read every key in use; a vault that never held anything gets its first ones. Raises KeysError."""
        await self._make_first()
        keys = Keys(*await asyncio.to_thread(ledger_key, self.provider))
        for kind in _TABLES:
            for stored in await self.in_use(kind):
                keys.take(stored, await asyncio.to_thread(self.provider.read, stored))
        return keys

    async def in_use(self, kind: Kind) -> list[Stored]:
        """Name the keys under which something may lie, oldest first."""
        async with self.database.connection() as connection:
            cursor = await connection.execute(
                b"SELECT number, id FROM " + _TABLES[kind] + b" ORDER BY number"
            )
            return [Stored(kind, number, bytes(key_id)) for number, key_id in await cursor.fetchall()]

    async def register(self, connection: Connection, stored: Stored) -> None:
        """Put a key in use, in the caller's transaction."""
        await connection.execute(
            b"INSERT INTO " + _TABLES[stored.kind] + b" (id, number, made_at) VALUES (%s, %s, %s)",
            [stored.id, stored.number, self._now()],
        )

    async def withdraw(self, connection: Connection, kind: Kind, newest: bytes) -> list[Stored]:
        """Take every key but the newest out of use, in the caller's transaction, and name them.

        The foreign keys refuse it (psycopg's ForeignKeyViolation) while anything lies under one.
        """
        cursor = await connection.execute(
            b"DELETE FROM " + _TABLES[kind] + b" WHERE id <> %s RETURNING number, id", [newest]
        )
        return sorted(Stored(kind, number, bytes(key_id)) for number, key_id in await cursor.fetchall())

    async def _make_first(self) -> None:
        """Make and register the kinds that are not there. Raises KeysError where they were used."""
        absent = [
            kind
            for kind in (*_TABLES, Kind.LEDGER)
            if not await asyncio.to_thread(self.provider.stored, kind)
        ]
        row = await self.database.row(
            "SELECT EXISTS (SELECT 1 FROM keystore.person_key) OR EXISTS (SELECT 1 FROM vault.ledger_head)"
        )
        if absent and (row is None or row[0]):
            raise KeysError(
                f"no {', '.join(absent)} key in {self.provider.folder}, but the database was used with one"
            )
        for kind in absent:
            stored = await asyncio.to_thread(self.provider.new, kind)
            await asyncio.to_thread(self.provider.make, stored)
        for kind in _TABLES:
            if not await self.in_use(kind):
                newest = (await asyncio.to_thread(self.provider.stored, kind))[-1]
                async with self.database.transaction() as connection:
                    await self.register(connection, newest)
