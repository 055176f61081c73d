"""What a shop's owner takes from a role, and gives back: named permissions, never more than there were."""

from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest
from noren_vault.grants import Grant, Grants, shop_mark
from noren_vault.permissions import OF_ROLE, TAKEN_FROM, Permission, left, named
from noren_vault.record import Outcome, Record
from noren_vault.rights import Role

_TAKE: Final = """
INSERT INTO vault.taken (shop_id, role, permission, changed_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_GIVE: Final = "DELETE FROM vault.taken WHERE shop_id = %s AND role = %s AND permission = %s"


class Permits:
    """Tells and changes what the roles of a shop may do."""

    def __init__(self, *, database: Database, record: Record, grants: Grants, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._now = now

    async def table(self, grant: Grant) -> list[dict[str, Any]]:
        """Give, for each role, what the platform allows (`most`) and what the shop left of it."""
        grant.needs(Permission.MEMBERS_CHANGE)
        rows = await self._database.rows(
            "SELECT role, permission FROM vault.taken WHERE shop_id = %s", [grant.shop]
        )
        return [
            {
                "role": role,
                "most": named(most),
                "left": named(left(role, [taken for of, taken in rows if of == role])),
                "fixed": role not in TAKEN_FROM,
            }
            for role, most in OF_ROLE.items()
        ]

    async def permit(self, grant: Grant, role: Role, permission: str, *, given: bool) -> None:
        """Take a permission from a role, or give it back; bites at once. GrantRefused, BadRequest."""
        grant.needs(Permission.MEMBERS_CHANGE)
        if role not in TAKEN_FROM or permission not in OF_ROLE[role]:
            raise BadRequest("the role has nothing there that could be taken")
        note = "given" if given else "taken"
        entry = await self._record.write(
            "right", grant.path, shop=grant.shop, ref=f"{role}/{permission}", note=note
        )
        if given:
            await self._database.run(_GIVE, [grant.shop, role, permission])
        else:
            await self._database.run(_TAKE, [grant.shop, role, permission, self._now()])
        self._grants.changed(shop_mark(grant.shop))
        await self._record.outcome(entry, Outcome.DONE, grant.path)
