"""Where reports arrive: LMTP (RFC 2033) on a loopback port, for the shop's own mail server to deliver to.

One recipient a transaction, so that one answer is its answer. What is not a report on a message of ours is
taken and forgotten: a refusal would only be a mail about a mail.
"""

import asyncio
import logging
from typing import Final
from weakref import WeakSet

import psycopg
import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope
from psycopg_pool import PoolClosed, PoolTimeout

from noren_vault.bounces import Bounces
from noren_vault.errors import LedgerUnavailable
from noren_vault.server import ServerError

_LARGEST: Final = 1024 * 1024
_SECONDS: Final = 60.0
_MOST: Final = 16
_HOST: Final = "127.0.0.1"
_LATER: Final = "451 4.3.0 Come back later"
_log = structlog.get_logger("returns")


class Returns:
    """The listener, and the handler of its sessions by aiosmtpd's names."""

    def __init__(self, bounces: Bounces, port: int) -> None:
        """Listen nowhere before `start`."""
        self._bounces = bounces
        self._port = port
        self._server: asyncio.Server | None = None
        self._sessions: WeakSet[LMTP] = WeakSet()

    async def start(self) -> None:
        """Open the port. Raises ServerError when somebody else has it."""
        # The library's log repeats what is sent to it, addresses and all.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._session, _HOST, self._port)
        except OSError as fault:
            raise ServerError(f"NOREN_VAULT_BOUNCES: port {self._port}: {fault.strerror}") from fault

    async def stop(self) -> None:
        """Take no more. Who is in the middle of a report brings it again."""
        if self._server is not None:
            self._server.close()
            for session in list(self._sessions):
                if session.transport is not None:
                    session.transport.close()

    def _session(self) -> LMTP:
        session = LMTP(
            self,
            data_size_limit=_LARGEST,
            enable_SMTPUTF8=True,
            timeout=_SECONDS,
            hostname="localhost",
            ident="Noren",
            loop=asyncio.get_running_loop(),
        )
        self._sessions.add(session)
        return session

    async def handle_RCPT(  # noqa: N802 - theirs
        self, _server: LMTP, _session: object, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Take one recipient: a return address."""
        if len(self._sessions) > _MOST:
            return _LATER
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        if not self._bounces.token(address):
            return "550 5.1.1 No such address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: LMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802 - theirs
        """Take what came back."""
        content = envelope.content
        if not isinstance(content, bytes):
            raise TypeError("a report is bytes")
        try:
            await self._bounces.take(self._bounces.token(envelope.rcpt_tos[0]), content)
        except (LedgerUnavailable, psycopg.Error, PoolTimeout, PoolClosed) as fault:
            _log.warning("cannot_take", fault=type(fault).__name__)
            return _LATER
        return "250 2.0.0 OK"

    async def handle_exception(self, fault: Exception) -> str:
        """Answer a fault without its words."""
        _log.error("fault", fault=type(fault).__name__)
        return _LATER
