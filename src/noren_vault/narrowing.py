"""What a shop's owner leaves of the platform's matrix to a role: less for a purpose, never more."""

from typing import Any, Final

from noren_vault import fields, rights
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest, GrantRefused, PurposeRefused
from noren_vault.grants import Grant, Grants, shop_mark
from noren_vault.permissions import Permission
from noren_vault.record import Outcome, Record
from noren_vault.rights import MATRIX, SHOP_ROLES, Purpose, Role

# What can be narrowed: what a role of a shop sees of customers. Everybody sees their own data.
_PURPOSES: Final = tuple(one for one in Purpose if one not in (Purpose.OWN, Purpose.MEMBERS))


class Narrowing:
    """Tells and changes what the roles of a shop may see."""

    def __init__(self, *, database: Database, record: Record, grants: Grants, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._now = now

    async def table(self, grant: Grant) -> list[dict[str, Any]]:
        """Give, for each role and purpose, what the platform allows (`most`) and what the shop left of it."""
        if grant.role not in rights.DECIDING:
            raise GrantRefused("an owner or a manager asks")
        rows = await self._database.rows(
            "SELECT role, purpose, fields FROM vault.narrowed WHERE shop_id = %s", [grant.shop]
        )
        left = {(role, purpose): frozenset(names) for role, purpose, names in rows}
        return [
            {
                "role": role,
                "purpose": purpose,
                "most": _in_order(MATRIX[purpose][role]),
                "fields": _in_order(MATRIX[purpose][role] & left.get((role, purpose), MATRIX[purpose][role])),
            }
            for purpose in _PURPOSES
            for role in SHOP_ROLES
            if role in MATRIX[purpose]
        ]

    async def narrow(self, grant: Grant, role: Role, purpose: Purpose, names: object) -> None:
        """Leave these fields to the role for the purpose; an owner's act. All of them: nothing is narrowed.

        Raises GrantRefused, PurposeRefused (more than the platform allows), BadRequest.
        """
        grant.needs(Permission.MEMBERS_CHANGE)
        left = () if names == [] else fields.known(names)
        most = MATRIX[purpose].get(role) if role in SHOP_ROLES and purpose in _PURPOSES else None
        if not most:
            raise BadRequest("the role has nothing there that could be narrowed")
        if not set(left) <= most:
            raise PurposeRefused("a shop narrows, and never widens")
        entry = await self._record.write(
            "right", grant.path, shop=grant.shop, purpose=purpose, fields=sorted(left), ref=role, note="left"
        )
        if set(left) == most:
            await self._database.run(
                "DELETE FROM vault.narrowed WHERE shop_id = %s AND role = %s AND purpose = %s",
                [grant.shop, role, purpose],
            )
        else:
            await self._database.run(
                "INSERT INTO vault.narrowed (shop_id, role, purpose, fields, changed_at) "
                "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (shop_id, role, purpose) "
                "DO UPDATE SET fields = excluded.fields, changed_at = excluded.changed_at",
                [grant.shop, role, purpose, list(left), self._now()],
            )
        self._grants.changed(shop_mark(grant.shop))
        await self._record.outcome(entry, Outcome.DONE, grant.path)


def _in_order(names: frozenset[str]) -> list[str]:
    return [name for name in fields.FIELDS if name in names]
