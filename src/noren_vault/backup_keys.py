"""The ring of backup keys: what a backup holds of wrapped data keys is sealed under one; each dies on a day.

A key serves one day (UTC) and is destroyed so many days after that day's end. An erasure destroys the live
data key; the copies in backups die with the newest key of the ring. That date stands in the certificate.

A backup calls `current()` **before** it takes its snapshot: then what the snapshot saw is never sealed under
a later key. The keys themselves must be in no backup: a copy of one makes the certificates untrue.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from noren_vault import sealing
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BackupKeyGone
from noren_vault.providers import FileProvider, Kind, Stored
from noren_vault.record import Path, Record
from noren_vault.sealing import PlainKey

DAY_MS: Final = 24 * 3_600_000
_PATH: Final = Path("vault")


def date_text(instant: int) -> str:
    """Write the UTC date of an instant in milliseconds: `2027-01-02`."""
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class Ring:
    """One key of the ring and its times in milliseconds; `destroy_at` is a midnight (UTC)."""

    stored: Stored
    made_at: int
    destroy_at: int


class BackupKeys:
    """Makes a day's key when it is first asked for, and destroys those whose time has come."""

    def __init__(
        self, database: Database, provider: FileProvider, record: Record, now: Now, *, days: int
    ) -> None:
        """Keep the parts; `days` is how long a backup stays readable."""
        self._database = database
        self._provider = provider
        self._record = record
        self._now = now
        self._days = days
        self._one = asyncio.Lock()
        self._handles: dict[bytes, PlainKey] = {}

    async def current(self) -> PlainKey:
        """Give today's key, made and on record when it is the day's first. Raises LedgerUnavailable.

        Its `id` goes into the backup; `seal(part, place)` seals at most 2 GiB for a place (which part of
        which backup), and only `open` with the same place opens it.
        """
        async with self._one:
            today = self._now() // DAY_MS
            newest = max(await self.ring(), key=lambda one: one.made_at, default=None)
            if newest is not None and newest.made_at // DAY_MS == today:
                return await self._handle(newest.stored)
            made = await asyncio.to_thread(self._provider.new, Kind.BACKUP)
            destroy = date_text(self._destroy_at(self._now()))
            await self._record.write(
                "key", _PATH, ref=f"backup:{made.id.hex()}/destroyed:{destroy}", note="backup_made"
            )
            await asyncio.to_thread(self._provider.make, made)
            await self._insert(made, self._now())
            return await self._handle(made)

    async def open(self, key_id: bytes) -> PlainKey:
        """Give a key that is still there, to open a backup. Raises BackupKeyGone, KeysError."""
        for one in await self.ring():
            if one.stored.id == key_id:
                return await self._handle(one.stored)
        raise BackupKeyGone(key=key_id.hex())

    async def ring(self) -> list[Ring]:
        """Give the keys that may be used now, oldest first."""
        rows = await self._database.rows(
            "SELECT id, number, made_at, destroy_at FROM vault.backup_key "
            "WHERE destroyed_at IS NULL AND destroy_at > %s ORDER BY number",
            [self._now()],
        )
        return [
            Ring(Stored(Kind.BACKUP, number, bytes(key_id)), made_at, destroy_at)
            for key_id, number, made_at, destroy_at in rows
        ]

    async def unreadable_from(self) -> Ring:
        """Give the key that lives longest: with it the last backup of today's state becomes unreadable."""
        await self.current()
        return max(await self.ring(), key=lambda one: one.destroy_at)

    async def destroy_due(self) -> int:
        """Destroy the keys whose time has come, each on record; gives their number."""
        async with self._one:
            await self._adopt_strays()
        rows = await self._database.rows(
            "SELECT id, number FROM vault.backup_key "
            "WHERE destroyed_at IS NULL AND destroy_at <= %s ORDER BY number",
            [self._now()],
        )
        for key_id, number in rows:
            stored = Stored(Kind.BACKUP, number, bytes(key_id))
            self._handles.pop(stored.id, None)
            await asyncio.to_thread(self._provider.destroy, stored)
            # After the deed: an entry that came first would say what a crash could leave untrue.
            await self._record.write("key", _PATH, ref=f"backup:{stored.id.hex()}", note="backup_destroyed")
            await self._database.run(
                "UPDATE vault.backup_key SET destroyed_at = %s WHERE id = %s", [self._now(), stored.id]
            )
        return len(rows)

    async def _adopt_strays(self) -> None:
        """Take up keys that the table does not know: left by a crash, or newer than a restored database."""
        rows = await self._database.rows("SELECT id FROM vault.backup_key")
        known = {bytes(key_id) for (key_id,) in rows}
        for stored in await asyncio.to_thread(self._provider.stored, Kind.BACKUP):
            if stored.id not in known:
                made_at = await asyncio.to_thread(self._provider.made_at, stored)
                await self._insert(stored, min(made_at, self._now()))

    async def _insert(self, stored: Stored, made_at: int) -> None:
        await self._database.run(
            "INSERT INTO vault.backup_key (id, number, made_at, destroy_at) VALUES (%s, %s, %s, %s)",
            [stored.id, stored.number, made_at, self._destroy_at(made_at)],
        )

    def _destroy_at(self, made_at: int) -> int:
        return (made_at // DAY_MS + 1 + self._days) * DAY_MS

    async def _handle(self, stored: Stored) -> PlainKey:
        if stored.id not in self._handles:
            raw = await asyncio.to_thread(self._provider.read, stored)
            self._handles[stored.id] = sealing.plain_key(stored.id, raw, "backup")
        return self._handles[stored.id]
