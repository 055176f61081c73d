"""Exporting persons: a piece is an entry before anybody of it is opened, and nothing lies on disk in clear.

Who stands in an export, and at which place, is settled when it is asked for. A piece is told by its place, so
that after a kill its reader goes on where it was: a piece that is asked for twice is told twice, and both are
on record. A canary is in no entry.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from noren_vault import freezes, rights
from noren_vault.budgets import Budgets, units
from noren_vault.canaries import KIND, Canaries, number_for
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import (
    BadRequest,
    BudgetExceeded,
    NoSuchPerson,
    RecordDamaged,
    VaultError,
    VaultUnavailable,
)
from noren_vault.grants import Grant, Grants
from noren_vault.people import People, Sealed
from noren_vault.record import Outcome, Record
from noren_vault.records import Told
from noren_vault.rights import Purpose
from noren_vault.transfers import ALONE as ALONE_MOST
from noren_vault.transfers import MOST_PERSONS, Kind, Transfer, Transfers, Wanted

PIECE: Final = 500
# The note of a piece that was paid for out of the own budget; at a start these are counted again.
ALONE: Final = "alone"
_TOGETHER: Final = 50
# Who was joined with another record leaves as that one.
_PLACES: Final = b"""
INSERT INTO vault.transfer_place (transfer, place, person)
SELECT %(transfer)s, row_number() OVER (ORDER BY p.person) - 1, p.person FROM vault.person p
WHERE p.shop_id = %(shop)s AND p.state = 'kept'
  AND NOT EXISTS (SELECT FROM vault.merge m
    WHERE m.shop_id = p.shop_id AND m.person = p.person AND m.state = 'merged')
  AND ((p.kind = 'customer' AND (%(persons)s::uuid[] IS NULL OR p.person = ANY(%(persons)s::uuid[])))
       OR (p.kind = 'canary' AND p.person = ANY(%(canaries)s::uuid[])))
"""
_log = structlog.get_logger("exporting")


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows in the export's order of fields, and whether they are the last. `told` is who is on record."""

    rows: list[list[str]]
    last: bool
    told: Told

    def to_wire(self) -> dict[str, Any]:
        """The shape of the answer."""
        return {"rows": self.rows, "last": self.last, "entry": self.told.entry}


