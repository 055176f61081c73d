"""The socket: many connections, each answered in order, each known by its process's user.

Those that came over the network (noren_vault.network) are served here as well, known by a certificate.
"""

import asyncio
import os
import socket
import stat
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog
from psycopg_pool import PoolClosed, PoolTimeout

from noren_vault import process
from noren_vault.errors import BadRequest, KeyProviderAway, VaultError, VaultUnavailable
from noren_vault.even import STEP_SECONDS, evenly
from noren_vault.methods import Answer, Methods
from noren_vault.peer import Peer, peer_uid
from noren_vault.protocol import Request, error_answer, read_frame, to_frame
from noren_vault.providers import KeysError
from noren_vault.record import Outcome, Record

_MOST_CONNECTIONS: Final = 256
_GRACE_SECONDS: Final = 5.0
_log = structlog.get_logger("server")


class ServerError(Exception):
    """The socket cannot be opened; the words say why."""


class Server:
    """Listens, knows its peers, answers."""

    def __init__(
        self,
        methods: Methods,
        record: Record,
        *,
        peers: frozenset[int],
        admins: frozenset[int],
        holds: Callable[[Peer], bool] = lambda _: True,
        step: float = STEP_SECONDS,
    ) -> None:
        """`peers` may ask, `admins` may ask everything; `holds` says whether a peer still may.

        `step`: at which multiples the answers leave that must tell nothing by their time.
        """
        self._methods = methods
        self._record = record
        self._peers = peers | admins
        self._admins = admins
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._holds = holds
        self._step = step
        self._connections: dict[asyncio.Task[None], Peer] = {}
        self._busy: set[asyncio.Task[None]] = set()

    async def start(self, path: Path) -> None:
        """Open the socket; one that a killed process left is replaced."""
        listener = await asyncio.to_thread(_listen, path)
        self._path = path
        self._server = await asyncio.start_unix_server(self._accept, sock=listener)

    async def stop(self) -> None:
        """Take no more; let what is being answered be answered."""
        if self._server is not None:
            self._server.close()
        for task in self._connections.keys() - self._busy:
            task.cancel()
        if self._busy:
            await asyncio.wait(set(self._busy), timeout=_GRACE_SECONDS)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._record.settle()
        if self._path is not None:
            await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = peer_uid(writer.get_extra_info("socket"))
        if uid not in self._peers:
            _log.warning("connection_refused", uid=uid, connections=len(self._connections))
            writer.close()
            return
        name = process.peer_process(writer.get_extra_info("socket"), uid)
        await self.serve(reader, writer, Peer(uid, uid in self._admins), name)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer, name: str
    ) -> None:
        """Answer a known peer until it goes, in a task of its own; `name` is the entries' `process`."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served in a task")
        if len(self._connections) >= _MOST_CONNECTIONS:
            _log.warning("connection_refused", peer=peer.name, connections=len(self._connections))
            writer.close()
            return
        # A task has a context of its own: the name ends with the connection.
        process.current.set(name)
        self._connections[task] = peer
        try:
            await self._converse(reader, writer, peer, task)
        finally:
            self._connections.pop(task, None)
            self._busy.discard(task)
            writer.close()

    def end_lapsed(self) -> None:
        """Cut off the peers that may no longer ask, each after the answer it waits for."""
        for task, peer in self._connections.items():
            if task not in self._busy and not self._holds(peer):
                _log.warning("connection_ended", peer=peer.name)
                task.cancel()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer, task: asyncio.Task[None]
    ) -> None:
        while True:
            try:
                frame = await read_frame(reader)
            except BadRequest as error:
                await _write(writer, error_answer(error))
                return
            if frame is None or not self._holds(peer):
                return
            self._busy.add(task)
            if not await self._reply(frame, writer, peer):
                return
            self._busy.discard(task)

    async def _reply(self, frame: bytes, writer: asyncio.StreamWriter, peer: Peer) -> bool:
        """Answer one frame and record that plaintext left; false when the peer is gone."""
        try:
            answer = await self._ask(frame, peer)
        except VaultError as error:
            return await _write(writer, error_answer(error))
        gone = writer.is_closing()
        written = not gone and await _write(writer, {"ok": answer.ok})
        if answer.told is not None and (gone or written):
            # Neither: the line broke under the writing, and how much arrived is not known. No outcome, then.
            outcome = Outcome.FAILED if gone else Outcome.RELEASED
            self._record.outcome_later(answer.told.entry, outcome, answer.told.path)
        return written

    async def _ask(self, frame: bytes, peer: Peer) -> Answer:
        try:
            request = Request.of(frame)
            async with evenly(request.method, self._step):
                return await self._methods.answer(request, peer)
        except VaultError as error:
            _log.info("refused", code=error.code, why=str(error))
            raise
        except (psycopg.Error, PoolTimeout, PoolClosed) as fault:
            _log.error("database_unavailable", fault=type(fault).__name__)
            raise VaultUnavailable("the database does not answer") from fault
        except KeysError as fault:
            _log.error("key_provider_away", why=str(fault))
            raise KeyProviderAway(str(fault)) from fault
        except Exception as fault:
            # Where it happened, not its words: those may hold what was being handled.
            place = traceback.extract_tb(fault.__traceback__)[-1]
            _log.critical("fault", fault=type(fault).__name__, file=place.filename, line=place.lineno)
            raise VaultUnavailable("a fault inside the vault") from fault


async def _write(writer: asyncio.StreamWriter, answer: Mapping[str, Any]) -> bool:
    try:
        writer.write(to_frame(answer))
        await writer.drain()
    except OSError:
        return False
    return True


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.fspath(path))
    # Anybody may knock; who is let in, the kernel's word on the peer decides.
    path.chmod(0o666)
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket on which nobody listens. Raises ServerError when somebody does."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ServerError(f"{path} is there and is no socket")
    except FileNotFoundError:
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(os.fspath(path))
    except OSError:
        path.unlink()
    else:
        raise ServerError(f"another vault listens on {path}")
    finally:
        probe.close()
