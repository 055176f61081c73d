"""Whose passwords a shop takes no more: its owner's word, by roles, on record.

Who falls under it signs in with a passkey. Without one, a right password (and code) brings a link to the mail
by which the account signs in, and that link adds one; it signs in nobody by itself.
"""

from collections.abc import Sequence

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest, GrantRefused
from noren_vault.grants import Grant
from noren_vault.permissions import Permission
from noren_vault.record import Outcome, Record
from noren_vault.rights import SHOP_ROLES, Role


class PasskeyRule:
    """Tells and changes it."""

    def __init__(self, *, database: Database, record: Record, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._now = now

    async def of(self, grant: Grant) -> list[str]:
        """Tell an owner or a manager whom it binds. Raises GrantRefused."""
        grant.needs(Permission.SHOP_CHANGE)
        row = await self._database.row(
            "SELECT roles FROM vault.passkey_rule WHERE shop_id = %s", [grant.shop]
        )
        return [] if row is None else list(row[0])

    async def change(self, grant: Grant, roles: Sequence[object]) -> None:
        """Bind these roles, and no others, from the next sign-in on. GrantRefused, LedgerUnavailable."""
        if grant.role is not Role.OWNER:
            raise GrantRefused("an owner decides how one signs in")
        if not all(one in SHOP_ROLES for one in roles):
            raise BadRequest("roles of a shop")
        bound = [str(one) for one in SHOP_ROLES if one in roles]
        entry = await self._record.write(
            "right", grant.path, shop=grant.shop, ref="+".join(bound), note="passkeys"
        )
        await self._database.run(
            "INSERT INTO vault.passkey_rule (shop_id, roles, changed_at) VALUES (%s, %s, %s) "
            "ON CONFLICT (shop_id) DO UPDATE SET roles = excluded.roles, changed_at = excluded.changed_at",
            [grant.shop, bound, self._now()],
        )
        await self._record.outcome(entry, Outcome.DONE, grant.path)

    async def asks(self, shop: int, actor: str) -> bool | None:
        """Whether it binds this member: None where it does not, else whether she has a passkey."""
        row = await self._database.row(
            "SELECT EXISTS (SELECT 1 FROM vault.passkey k WHERE k.actor = m.actor) "
            "FROM vault.passkey_rule r JOIN vault.membership m USING (shop_id) "
            "WHERE r.shop_id = %s AND m.actor = %s AND m.ended_at IS NULL AND m.role = ANY(r.roles)",
            [shop, actor],
        )
        return None if row is None else bool(row[0])
