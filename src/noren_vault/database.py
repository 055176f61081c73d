"""The vault's connections to its database."""

import asyncio
import os
import select
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from noren_vault import doormark
from noren_vault.ledger import Head

Row = tuple[Any, ...]
Connection = AsyncConnection[Row]
_MOST: Final = 12
_WAIT_SECONDS: Final = 5
_STORE: Final = b"""
INSERT INTO vault.ledger_head AS held (size, root, signed) VALUES (%s, %s, %s)
ON CONFLICT (one) DO UPDATE SET size = excluded.size, root = excluded.root, signed = excluded.signed
WHERE held.size <= excluded.size
"""


class Database:
    """A pool. A caller waits five seconds at most for a connection, and is refused then.

    To try a connection before it is lent would cost as much as the query; but one that the server has cut can
    be told by its socket, and is replaced. While there is no server, each caller's wait is a new attempt.
    """

    def __init__(self, url: str, *, most: int = _MOST, options: str = "") -> None:
        """Make the pool of at most `most` connections, with options of the server's; `open` opens it."""
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            # Called for each connection: a mark is good for one session.
            kwargs=lambda: {"autocommit": True, "application_name": doormark.name(), "options": options},
            min_size=1,
            max_size=most,
            timeout=_WAIT_SECONDS,
            reconnect_timeout=_WAIT_SECONDS,
            check=self._check,
            open=False,
        )
        self._after: dict[Connection, list[Callable[[], None]]] = {}

    async def _check(self, connection: Connection) -> None:
        """Between two uses nothing is to be read: where something is, it is as a rule the end of the stream.

        Who has lost one has lost them all, as a rule. The pool would find that out one by one, with growing
        waits between: five would take longer than a caller waits.
        """
        if _readable(connection.fileno()):
            try:
                await AsyncConnectionPool.check_connection(connection)
            except psycopg.Error:
                await self._pool.drain()
                raise

    async def open(self) -> None:
        """Open the first connections; raises psycopg's errors when there is no database."""
        await self._pool.open(wait=True, timeout=_WAIT_SECONDS * 2)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection in autocommit."""
        async with self._pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection with a transaction open: committed at the end, rolled back on an error."""
        async with self._pool.connection() as connection:
            try:
                async with connection.transaction():
                    yield connection
            finally:
                for act in self._after.pop(connection, ()):
                    act()

    def after(self, connection: Connection, act: Callable[[], None]) -> None:
        """Have `act` called when the connection's `transaction` has ended, whichever way."""
        self._after.setdefault(connection, []).append(act)

    async def row(self, query: str, params: Any = None) -> Row | None:
        """Run one statement and give its first row."""
        async with self.connection() as connection:
            cursor = await connection.execute(query.encode(), params)
            return await cursor.fetchone()

    async def rows(self, query: str, params: Any = None, *, binary: bool = False) -> list[Row]:
        """Run one statement and give its rows, read in PostgreSQL's binary form where asked for."""
        async with self.connection() as connection:
            cursor = await connection.execute(query.encode(), params, binary=binary)
            return await cursor.fetchall()

    async def run(self, query: str, params: Any = None) -> int:
        """Run one statement and give the number of rows it touched."""
        async with self.connection() as connection:
            cursor = await connection.execute(query.encode(), params)
            return cursor.rowcount


class Heads:
    """The ledger's newest head in the database: the second place that knows how long the files must be.

    It has a connection of its own, for an append must never wait for one that waits for the append; one
    thread at a time uses it. Written without waiting for the server's disk: after a crash of its machine the
    row may be the head of some milliseconds before, which asks for a little less and never for something
    wrong.
    """

    def __init__(self, url: str) -> None:
        """Keep the address; the connection is made when it is needed first, and anew when it was cut."""
        self._url = url
        self._connection: psycopg.Connection[Row] | None = None

    async def open(self) -> None:
        """Open the connection; raises psycopg's errors when there is no database."""
        await asyncio.to_thread(self._ready)

    async def close(self) -> None:
        """Close it."""
        await asyncio.to_thread(self._drop)

    async def load(self) -> Head | None:
        """Give the stored head, or None before the first."""
        return await asyncio.to_thread(self._load)

    def store(self, head: Head) -> None:
        """Store a head; an older one never replaces a newer. Blocks."""
        try:
            self._ready().execute(_STORE, [head.size, head.root, head.signed])
        except psycopg.Error:
            self._drop()
            raise

    def cut(self) -> None:
        """End the connection under a `store` that hangs, from another thread."""
        if (connection := self._connection) is not None:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)

    def _load(self) -> Head | None:
        row = self._ready().execute(b"SELECT size, root, signed FROM vault.ledger_head").fetchone()
        return None if row is None else Head(row[0], bytes(row[1]), row[2])

    def _ready(self) -> psycopg.Connection[Row]:
        if self._connection is not None and _readable(self._connection.fileno()):
            self._drop()
        if self._connection is None:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                application_name=doormark.name(),
                options="-c synchronous_commit=off",
                connect_timeout=_WAIT_SECONDS,
            )
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _readable(descriptor: int) -> bool:
    """Whether there is something to read: between two uses it is the end of the stream, as a rule."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))
