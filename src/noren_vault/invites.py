"""Invitations: a token by which somebody named enrols a passkey, once, within its time."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import InviteRefused
from noren_vault.rights import Role

_DAY_MS: Final = 24 * 3_600_000
OWNER_LIFE_MS: Final = 7 * _DAY_MS
LIFE_MS: Final = _DAY_MS


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a valid invitation names."""

    token_hash: bytes
    actor: str
    handle: str
    shop: int
    passkey_only: bool


def life_ms(role: Role) -> int:
    """How long an invitation holds: a new shop's owner may be away for some days."""
    return OWNER_LIFE_MS if role is Role.OWNER else LIFE_MS


class Invites:
    """Makes invitations and takes each once."""

    def __init__(self, database: Database, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._now = now

    async def make(
        self, actor: str, role: Role, *, passkey_ms: int = 0, first: bool = False, told: bool = False
    ) -> str:
        """Make an invitation in place of the actor's unused ones; the token is told once.

        With `passkey_ms` it lasts so long, and no password is set by it. The first operator's takes the
        place of all operators': the shell invites one, whatever the names. One that is `told` to somebody
        besides its mailbox proves no mailbox, and so sets no password either.
        """
        token, now = secrets.token_urlsafe(32), self._now()
        async with self._database.transaction() as connection:
            await connection.execute(
                b"UPDATE vault.invite SET expires_at = %s WHERE used_at IS NULL AND expires_at > %s "
                b"AND (actor = %s OR %s AND actor IN "
                b"(SELECT m.actor FROM vault.membership m WHERE m.role = 'operator'))",
                [now, now, actor, first],
            )
            await connection.execute(
                b"INSERT INTO vault.invite (token_hash, actor, made_at, expires_at, passkey_only, told) "
                b"VALUES (%s, %s, %s, %s, %s, %s)",
                [_hash(token), actor, now, now + (passkey_ms or life_ms(role)), told or passkey_ms > 0, told],
            )
        return token

    async def check(self, token: object) -> Invited:
        """Give whom a token names, without using it. Raises InviteRefused."""
        if not isinstance(token, str) or len(token) > 200:
            raise InviteRefused("not an invitation")
        return await self.named(_hash(token))

    async def named(self, token_hash: bytes) -> Invited:
        """Give whom the token of this hash names, without using it. Raises InviteRefused."""
        row = await self._database.row(
            "SELECT i.token_hash, a.actor::text, a.handle, a.shop_id, i.passkey_only FROM vault.invite i "
            "JOIN vault.actor a USING (actor) "
            "JOIN vault.membership m ON m.actor = a.actor AND m.shop_id = a.shop_id AND m.ended_at IS NULL "
            "WHERE i.token_hash = %s AND i.used_at IS NULL AND i.expires_at > %s "
            "AND (m.ends_at IS NULL OR m.ends_at > %s)",
            [token_hash, self._now(), self._now()],
        )
        if row is None:
            raise InviteRefused("unknown, used or over")
        return Invited(bytes(row[0]), *row[1:])

    async def use(self, connection: Connection, invited: Invited) -> None:
        """Use it up in the caller's transaction. Raises InviteRefused when another was faster."""
        cursor = await connection.execute(
            b"UPDATE vault.invite SET used_at = %s "
            b"WHERE token_hash = %s AND used_at IS NULL AND expires_at > %s",
            [self._now(), invited.token_hash, self._now()],
        )
        if cursor.rowcount != 1:
            raise InviteRefused("unknown, used or over")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
