"""Grants: what a sign-in gives, and what each reveal presents.

A token is `<shop>.<grant id>.<secret>`; only the secret's SHA-256 is kept. Whose it is, which role they have
and whether they still work there is read from the vault's own tables at each use, never from a request.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import GrantExpired, GrantRefused
from noren_vault.record import Path
from noren_vault.rights import PLATFORM, Role

HOUR_MS: Final = 3_600_000
LIFE_MS: Final = 12 * HOUR_MS
IDLE_MS: Final = HOUR_MS
OPERATOR_IDLE_MS: Final = HOUR_MS // 4
# How exactly the last use is kept: a write for each use would cost more than the reveal.
_SEEN_EVERY_MS: Final = 30_000

_FIND: Final = """
SELECT g.secret_hash, g.shop_id, g.credential, g.session, g.expires_at, g.seen_at, g.revoked_at,
       a.actor::text, a.handle, a.person::text, m.role, m.staff
FROM vault.access_grant g
JOIN vault.actor a USING (actor)
LEFT JOIN vault.membership m ON m.shop_id = g.shop_id AND m.actor = g.actor AND m.ended_at IS NULL
WHERE g.grant_id = %s
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant that holds now. `shop` 0 is the platform's. `expires_at` in milliseconds."""

    grant_id: str
    shop: int
    actor: str
    handle: str
    person: str | None
    role: Role
    staff: str | None
    credential: str
    session: str
    expires_at: int

    @property
    def path(self) -> Path:
        """The entries' "who"."""
        return Path(self.handle, self.credential, self.session)

    @property
    def lineage(self) -> str:
        """Whose budget is debited: the actor's, whichever passkey or grant it is."""
        return self.handle


class Grants:
    """Issues, checks and ends grants."""

    def __init__(self, database: Database, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._now = now

    async def issue(
        self, connection: Connection, *, shop: int, actor: str, credential: str, session: str
    ) -> str:
        """Make a grant in the caller's transaction; the token is told once."""
        grant_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        now = self._now()
        await connection.execute(
            b"INSERT INTO vault.access_grant (grant_id, secret_hash, shop_id, actor, credential, session, "
            b"issued_at, expires_at, seen_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [grant_id, _hash(secret), shop, actor, credential, session, now, now + LIFE_MS, now],
        )
        return f"{shop}.{grant_id}.{secret}"

    async def check(self, token: object) -> Grant:
        """Give the grant behind a token. Raises GrantExpired (unknown, ended), GrantRefused (not there)."""
        shop, grant_id, secret = _parts(token)
        row = await self._database.row(_FIND, [grant_id])
        if row is None or not hmac.compare_digest(bytes(row[0]), _hash(secret)):
            raise GrantExpired("no such grant")
        if row[1] != shop:
            raise GrantRefused("the grant is another shop's")
        await self._in_time(grant_id, row[10], expires=row[4], seen=row[5], revoked=row[6])
        if row[10] is None:
            raise GrantRefused("no longer works there")
        return Grant(
            grant_id=grant_id,
            shop=shop,
            actor=row[7],
            handle=row[8],
            person=row[9],
            role=Role(row[10]),
            staff=row[11],
            credential=row[2],
            session=row[3],
            expires_at=row[4],
        )

    async def of_shop(self, token: object) -> Grant:
        """Give a grant of a shop: an operator has no shop. Raises GrantRefused."""
        grant = await self.check(token)
        if grant.shop == PLATFORM:
            raise GrantRefused("an operator enters no shop without a lent power")
        return grant

    async def end_of(self, connection: Connection, actor: str, shop: int, *, but: str = "") -> None:
        """End an actor's grants for a shop in the caller's transaction, all or all but one."""
        await connection.execute(
            b"UPDATE vault.access_grant SET revoked_at = %s "
            b"WHERE actor = %s AND shop_id = %s AND grant_id <> %s AND revoked_at IS NULL",
            [self._now(), actor, shop, but],
        )

    async def end(self, grant: Grant) -> None:
        """End a grant."""
        await self._database.run(
            "UPDATE vault.access_grant SET revoked_at = %s WHERE grant_id = %s AND revoked_at IS NULL",
            [self._now(), grant.grant_id],
        )

    async def _in_time(
        self, grant_id: str, role: str | None, *, expires: int, seen: int, revoked: int | None
    ) -> None:
        now = self._now()
        idle = OPERATOR_IDLE_MS if role == Role.OPERATOR else IDLE_MS
        if revoked is not None or now >= expires or now >= seen + idle:
            raise GrantExpired("the grant has ended")
        if now >= seen + _SEEN_EVERY_MS:
            await self._database.run(
                "UPDATE vault.access_grant SET seen_at = %s WHERE grant_id = %s AND seen_at < %s",
                [now, grant_id, now],
            )


def _parts(token: object) -> tuple[int, str, str]:
    parts = token.split(".") if isinstance(token, str) and len(token) <= 200 else []
    if len(parts) != 3 or not parts[0].isascii() or not parts[0].isdecimal():
        raise GrantExpired("not a grant")
    return int(parts[0]), parts[1], parts[2]


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
