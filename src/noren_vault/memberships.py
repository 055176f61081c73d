"""Who works for a shop in which role: changed under an owner's grant only, on record, biting at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest, GrantRefused, LastOwner, NoSuchMember
from noren_vault.grants import Grant, Grants
from noren_vault.record import Outcome, Record
from noren_vault.rights import DECIDING, SHOP_ROLES, Role

_LIST: Final = """
SELECT a.actor::text, a.handle, m.role, m.staff,
       EXISTS (SELECT 1 FROM vault.passkey k WHERE k.actor = a.actor)
           OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor) AS own,
       EXISTS (SELECT 1 FROM keystore.sso_subject s WHERE s.actor = a.actor) AS vouched
FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = %s AND m.ended_at IS NULL
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

    async def all(self, grant: Grant) -> list[dict[str, Any]]:
        """Give who works for the shop; who decides there may ask."""
        if grant.role not in DECIDING:
            raise GrantRefused("an owner or a manager asks")
        rows = await self._database.rows(_LIST + "ORDER BY a.handle", [grant.shop])
        return [
            {"actor": actor, "handle": handle, "role": role, "staff": staff, "joined": own or vouched}
            for actor, handle, role, staff, own, vouched in rows
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
        if grant.role is not Role.OWNER:
            raise GrantRefused("an owner changes who works there")
        async with self._database.transaction() as connection:
            await connection.execute(b"SELECT 1 FROM vault.shop WHERE shop_id = %s FOR UPDATE", [grant.shop])
            # The asker's own right may have been taken while this waited for its turn.
            if (await self._grants.again(grant)).role is not Role.OWNER:
                raise GrantRefused("an owner changes who works there")
            cursor = await connection.execute(
                _LIST.encode() + b"AND (a.handle = %s OR m.role = 'owner')", [grant.shop, handle]
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
