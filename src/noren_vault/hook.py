"""The alarm outside: a ring is posted to one address, signed as the Standard Webhooks say.

Only https, only addresses of the internet (unless the one who runs the installation names the host), no
redirects. What is posted is thin: the sign's id and kind, when, and where it stands. Any 2xx takes it; else
it is posted again with growing waits, for a day.
"""

import asyncio
import base64
import binascii
import hmac
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpcore
import structlog

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import SsoAway
from noren_vault.outward import Backend
from noren_vault.ringing import Ringing

PREFIX: Final = "whsec_"
_SECONDS: Final = 10.0
_FIRST_MS: Final = 30_000
_MOST_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_DUE: Final = """
SELECT r.sign, r.number, r.at, r.tries, s.source, s.what, s.first_at
FROM vault.sign_ring r JOIN vault.sign s USING (sign) WHERE r.hook_next <= %s ORDER BY r.at, r.sign LIMIT 100
"""
_log = structlog.get_logger("hook")


@dataclass(frozen=True, slots=True)
class Alarm:
    """Where rings are posted to. `private` names the hosts that need not be on the internet."""

    url: str
    secret: bytes
    private: frozenset[str] = frozenset()


def secret_of(text: str) -> bytes:
    """Read a secret as the Standard Webhooks write it: `whsec_` and 24 to 64 bytes in base64. ValueError."""
    try:
        raw = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raw = b""
    if not text.startswith(PREFIX) or not 24 <= len(raw) <= 64:
        raise ValueError("whsec_ and 24 to 64 bytes in base64")
    return raw


class Hook(Ringing):
    """Posts what is due; without an alarm nothing ever is."""

    def __init__(self, database: Database, alarm: Alarm | None, origin: str, now: Now) -> None:
        """Keep the parts."""
        super().__init__()
        self.alarm = alarm
        self._database = database
        self._origin = origin
        self._now = now
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def stop(self) -> None:
        """Let go of what is being posted, which the next start posts again, and of the connections."""
        await self._after.settle(cancel=True)
        if self._pool is not None:
            await self._pool.aclose()

    async def _ring(self) -> None:
        if self.alarm is None:
            return
        for sign, number, at, tries, *about in await self._database.rows(_DUE, [self._now()]):
            taken = await self._post(self.alarm, f"sign_{sign}_{number}", self._body(sign, number, at, about))
            now = self._now()
            again = None if taken or now - at > _DAY_MS else now + min(_FIRST_MS << min(tries, 10), _MOST_MS)
            await self._database.run(
                "UPDATE vault.sign_ring SET tries = tries + 1, hook_next = %s, hooked_at = %s "
                "WHERE sign = %s AND number = %s",
                [again, now if taken else None, sign, number],
            )

    def _body(self, sign: str, number: int, at: int, about: list[object]) -> bytes:
        source, what, first = about
        told = {
            "type": "sign.rung",
            "timestamp": _iso(at),
            "data": {
                "sign": sign,
                "source": source,
                "kind": what,
                "ring": number,
                "first_seen": _iso(int(str(first))),
                "link": f"{self._origin}/operations/signs/{sign}",
            },
        }
        return json.dumps(told, separators=(",", ":")).encode()

    async def _post(self, alarm: Alarm, message: str, body: bytes) -> bool:
        """Post it; whether it was taken."""
        at = str(self._now() // 1000)
        mac = hmac.digest(alarm.secret, b".".join((message.encode(), at.encode(), body)), "sha256")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Noren",
            "webhook-id": message,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }
        try:
            async with asyncio.timeout(_SECONDS):
                pool = await self._connected(alarm)
                async with pool.stream(
                    "POST", alarm.url, headers=list(headers.items()), content=body
                ) as answer:
                    status = answer.status
        except (OSError, TimeoutError, SsoAway, *_FAULTS) as fault:
            _log.warning("alarm_not_posted", message=message, fault=type(fault).__name__)
            return False
        if not 200 <= status < 300:  # a redirect is followed nowhere
            _log.warning("alarm_not_taken", message=message, status=status)
        return 200 <= status < 300

    async def _connected(self, alarm: Alarm) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            context = await asyncio.to_thread(ssl.create_default_context)
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=2,
                max_keepalive_connections=0,
                network_backend=Backend(alarm.private),
            )
        return self._pool


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


_FAULTS: Final = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
