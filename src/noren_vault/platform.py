"""Who belongs to the platform: operators, and auditors until a day. Two operators invite and end them."""

from dataclasses import dataclass
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import GrantRefused, InviteRefused, LastOperator, NoSuchMember, PowerOver
from noren_vault.grants import Grant, Grants, power_mark
from noren_vault.members import Members
from noren_vault.power_asks import Ask
from noren_vault.record import Path, Record
from noren_vault.rights import INVITING, PLATFORM, PLATFORM_ROLES, Role

_DAY_MS: Final = 24 * 3_600_000
# Who is there: actor, role, whether she has a passkey.
MEMBER: Final = """
SELECT a.actor::text, m.role, EXISTS (SELECT 1 FROM vault.passkey k WHERE k.actor = a.actor)
FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = 0 AND m.ended_at IS NULL AND (m.ends_at IS NULL OR m.ends_at > %s)
"""
_LIST: Final = """
SELECT a.handle, m.role, m.since, m.ends_at, m.ended_at,
       (SELECT count(*) FROM vault.passkey k WHERE k.actor = a.actor),
       (SELECT max(g.issued_at) FROM vault.access_grant g WHERE g.actor = a.actor)
FROM vault.membership m JOIN vault.actor a USING (actor) WHERE m.shop_id = 0 ORDER BY m.ended_at DESC, m.since
"""


@dataclass(frozen=True, slots=True)
class Seated:
    """Whom an invitation is to be mailed to, and its token."""

    person: str
    token: str
    role: Role


class Platform:
    """Seats, ends, lists."""

    def __init__(
        self, *, database: Database, record: Record, grants: Grants, members: Members, now: Now
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._members = members
        self._now = now

    async def check(self, ask: Ask) -> None:
        """Raise InviteRefused for somebody who is there already, NoSuchMember for somebody who is not."""
        row = await self._database.row(MEMBER + "AND a.handle = %s", [self._now(), ask.about])
        if ask.what in INVITING:
            if row is not None and row[2] and ask.about.endswith(".operator"):
                raise InviteRefused("is there already")
        elif row is None:
            raise NoSuchMember

    async def still(self, connection: Connection, actor: str) -> None:
        """Raise PowerOver unless the actor is an operator (still)."""
        cursor = await connection.execute(
            MEMBER.encode() + b"AND a.actor = %s AND m.role = 'operator'", [self._now(), actor]
        )
        if await cursor.fetchone() is None:
            raise PowerOver("is no operator any more")

    async def seat(self, handle: str, mail: str, days: int, path: Path) -> Seated:
        """Make somebody known and invite her, on record first; the keys are held by the caller."""
        role = Role(handle.rpartition(".")[2])
        ends = self._now() + days * _DAY_MS if role is Role.AUDITOR else None
        person, token = await self._members.seat(handle, mail, role, ends, path)
        return Seated(person, token, role)

    async def mail(self, seated: Seated, path: Path) -> None:
        """Mail the invitation."""
        await self._members.mail(PLATFORM, seated.person, seated.token, seated.role, path)

    async def end(self, connection: Connection, handle: str, path: Path, by: str) -> tuple[str, ...]:
        """End somebody's place with grants, invitations and powers; gives the marks of what changed.

        Raises NoSuchMember, LastOperator.
        """
        cursor = await connection.execute(MEMBER.encode() + b"FOR UPDATE OF m", [self._now()])
        rows = await cursor.fetchall()
        found = await connection.execute(b"SELECT actor::text FROM vault.actor WHERE handle = %s", [handle])
        (actor,) = await found.fetchone() or ("",)
        role = next((row[1] for row in rows if row[0] == actor), None)
        if role is None:
            raise NoSuchMember
        others = any(row[0] != actor and row[1] == Role.OPERATOR and row[2] for row in rows)
        if role == Role.OPERATOR and not others:
            raise LastOperator
        await self._record.write("member", path, ref=handle, note="ended")
        now = self._now()
        await connection.execute(
            b"UPDATE vault.membership SET ended_at = %s WHERE shop_id = 0 AND actor = %s", [now, actor]
        )
        await connection.execute(
            b"UPDATE vault.invite SET expires_at = %s "
            b"WHERE actor = %s AND used_at IS NULL AND expires_at > %s",
            [now, actor, now],
        )
        await self._grants.end_of(connection, actor, PLATFORM)
        # What was lent to her or by her ends with her; what she asked for waits no more.
        cursor = await connection.execute(
            b"UPDATE vault.power SET state = CASE state WHEN 'asked' THEN 'withdrawn' ELSE 'ended' END, "
            b"ended_by = %s, ended_at = %s WHERE state IN ('asked', 'running') AND about <> %s "
            b"AND (actor = %s OR decided_by = %s) RETURNING power",
            [by, now, handle, actor, actor],
        )
        return (actor, *(power_mark(power) for (power,) in await cursor.fetchall()))

    async def end_due(self) -> None:
        """Write down which auditors' time is over."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"SELECT m.actor::text, a.handle FROM vault.membership m JOIN vault.actor a USING (actor) "
                b"WHERE m.shop_id = 0 AND m.ended_at IS NULL AND m.ends_at <= %s FOR UPDATE OF m",
                [self._now()],
            )
            for actor, handle in await cursor.fetchall():
                await self._record.write("member", Path("vault"), ref=handle, note="ended")
                await connection.execute(
                    b"UPDATE vault.membership SET ended_at = ends_at WHERE shop_id = 0 AND actor = %s",
                    [actor],
                )

    async def people(self, grant: Grant) -> list[dict[str, Any]]:
        """Give who belongs to the platform, and did: handles, no names. To those who do themselves."""
        if grant.role not in PLATFORM_ROLES:
            raise GrantRefused("operators and auditors")
        return [
            {
                "handle": handle,
                "role": role,
                "since": since / 1000,
                "ends": None if ends is None else ends / 1000,
                "ended": None
                if ended is None and (ends is None or ends > self._now())
                else (ended or ends) / 1000,
                "passkeys": passkeys,
                "seen": None if seen is None else seen / 1000,
            }
            for handle, role, since, ends, ended, passkeys, seen in await self._database.rows(_LIST)
        ]
