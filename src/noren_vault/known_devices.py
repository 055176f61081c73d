"""Browsers that an account has signed in from. Each holds a secret of its own; its keyed hash is kept here.

What is counted for strangers does not hold up who comes from one of these: an attack on an account, from
wherever, is no matter to its owner's own browser. It opens nothing by itself.
"""

import hashlib
import hmac
import re
from typing import Final

from noren_vault.database import Connection, Database

LIFE_MS: Final = 180 * 86_400_000
MOST: Final = 20
# 256 bits as `secrets.token_urlsafe(32)` writes them.
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_NOTE: Final = b"""
INSERT INTO vault.known_device (actor, hash, seen_at) VALUES (%s, %s, %s)
ON CONFLICT (actor, hash) DO UPDATE SET seen_at = excluded.seen_at
"""
_TRIM: Final = b"""
DELETE FROM vault.known_device d WHERE d.actor = %(actor)s AND (d.seen_at <= %(over)s OR d.hash NOT IN (
    SELECT hash FROM vault.known_device WHERE actor = %(actor)s ORDER BY seen_at DESC, hash LIMIT %(most)s))
"""
_BY_MAIL: Final = """
SELECT 1 FROM keystore.signin_mail m JOIN vault.known_device d USING (actor)
WHERE m.shop_id = %s AND m.token = ANY(%s) AND d.hash = %s AND d.seen_at > %s
"""


class KnownDevices:
    """Notes, knows, forgets."""

    def __init__(self, database: Database) -> None:
        """Keep the part."""
        self._database = database

    async def note(self, connection: Connection, actor: str, shop: int, secret: str, now: int) -> None:
        """Note a browser in the caller's transaction of a sign-in; the oldest of too many are forgotten."""
        if not _SECRET.fullmatch(secret):
            return
        await connection.execute(_NOTE, [actor, hashed(shop, secret), now])
        await connection.execute(_TRIM, {"actor": actor, "over": now - LIFE_MS, "most": MOST})

    async def of_mail(self, shop: int, tokens: list[bytes], secret: str, now: int) -> bool:
        """Whether the account that signs in with this mail knows the browser."""
        if not _SECRET.fullmatch(secret):
            return False
        row = await self._database.row(_BY_MAIL, [shop, tokens, hashed(shop, secret), now - LIFE_MS])
        return row is not None

    async def of_actor(self, actor: str, shop: int, secret: str, now: int) -> bool:
        """Whether an account knows the browser."""
        if not _SECRET.fullmatch(secret):
            return False
        row = await self._database.row(
            "SELECT 1 FROM vault.known_device WHERE actor = %s AND hash = %s AND seen_at > %s",
            [actor, hashed(shop, secret), now - LIFE_MS],
        )
        return row is not None

    @staticmethod
    async def forget(connection: Connection, *actors: str) -> None:
        """Forget every browser of these accounts, in the caller's transaction."""
        await connection.execute(
            b"DELETE FROM vault.known_device WHERE actor = ANY(%s::uuid[])", [list(actors)]
        )


def hashed(shop: int, secret: str) -> bytes:
    """What is kept of a browser's secret."""
    return hmac.new(secret.encode(), f"device\x00{shop}".encode(), hashlib.sha256).digest()
