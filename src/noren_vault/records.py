"""Putting, changing, revealing and finding persons: each written down before it happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from noren_vault import blind, fields, floors, rights
from noren_vault.budgets import Budget, Budgets
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BudgetExceeded, NoSuchPerson, RecordDamaged
from noren_vault.fields import Values
from noren_vault.floors import Floors
from noren_vault.grants import Grant
from noren_vault.keys import Keys
from noren_vault.people import ANYBODY, CUSTOMER, NewPerson, People, Rewrite, Sealed
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import Purpose

PROVISIONAL_MS: Final = 3_600_000
_ERASE_AT_ONCE: Final = 500
_PROVISIONAL: Final = ("provisional",)
_THERE: Final = ("provisional", "kept")
_SEARCH_SHOWS: Final = ("name", "kana")
_log = structlog.get_logger("records")


@dataclass(frozen=True, slots=True)
class Told:
    """Plaintext on its way out, the entry that announced it, and by which way it leaves."""

    persons: dict[str, dict[str, str]]
    entry: int
    path: Path
    budget: Budget


class Records:
    """The acts on persons. Each method is one act; the record comes first in every one."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        people: People,
        record: Record,
        budgets: Budgets,
        least: Floors,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._people = people
        self._record = record
        self._budgets = budgets
        self._least = least
        self._now = now

    async def put(self, shop: int, key: str, values: Values, path: Path) -> tuple[str, bool]:
        """Store a provisional person, or find the one this key has; gives its id and whether it is new.

        As long as the person is provisional, other values under the same key replace the first ones.
        """
        async with self._keys.steady.hold():
            return await self._put(shop, key, values, path)

    async def _put(self, shop: int, key: str, values: Values, path: Path) -> tuple[str, bool]:
        existing = await self._by_key(shop, key)
        if existing is None:
            new = NewPerson.of(key, values)
            entry = await self._record.write(
                "put", path, shop=shop, persons=[new.person], fields=sorted(values)
            )
            stored = await self._people.insert(
                shop, [new], kind="customer", state="provisional", searched=True, now=self._now()
            )
            if stored:
                return new.person, True
            await self._record.outcome(entry, Outcome.FAILED, path)
            existing = await self._by_key(shop, key)
            if existing is None:
                raise NoSuchPerson("erased in between")
        person, state, content = existing
        await self._again(
            shop,
            person,
            values,
            path,
            changed=state == "provisional" and content != self._content(shop, values),
        )
        return person, False

    async def keep(self, shop: int, person: str) -> None:
        """Keep a provisional person for good. Raises NoSuchPerson when it is not there (any more)."""
        kept = await self._database.run(
            "UPDATE vault.person SET state = 'kept', content = NULL "
            "WHERE shop_id = %s AND person = %s AND state IN ('provisional', 'kept')",
            [shop, person],
        )
        if not kept:
            raise NoSuchPerson("nobody to keep")

    async def update(self, grant: Grant, person: str, given: dict[str, Any]) -> int:
        """Write fields anew; an empty one is removed. Gives the highest of the new versions."""
        values = fields.checked(given)
        rights.check_update(grant.role, tuple(given))
        version = await self._rewrite(grant.shop, person, values, tuple(given), grant.path, states=_THERE)
        if version is None:
            raise NoSuchPerson("nobody to change")
        return version

    async def reveal(
        self, grant: Grant, purpose: Purpose, persons: Sequence[str], names: tuple[str, ...]
    ) -> Told:
        """Open persons' fields for a purpose. Persons that are not (any more) of this shop are left out."""
        wanted = list(dict.fromkeys(persons))
        rights.check_number(purpose, len(wanted))
        rights.check_reveal(grant.role, purpose, names)
        kinds: Sequence[str] = CUSTOMER
        if purpose is Purpose.OWN:
            wanted, kinds = [one for one in wanted if one == grant.person], ("member",)
        sealed = await self._people.read(grant.shop, wanted, names, kinds=kinds)
        if not sealed:
            raise NoSuchPerson("nobody of this shop")
        return await self._tell("intent", grant, purpose, sealed, names)

    async def search(self, grant: Grant, query: str, most: int) -> Told:
        """Find persons by the blind index and open their names. Finding nobody is on record, too."""
        rights.check_number(Purpose.SEARCH, most)
        rights.check_reveal(grant.role, Purpose.SEARCH, _SEARCH_SHOWS)
        found = await self._people.find(grant.shop, query, most)
        sealed = await self._people.read(grant.shop, found, _SEARCH_SHOWS)
        return await self._tell("search", grant, Purpose.SEARCH, sealed, _SEARCH_SHOWS)

    async def erase_unkept(self, now: int) -> int:
        """Erase the persons whose hour has passed; gives their number."""
        rows = await self._database.rows(
            "SELECT DISTINCT shop_id FROM vault.person WHERE state = 'provisional' AND made_at <= %s",
            [now - PROVISIONAL_MS],
        )
        return sum([await self._erase_in(shop, now) for (shop,) in rows])

    # -- inside

    async def _tell(
        self, kind: str, grant: Grant, purpose: Purpose, sealed: Sequence[Sealed], names: tuple[str, ...]
    ) -> Told:
        """Debit, write down, and only then open."""
        persons = [one.person for one in sealed]
        try:
            budget = self._budgets.debit(grant.lineage, grant.role, persons, self._now())
        except BudgetExceeded:
            # That there was somebody to see tells something, too: the refusal is on record.
            await self._record.write(
                "refused", grant.path, shop=grant.shop, purpose=purpose, persons=persons, note="budget"
            )
            raise
        entry = await self._record.write(
            kind, grant.path, shop=grant.shop, purpose=purpose, persons=persons, fields=names
        )
        told: dict[str, dict[str, str]] = {}
        for one in sealed:
            try:
                opened = await self._open(grant.shop, one, names)
            except RecordDamaged:
                _log.error("record_damaged", shop=grant.shop, person=one.person, entry=entry)
                await self._record.outcome(entry, Outcome.FAILED, grant.path)
                raise
            told[one.person] = {name: value.text for name, value in opened.items()}
        return Told(told, entry, grant.path, budget)

    async def _open(self, shop: int, sealed: Sealed, names: tuple[str, ...]) -> Values:
        """Open a person; who was changed while the entry was being written is read once more."""
        try:
            return self._people.open(shop, sealed, names)
        except RecordDamaged:
            newer = await self._people.read(shop, [sealed.person], names, kinds=ANYBODY)
            if not newer or newer[0].versions == sealed.versions:
                raise
            return self._people.open(shop, newer[0], names)

    async def _again(self, shop: int, person: str, values: Values, path: Path, *, changed: bool) -> None:
        """A put whose key is known: the values passed by once more, and may be other ones."""
        if changed and await self._rewrite(shop, person, values, fields.FIELDS, path, states=_PROVISIONAL):
            await self._database.run(
                "UPDATE vault.person SET content = %s "
                "WHERE shop_id = %s AND person = %s AND state = 'provisional'",
                [self._content(shop, values), shop, person],
            )
            return
        await self._record.write("put", path, shop=shop, persons=[person], fields=sorted(values))

    async def _rewrite(
        self,
        shop: int,
        person: str,
        values: Values,
        names: tuple[str, ...],
        path: Path,
        *,
        states: Sequence[str],
    ) -> int | None:
        """Write the named fields anew; None when there is no such person in one of the states."""
        async with self._database.transaction() as connection:
            sealed = await self._people.lock(connection, shop, person, states)
            if sealed is None:
                return None
            known = [name for name in names if name in values or name in sealed.versions]
            new = Rewrite.of(sealed, known, values)
            entry = await self._record.write(
                "update",
                path,
                shop=shop,
                persons=[person],
                fields=sorted(new.versions),
                ref=floors.to_ref(new.versions),
            )
            await self._people.rewrite(connection, shop, sealed, new, self._now())
        self._least.raise_to(shop, person, new.versions)
        await self._record.outcome(entry, Outcome.DONE, path)
        return max(new.versions.values(), default=0)

    async def _by_key(self, shop: int, key: str) -> tuple[str, str, bytes] | None:
        row = await self._database.row(
            "SELECT person::text, state, content FROM vault.person WHERE shop_id = %s AND key_hash = ANY(%s)",
            [shop, blind.identities(self._keys, shop, key)],
        )
        return None if row is None else (row[0], row[1], bytes(row[2] or b""))

    def _content(self, shop: int, values: Values) -> bytes:
        return blind.content(self._keys.index, shop, values)

    async def _erase_in(self, shop: int, now: int) -> int:
        path = Path("vault")
        async with self._database.transaction() as connection:
            persons = await _due(connection, shop, now - PROVISIONAL_MS)
            if not persons:
                return 0
            entry = await self._record.write("erase", path, shop=shop, persons=persons, note="not_kept")
            await self._people.destroy(connection, shop, persons)
        for person in persons:
            self._least.erase(shop, person)
        await self._record.outcome(entry, Outcome.DONE, path)
        return len(persons)


async def _due(connection: Connection, shop: int, before: int) -> list[str]:
    cursor = await connection.execute(
        b"SELECT person::text FROM vault.person "
        b"WHERE shop_id = %s AND state = 'provisional' AND made_at <= %s "
        b"ORDER BY person LIMIT %s FOR UPDATE SKIP LOCKED",
        [shop, before, _ERASE_AT_ONCE],
    )
    return [row[0] for row in await cursor.fetchall()]
