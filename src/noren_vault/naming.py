"""Whether a shop's customers are told which of its staff looked: an owner's word, on record; by role unless
she says so.

And investigations: while one is open, looks for the purpose `incident` are told later (`lookups` has by how
much at most).
"""

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import GrantRefused, InvestigationRefused
from noren_vault.grants import Grant
from noren_vault.permissions import Permission
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import Role


class Naming:
    """Tells and changes it."""

    def __init__(self, *, database: Database, record: Record, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._now = now

    async def named(self, shop: int) -> bool:
        """Whether the shop names its staff."""
        row = await self._database.row("SELECT named FROM vault.naming WHERE shop_id = %s", [shop])
        return row is not None and bool(row[0])

    async def of(self, grant: Grant) -> bool:
        """Tell an owner or a manager how it stands. Raises GrantRefused."""
        grant.needs(Permission.SHOP_CHANGE)
        return await self.named(grant.shop)

    async def change(self, grant: Grant, *, named: bool) -> None:
        """Name the staff from now on, in every line, or no more. Raises GrantRefused, LedgerUnavailable."""
        if grant.role is not Role.OWNER:
            raise GrantRefused("an owner decides who is named")
        note = "names:on" if named else "names:off"
        entry = await self._record.write("right", grant.path, shop=grant.shop, note=note)
        await self._database.run(
            "INSERT INTO vault.naming (shop_id, named, changed_at) VALUES (%s, %s, %s) "
            "ON CONFLICT (shop_id) DO UPDATE SET named = excluded.named, changed_at = excluded.changed_at",
            [grant.shop, named, self._now()],
        )
        await self._record.outcome(entry, Outcome.DONE, grant.path)


class Investigations:
    """Opens and closes. The name is a code, and stands in the record."""

    def __init__(self, *, database: Database, record: Record, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._now = now

    async def open(self, name: str, shop: int, path: Path) -> None:
        """Open one, of a shop or (0) of all. Raises InvestigationRefused where the name was used before."""
        there = await self._database.row("SELECT 1 FROM vault.investigation WHERE name = %s", [name])
        if there is not None:
            raise InvestigationRefused("an investigation of this name was opened before")
        await self._record.write(
            "right", path, shop=shop, ref=f"investigation:{name}", note="investigation:opened"
        )
        await self._database.run(
            "INSERT INTO vault.investigation (name, shop_id, opened_at) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [name, shop, self._now()],
        )

    async def shop_of(self, name: str) -> int:
        """Give the shop of an open one, 0 for all. Raises InvestigationRefused."""
        row = await self._database.row(
            "SELECT shop_id FROM vault.investigation WHERE name = %s AND closed_at IS NULL", [name]
        )
        if row is None:
            raise InvestigationRefused("no investigation of this name is open")
        return int(row[0])

    async def close(self, name: str, path: Path) -> None:
        """Close one for good. Raises InvestigationRefused where none of this name is open."""
        shop = await self.shop_of(name)
        await self._record.write(
            "right", path, shop=shop, ref=f"investigation:{name}", note="investigation:closed"
        )
        await self._database.run(
            "UPDATE vault.investigation SET closed_at = %s WHERE name = %s AND closed_at IS NULL",
            [self._now(), name],
        )
