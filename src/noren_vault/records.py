"""Putting, changing, revealing and finding persons: each written down before it happens."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from noren_vault import blind, fields, floors, holds, merges, own_records, rights
from noren_vault.ahead import Ahead, read_ahead
from noren_vault.budgets import Budget, Budgets, units
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import (
    BudgetExceeded,
    BudgetHeld,
    NoSuchPerson,
    PurposeRefused,
    RecordDamaged,
    Replayed,
    SecondPersonNeeded,
    StepUpNeeded,
    VaultError,
)
from noren_vault.fields import Values
from noren_vault.floors import Floors
from noren_vault.freshness import OWN_FRESH_MS, Freshness
from noren_vault.grants import Grant, Grants, power_mark
from noren_vault.keys import Keys
from noren_vault.nonces import Nonces
from noren_vault.people import ANYBODY, CUSTOMER, MEMBER, NewPerson, People, Rewrite, Sealed
from noren_vault.permissions import Permission
from noren_vault.proofs import readdressed
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import Purpose, Role
from noren_vault.search import Search

PROVISIONAL_MS: Final = 3_600_000
_ERASE_AT_ONCE: Final = 500
_PROVISIONAL: Final = ("provisional",)
_THERE: Final = ("provisional", "kept")
_SEARCH_SHOWS: Final = ("name", "kana")
# What a refusal for want of budget says in the record: the next of the three states.
_STEPS: Final = {StepUpNeeded: "step_up", SecondPersonNeeded: "second_person", BudgetHeld: "hold"}
_log = structlog.get_logger("records")


@dataclass(frozen=True, slots=True)
class Told:
    """Plaintext on its way out, the entry that announced it, and by which way it leaves.

    `found` is how many a search found, of whom `persons` are the first.
    """

    persons: dict[str, dict[str, str]]
    entry: int
    path: Path
    budget: Budget
    found: int | None = None


class Records:
    """The acts on persons. Each method is one act; the record comes first in every one."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        people: People,
        search: Search,
        record: Record,
        grants: Grants,
        budgets: Budgets,
        nonces: Nonces,
        least: Floors,
        freshness: Freshness,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._people = people
        self._search = search
        self._record = record
        self._grants = grants
        self._budgets = budgets
        self._nonces = nonces
        self._least = least
        self._freshness = freshness
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
        self._people.changed(shop, [person])

    async def update(self, grant: Grant, person: str, given: dict[str, Any]) -> int:
        """Write fields anew; an empty one is removed. Gives the highest of the new versions.

        A customer has signed in just now (FreshSignInNeeded). A changed address is unproved, and ends
        what its proof had given, but not the grant that changes it.
        """
        values = fields.checked(given)
        rights.check_update(grant.role, tuple(given))
        if grant.role is not Role.CUSTOMER:
            grant.needs(Permission.CUSTOMERS_CHANGE)
        elif person != grant.person:
            raise NoSuchPerson("not one's own")
        else:
            await self._freshness.check(grant, OWN_FRESH_MS)
        version = await self._rewrite(
            grant.shop, person, values, tuple(given), grant.path, states=_THERE, by=grant
        )
        if version is None:
            raise NoSuchPerson("nobody to change")
        return version

    async def reveal(
        self,
        grant: Grant,
        purpose: Purpose,
        persons: Sequence[str],
        names: tuple[str, ...],
        nonce: str | None = None,
        *,
        ahead: Ahead | None = None,
    ) -> Told:
        """Open persons' fields for a purpose. Persons that are not (any more) of this shop are left out.

        `ahead` is what `ahead` began to read for the same question.
        """
        wanted = list(dict.fromkeys(persons))
        rights.check_number(purpose, len(wanted), names)
        if purpose in rights.ELSEWHERE:
            raise PurposeRefused(f"{purpose} is no reveal")
        rights.check_reveal(grant.role, purpose, names, grant.narrowed, lent=grant.lent)
        kinds: Sequence[str] = CUSTOMER
        if purpose is Purpose.OWN:
            wanted = [one for one in wanted if one == grant.person]
            kinds = CUSTOMER if grant.role is Role.CUSTOMER else MEMBER
        elif purpose is Purpose.MEMBERS:
            kinds = MEMBER
        if ahead is not None and ahead.asked == (grant.shop, wanted, names, kinds):
            sealed = await ahead.rows
        else:
            sealed = await self._people.read(grant.shop, wanted, names, kinds=kinds)
        if not sealed:
            raise NoSuchPerson("nobody of this shop")
        return await self._tell("intent", grant, purpose, sealed, names, nonce=nonce)

    def ahead(
        self, token: object, purpose: Purpose, persons: Sequence[str], names: tuple[str, ...]
    ) -> AbstractAsyncContextManager[Ahead | None]:
        """Begin to read what `reveal` will be asked for with this token's grant."""
        return read_ahead(self._people, token, purpose, persons, names)

    async def search(self, grant: Grant, query: str, most: int, *, tag: int | None = None) -> Told:
        """Find persons by any part, or by a mark, and open the names of the first; who is found by a mark is
        shown to have it. Finding nobody is on record, too.
        """
        shows = _SEARCH_SHOWS if tag is None else (*_SEARCH_SHOWS, "tags")
        rights.check_number(Purpose.SEARCH, most)
        rights.check_reveal(grant.role, Purpose.SEARCH, shows, grant.narrowed, lent=grant.lent)
        hits = await self._search.find(grant.shop, query, most, tag=tag)
        sealed = await self._people.read(grant.shop, hits.persons, shows)
        told = await self._tell("search", grant, Purpose.SEARCH, sealed, shows, note=f"found:{hits.number}")
        return replace(told, found=hits.number)

    async def erase_unkept(self, now: int) -> int:
        """Erase the persons whose hour has passed; gives their number."""
        rows = await self._database.rows(
            "SELECT DISTINCT shop_id FROM vault.person WHERE state = 'provisional' AND made_at <= %s",
            [now - PROVISIONAL_MS],
        )
        return sum([await self._erase_in(shop, now) for (shop,) in rows])

    # -- inside

    async def _tell(
        self,
        kind: str,
        grant: Grant,
        purpose: Purpose,
        sealed: Sequence[Sealed],
        names: tuple[str, ...],
        *,
        note: str = "",
        nonce: str | None = None,
    ) -> Told:
        """Debit, write down, and only then open."""
        persons = [one.person for one in sealed]
        ref, budget = await self._debit(grant, purpose, persons, names, nonce)
        if grant.power:
            ref = f"{ref}/{power_mark(grant.power)}" if ref else power_mark(grant.power)
        entry = await self._record.write(
            kind,
            grant.path,
            shop=grant.shop,
            purpose=purpose,
            persons=persons,
            fields=names,
            ref=ref,
            note=note,
        )
        told: dict[str, dict[str, str]] = {}
        for one in sealed:
            try:
                # Whose right ended while this went on gets nobody: what was opened before is dropped, too.
                grant = await self._still(grant, purpose, names)
                opened = await self._open(grant.shop, one, names)
            except VaultError as refusal:
                if isinstance(refusal, RecordDamaged):
                    _log.error("record_damaged", shop=grant.shop, person=one.person, entry=entry)
                    await self._record.damaged(grant.shop, [one.person])
                await self._record.outcome(entry, Outcome.FAILED, grant.path)
                raise
            told[one.person] = {name: value.text for name, value in opened.items()}
        return Told(told, entry, grant.path, budget)

    async def _debit(
        self, grant: Grant, purpose: Purpose, persons: list[str], names: tuple[str, ...], nonce: str | None
    ) -> tuple[str, Budget]:
        """Take the nonce and debit the budget; one's own data cost nothing. Refusals are on record."""
        ref = ""
        try:
            if nonce is not None:
                ref = self._nonces.take(grant.lineage, nonce)
            if purpose is Purpose.OWN:
                return ref, self._budgets.standing(grant.spender, self._now())
            return ref, self._budgets.debit(grant.spender, units(persons, names), self._now())
        except Replayed:
            await self._refused(grant, purpose, persons, "replay")
            raise
        except BudgetExceeded as refusal:
            step = refusal
            if isinstance(refusal, SecondPersonNeeded) and not await self._grants.another_decides(grant):
                step = BudgetHeld("there is no second person", **refusal.facts)
            # That there was somebody to see tells something, too: the refusal is on record.
            await self._refused(grant, purpose, persons, f"budget:{_STEPS[type(step)]}")
            if isinstance(step, BudgetHeld):
                _log.warning("budget_held", shop=grant.shop, lineage=grant.lineage)
            raise step from None

    async def _refused(self, grant: Grant, purpose: Purpose, persons: list[str], note: str) -> None:
        await self._record.write(
            "refused", grant.path, shop=grant.shop, purpose=purpose, persons=persons, note=note
        )

    async def _still(self, grant: Grant, purpose: Purpose, names: tuple[str, ...]) -> Grant:
        """Give the grant as it is now, if it still gives this right. Costs nothing while nothing changed."""
        if not self._grants.stale(grant):
            return grant
        newer = await self._grants.again(grant)
        rights.check_reveal(newer.role, purpose, names, newer.narrowed, lent=newer.lent)
        return newer

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
        by: Grant | None = None,
    ) -> int | None:
        """Write the named fields anew; None when there is no such person in one of the states.

        `by` is whose grant changes a person who is there; without one it is the person's own word at booking.
        """
        ended: list[str] = []
        async with self._database.transaction() as connection:
            sealed = await self._people.lock(connection, shop, person, states)
            if sealed is None:
                return None
            if by is not None and by.role is not Role.CUSTOMER:
                await merges.stands(connection, shop, person)
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
            if by is not None and by.role is Role.CUSTOMER and "mail" in new.versions:
                await own_records.hold(connection, shop, person, self._now())
            await self._people.rewrite(connection, shop, sealed, new, self._now())
            if by is not None and "mail" in new.versions:
                ended = await readdressed(
                    connection, self._grants, shop, person, new.versions["mail"], but=by.grant_id
                )
        self._grants.changed(*ended)
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
    await holds.steady(connection)
    cursor = await connection.execute(
        b"SELECT p.person::text FROM vault.person p "
        b"WHERE p.shop_id = %s AND p.state = 'provisional' AND p.made_at <= %s AND "
        + holds.UNHELD
        + b" ORDER BY p.person LIMIT %s FOR UPDATE OF p SKIP LOCKED",
        [shop, before, _ERASE_AT_ONCE],
    )
    return [row[0] for row in await cursor.fetchall()]
