"""The ledger's index in the database: follows the files, can be dropped and made anew, is never the truth."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import psycopg
import structlog

from noren_vault import tasks
from noren_vault.database import Connection, Database
from noren_vault.errors import VaultUnavailable
from noren_vault.ledger import Entry, Ledger, LedgerDamaged
from noren_vault.ledger.merkle import leaf_hash
from noren_vault.reindex import copy_all

_BATCH: Final = 2000
_RETRY_SECONDS: Final = 1.0
# Each copy costs the same few milliseconds, which a reveal would wait for; who needs the index hurries it.
_TOGETHER_SECONDS: Final = 0.5
_log = structlog.get_logger("index")

Entries = Sequence[tuple[int, Entry]]

_ENTRY_COPY: Final = (
    b"COPY vault.ledger_entry (entry, at, skew, kind, actor, credential, session, process, shop_id, purpose, "
    b"fields, ref, note, leaf) FROM STDIN"
)
_WHOLE_COPY: Final = _ENTRY_COPY.replace(b"leaf)", b"leaf, outcome)")
_PERSON_COPY: Final = b"COPY vault.ledger_person (entry, person) FROM STDIN"
_OUTCOMES: Final = (
    b"UPDATE vault.ledger_entry AS e SET outcome = o.note "
    b"FROM unnest(%s::bigint[], %s::text[]) AS o(entry, note) WHERE e.entry = o.entry"
)


class Index:
    """Copies each durable entry into the database, in order, behind the one who appended it."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        """Know nothing before `start`."""
        self._database = database
        self._ledger = ledger
        self.size = 0
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._moved = asyncio.Condition()
        self._one = asyncio.Lock()
        self._awaited = 0
        self._doubt = False  # a rebuild broke off: one table may be new and the other old
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on where the database stands; one that is not a part of this ledger is made anew."""
        await self._resume()
        self._ledger.subscribe(lambda _index, _entry: self._news.set())
        self._task = asyncio.create_task(self._follow())

    async def _resume(self) -> None:
        row = await self._database.row(
            "SELECT entry, leaf FROM vault.ledger_entry ORDER BY entry DESC LIMIT 1"
        )
        self.size = 0 if row is None else row[0] + 1
        fits = row is None or self._fits(row[0], bytes(row[1]))
        if not fits or not await self._in_step(self.size):
            _log.warning("index_does_not_fit", size=self.size)
            await self._empty()
        self._doubt = False

    async def stop(self) -> None:
        """End following; what is not indexed will be at the next start."""
        if self._task is not None:
            await tasks.end(self._task)

    async def reach(self, size: int, seconds: float) -> None:
        """Wait until `size` entries are in the index. Raises VaultUnavailable after `seconds`."""
        self._news.set()
        self._hurry.set()
        self._awaited += 1
        try:
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self.size >= size)
        except TimeoutError:
            raise VaultUnavailable(f"the index has {self.size} of {size} entries") from None
        finally:
            self._awaited -= 1

    async def rebuild(self) -> int:
        """Drop all and copy it again; gives the number of entries. Should it fail, all is as it was."""
        async with self._one:
            end, before = self._ledger.size, self.size
            self.size = 0  # nobody may take what stands there meanwhile for the whole
            try:
                await self._copy_all(end)
            except BaseException:
                self.size, self._doubt = before, True
                raise
            self.size = end
            while self.size < self._ledger.size:
                await self._copy()
            return self.size

    async def _copy_all(self, end: int) -> None:
        # Persons are committed first: `start` notices persons without entries, not entries without persons.
        async with self._database.transaction() as entries, self._database.transaction() as persons:
            await entries.execute("TRUNCATE vault.ledger_entry")
            await persons.execute("TRUNCATE vault.ledger_person")
            late = await copy_all(
                self._ledger,
                end,
                entries=(entries, _WHOLE_COPY),
                persons=(persons, _PERSON_COPY),
                columns=_columns,
            )
            if late:
                await entries.execute(_OUTCOMES, [list(late), list(late.values())])

    async def _in_step(self, size: int) -> bool:
        """Whether no person stands there whose entry does not."""
        row = await self._database.row("SELECT max(entry) FROM vault.ledger_person")
        return row is None or row[0] is None or row[0] < size

    async def differs(self) -> str:
        """Say in what the index differs from the files, or nothing."""
        async with self._one:
            rows = await self._database.row("SELECT count(*) FROM vault.ledger_entry")
            if rows is None or rows[0] != self.size:
                return f"{0 if rows is None else rows[0]} rows for {self.size} entries"
            for start in range(0, self.size, _BATCH):
                words = await self._batch_differs(start, min(start + _BATCH, self.size))
                if words:
                    return words
        return ""

    async def _batch_differs(self, start: int, end: int) -> str:
        entries = await asyncio.to_thread(lambda: list(self._ledger.entries(start, end)))
        rows = await self._database.rows(
            "SELECT e.entry, e.at, e.skew, e.kind, e.actor, e.credential, e.session, e.process, e.shop_id, "
            "e.purpose, e.fields, e.ref, e.note, e.leaf, (SELECT array_agg(p.person::text ORDER BY p.person) "
            "FROM vault.ledger_person p WHERE p.entry = e.entry) "
            "FROM vault.ledger_entry e WHERE e.entry >= %s AND e.entry < %s ORDER BY e.entry",
            [start, end],
        )
        for (index, entry), row in zip(entries, rows, strict=False):
            persons = sorted(set(entry.persons)) or None
            if tuple(row) != (*_columns(index, entry), persons):
                return f"entry {index} is not as in the files"
        return ""

    def _fits(self, index: int, leaf: bytes) -> bool:
        if index >= self._ledger.size:
            return False
        _, entry = next(self._ledger.entries(index, index + 1))
        return leaf_hash(entry.to_bytes()) == leaf

    async def _empty(self) -> None:
        await self._database.run("TRUNCATE vault.ledger_entry, vault.ledger_person")
        self.size = 0

    async def _follow(self) -> None:
        while True:
            try:
                async with self._one:
                    if self._doubt:
                        await self._resume()
                    while self.size < self._ledger.size:
                        await self._copy()
            except (psycopg.Error, OSError, LedgerDamaged) as fault:
                _log.error("index_cannot_follow", fault=type(fault).__name__, size=self.size)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            await self._news.wait()
            self._news.clear()
            self._hurry.clear()
            if not self._awaited:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_TOGETHER_SECONDS):
                        await self._hurry.wait()

    async def _copy(self) -> None:
        start, end = self.size, min(self.size + _BATCH, self._ledger.size)
        entries = await asyncio.to_thread(lambda: list(self._ledger.entries(start, end)))
        async with self._database.transaction() as connection:
            await _copy_entries(connection, entries)
            # The newest of an entry's outcomes: UPDATE ... FROM would take any of them.
            outcomes = {int(entry.ref): entry.note for _, entry in entries if entry.kind == "outcome"}
            if outcomes:
                await connection.execute(_OUTCOMES, [list(outcomes), list(outcomes.values())])
        self.size = end
        async with self._moved:
            self._moved.notify_all()


async def _copy_entries(connection: Connection, entries: Entries) -> None:
    async with connection.cursor() as cursor:
        async with cursor.copy(_ENTRY_COPY) as copy:
            for index, entry in entries:
                await copy.write_row(_columns(index, entry))
        async with cursor.copy(_PERSON_COPY) as copy:
            # Most of the rows, so in text of our own making: nothing in the two columns needs escaping.
            for index, entry in entries:
                await copy.write("".join(f"{index}\t{one}\n" for one in dict.fromkeys(entry.persons)))


def _columns(index: int, entry: Entry, leaf: bytes = b"") -> tuple[object, ...]:
    return (
        index,
        entry.time,
        entry.skew,
        entry.kind,
        entry.actor,
        entry.credential,
        entry.session,
        entry.process,
        entry.shop,
        entry.purpose,
        list(entry.fields),
        entry.ref,
        entry.note,
        leaf or leaf_hash(entry.to_bytes()),
    )
