"""One person for several shops: an invitation taken with a passkey that is there, and going over.

The membership that the invitation was for becomes the passkey's owner's: one actor and one handle, whichever
shop an entry is about. What she is called in the shop stays with the membership, as the shop's own person. A
password is one shop's (decision 21), so who signed in by one goes to no other shop.
"""

from collections.abc import Mapping
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import AlreadyJoined, GrantRefused, InviteRefused
from noren_vault.grants import Grant, Grants
from noren_vault.invites import Invited, Invites
from noren_vault.keys import Keys
from noren_vault.record import Path, Record, session_name
from noren_vault.rights import PLATFORM, SHOP_ROLES
from noren_vault.signin import Shown, SignIn
from noren_vault.visits import Visit

# Nobody's who runs the platform, and no customer's.
_STAFF: Final = """
SELECT 1 FROM vault.actor a WHERE a.actor = %s AND a.kind = 'member' AND a.shop_id <> 0
"""
_ATTACH: Final = b"""
INSERT INTO vault.membership (shop_id, actor, role, staff, person, since)
SELECT m.shop_id, %(actor)s, m.role, m.staff, coalesce(m.person, a.person), %(now)s
FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = %(shop)s AND m.actor = %(invited)s AND m.ended_at IS NULL
ON CONFLICT (shop_id, actor) DO UPDATE SET role = excluded.role, staff = excluded.staff,
    person = excluded.person, since = excluded.since, ended_at = NULL
WHERE vault.membership.ended_at IS NOT NULL
"""
_END: Final = b"UPDATE vault.membership SET ended_at = %s WHERE shop_id = %s AND actor = %s"
# Going over shows nothing anew: who she is was shown when the grant at hand began, or was confirmed under it.
_CARRY: Final = b"""
UPDATE vault.access_grant n SET issued_at = o.issued_at, confirmed_at = o.confirmed_at,
    confirmed_by = o.confirmed_by, misses = o.misses
FROM vault.access_grant o WHERE o.grant_id = %s AND n.grant_id = %s
"""
_REVOKE: Final = b"UPDATE vault.access_grant SET revoked_at = %s WHERE grant_id = %s AND revoked_at IS NULL"


class SeveralShops:
    """Joins with a passkey that is there, and enters another shop."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        invites: Invites,
        grants: Grants,
        signin: SignIn,
        keys: Keys,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._invites = invites
        self._grants = grants
        self._signin = signin
        self._keys = keys
        self._now = now

    async def begin(self, token: object) -> dict[str, Any]:
        """Options for showing a passkey; the invitation stays unused. Raises InviteRefused."""
        return self._signin.options(_ceremony(await self._invited(token)))

    async def finish(
        self, token: object, response: Mapping[str, Any], visit: Visit
    ) -> tuple[dict[str, Any], str]:
        """Use the invitation up for the passkey's owner, and sign in; gives whom it was made for, too.

        Raises InviteRefused, PasskeyRefused, GrantRefused (an operator's passkey), AlreadyJoined.
        """
        invited = await self._invited(token)
        shown = await self._signin.shown(response, _ceremony(invited), visit.session)
        if await self._database.row(_STAFF, [shown.actor]) is None:
            await self._record.write("refused", shown.path, shop=invited.shop, note="membership")
            raise GrantRefused("an operator's passkey is for operations")
        await self._record.write("member", shown.path, shop=invited.shop, ref=invited.handle, note="joined")
        await self._record.write("signin", shown.path, shop=invited.shop)
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            await self._invites.use(connection, invited)
            await self._attach(connection, invited, shown)
            await self._signin.used(connection, shown)
            grant = await self._signin.issue(
                connection, invited.shop, shown.actor, shown.path.credential, visit
            )
        self._grants.changed(invited.actor, shown.actor)
        return await self._signin.entered(grant, shown.actor, shown.path, invited.shop), invited.actor

    async def enter(self, grant: Grant, shop: int, visit: Visit) -> dict[str, Any]:
        """Go to another shop one works for: a grant there until the old one's end, and no longer the old one.

        Raises GrantRefused.
        """
        if grant.role not in SHOP_ROLES or not grant.credential.startswith("pk-"):
            raise GrantRefused("who signed in with a passkey goes to another shop")
        path = Path(grant.handle, grant.credential, session_name(visit.session))
        await self._signin.membership(grant.actor, shop, path)
        await self._record.write("signin", path, shop=shop, ref=grant.session, note="switched")
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            token = await self._signin.issue(
                connection, shop, grant.actor, grant.credential, visit, until=grant.expires_at
            )
            await connection.execute(_CARRY, [grant.grant_id, token.split(".")[1]])
            await connection.execute(_REVOKE, [self._now(), grant.grant_id])
        self._grants.changed(grant.grant_id)
        return await self._signin.entered(token, grant.actor, path, shop, grant.expires_at)

    # -- inside

    async def _invited(self, token: object) -> Invited:
        invited = await self._invites.check(token)
        if invited.shop == PLATFORM:
            raise InviteRefused("an operator makes a passkey of their own")
        return invited

    async def _attach(self, connection: Connection, invited: Invited, shown: Shown) -> None:
        """Give the membership to the passkey's owner, in the caller's transaction. Raises AlreadyJoined."""
        if invited.actor == shown.actor:
            return
        cursor = await connection.execute(
            _ATTACH,
            {"actor": shown.actor, "invited": invited.actor, "shop": invited.shop, "now": self._now()},
        )
        if cursor.rowcount != 1:
            raise AlreadyJoined
        await connection.execute(_END, [self._now(), invited.shop, invited.actor])


def _ceremony(invited: Invited) -> str:
    """Binds the challenge to one invitation."""
    return f"join:{invited.token_hash.hex()}"
