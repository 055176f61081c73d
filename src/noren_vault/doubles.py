"""Whether two records of a shop may be one person's: by which fields are the same, never by what they say.

Fields are opened and compared in here. That two have the same value tells something of both to whoever knows
one: it is on record as a search that found these fields, and is a look of the budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from noren_vault import joining, rights
from noren_vault.budgets import Budgets, units
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BudgetExceeded, MergeRefused, NoSuchPerson
from noren_vault.fields import Values
from noren_vault.grants import Grant
from noren_vault.joining import CHOSEN
from noren_vault.merging import proved, why_not
from noren_vault.people import People, Sealed
from noren_vault.record import Outcome, Record
from noren_vault.rights import Purpose
from noren_vault.search import ALIKE, Search

MOST: Final = 20
_SHOWS: Final = ("name", "kana")
_ALIKE: Final = "alike"


@dataclass(frozen=True, slots=True)
class Doubles:
    """The acts under a grant of somebody who may search."""

    database: Database
    people: People
    search: Search
    record: Record
    budgets: Budgets
    now: Now

    async def alike(self, grant: Grant, person: str, *, wait: bool) -> dict[str, Any]:
        """Give whether she is proved, and who has the same kana, phone or mail: the first MOST.

        Without `wait` a large shop is not opened for it. Raises NoSuchPerson, BudgetExceeded, PurposeRefused.
        """
        self._check(grant)
        [one] = await self._read(grant.shop, [person])
        proved_one = await self._proved(grant.shop, person)
        if proved_one and not wait:
            # A hint is for guests: of the others nothing is looked for.
            return {"proved": True, "alike": [], "found": 0}
        values = self.people.open(grant.shop, one, ALIKE)
        found = await self.search.alike(grant.shop, person, values, wait=wait)
        order = sorted(found, key=lambda other: (-len(found[other]), other))[:MOST]
        told = [{"person": other, "fields": found[other]} for other in order]
        await self._told(grant, [person, *order], [name for other in order for name in found[other]])
        return {"proved": proved_one, "alike": told, "found": len(found)}

    async def compare(self, grant: Grant, person: str, into: str) -> dict[str, Any]:
        """Say field by field whether the two records agree, and why the first may not go into the other.

        Raises MergeRefused (one record), and what `alike` does.
        """
        self._check(grant)
        if person == into:
            raise MergeRefused("one record", reason="same")
        goes, stays = await self._read(grant.shop, [person, into])
        hers, others = (self.people.open(grant.shop, one, CHOSEN) for one in (stays, goes))
        told = joining.compared(hers, others)
        await self._told(grant, [person, into], [name for name, state in told.items() if state == "same"])
        return {"fields": told, "refused": await self._why_not(grant.shop, (into, hers), (person, others))}

    def _check(self, grant: Grant) -> None:
        rights.check_reveal(grant.role, Purpose.SEARCH, _SHOWS, grant.narrowed, lent=grant.lent)

    async def _read(self, shop: int, persons: Sequence[str]) -> list[Sealed]:
        sealed = await self.people.read(shop, persons, (*ALIKE, "name"))
        if len(sealed) < len(set(persons)):
            raise NoSuchPerson("nobody of this shop")
        return sealed

    async def _told(self, grant: Grant, persons: Sequence[str], fields: Sequence[str]) -> None:
        names = [name for name in CHOSEN if name in fields]
        try:
            self.budgets.debit(grant.spender, units(persons, names), self.now())
        except BudgetExceeded:
            await self.record.write(
                "refused",
                grant.path,
                shop=grant.shop,
                purpose=Purpose.SEARCH,
                persons=persons,
                note="budget:alike",
            )
            raise
        entry = await self.record.write(
            "search",
            grant.path,
            shop=grant.shop,
            purpose=Purpose.SEARCH,
            persons=persons,
            fields=names,
            note=_ALIKE,
        )
        await self.record.outcome(entry, Outcome.RELEASED, grant.path)

    async def _proved(self, shop: int, person: str) -> bool:
        async with self.database.connection() as connection:
            return any(await proved(connection, shop, person))

    async def _why_not(self, shop: int, stays: tuple[str, Values], goes: tuple[str, Values]) -> str:
        async with self.database.connection() as connection:
            ways = [await proved(connection, shop, one) for one in (stays[0], goes[0])]
        return why_not(ways[0], ways[1], stays[1], goes[1])
