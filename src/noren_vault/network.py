"""The way in over the network: TLS 1.3, a certificate of the house's own authority, and then the protocol.

Each handshake goes by the certificates as they stand then. Nobody unknown takes the place of anybody known:
who has not shown a certificate yet is counted apart, has a few seconds, and makes room for the next.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from noren_vault import tasks, tls
from noren_vault.callers import Caller
from noren_vault.clock import Now
from noren_vault.peer import Peer
from noren_vault.server import Server, ServerError
from noren_vault.tls import Certificate, TlsError, Trust

HANDSHAKE_SECONDS: Final = 5.0
MOST_HANDSHAKES: Final = 256
_CLOSE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 1.0
_DAY_MS: Final = 86_400_000
# A peer whose machine is gone says no goodbye: asked after a minute, given up after another.
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
_log = structlog.get_logger("network")
_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Network:
    """Listens on an address, and hands who is known to the server."""

    def __init__(self, trust: Trust, server: Server, now: Now, folder: Path) -> None:
        """`folder` is where the trust was read from: its certificates' ends are warned of."""
        self._trust = trust
        self._server = server
        self._now = now
        self._folder = folder
        self._warned = 0
        self._listener: socket.socket | None = None
        self._loops: list[asyncio.Task[None]] = []
        self._greeting: dict[asyncio.Task[None], socket.socket] = {}  # in the order of their coming
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port (0 asks for a free one). Raises ServerError."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            family, _, _, _, address = found[0]
            self._listener = socket.create_server(address[:2], family=family, backlog=256)
        except OSError as fault:
            raise ServerError(f"cannot listen on {host}:{port}: {fault.strerror}") from None
        self._listener.setblocking(False)
        self._loops = [asyncio.create_task(one) for one in (self._accept(self._listener), self._look_after())]
        return int(self._listener.getsockname()[1])

    async def stop(self) -> None:
        """Take no more, and cut off who is still shaking hands; the server ends its own connections."""
        for one in [*self._loops, *self._greeting]:
            await tasks.end(one)
        if self._listener is not None:
            self._listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as fault:  # no more descriptors, for one
                _log.error("cannot_accept", fault=type(fault).__name__, number=fault.errno)
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            if len(self._greeting) >= MOST_HANDSHAKES:
                # The one that has taken longest: an honest handshake is over in some milliseconds.
                next(iter(self._greeting)).cancel()
            task = asyncio.create_task(self._greet(connection, str(address[0])))
            self._greeting[task] = connection
            task.add_done_callback(self._greeted)
            await asyncio.sleep(0)  # or a burst is taken in whole, before anybody in it is greeted

    def _greeted(self, task: asyncio.Task[None]) -> None:
        connection = self._greeting.pop(task)
        if task.cancelled():
            connection.close()
            _log.warning("connection_refused", why="cut off in its handshake")

    async def _greet(self, connection: socket.socket, address: str) -> None:
        """Shake hands, and go on serving in a task of its own; who is not let in is logged and cut off."""
        try:
            line, certificate = await self._shake_hands(connection)
        except (OSError, TlsError) as fault:
            _log.warning("connection_refused", address=address, why=_why(fault))
            return
        served = asyncio.create_task(self._server.serve(*line, _peer(certificate), certificate.name))
        self._serving.add(served)
        served.add_done_callback(self._serving.discard)

    async def _shake_hands(self, connection: socket.socket) -> tuple[_Line, Certificate]:
        self._trust.refresh()
        context, era = self._trust.context, self._trust.era
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            _prepare(connection)
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_CLOSE_SECONDS,
            )
        except BaseException:
            connection.close()
            raise
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            told = writer.get_extra_info("peercert")
            return (reader, writer), self._trust.identify(told, era, self._now() / 1000)
        except TlsError:
            writer.close()
            raise

    async def _look_after(self) -> None:
        """Take up changed certificates, cut off those that no longer hold, and warn before an end."""
        while True:
            self._trust.refresh()
            self._server.end_lapsed()
            if self._now() >= self._warned + _DAY_MS:
                self._warned = self._now()
                self._warn()
            await asyncio.sleep(_LOOK_SECONDS)

    def _warn(self) -> None:
        with suppress(TlsError):  # unreadable files are told of by the trust
            days, name = tls.days_left(self._folder, self._now() / 1000)
            if days < tls.WARN_DAYS:
                _log.warning("certificate_ends", file=name, days=days)


def holds(trust: Trust, now: Now) -> Callable[[Peer], bool]:
    """Give the server's question whether a peer may still ask: one on this machine may, by its user."""

    def asked(peer: Peer) -> bool:
        return peer.certificate is None or trust.holds(peer.certificate, now() / 1000)

    return asked


def _peer(certificate: Certificate) -> Peer:
    return Peer(None, certificate.role is Caller.ADMIN, certificate)


def _prepare(connection: socket.socket) -> None:
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _why(fault: Exception) -> str:
    """Say why in OpenSSL's or our own words; neither repeats what the peer sent."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return fault.verify_message
    if isinstance(fault, ssl.SSLError):
        return fault.reason or "TLS"
    return str(fault) if isinstance(fault, TlsError | ConnectionAbortedError) else type(fault).__name__
