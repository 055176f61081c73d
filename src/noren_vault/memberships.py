"""Who works for a shop in which role: changed under an owner's grant only, on record, biting at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import BadRequest, GrantRefused, LastOwner, NoSuchMember
from noren_vault.grants import Grant, Grants
from noren_vault.permissions import Permission, left, named
from noren_vault.record import Outcome, Record
from noren_vault.rights import DECIDING, SHOP_ROLES, Role

_LIST: Final = """
SELECT a.actor::text, a.handle, m.role, m.staff,
       EXISTS (SELECT 1 FROM vault.passkey k WHERE k.actor = a.actor)
           OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor)
           OR EXISTS (SELECT 1 FROM keystore.sso_subject o WHERE o.actor = a.actor) AS joined,
       coalesce(m.person, a.person)::text, m.since, m.ended_at,
       (SELECT max(i.expires_at) FROM vault.invite i WHERE i.actor = a.actor AND i.used_at IS NULL),
       (SELECT max(g.issued_at) FROM vault.access_grant g WHERE g.actor = a.actor AND g.shop_id = m.shop_id)
FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = %s
"""
_NOW: Final = "AND m.ended_at IS NULL "
# Who can be written to: those who have joined. The address is the courier's business.
_TEAM: Final = """
SELECT a.handle, m.role, m.staff, coalesce(m.person, a.person)::text,
       ARRAY(SELECT t.permission FROM vault.taken t WHERE t.shop_id = m.shop_id AND t.role = m.role)
FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = %s AND m.ended_at IS NULL AND coalesce(m.person, a.person) IS NOT NULL
AND (EXISTS (SELECT 1 FROM vault.passkey p WHERE p.actor = a.actor)
     OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor)
     OR EXISTS (SELECT 1 FROM keystore.sso_subject o WHERE o.actor = a.actor))
ORDER BY a.handle
"""


@dataclass(frozen=True, slots=True)
class _Found:
    actor: str
    handle: str
    role: str
    staff: str | None

    def to_wire(self, role: str | None) -> dict[str, Any]:
        """The shape of the answer: how it stands from now on; no role when it ended."""
        return {"actor": self.actor, "handle": self.handle, "role": role, "staff": self.staff}


class Memberships:
    """Lists, changes and ends."""

    def __init__(self, *, database: Database, record: Record, grants: Grants, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._now = now

    async def all(self, grant: Grant, *, ended: bool = False) -> list[dict[str, Any]]:
        """Give who works for the shop, or `ended` who did; who decides there may ask.

        Instants in POSIX seconds: `invited` until when a link holds that was not used, `seen` the last
        sign-in to this shop.
        """
        if grant.role not in DECIDING:
            raise GrantRefused("an owner or a manager asks")
        which = "AND m.ended_at IS NOT NULL " if ended else _NOW
        rows = await self._database.rows(f"{_LIST}{which}ORDER BY a.handle", [grant.shop])
        return [_told(row) for row in rows]

    async def team(self, shop: int) -> list[dict[str, Any]]:
        """Give who has joined the shop, by ids alone: to be written to, not to be looked at."""
        rows = await self._database.rows(_TEAM, [shop])
        return [
            {
                "handle": handle,
                "role": role,
                "staff": staff,
                "person": person,
                "permissions": named(left(role, taken)),
            }
            for handle, role, staff, person, taken in rows
        ]

    async def change(self, grant: Grant, handle: str, role: object) -> dict[str, Any]:
        """Give a member another role. Raises GrantRefused, NoSuchMember, LastOwner."""
        if role not in SHOP_ROLES:
            raise BadRequest("a role of a shop")
        async with self._changing(grant, handle, f"role:{role}", leaves=role != Role.OWNER) as (one, within):
            await within.execute(
                b"UPDATE vault.membership SET role = %s WHERE shop_id = %s AND actor = %s",
                [role, grant.shop, one.actor],
            )
        return one.to_wire(str(role))

    async def end(self, grant: Grant, handle: str) -> dict[str, Any]:
        """End a membership, with its grants and open invitations. Raises as `change` does."""
        async with self._changing(grant, handle, "ended", leaves=True) as (one, within):
            await within.execute(
                b"UPDATE vault.membership SET ended_at = %s WHERE shop_id = %s AND actor = %s",
                [self._now(), grant.shop, one.actor],
            )
            await within.execute(
                b"UPDATE vault.invite SET expires_at = %s WHERE actor = %s AND used_at IS NULL "
                b"AND expires_at > %s",
                [self._now(), one.actor, self._now()],
            )
            await self._grants.end_of(within, one.actor, grant.shop)
        return one.to_wire(None)

    @asynccontextmanager
    async def _changing(
        self, grant: Grant, handle: str, note: str, *, leaves: bool
    ) -> AsyncIterator[tuple[_Found, Connection]]:
        """A change of one membership: one at a time in a shop, written down first, biting when it is left."""
        grant.needs(Permission.MEMBERS_CHANGE)
        async with self._database.transaction() as connection:
            await connection.execute(b"SELECT 1 FROM vault.shop WHERE shop_id = %s FOR UPDATE", [grant.shop])
            # The asker's own right may have been taken while this waited for its turn.
            (await self._grants.again(grant)).needs(Permission.MEMBERS_CHANGE)
            cursor = await connection.execute(
                f"{_LIST}{_NOW}".encode() + b"AND (a.handle = %s OR m.role = 'owner')", [grant.shop, handle]
            )
            rows = await cursor.fetchall()
            found = [_Found(*row[:4]) for row in rows if row[1] == handle]
            if not found:
                raise NoSuchMember
            # Another's word may end with her: the last owner has a passkey or a password of her own.
            owners = [row for row in rows if row[2] == Role.OWNER and row[1] != handle and row[4]]
            if leaves and found[0].role == Role.OWNER and not owners:
                raise LastOwner
            entry = await self._record.write("member", grant.path, shop=grant.shop, ref=handle, note=note)
            yield found[0], connection
        self._grants.changed(found[0].actor)
        await self._record.outcome(entry, Outcome.DONE, grant.path)


def _told(row: Row) -> dict[str, Any]:
    actor, handle, role, staff, joined, person, since, ended, invited, seen = row
    instants = {"since": since, "ended": ended, "invited": None if joined else invited, "seen": seen}
    told = {"actor": actor, "handle": handle, "role": role, "staff": staff, "joined": joined}
    at_seconds = {name: None if at is None else at / 1000 for name, at in instants.items()}
    return told | {"person": person} | at_seconds