class Exporting:
    """Asks for an export, begins it, tells its pieces."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        record: Record,
        grants: Grants,
        budgets: Budgets,
        transfers: Transfers,
        canaries: Canaries,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._record = record
        self._grants = grants
        self._budgets = budgets
        self._transfers = transfers
        self._canaries = canaries
        self._now = now

    async def ask(
        self, grant: Grant, reason: str, words: str, names: tuple[str, ...], persons: Sequence[str] | None
    ) -> str:
        """Ask for the shop's kept customers, or those of them that are named; gives the export's id.

        Raises what `Transfers.may_ask` does; ExportsFrozen; NoSuchPerson: it would be empty.
        """
        if persons is not None and len(persons) > MOST_PERSONS:
            raise BadRequest(f"a list has at most {MOST_PERSONS} persons")
        await freezes.check(self._database, grant.shop)
        count = await self._count(grant.shop, persons)
        if not count:
            raise NoSuchPerson("nobody to export")
        wanted = Wanted(Kind.EXPORT, reason, words, names, count)
        second = await self._transfers.may_ask(grant, wanted)
        canaries = await self._canaries.make(grant.shop, number_for(count))
        async with self._transfers.transaction() as connection:
            places = count + len(canaries)
            transfer = await self._transfers.begin(connection, grant, wanted, places=places, second=second)
            stored = await connection.execute(
                _PLACES,
                {
                    "transfer": transfer,
                    "shop": grant.shop,
                    "persons": None if persons is None else list(persons),
                    "canaries": canaries,
                },
            )
            # Since the counting somebody may have come or gone.
            there = stored.rowcount - len(canaries)
            if there <= 0 or (there > ALONE_MOST and not second):
                raise VaultUnavailable("the shop's persons changed meanwhile")
            await connection.execute(
                b"UPDATE vault.transfer SET places = %s, persons = %s WHERE transfer = %s",
                [stored.rowcount, there, transfer],
            )
            await self._canaries.belong(connection, grant.shop, transfer, canaries)
        return transfer

    async def open(self, grant: Grant, transfer: str) -> dict[str, Any]:
        """Begin to take it: on record even when no piece follows. Gives fields and the number of pieces."""
        one = await self._transfers.ready(grant, transfer, Kind.EXPORT)
        await self._transfers.opened(grant, one)
        return {
            "fields": list(one.fields),
            "pieces": -(-one.places // PIECE),
            "persons": one.persons,
            "reason": one.reason,
        }

    async def piece(self, grant: Grant, transfer: str, number: int) -> Piece:
        """Tell a piece. Raises what `Transfers.ready` and a budget do; BadRequest: there is no such piece."""
        one = await self._transfers.ready(grant, transfer, Kind.EXPORT)
        first = number * PIECE
        if first >= one.places or not one.runs:
            raise BadRequest("no such piece of an export that was begun")
        sealed = await self._sealed(one, first)
        hidden = await self._canaries.of(one.id)
        persons = [each.person for each in sealed if each.person not in hidden]
        if not one.second:
            await self._debit(grant, one, persons)
        entry = await self._record.write(
            "export",
            grant.path,
            shop=one.shop,
            purpose=Purpose.EXPORT,
            persons=persons,
            fields=one.fields,
            ref=one.ref,
            note="piece" if one.second else ALONE,
        )
        try:
            rows = await self._open(grant, one, sealed)
            # Cancelled, or somebody's rights ended, while this was being opened: nothing of it leaves.
            await self._transfers.ready(await self._grants.again(grant), transfer, Kind.EXPORT)
        except VaultError:
            await self._record.outcome(entry, Outcome.FAILED, grant.path)
            raise
        await self._transfers.reached(one, first + PIECE)
        budget = self._budgets.standing(grant.spender, self._now())
        return Piece(rows, first + PIECE >= one.places, Told({}, entry, grant.path, budget))

    # -- inside

    async def _debit(self, grant: Grant, one: Transfer, persons: list[str]) -> None:
        try:
            self._budgets.debit(grant.spender, units(persons, one.fields), self._now())
        except BudgetExceeded:
            await self._record.write(
                "refused",
                grant.path,
                shop=one.shop,
                purpose=Purpose.EXPORT,
                persons=persons,
                ref=one.ref,
                note="budget",
            )
            raise

    async def _count(self, shop: int, persons: Sequence[str] | None) -> int:
        row = await self._database.row(
            "SELECT count(*) FROM vault.person p "
            "WHERE p.shop_id = %s AND p.state = 'kept' AND p.kind = 'customer' "
            "AND (%s::uuid[] IS NULL OR p.person = ANY(%s::uuid[])) "
            "AND NOT EXISTS (SELECT FROM vault.merge m "
            "WHERE m.shop_id = p.shop_id AND m.person = p.person AND m.state = 'merged')",
            [shop, *([None if persons is None else list(persons)] * 2)],
        )
        return 0 if row is None else int(row[0])

    async def _sealed(self, one: Transfer, first: int) -> list[Sealed]:
        """Who stands at these places. Who was erased since is left out, and told to nobody."""
        rows = await self._database.rows(
            "SELECT person::text FROM vault.transfer_place "
            "WHERE transfer = %s AND place >= %s AND place < %s ORDER BY place",
            [one.id, first, first + PIECE],
        )
        return await self._people.read(
            one.shop, [row[0] for row in rows], one.fields, kinds=("customer", KIND)
        )

    async def _open(self, grant: Grant, one: Transfer, sealed: Sequence[Sealed]) -> list[list[str]]:
        rows: list[list[str]] = []
        for number, each in enumerate(sealed):
            if number % _TOGETHER == 0:
                # Others have their turn; whose right ended in it gets nobody.
                await asyncio.sleep(0)
                if self._grants.stale(grant):
                    grant = await self._grants.again(grant)
                    rights.check_reveal(grant.role, Purpose.EXPORT, one.fields, grant.narrowed)
            try:
                values = self._people.open(one.shop, each, one.fields)
            except RecordDamaged:
                newer = await self._people.read(one.shop, [each.person], one.fields, kinds=("customer", KIND))
                if not newer or newer[0].versions == each.versions:
                    _log.error("record_damaged", shop=one.shop, person=each.person)
                    await self._record.damaged(one.shop, [each.person])
                    raise
                values = self._people.open(one.shop, newer[0], one.fields)
            rows.append([values[name].text if name in values else "" for name in one.fields])
        return rows
